"""Captures, refunds and authorization updates: their amounts, their lines, and what they shrink to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import (
    authorization_updates,
    captures,
    refunds,
    return_fee_refunds,
    schema,
    spanning_refunds,
)
from orderproof.strategies.authorizations import Direction
from tests.strategies.drawing import assert_sound, check_each, drawn_from, minimal

HIGHEST = schema.largest("CaptureRequest.captured_amount")
LIMITS = (1, 2, 7, 12345, HIGHEST)
# Each property is tried with 1,000 values in all.
SHARE = 1000 // len(LIMITS)

Body = dict[str, Any]


@pytest.mark.parametrize("remaining", LIMITS)
def test_captures_are_sound_and_within_what_remains(remaining: int) -> None:
    def check(body: Body) -> None:
        assert_sound("CaptureRequest", "captured_amount", body)
        assert 1 <= body["captured_amount"] <= remaining
        assert 0 == body.get("shipping_delay", 0)

    check_each(captures(remaining=remaining), check, count=SHARE)


@pytest.mark.parametrize("refundable", LIMITS)
def test_refunds_are_sound_and_within_what_can_be_refunded(refundable: int) -> None:
    def check(body: Body) -> None:
        assert_sound("RefundRequest", "refunded_amount", body)
        assert 1 <= body["refunded_amount"] <= refundable

    check_each(refunds(refundable=refundable, captures=[refundable // 2]), check, count=SHARE)


def test_refunds_prefer_the_seams_between_captures() -> None:
    bodies = drawn_from(
        refunds(refundable=100000, captures=[30000, 50000, 20000], with_lines=False), count=400
    )
    amounts = {body["refunded_amount"] for body in bodies}
    assert {29999, 30000, 30001, 49999, 50000, 50001, 79999, 80000, 80001, 100000} <= amounts
    assert 100000 == max(amounts)


@pytest.mark.parametrize("left", [[1, 1], [0, 30, 40], [5] * 20, [HIGHEST // 2, HIGHEST // 2]])
def test_spanning_refunds_are_sound_and_need_two_captures(left: list[int]) -> None:
    def check(body: Body) -> None:
        assert_sound("RefundRequest", "refunded_amount", body)
        assert max(left) < body["refunded_amount"] <= sum(left)

    check_each(spanning_refunds(captures=left), check, count=250)


def test_return_fee_refunds_are_sound_and_sum_with_the_fee() -> None:
    def check(body: Body) -> None:
        assert_sound("RefundRequest", "refunded_amount", body)
        (fee,) = (line for line in body["order_lines"] if line.get("type") == "return_fee")
        assert fee["total_amount"] < 0
        assert 1 <= body["refunded_amount"] <= 5000 + fee["total_amount"]

    check_each(return_fee_refunds(refundable=5000), check)


@pytest.mark.parametrize(
    ("captured", "current"), [(0, 1), (0, 500), (300, 1000), (HIGHEST - 1, HIGHEST), (HIGHEST, HIGHEST)]
)
def test_authorization_updates_are_sound_and_not_below_what_is_captured(captured: int, current: int) -> None:
    def check(body: Body) -> None:
        assert_sound("AuthorizationUpdate", "order_amount", body)
        assert max(captured, 1) <= body["order_amount"] <= HIGHEST

    check_each(authorization_updates(captured=captured, current=current), check, count=SHARE)


@pytest.mark.parametrize(
    ("direction", "low", "high"),
    [
        ("down", 301, 999),
        ("up", 1001, HIGHEST),
        ("to_captured", 300, 300),
        ("same", 1000, 1000),
        ("below_captured", 0, 299),
    ],
)
def test_directions_say_where_the_amount_goes(direction: Direction, low: int, high: int) -> None:
    updates = authorization_updates(captured=300, current=1000, direction=direction, with_lines=False)
    amounts = [body["order_amount"] for body in drawn_from(updates, count=60)]
    assert (low, high) == (min(amounts), max(amounts))


def test_every_direction_has_a_case() -> None:
    assert {"down", "up", "to_captured", "same", "below_captured"} == set(get_args(Direction))


@pytest.mark.parametrize("with_lines", [True, False])
@pytest.mark.parametrize(
    "strategy",
    [
        lambda wanted: captures(remaining=70, with_lines=wanted),
        lambda wanted: refunds(refundable=70, with_lines=wanted),
        lambda wanted: spanning_refunds(captures=[30, 40], with_lines=wanted),
        lambda wanted: authorization_updates(captured=0, current=70, with_lines=wanted),
    ],
)
def test_lines_come_when_they_are_wanted(strategy: Callable[[bool], Any], with_lines: bool) -> None:
    assert {with_lines} == {"order_lines" in body for body in drawn_from(strategy(with_lines), count=60)}


def test_bodies_for_the_united_states_have_a_sales_tax_line() -> None:
    for body in drawn_from(captures(remaining=900, with_lines=True, country="US"), count=60):
        assert "sales_tax" == body["order_lines"][-1]["type"]


def test_captures_name_every_field() -> None:
    names = {name for body in drawn_from(captures(remaining=900), count=200) for name in body}
    assert set(schema.component("CaptureRequest")["properties"]) == names


def test_bodies_shrink_to_what_a_person_would_write() -> None:
    assert {"captured_amount": 1} == minimal(captures(remaining=10000))
    assert {"captured_amount": 10000} == minimal(captures(remaining=10000, size="whole"))
    assert {"captured_amount": 10001} == minimal(captures(remaining=10000, size="over"))
    assert {"refunded_amount": 1} == minimal(refunds(refundable=10000, captures=[4000, 6000]))
    assert {"refunded_amount": 6001} == minimal(spanning_refunds(captures=[4000, 6000]))
    assert {"order_amount": 301} == minimal(authorization_updates(captured=300, current=1000))
    assert {"order_amount": 1001} == minimal(
        authorization_updates(captured=300, current=1000, direction="up")
    )


def test_lines_and_shipments_shrink_within_a_body() -> None:
    line = {"name": "A", "quantity": 1, "unit_price": 1, "total_amount": 1}
    assert {"captured_amount": 1, "order_lines": [line]} == minimal(
        captures(remaining=50), lambda body: "order_lines" in body
    )
    shipped = minimal(captures(remaining=50), lambda body: body.get("shipping_info"))
    assert {"captured_amount": 1, "shipping_info": [{"shipping_company": "A"}]} == shipped


def test_a_return_fee_shrinks_to_goods_of_two_and_a_fee_of_one() -> None:
    goods = {"name": "A", "quantity": 1, "unit_price": 2, "total_amount": 2}
    fee = {"type": "return_fee", "name": "Return fee", "quantity": 1, "unit_price": -1, "total_amount": -1}
    assert {"refunded_amount": 1, "order_lines": [goods, fee]} == minimal(return_fee_refunds(refundable=100))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: captures(remaining=0), "limit=0"),
        (lambda: captures(remaining=-5), "limit=-5 is below 0"),
        (lambda: captures(remaining=1, country="ZZ"), "country='ZZ' is none of"),
        (lambda: refunds(refundable=1, size="part"), "size='part' of limit=1"),
        (lambda: refunds(refundable=1, captures=[0.5]), "captures=0.5"),  # type: ignore[list-item]
        (lambda: spanning_refunds(captures=[]), "captures=[]: no refund needs more than one"),
        (lambda: spanning_refunds(captures=[7, 0]), "captures=[7, 0]: no refund needs more than one"),
        (lambda: spanning_refunds(captures=[7, -1]), "captures=-1 is below 0"),
        (lambda: return_fee_refunds(refundable=1), "refundable=1 is below 2"),
        (lambda: authorization_updates(captured=5, current=4), "captured=5 is above 4"),
        (
            lambda: authorization_updates(captured=0, current=9, direction="to_captured"),
            "direction='to_captured'",
        ),
        (
            lambda: authorization_updates(captured=0, current=9, direction="left"),  # type: ignore[arg-type]
            "direction='left' is none of",
        ),
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
