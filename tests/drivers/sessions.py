"""Sessions against servers of the gallery, judged and recorded, for tests of what drives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orderproof.coverage import Coverage
from orderproof.drivers.session import Session
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import SANDBOX_CLOCK, Target
from orderproof.transport import Transport
from tests.gallery.catalogue import find
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Watched:
    """A session, the judge that sees it, and everything that was sent."""

    session: Session
    judge: Judge
    history: list[Exchange] = field(default_factory=list)


@contextmanager
def watched(server: str, *, seed: int = 0) -> Iterator[Watched]:
    """Serve a server of the gallery and open a session to it."""
    judge, coverage, history = Judge(), Coverage(), list[Exchange]()

    def observe(exchange: Exchange) -> None:
        judge.observe(exchange)
        step = judge.step
        if step is not None and step.call is not None and step.assessment is not None:
            coverage.observe(step.call, step.assessment, judge.states(step.call.order_id))

    with serve_here(find(server)) as url:
        target = Target(url, *CREDENTIALS, orders=ORDERS_SOURCE, clock=SANDBOX_CLOCK)
        with Transport(target) as transport:
            session = Session(
                sender=transport,
                target=target,
                supply=supply_from(target.orders),
                observe=observe,
                state=judge.state,
                record=history.extend,
                coverage=coverage,
                seed=seed,
            )
            yield Watched(session, judge, history)


def without_ids(history: Iterable[Exchange]) -> list[str]:
    """What was sent, ids and keys replaced by their number in order of appearance."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"<{len(numbers)}>")

    texts = []
    for exchange in history:
        request = exchange.request
        key = request.header("klarna-idempotency-key") or ""
        text = f"{request.method} {request.target} {key} {request.body.decode('utf-8', 'replace')}"
        texts.append(_UUID.sub(number, text))
    return texts
