"""A block shows how the order read before the deciding call, and which calls were under way with it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from orderproof.outcome import Block
from orderproof.report.block import block_lines
from orderproof.report.situation import order_was, together
from tests.report.samples import OPEN_ORDER, ORDER_PATH, TOO_MUCH, TWICE, exchange, message

READ = "AUTHORIZED, amount 10000, captured 0, refunded 0, remaining 10000"
CAPTURE = message("POST", '{"captured_amount": 1}', target=f"{ORDER_PATH}/captures")


def reading(number: int, body: Any = OPEN_ORDER, status: int = 200, path: str = ORDER_PATH) -> dict[str, Any]:
    text = body if isinstance(body, str) else json.dumps(body)
    return exchange(number, message("GET", target=path), message(status, text))


def block(*exchanges: dict[str, Any], deciding: int | None = None) -> Block:
    return replace(TOO_MUCH, exchanges=exchanges, deciding=deciding)


def writing(number: int, status: int | None = 201, **more: Any) -> dict[str, Any]:
    return exchange(number, CAPTURE, None if status is None else message(status), **more)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([reading(1)], READ),
        ([reading(1), writing(2, 403)], READ),
        ([reading(1), writing(2)], ""),
        ([reading(1), writing(2, None)], ""),
        ([writing(1), reading(2)], READ),
        ([reading(1, path=f"{ORDER_PATH}0")], ""),
        ([reading(1, status=404)], ""),
        ([reading(1, "<p>no JSON")], ""),
        ([reading(1, [])], ""),
        ([reading(1, {"status": "x" * 50, "order_amount": None})], f"{'x' * 39}…, amount None"),
        ([], ""),
    ],
)
def test_how_the_order_read_before(before: list[dict[str, Any]], expected: str) -> None:
    assert expected == order_was(block(*before, writing(8), reading(9), deciding=8))


def test_what_a_reading_shows_is_in_it_already() -> None:
    assert "" == order_was(block(reading(1), reading(2), deciding=2))
    assert "" == order_was(block())


def test_calls_at_once_are_no_calls_before() -> None:
    assert frozenset({2, 3}) == together(TWICE)
    lines = block_lines(TWICE)
    assert ["  After      order of 20000", "  At once    POST …/captures"] == [
        line[: line.index("  ", 13)].partition(" {")[0] for line in lines if line[2:4] in ("Af", "At")
    ]


def test_a_race_does_not_hide_how_the_order_was() -> None:
    race = [writing(2, group=5), reading(3) | {"group": 5}, writing(4, group=5)]
    assert READ == order_was(block(reading(1), *race, deciding=4))
