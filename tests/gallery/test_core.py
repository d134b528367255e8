"""The plain correct server does what the contract says, rule area by rule area."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.gallery.server import Fake
from tests.gallery.visitor import Visit, Visitor, basic, line, seen, some_id
from tests.gallery.wire import Answer


@pytest.fixture
def visitor() -> Visitor:
    return Visitor(Fake())


@pytest.fixture
def order(visitor: Visitor) -> Visit:
    return visitor.order()


def refusal(answer: Answer) -> tuple[int, str]:
    body = seen(answer)
    assert isinstance(body["correlation_id"], str)
    assert all(isinstance(message, str) for message in body["error_messages"])
    return answer.status, body["error_code"]


def sums(view: dict[str, Any]) -> tuple[int, int, int, int, str]:
    names = ("order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount")
    amounts = [view[name] for name in names]
    return amounts[0], amounts[1], amounts[2], amounts[3], view["status"]


@pytest.mark.parametrize("credentials", [None, basic("who", "what"), "Bearer x", "Basic", "Basic !!!", ""])
def test_without_the_right_credentials_nothing_is_done(order: Visit, credentials: str | None) -> None:
    answer = order.post("cancel", credentials=credentials)
    assert answer.status == 401
    assert order.id.encode() not in answer.body
    assert answer.header("WWW-Authenticate")
    assert order.read()["status"] == "AUTHORIZED"


def test_ids_and_methods(visitor: Visitor, order: Visit) -> None:
    assert refusal(Visit(visitor, some_id()).get()) == (404, "NO_SUCH_ORDER")
    assert refusal(Visit(visitor, "nonsense").get()) == (400, "INVALID_ORDER_ID")
    assert visitor.send("GET", "/elsewhere").status == 404
    assert order.visitor.send("DELETE", order.path("captures")).header("Allow") == "GET, POST"
    assert refusal(order.get(f"captures/{some_id()}")) == (404, "NO_SUCH_CAPTURE")
    assert refusal(order.get(f"refunds/{some_id()}")) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"captured_amount": None},
        {"captured_amount": "1"},
        {"captured_amount": 1.5},
        {"captured_amount": True},
        {"captured_amount": -1},
        {"captured_amount": 200_000_001},
        {"captured_amount": 1, "reference": "x" * 256},
        {"captured_amount": 1, "order_lines": [line(1)] * 1001},
        {"captured_amount": 1, "order_lines": [line(1, type="phys")]},
        {"captured_amount": 1, "order_lines": [{"name": "x"}]},
        {"captured_amount": 1, "shipping_info": [{"shipping_method": "home"}]},
        [],
        "x",
        1,
    ],
)
def test_invalid_bodies_are_refused_and_change_nothing(order: Visit, body: Any) -> None:
    before = order.read()
    assert order.post("captures", body).status == 400
    assert order.read() == before


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b"[" * 100_000, b'{"captured_amount": NaN}', b"9" * 5000]
)
def test_what_is_not_json_is_refused(order: Visit, raw: bytes) -> None:
    assert order.post("captures", raw=raw).status == 400


def test_sizes_and_media_types(order: Visit) -> None:
    assert order.post("captures", raw=b" " * 2_000_000).status == 413
    assert order.post("captures", raw=b"a=b", content_type="text/plain").status == 415
    lines = [line(1, reference="r" * 255, merchant_data="d" * 600) for _ in range(1000)]
    body = {"captured_amount": 1000, "order_lines": lines}
    assert 900_000 < len(json.dumps(body)) < 1_000_000
    assert order.post("captures", body).status == 201


def test_a_life_of_captures_and_refunds(order: Visit) -> None:
    first = order.captured(4000, description="ё𝄞'", reference="r", order_lines=[line(4000)])
    assert sums(order.read()) == (10_000, 4000, 0, 6000, "PART_CAPTURED")
    assert refusal(order.capture(6001)) == (403, "CAPTURE_NOT_ALLOWED")
    second = order.capture(6000)
    assert sums(order.read()) == (10_000, 10_000, 0, 0, "CAPTURED")
    assert refusal(order.capture(1)) == (403, "CAPTURE_NOT_ALLOWED")
    refund = order.refund(9000, reference="back")
    assert sums(order.read()) == (10_000, 10_000, 9000, 0, "CAPTURED")
    assert refusal(order.refund(1001)) == (403, "REFUND_NOT_ALLOWED")
    assert order.refund(1000).status == 201
    view = order.read()
    assert view["captures"] == seen(order.get("captures"))
    assert [one["refunded_amount"] for one in view["captures"]] == [4000, 6000]
    assert seen(order.get(f"captures/{first}"))["description"] == "ё𝄞'"
    location = refund.header("Location") or ""
    assert seen(order.visitor.send("GET", location.removeprefix("http://127.0.0.1:80"))) == view["refunds"][0]
    assert (second.header("Location") or "").endswith(f"/captures/{second.header('Capture-Id')}")


def test_updates_of_the_authorization(order: Visit) -> None:
    order.capture(3000)
    assert order.authorize(12_000, order_lines=[line(12_000)]).status == 204
    assert sums(order.read()) == (12_000, 3000, 0, 9000, "PART_CAPTURED")
    assert refusal(order.authorize(2999)) == (403, "NOT_ALLOWED")
    assert order.authorize(3000).status == 204
    assert sums(order.read()) == (3000, 3000, 0, 0, "CAPTURED")
    assert order.read()["order_lines"] == []
    assert order.read()["original_order_amount"] == 10_000
    assert refusal(order.authorize(5000)) == (403, "NOT_ALLOWED")


def test_release(order: Visit) -> None:
    assert refusal(order.release()) == (403, "NOT_ALLOWED")
    order.capture(3000)
    assert order.release().status == 204
    assert sums(order.read()) == (10_000, 3000, 0, 0, "PART_CAPTURED")
    assert refusal(order.capture(1)) == (403, "CAPTURE_NOT_ALLOWED")
    assert refusal(order.authorize(9000)) == (403, "NOT_ALLOWED")
    assert order.refund(3000).status == 201


def test_cancel(order: Visit) -> None:
    assert order.cancel().status == 204
    assert sums(order.read()) == (10_000, 0, 0, 10_000, "CANCELLED")
    assert refusal(order.capture(1)) == (403, "CAPTURE_NOT_ALLOWED")
    assert refusal(order.refund(1)) == (403, "REFUND_NOT_ALLOWED")
    for answer in (
        order.authorize(1),
        order.release(),
        order.post("extend-authorization-time"),
        order.patch("merchant-references", {"merchant_reference1": "x"}),
        order.patch("customer-details", {"shipping_address": {"city": "x"}}),
    ):
        assert refusal(answer) == (403, "NOT_ALLOWED")


def test_cancel_is_refused_once_captured(order: Visit) -> None:
    order.capture(1)
    order.refund(1)
    assert refusal(order.cancel()) == (403, "CANCEL_NOT_ALLOWED")


def test_addresses_and_references(order: Visit) -> None:
    before = order.read()
    capture = order.captured(1)
    body = {"shipping_address": {"city": "Lund", "phone": ""}, "billing_address": {"city": "Kiruna"}}
    assert order.patch("customer-details", body).status == 204
    after = order.read()
    assert after["billing_address"] == before["billing_address"]
    expected = {**before["shipping_address"], "city": "Lund"}
    del expected["phone"]
    assert after["shipping_address"] == expected
    assert seen(order.get(f"captures/{capture}"))["shipping_address"] == before["shipping_address"]
    assert order.patch("merchant-references", {"merchant_reference1": ""}).status == 204
    assert "merchant_reference1" not in order.read()
    assert order.read()["merchant_reference2"] == "second"


def test_shipping_info_send_out_and_due_dates(order: Visit) -> None:
    items = [{"tracking_number": str(number)} for number in range(3)]
    assert order.post("shipping-info", {"shipping_info": items[:1]}).status == 204
    assert order.post("shipping-info", {"shipping_info": items[1:]}).status == 204
    assert order.read()["shipping_info"] == items
    assert refusal(order.post(f"captures/{some_id()}/trigger-send-out")) == (403, "NOT_ALLOWED")
    part = f"captures/{order.captured(5)}"
    assert order.post(f"{part}/shipping-info", {"shipping_info": items}).status == 204
    assert seen(order.get(part))["shipping_info"] == items
    assert order.post(f"{part}/shipping-info", {"shipping_info": []}).status == 400
    assert order.post(f"{part}/trigger-send-out").status == 204
    options = seen(order.get(f"{part}/extend-due-date-options"))
    assert options["currency"] == "SEK"
    days = options["options"][0]["number_of_days"]
    assert order.patch(f"{part}/extend-due-date", {"number_of_days": days}).status == 204
    assert refusal(order.patch(f"{part}/extend-due-date", {"number_of_days": 999})) == (403, "NOT_ALLOWED")


def test_time(visitor: Visitor, order: Visit) -> None:
    part = visitor.order()
    part.capture(100)
    before = order.read()["expires_at"]
    visitor.advance(5 * 86400)
    assert order.post("extend-authorization-time").status == 204
    assert order.read()["expires_at"] > before
    visitor.advance(24 * 86400)
    assert order.read()["status"] == "AUTHORIZED"
    assert part.read()["status"] == "EXPIRED"
    assert refusal(part.capture(1)) == (403, "CAPTURE_NOT_ALLOWED")
    assert part.refund(100).status == 201


def test_return_fees(visitor: Visitor, order: Visit) -> None:
    lines = [line(10_000), line(-500, type="return_fee")]
    order.capture(10_000)
    assert order.refund(9500, order_lines=lines).status == 201
    foreign = visitor.order(purchase_country="US", purchase_currency="USD")
    foreign.capture(10_000)
    assert refusal(foreign.refund(9500, order_lines=lines)) == (403, "REFUND_NOT_ALLOWED")


def test_keys(visitor: Visitor, order: Visit) -> None:
    first = order.post("captures", {"captured_amount": 10}, klarna_idempotency_key="k")
    again = order.post("captures", {"captured_amount": 20}, klarna_idempotency_key="k")
    assert first.header("Capture-Id") == again.header("Capture-Id")
    assert order.read()["captured_amount"] == 10
    order.capture(5)
    order.capture(5)
    assert order.read()["captured_amount"] == 20
    visitor.advance(86000)
    order.post("captures", {"captured_amount": 10}, klarna_idempotency_key="k")
    assert order.read()["captured_amount"] == 20


def test_crowds(visitor: Visitor) -> None:
    order = visitor.order(100)
    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(lambda _: order.capture(2).status, range(100)))
        assert (statuses.count(201), statuses.count(403)) == (50, 50)
        keyed = list(
            pool.map(
                lambda _: order.post("refunds", {"refunded_amount": 1}, klarna_idempotency_key="one"),
                [0] * 30,
            )
        )
    assert len({answer.header("Refund-Id") for answer in keyed}) == 1
    assert sums(order.read()) == (100, 100, 1, 0, "CAPTURED")


def test_customer_tokens(visitor: Visitor) -> None:
    assert visitor.order(500, auto_capture=True).read()["status"] == "CAPTURED"
    assert visitor.send("POST", "/customer-token/v1/tokens/other/order", {}).status == 404
