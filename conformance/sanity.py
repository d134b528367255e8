"""The sanity run: is there a server that can be judged at all?"""

from __future__ import annotations

from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import draft
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange


def look_at(session: Session) -> None:
    """Get an order and read it. Raises CannotJudge with a sentence that says which step failed, and why."""
    stage = Stage(session, "sanity")
    url = session.target.base_url
    _expect_answer(session, stage, url)
    try:
        position = stage.obtain(draft())
    except CannotJudge as error:
        raise CannotJudge(f"no order could be obtained from {url}: {error}") from None
    exchange = stage.read(position)
    if exchange is None or exchange.status != 200:
        shown = "no answer" if exchange is None or exchange.status is None else exchange.status
        raise CannotJudge(f"a fresh order could not be read from {url}: the answer was {shown}, not 200")
    _expect_order(exchange, stage.seats[position].order_id)


def _expect_answer(session: Session, stage: Stage, url: str) -> None:
    command = Command("getOrder", order_id=stage.new_id(), facts=frozenset({"invented-order"}))
    exchange = stage.perform(command)
    if exchange is None or exchange.response is None:
        fault = exchange.fault if exchange is not None else "no answer"
        raise CannotJudge(f"{url} cannot be reached: {fault}")
    if exchange.status == 401:
        raise CannotJudge(
            f"{url} refused the credentials of user {session.target.username!r} with 401: "
            "give them with --user and --password, or ORDERPROOF_USERNAME and ORDERPROOF_PASSWORD"
        )


def _expect_order(exchange: Exchange, order_id: str) -> None:
    body = exchange.response.json if exchange.response is not None else None
    if not isinstance(body, dict) or not isinstance(body.get("order_amount"), int):
        raise CannotJudge(
            f"reading the fresh order {order_id} gave no order: 200 without a JSON object that has an order_amount"
        )
