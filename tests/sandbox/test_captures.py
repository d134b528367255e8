"""Captures: what they take, what they refuse, how they read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.sandbox.client import Client, line, unknown_order

SHIPMENT = {"shipping_company": "Carrier", "shipping_method": "Home", "tracking_number": "1"}
Make = Callable[..., Client]


def test_a_new_order_reads_as_agreed(sandbox: Client) -> None:
    order = sandbox.get(sandbox.order(10000, merchant_reference1="R1"))

    assert order["status"] == "AUTHORIZED"
    assert (
        order["remaining_authorized_amount"]
        == order["order_amount"]
        == order["original_order_amount"]
        == 10000
    )
    assert order["captured_amount"] == order["refunded_amount"] == 0
    assert order["captures"] == order["refunds"] == []
    assert order["merchant_reference1"] == "R1"
    assert not {"merchant_reference2", "merchant_data", "shipping_info"} & order.keys()
    assert order["created_at"].endswith(".000Z")
    assert order["expires_at"].endswith("T00:00:00.000Z")


def test_a_capture_reads_back_everywhere_as_it_was_sent(sandbox: Client) -> None:
    path = sandbox.order(10000)
    sent = {
        "description": "First",
        "reference": "C-1",
        "order_lines": [line(4000)],
        "shipping_info": [SHIPMENT],
    }
    reply = sandbox.send("POST", f"{path}/captures", {"captured_amount": 4000, **sent})
    capture = sandbox.get(f"{path}/captures/{reply.headers['capture-id']}")
    order = sandbox.get(path)

    assert (reply.status, reply.body, reply.headers["content-length"]) == (201, b"", "0")
    assert reply.headers["location"] == f"http://sandbox.test{path}/captures/{reply.headers['capture-id']}"
    assert "content-type" not in reply.headers
    assert {name: capture[name] for name in sent} == sent
    assert (capture["captured_amount"], capture["refunded_amount"]) == (4000, 0)
    assert capture["klarna_reference"] == f"{order['klarna_reference']}-1"
    assert capture["billing_address"] == order["billing_address"]
    assert order["captures"] == sandbox.get(f"{path}/captures") == [capture]
    assert (order["captured_amount"], order["remaining_authorized_amount"]) == (4000, 6000)
    assert order["status"] == "PART_CAPTURED"


@pytest.mark.parametrize(("amount", "status"), [(5999, 201), (6000, 201), (6001, 403)])
def test_a_capture_fits_into_what_remains(sandbox: Client, amount: int, status: int) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 4000)
    before = sandbox.get(order)
    reply = sandbox.send("POST", f"{order}/captures", {"captured_amount": amount})

    assert reply.status == status
    if status == 403:
        assert reply.code == "CAPTURE_NOT_ALLOWED"
        assert sandbox.get(order) == before


def test_an_order_captured_whole_takes_no_more(sandbox: Client) -> None:
    order = sandbox.order(10000)
    sandbox.capture(order, 9999)
    sandbox.capture(order, 1)

    assert sandbox.get(order)["status"] == "CAPTURED"
    for amount in (0, 1):
        reply = sandbox.send("POST", f"{order}/captures", {"captured_amount": amount})
        assert (reply.status, reply.code) == (403, "CAPTURE_NOT_ALLOWED")


def test_captures_are_numbered_and_keep_their_order(sandbox: Client) -> None:
    order = sandbox.order(10000)
    made = [sandbox.capture(order, 1).rpartition("/")[2] for _ in range(40)]
    captures = sandbox.get(f"{order}/captures")

    assert [one["capture_id"] for one in captures] == made
    assert [one["klarna_reference"].rpartition("-")[2] for one in captures] == [str(n) for n in range(1, 41)]


def test_a_capture_keeps_the_address_that_it_was_made_with(sandbox: Client) -> None:
    order = sandbox.order(10000)
    capture = sandbox.capture(order, 1)
    before = sandbox.get(capture)
    sandbox.send("PATCH", f"{order}/customer-details", {"shipping_address": {"city": "Elsewhere"}})

    assert sandbox.get(capture) == before
    assert sandbox.get(order)["shipping_address"]["city"] == "Elsewhere"


def test_a_capture_belongs_to_one_order(sandbox: Client) -> None:
    mine, other = sandbox.order(), sandbox.order()
    capture = sandbox.capture(mine, 1).rpartition("/")[2]
    sandbox.capture(other, 1)
    reply = sandbox.send("GET", f"{other}/captures/{capture}")

    assert (reply.status, reply.code) == (404, "NO_SUCH_CAPTURE")
    assert capture in reply.message


CHILD_CALLS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/extend-due-date-options", None),
    ("PATCH", "/extend-due-date", {"number_of_days": 14}),
    ("POST", "/shipping-info", {"shipping_info": [SHIPMENT]}),
    ("POST", "/trigger-send-out", None),
]


@pytest.mark.parametrize(("method", "tail", "body"), CHILD_CALLS)
def test_an_unknown_capture_is_not_found(sandbox: Client, method: str, tail: str, body: Any) -> None:
    order = sandbox.order()
    sandbox.capture(order, 1)

    for wrong in (str(uuid4()), "nonsense"):
        reply = sandbox.send(method, f"{order}/captures/{wrong}{tail}", body)
        assert (reply.status, reply.code) == (404, "NO_SUCH_CAPTURE")


@pytest.mark.parametrize(("method", "tail", "body"), CHILD_CALLS[3:])
def test_without_captures_there_is_nothing_to_ship(
    sandbox: Client, sandbox_with: Make, method: str, tail: str, body: Any
) -> None:
    refused = sandbox.send(method, f"{sandbox.order()}/captures/{uuid4()}{tail}", body)
    other = sandbox_with(no_captures="404")
    not_found = other.send(method, f"{other.order()}/captures/{uuid4()}{tail}", body)

    assert (refused.status, refused.code) == (403, "NOT_ALLOWED")
    assert (not_found.status, not_found.code) == (404, "NO_SUCH_CAPTURE")


def test_shipments_stand_at_the_end_in_order(sandbox: Client) -> None:
    order = sandbox.order()
    capture = sandbox.capture(order, 1, shipping_info=[SHIPMENT])
    more = [{"tracking_number": "2"}, {"tracking_number": "3", "tracking_uri": "https://example.com/3"}]
    replies = [
        sandbox.send("POST", f"{path}/shipping-info", {"shipping_info": more}) for path in (capture, order)
    ]

    assert [reply.status for reply in replies] == [204, 204]
    assert sandbox.get(capture)["shipping_info"] == [SHIPMENT, *more]
    assert sandbox.get(order)["shipping_info"] == more


def test_a_send_out_changes_nothing(sandbox: Client) -> None:
    order = sandbox.order()
    capture = sandbox.capture(order, 1)
    before = sandbox.get(order)
    reply = sandbox.send("POST", f"{capture}/trigger-send-out")

    assert (reply.status, reply.body) == (204, b"")
    assert not {"content-type", "content-length"} & reply.headers.keys()
    assert sandbox.get(order) == before


def test_an_extension_of_the_due_date_uses_up_its_option(sandbox: Client) -> None:
    capture = sandbox.capture(sandbox.order(), 10000)
    options = f"{capture}/extend-due-date-options"
    offered = sandbox.get(options)
    taken = sandbox.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": 30})
    again = sandbox.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": 30})

    assert offered["currency"] == "SEK"
    assert [option["number_of_days"] for option in offered["options"]] == [14, 30, 60]
    assert taken.status == 204
    assert (again.status, again.code) == (403, "NOT_ALLOWED")
    assert [option["number_of_days"] for option in sandbox.get(options)["options"]] == [14, 60]


def test_options_may_be_kept(sandbox_with: Make) -> None:
    sandbox = sandbox_with(due_date_options="kept", due_date_refusal="422")
    capture = sandbox.capture(sandbox.order(), 10000)

    for days, status in ((30, 204), (30, 204), (31, 422)):
        reply = sandbox.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": days})
        assert reply.status == status


@pytest.mark.parametrize(("choice", "status"), [("taken", 201), ("400", 400), ("403", 403), ("422", 422)])
def test_a_capture_of_nothing_is_open(sandbox_with: Make, choice: str, status: int) -> None:
    sandbox = sandbox_with(capture_zero=choice)
    reply = sandbox.send("POST", f"{sandbox.order()}/captures", {"captured_amount": 0})

    assert reply.status == status


@pytest.mark.parametrize("counts", ["yes", "no"])
def test_whether_a_capture_of_nothing_counts_is_open(sandbox_with: Make, counts: str) -> None:
    sandbox = sandbox_with(zero_capture_counts=counts)
    order = sandbox.order()
    sandbox.capture(order, 0)

    assert sandbox.get(order)["status"] == "AUTHORIZED"
    assert sandbox.send("POST", f"{order}/cancel").status == (403 if counts == "yes" else 204)


@pytest.mark.parametrize(("choice", "status"), [("taken", 201), ("400", 400), ("403", 403), ("422", 422)])
def test_delayed_shipping_and_lines_that_do_not_add_up_are_open(
    sandbox_with: Make, choice: str, status: int
) -> None:
    sandbox = sandbox_with(shipping_delay=choice, line_arithmetic=choice)
    order = sandbox.order()
    off_by_one = {"captured_amount": 99, "order_lines": [line(100)]}
    wrong_product = {"captured_amount": 100, "order_lines": [line(100, quantity=2)]}
    wrong_tax = {"captured_amount": 100, "order_lines": [line(100, tax_rate=2500, total_tax_amount=25)]}

    for body in (off_by_one, wrong_product, wrong_tax, {"captured_amount": 100, "shipping_delay": 1}):
        assert sandbox.send("POST", f"{order}/captures", body).status == status
    right = line(100, tax_rate=2500, total_tax_amount=20)
    for body in (
        {"captured_amount": 100, "order_lines": [right]},
        {"captured_amount": 100, "shipping_delay": 0},
    ):
        assert sandbox.send("POST", f"{order}/captures", body).status == 201


def test_room_for_thirty_captures_and_refunds_is_enough(sandbox_with: Make) -> None:
    sandbox = sandbox_with(operations_per_order="30")
    order = sandbox.order()
    for _ in range(30):
        sandbox.capture(order, 1)
    for _ in range(30):
        sandbox.refund(order, 1)

    assert sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}).code == "CAPTURE_NOT_ALLOWED"
    assert sandbox.send("POST", f"{order}/refunds", {"refunded_amount": 0}).code == "REFUND_NOT_ALLOWED"


def test_an_unknown_order_has_no_captures(sandbox: Client) -> None:
    path = unknown_order()
    reply = sandbox.send("GET", f"{path}/captures")

    assert (reply.status, reply.code) == (404, "NO_SUCH_ORDER")
    assert path.rpartition("/")[2] in reply.message
