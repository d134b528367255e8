"""Acknowledge, update, extend, release, cancel: every state, taken and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.client import Client, line

Make = Callable[..., Client]
ADDRESS = {"given_name": "Ada", "city": "Lund", "title": ""}
RELEASE = "release-remaining-authorization"
EXTEND = "extend-authorization-time"


def in_state(sandbox: Client, state: str) -> str:
    """Create an order of 10000, bring it into a state and return its path."""
    order = sandbox.order(10000)
    for amount in {"part": (4000,), "released": (4000,), "captured": (10000,), "expired-part": (4000,)}.get(
        state, ()
    ):
        sandbox.capture(order, amount)
    if state in ("cancelled", "released"):
        assert sandbox.send("POST", f"{order}/{'cancel' if state == 'cancelled' else RELEASE}").status == 204
    if state.startswith("expired"):
        sandbox.advance(days=29)
    return order


CALLS: dict[str, tuple[str, str, Any]] = {
    "acknowledge": ("POST", "acknowledge", None),
    "decrease": ("PATCH", "authorization", {"order_amount": 9000, "order_lines": [line(9000)]}),
    "address": ("PATCH", "customer-details", {"shipping_address": ADDRESS}),
    "references": ("PATCH", "merchant-references", {"merchant_reference1": "A"}),
    "extend": ("POST", EXTEND, None),
    "release": ("POST", RELEASE, None),
    "cancel": ("POST", "cancel", None),
    "ship": ("POST", "shipping-info", {"shipping_info": [{"tracking_number": "1"}]}),
    "capture": ("POST", "captures", {"captured_amount": 1}),
    "refund": ("POST", "refunds", {"refunded_amount": 1}),
}

OUTCOMES = {
    "new": "acknowledge decrease address references extend cancel ship capture",
    "part": "acknowledge decrease address references extend release ship capture refund",
    "captured": "acknowledge address references ship refund",
    "released": "acknowledge address references release ship refund",
    "cancelled": "acknowledge cancel ship",
    "expired": "acknowledge references cancel ship",
    "expired-part": "acknowledge references ship refund",
}
CODES = {"capture": "CAPTURE_NOT_ALLOWED", "refund": "REFUND_NOT_ALLOWED", "cancel": "CANCEL_NOT_ALLOWED"}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", OUTCOMES)
def test_every_call_in_every_state(sandbox: Client, state: str, call: str) -> None:
    order = in_state(sandbox, state)
    before = sandbox.get(order)
    method, tail, body = CALLS[call]
    reply = sandbox.send(method, f"{order}/{tail}", body)

    if call in OUTCOMES[state].split():
        assert reply.status == (201 if call in ("capture", "refund") else 204)
    else:
        assert (reply.status, reply.code) == (403, CODES.get(call, "NOT_ALLOWED"))
        assert sandbox.get(order) == before


@pytest.mark.parametrize(
    ("state", "status", "remaining"),
    [
        ("new", "AUTHORIZED", 10000),
        ("part", "PART_CAPTURED", 6000),
        ("captured", "CAPTURED", 0),
        ("released", "PART_CAPTURED", 0),
        ("cancelled", "CANCELLED", 10000),
        ("expired", "EXPIRED", 10000),
        ("expired-part", "EXPIRED", 6000),
    ],
)
def test_status_and_remaining_amount(sandbox: Client, state: str, status: str, remaining: int) -> None:
    order = sandbox.get(in_state(sandbox, state))

    assert (order["status"], order["remaining_authorized_amount"]) == (status, remaining)


SWITCHES = [
    ("acknowledge_captured", "captured", "acknowledge"),
    ("acknowledge_released", "released", "acknowledge"),
    ("acknowledge_cancelled", "cancelled", "acknowledge"),
    ("acknowledge_expired", "expired", "acknowledge"),
    ("address_captured", "captured", "address"),
    ("address_released", "released", "address"),
    ("address_expired", "expired", "address"),
    ("references_expired", "expired", "references"),
    ("extension_captured", "captured", "extend"),
    ("extension_released", "released", "extend"),
    ("shipping_info_cancelled", "cancelled", "ship"),
    ("shipping_info_expired", "expired", "ship"),
    ("cancel_again", "cancelled", "cancel"),
    ("cancel_expired", "expired", "cancel"),
    ("release_again", "released", "release"),
    ("release_expired", "expired-part", "release"),
]


@pytest.mark.parametrize("choice", ["204", "403"])
@pytest.mark.parametrize(("name", "state", "call"), SWITCHES)
def test_open_points_go_either_way(sandbox_with: Make, name: str, state: str, call: str, choice: str) -> None:
    sandbox = sandbox_with(**{name: choice})
    order = in_state(sandbox, state)
    method, tail, body = CALLS[call]

    assert sandbox.send(method, f"{order}/{tail}", body).status == int(choice)


def test_acknowledging_again_is_open(sandbox: Client, sandbox_with: Make) -> None:
    for one, second in ((sandbox, 204), (sandbox_with(acknowledge_again="403"), 403)):
        order = one.order()
        before = one.get(order)
        assert [one.send("POST", f"{order}/acknowledge").status for _ in range(2)] == [204, second]
        assert one.get(order) == before


# -- the authorization


def test_an_update_replaces_amount_and_lines(sandbox: Client) -> None:
    order = in_state(sandbox, "part")
    sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 12000, "order_lines": [line(12000)]})
    grown = sandbox.get(order)
    sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 5000})
    shrunk = sandbox.get(order)

    assert (grown["order_amount"], grown["remaining_authorized_amount"]) == (12000, 8000)
    assert grown["order_lines"] == [line(12000)]
    assert (shrunk["order_amount"], shrunk["remaining_authorized_amount"]) == (5000, 1000)
    assert shrunk["order_lines"] == []
    assert shrunk["original_order_amount"] == 10000


def test_an_update_below_the_captured_amount_is_refused(sandbox: Client) -> None:
    order = in_state(sandbox, "part")
    before = sandbox.get(order)
    reply = sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 3999})

    assert (reply.status, reply.code) == (403, "NOT_ALLOWED")
    assert sandbox.get(order) == before


@pytest.mark.parametrize("shown", ["CAPTURED", "CLOSED", "PART_CAPTURED"])
def test_a_decrease_to_the_captured_amount_ends_the_authorization(sandbox_with: Make, shown: str) -> None:
    sandbox = sandbox_with(decrease_to_captured_status=shown)
    order = in_state(sandbox, "part")
    taken = sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 4000})
    after = sandbox.get(order)

    assert taken.status == 204
    assert (after["status"], after["remaining_authorized_amount"]) == (shown, 0)
    assert sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 5000}).status == 403
    assert sandbox.get(in_state(sandbox, "captured"))["status"] == "CAPTURED"


def test_an_order_of_nothing_can_grow_again(sandbox: Client) -> None:
    order = sandbox.order(10000)
    sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 0})
    empty = sandbox.get(order)
    refused = sandbox.send("POST", f"{order}/captures", {"captured_amount": 1})
    sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 5})

    assert (empty["status"], empty["remaining_authorized_amount"]) == ("AUTHORIZED", 0)
    assert refused.code == "CAPTURE_NOT_ALLOWED"
    assert sandbox.get(order)["remaining_authorized_amount"] == 5


def test_increase_and_same_amount_may_be_refused(sandbox_with: Make) -> None:
    sandbox = sandbox_with(increase="refused", same_amount="refused")
    order = sandbox.order(100)
    before = sandbox.get(order)

    for amount in (101, 100):
        reply = sandbox.send("PATCH", f"{order}/authorization", {"order_amount": amount})
        assert (reply.status, reply.code) == (403, "NOT_ALLOWED")
    assert sandbox.get(order) == before
    assert sandbox.send("PATCH", f"{order}/authorization", {"order_amount": 99}).status == 204


# -- address and references


def test_an_address_is_merged(sandbox: Client) -> None:
    order = sandbox.order(
        shipping_address={"given_name": "Old", "title": "Dr", "city": "Lund", "country": "SE"}
    )
    before = sandbox.get(order)
    sandbox.send(
        "PATCH", f"{order}/customer-details", {"shipping_address": {"given_name": "Ada", "title": ""}}
    )
    address = sandbox.get(order)["shipping_address"]

    assert (address["given_name"], address["title"], address["city"]) == ("Ada", "", "Lund")
    bodies: list[Any] = [{}, {"shipping_address": {}}, {"billing_address": {"city": "Elsewhere"}}]
    for body in bodies:
        assert sandbox.send("PATCH", f"{order}/customer-details", body).status == 204
    assert sandbox.get(order)["shipping_address"] == address
    assert sandbox.get(order)["billing_address"] == before["billing_address"]


def test_an_address_may_be_refused(sandbox_with: Make) -> None:
    sandbox = sandbox_with(address_update="refused", billing_in_update="403")
    order = sandbox.order()

    for body, status in (({}, 204), ({"shipping_address": ADDRESS}, 403), ({"billing_address": {}}, 403)):
        assert sandbox.send("PATCH", f"{order}/customer-details", body).status == status


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ({"country": "SE", "postal_code": "111 22"}, True),
        ({"country": "se", "postal_code": "11122"}, True),
        ({"country": "SE", "postal_code": "1112"}, False),
        ({"country": "US", "postal_code": "10001", "region": "NY"}, True),
        ({"country": "US", "region": "Skåne"}, False),
        ({"country": "Sweden"}, False),
        ({"country": "JP", "postal_code": "anything"}, True),
        ({"postal_code": "anything"}, True),
        ({"country": "SE", "postal_code": ""}, True),
    ],
)
def test_an_address_that_does_not_fit_may_be_refused(sandbox_with: Make, address: Any, fits: bool) -> None:
    sandbox = sandbox_with(address_fit="422")
    reply = sandbox.send("PATCH", f"{sandbox.order()}/customer-details", {"shipping_address": address})

    assert reply.status == (204 if fits else 422)
    assert fits or reply.code == "INVALID_ADDRESS"


def test_references_are_overwritten_kept_and_cleared(sandbox: Client) -> None:
    order = sandbox.order(merchant_reference1="one", merchant_reference2="two")
    sandbox.send("PATCH", f"{order}/merchant-references", {"merchant_reference1": "uno"})
    first = sandbox.get(order)
    sandbox.send("PATCH", f"{order}/merchant-references", {"merchant_reference2": ""})
    second = sandbox.get(order)

    assert (first["merchant_reference1"], first["merchant_reference2"]) == ("uno", "two")
    assert second["merchant_reference1"] == "uno"
    assert "merchant_reference2" not in second
    assert sandbox.send("PATCH", f"{order}/merchant-references").status == 204
    assert sandbox.get(order) == second


# -- time


def test_an_extension_counts_from_its_day_and_never_goes_back(sandbox: Client) -> None:
    order = sandbox.order()
    first = sandbox.get(order)["expires_at"]
    sandbox.send("POST", f"{order}/{EXTEND}")
    same_day = sandbox.get(order)["expires_at"]
    sandbox.advance(days=10)
    sandbox.send("POST", f"{order}/{EXTEND}")
    later = sandbox.get(order)["expires_at"]

    assert first == same_day < later


def test_no_extension_after_180_days(sandbox: Client) -> None:
    order = sandbox.order()
    for _ in range(7):
        sandbox.advance(days=25)
        assert sandbox.send("POST", f"{order}/{EXTEND}").status == 204
    sandbox.advance(days=6)

    assert sandbox.send("POST", f"{order}/{EXTEND}").status == 403
    assert sandbox.get(order)["status"] == "AUTHORIZED"


def test_a_captured_order_does_not_expire(sandbox: Client) -> None:
    order = in_state(sandbox, "captured")
    sandbox.advance(days=60)

    assert sandbox.get(order)["status"] == "CAPTURED"


def test_an_order_that_expired_long_ago_may_be_closed_for_good(sandbox_with: Make) -> None:
    sandbox = sandbox_with(expired_status="CLOSED-later", release_expired="204")
    order, part = sandbox.order(), in_state(sandbox, "part")
    sandbox.advance(days=29)
    expired = sandbox.get(order)
    sandbox.advance(days=31)
    closed = sandbox.get(order)

    assert (expired["status"], expired["remaining_authorized_amount"]) == ("EXPIRED", 10000)
    assert (closed["status"], closed["remaining_authorized_amount"]) == ("CLOSED", 0)
    assert sandbox.send("POST", f"{order}/cancel").code == "CANCEL_NOT_ALLOWED"
    assert sandbox.send("POST", f"{part}/{RELEASE}").code == "NOT_ALLOWED"


# -- what an ended order shows


def test_what_ended_orders_show_is_open(sandbox_with: Make) -> None:
    sandbox = sandbox_with(cancel_remaining="zero", expired_remaining="zero", full_capture_status="CLOSED")

    assert sandbox.get(in_state(sandbox, "captured"))["status"] == "CLOSED"
    for state in ("cancelled", "expired"):
        assert sandbox.get(in_state(sandbox, state))["remaining_authorized_amount"] == 0


@pytest.mark.parametrize("status", ["PART_CAPTURED", "CAPTURED", "CLOSED"])
@pytest.mark.parametrize("amount", ["kept", "lowered"])
def test_what_a_release_shows_is_open(sandbox_with: Make, status: str, amount: str) -> None:
    sandbox = sandbox_with(release_status=status, release_amount=amount)
    order = sandbox.get(in_state(sandbox, "released"))

    assert (order["captured_amount"], order["remaining_authorized_amount"]) == (4000, 0)
    assert order["order_amount"] == (10000 if amount == "kept" else 4000)
    both_say_open = status == "PART_CAPTURED" and amount == "lowered"
    assert order["status"] == ("CAPTURED" if both_say_open else status)
