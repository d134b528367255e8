"""The clock that can be moved."""

from __future__ import annotations

from datetime import datetime
from email.utils import parsedate_to_datetime

import pytest

from tests.sandbox.client import Client

CLOCK = "/_control/clock"


def test_the_clock_moves_and_everything_with_it(sandbox: Client) -> None:
    first = sandbox.send("GET", CLOCK)
    moved = sandbox.send("POST", CLOCK, {"advance_seconds": 86400.5})
    order = sandbox.get(sandbox.order())
    before, after = (datetime.fromisoformat(reply.json["now"]) for reply in (first, moved))
    shown = parsedate_to_datetime(moved.headers["date"])

    assert 86400 <= (after - before).total_seconds() < 86410
    assert abs((shown - after).total_seconds()) < 2
    assert abs((datetime.fromisoformat(order["created_at"]) - after).total_seconds()) < 10
    assert moved.json["advanced_seconds"] == 86400.5


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"advance_seconds": -1}', b'{"advance_seconds": "1"}', b'{"advance_seconds": true}',
     b'{"advance_seconds": NaN}', b'{"advance_seconds": 1e300}', b'{"advance_seconds": Infinity}',
     b'{"advance_seconds": 9999999999}'],
)  # fmt: skip
def test_a_wrong_move_is_refused(sandbox: Client, body: bytes) -> None:
    reply = sandbox.send("POST", CLOCK, body)

    assert (reply.status, reply.code) == (400, "BAD_VALUE")
    assert sandbox.get(CLOCK)["advanced_seconds"] == 0


def test_an_order_expires_while_its_answer_is_held(sandbox: Client) -> None:
    order = sandbox.order()
    open_reads = [sandbox.get(order)["status"] for _ in range(2)]
    sandbox.advance(days=29)

    assert open_reads == ["AUTHORIZED"] * 2
    assert [sandbox.get(order)["status"] for _ in range(2)] == ["EXPIRED"] * 2


def test_the_clock_takes_two_methods(sandbox: Client) -> None:
    assert sandbox.send("DELETE", CLOCK).headers["allow"] == "GET, POST, HEAD"
