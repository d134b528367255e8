"""Refunds: limits, booking on captures, return fees."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from orderproof.sandbox.effects import booked
from tests.sandbox.client import Client, line

Make = Callable[..., Client]


def test_a_refund_reads_back_and_moves_only_what_was_refunded(sandbox: Client) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 6000)
    before = sandbox.get(order)
    sent = {"description": "Returned", "reference": "R-1", "order_lines": [line(2500)]}
    reply = sandbox.send("POST", f"{order}/refunds", {"refunded_amount": 2500, **sent})
    refund = sandbox.get(f"{order}/refunds/{reply.headers['refund-id']}")
    after = sandbox.get(order)

    assert (reply.status, reply.body) == (201, b"")
    assert reply.headers["location"].endswith(f"/refunds/{refund['refund_id']}")
    assert {name: refund[name] for name in sent} == sent
    assert after["refunds"] == [refund]
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"captures", "refunded_amount", "refunds"}
    assert after["captures"][0]["refunded_amount"] == after["refunded_amount"] == 2500


@pytest.mark.parametrize(("amount", "status"), [(2999, 201), (3000, 201), (3001, 403)])
def test_a_refund_fits_into_what_was_captured(sandbox: Client, amount: int, status: int) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 2000)
    sandbox.capture(order, 2000)
    sandbox.refund(order, 1000)
    before = sandbox.get(order)
    reply = sandbox.send("POST", f"{order}/refunds", {"refunded_amount": amount})

    assert reply.status == status
    if status == 403:
        assert reply.code == "REFUND_NOT_ALLOWED"
        assert sandbox.get(order) == before


@pytest.mark.parametrize(
    ("booking", "shares"), [("oldest", [100, 50, 0]), ("newest", [0, 50, 100]), ("spread", [50, 50, 50])]
)
def test_which_captures_a_refund_is_booked_on_is_open(
    sandbox_with: Make, booking: str, shares: list[int]
) -> None:
    sandbox = sandbox_with(refund_booking=booking)
    order = sandbox.order(300)
    for _ in range(3):
        sandbox.capture(order, 100)
    sandbox.refund(order, 150)

    assert [one["refunded_amount"] for one in sandbox.get(order)["captures"]] == shares
    sandbox.refund(order, 150)
    assert [one["refunded_amount"] for one in sandbox.get(order)["captures"]] == [100, 100, 100]


@pytest.mark.parametrize("booking", ["oldest", "newest", "spread"])
def test_booking_never_loses_or_overfills(sandbox_with: Make, booking: str) -> None:
    sandbox = sandbox_with(refund_booking=booking)
    path = sandbox.order(1000)
    for amount in (1, 500, 7, 30):
        sandbox.capture(path, amount)
    order = sandbox.service.store.order(path.rpartition("/")[2])
    assert order is not None
    for amount in range(539):
        after = booked(order.captures, amount, sandbox.service.context())
        assert sum(one.refunded_amount for one in after) == amount
        assert all(0 <= one.refunded_amount <= one.captured_amount for one in after)


def test_nothing_captured_is_nothing_to_refund(sandbox: Client) -> None:
    reply = sandbox.send("POST", f"{sandbox.order()}/refunds", {"refunded_amount": 1})

    assert (reply.status, reply.code) == (403, "REFUND_NOT_ALLOWED")


def test_a_whole_refund_leaves_the_order_captured(sandbox: Client) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 10000)
    sandbox.refund(order, 10000)
    after = sandbox.get(order)

    assert (after["status"], after["captured_amount"], after["remaining_authorized_amount"]) == (
        "CAPTURED",
        10000,
        0,
    )


def test_a_whole_refund_may_close_an_order_with_nothing_left(sandbox_with: Make) -> None:
    sandbox = sandbox_with(full_refund_status="CLOSED")
    whole, part = sandbox.order(100), sandbox.order(100)
    for order, amount in ((whole, 100), (part, 60)):
        sandbox.capture(order, amount)
        sandbox.refund(order, amount)

    assert sandbox.get(whole)["status"] == "CLOSED"
    assert sandbox.get(part)["status"] == "PART_CAPTURED"
    sandbox.send("POST", f"{part}/release-remaining-authorization")
    assert sandbox.get(part)["status"] == "CLOSED"


def test_an_unknown_refund_is_not_found(sandbox: Client, sandbox_with: Make) -> None:
    order, other = sandbox.order(), sandbox.order()
    sandbox.capture(order, 10)
    refund = sandbox.refund(order, 1).rpartition("/")[2]
    replies = [
        sandbox.send("GET", f"{one}/refunds/{wrong}") for one, wrong in ((order, uuid4()), (other, refund))
    ]
    guide = sandbox_with(unknown_refund="400")

    assert [(reply.status, reply.code) for reply in replies] == [(404, "NOT_FOUND")] * 2
    assert guide.send("GET", f"{guide.order()}/refunds/{uuid4()}").status == 400


@pytest.mark.parametrize(("choice", "status"), [("taken", 201), ("400", 400), ("403", 403), ("422", 422)])
def test_a_refund_of_nothing_is_open(sandbox_with: Make, choice: str, status: int) -> None:
    sandbox = sandbox_with(refund_zero=choice)
    order = sandbox.order()
    sandbox.capture(order, 1)

    assert sandbox.send("POST", f"{order}/refunds", {"refunded_amount": 0}).status == status


def fee(amount: int) -> dict[str, object]:
    return line(-amount, type="return_fee", name="Return fee")


def test_a_return_fee_is_taken_off_a_whole_capture(sandbox: Client) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 10000)
    reply = sandbox.send(
        "POST", f"{order}/refunds", {"refunded_amount": 9500, "order_lines": [line(10000), fee(500)]}
    )

    assert reply.status == 201


@pytest.mark.parametrize("reason", ["country", "two captures", "part", "sum", "released"])
def test_a_return_fee_has_conditions(sandbox: Client, reason: str) -> None:
    order = sandbox.order(1000, purchase_country="US" if reason == "country" else "SE")
    for amount in {"two captures": (500, 500), "part": (900,), "released": (900,)}.get(reason, (1000,)):
        sandbox.capture(order, amount)
    if reason == "released":
        sandbox.send("POST", f"{order}/release-remaining-authorization")
    before = sandbox.get(order)
    amount = 799 if reason == "sum" else 800
    reply = sandbox.send(
        "POST", f"{order}/refunds", {"refunded_amount": amount, "order_lines": [line(900), fee(100)]}
    )

    assert (reply.status, reply.code) == (403, "REFUND_NOT_ALLOWED")
    assert sandbox.get(order) == before
