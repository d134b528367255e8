"""Requests are shown in a line that says what a reader needs: which order, which body, what is odd about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orderproof.exchange import Exchange, Request, Response
from orderproof.shown import order_names, shown_request

ONE, OTHER = "1f5cbb1b-5b4c-4d6f-8f3e-7a9d3e2c1b00", "2a5cbb1b-5b4c-4d6f-8f3e-7a9d3e2c1b11"
ORDERS = "/ordermanagement/v1/orders"
TOKEN = "/customer-token/v1/tokens/s3cret/order"
SHOWN = "POST /customer-token/v1/tokens/REDACTED/order"
WANTED = {"order_amount": 10, "purchase_currency": "SEK"}


def sent(method: str, target: str, body: Any = None, *, status: int = 200, **more: Any) -> Exchange:
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = Response((), more.pop("answer", b""), status)
    return Exchange(1, Request((), data, method, target), answer, 1.0, 1.0, **more)


@pytest.mark.parametrize(
    ("exchange", "line"),
    [
        (sent("GET", f"{ORDERS}/{ONE}"), "GET …"),
        (sent("POST", f"{ORDERS}/{ONE}/captures", {"a": 1}), 'POST …/captures {"a": 1}'),
        (sent("GET", f"{ORDERS}/{ONE}?a=1"), "GET …?a=1"),
        (sent("GET", f"{ORDERS}/not-a-uuid"), "GET …/orders/not-a-uuid"),
        (sent("GET", f"{ORDERS}/{'x' * 99}/captures"), f"GET …/orders/{'x' * 60}… (99 characters)/captures"),
        (
            sent("GET", f"{ORDERS}/{ONE}", facts=frozenset({"invented-order"})),
            "GET … (an order that does not exist)",
        ),
        (sent("GET", f"{ORDERS}/{ONE}", credentials="none"), "GET … (credentials: none)"),
        (
            sent("POST", TOKEN, WANTED),
            "a new order of 10 SEK (POST /customer-token/v1/tokens/REDACTED/order)",
        ),
        (sent("POST", TOKEN, {"order_amount": "10"}), SHOWN + " {\"order_amount\": \"10\"}"),
        (sent("POST", TOKEN, WANTED, status=404), f"{SHOWN} {json.dumps(WANTED)}"),
        (sent("PATCH", "/elsewhere", b"no JSON"), "PATCH /elsewhere no JSON"),
        (sent("PATCH", "/elsewhere", b"x" * 200), f"PATCH /elsewhere {'x' * 160}… (200 bytes)"),
    ],
)  # fmt: skip
def test_a_request_in_a_line(exchange: Exchange, line: str) -> None:
    assert line == shown_request(exchange)


def test_a_long_body_is_shown_in_outline() -> None:
    lines = [{"name": "Shirt", "quantity": 1, "unit_price": 5000, "total_amount": 5000}] * 5
    body = {"refunded_amount": 7, "description": "A" * 256, "order_lines": lines}
    shown = shown_request(sent("POST", f"{ORDERS}/{ONE}/refunds", body))
    assert '{"refunded_amount": 7, "description": "AAAAAAAAAAAAAAAAAAAAAAAA… 256 characters", ' in shown
    assert shown.endswith(f'"order_lines": ["… 4 fields", "… 5 items"]}} ({len(json.dumps(body))} bytes)')


@pytest.mark.parametrize("body", [{str(n): n for n in range(200)}, ["é" * 500] * 3, b"[" * 200, b'"' * 500])
def test_no_body_makes_a_line_long(body: Any) -> None:
    shown = shown_request(sent("POST", f"{ORDERS}/{ONE}", body))
    assert len(shown) < 220
    assert shown.endswith("bytes)")


def test_several_orders_have_names() -> None:
    made = [sent("POST", TOKEN, WANTED, answer=json.dumps({"order_id": i}).encode()) for i in (ONE, OTHER)]
    calls = [sent("GET", f"{ORDERS}/{ONE}"), sent("POST", f"{ORDERS}/{OTHER}/cancel")]
    names = order_names([*made, *calls])
    shown = [shown_request(exchange, names) for exchange in (*made, *calls)]
    token = "(POST /customer-token/v1/tokens/REDACTED/order)"
    assert [
        f"order-1, a new order of 10 SEK {token}",
        f"order-2, a new order of 10 SEK {token}",
        "GET order-1",
        "POST order-2/cancel",
    ] == shown
    assert {} == order_names(calls[:1])
