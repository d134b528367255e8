"""The client rules: a tidy client breaks none, and each slip is named by its own rule."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from orderproof.checks.conduct import Stream
from orderproof.checks.registry import Broken
from orderproof.exchange import ABSENT, Exchange, Request, Response
from orderproof.judge import registered

ORDER = "/ordermanagement/v1/orders/f3392f8b-6116-4073-ab96-e330819e2c07"
KEY, OTHER_KEY = "0b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
LINE = {
    "name": "Shirt",
    "quantity": 2,
    "unit_price": 500,
    "tax_rate": 2500,
    "total_amount": 1000,
    "total_tax_amount": 200,
}
BODY = {"captured_amount": 1000, "order_lines": [LINE]}


def sent(
    method: str = "POST",
    path: str = f"{ORDER}/captures",
    body: Any = ABSENT,
    *,
    content: bytes | None = None,
    key: str | None = KEY,
    status: int | None = 201,
    at: float = 0.0,
    facts: Iterable[str] = (),
    **headers: str,
) -> Exchange:
    """An exchange as a client makes it; headers by their name with underscores, empty to leave one out."""
    payload = content if content is not None else b"" if body is ABSENT else json.dumps(body).encode()
    values = {"Authorization": "Basic dXNlcjpwYXNz"}
    if key and method != "GET":
        values["Klarna-Idempotency-Key"] = key
    if payload:
        values["Content-Type"] = "application/json"
    values |= {name.replace("_", "-"): value for name, value in headers.items()}
    response = None if status is None else Response((), b"", status)
    request = Request(tuple((k, v) for k, v in values.items() if v), payload, method, path)
    return Exchange(1, request, response, at, at + 0.1, facts=frozenset(facts))


def broken(*exchanges: Exchange) -> set[str]:
    """The rules that a client breaks with the last of its requests."""
    stream = Stream()
    conducts = [stream.next(exchange) for exchange in exchanges]
    checks = [entry for entry in registered() if entry.view == "request"]
    return {entry.rule for entry in checks for mark in entry.judge(conducts[-1]) if isinstance(mark, Broken)}


@pytest.mark.parametrize(
    "exchanges",
    [
        [sent(body=BODY)],
        [sent("GET", ORDER, status=200)],
        [sent("POST", f"{ORDER}/cancel", status=204)],
        [sent("POST", f"{ORDER}/acknowledge", body={}, status=204)],
        [sent("PATCH", f"{ORDER}/merchant-references", {"merchant_reference1": "a"}, status=204)],
        [sent(body=BODY, status=None), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=503), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=429), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=201), sent(body=BODY, key=OTHER_KEY, at=0.2)],
        [
            sent(body=BODY, status=403),
            sent("PATCH", f"{ORDER}/authorization", {"order_amount": 2000}, key=OTHER_KEY, status=204),
            sent(body=BODY, key="9b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11"),
        ],
        [sent(body=BODY, Content_Type='application/json; charset="utf-8"')],
        [sent("POST", "/checkout/v3/orders", {"any": 1.5}, key=None)],
        [sent(body=BODY, Authorization="", facts=["scrubbed"])],
    ],
)
def test_a_tidy_client_breaks_nothing(exchanges: list[Exchange]) -> None:
    assert set() == broken(*exchanges)


def line(**fields: Any) -> dict[str, Any]:
    return {"captured_amount": 1000, "order_lines": [{**LINE, **fields}]}


@pytest.mark.parametrize(
    ("rule", "exchanges"),
    [
        ("CLI-HTTP-1", [sent("GET", ORDER, facts=["framing:4 bytes after a GET that announces no body"])]),
        ("CLI-HTTP-1", [sent("GET", ORDER, Content_Type="json")]),
        ("CLI-PATH-1", [sent("DELETE", ORDER)]),
        ("CLI-PATH-1", [sent("GET", f"{ORDER}/capture")]),
        ("CLI-PATH-2", [sent("GET", f"{ORDER}/")]),
        ("CLI-PATH-2", [sent("GET", f"/{ORDER}")]),
        ("CLI-AUTH-1", [sent("GET", ORDER, Authorization="")]),
        ("CLI-AUTH-1", [sent("GET", ORDER, Authorization="Bearer abc")]),
        ("CLI-BODY-1", [sent(body={**BODY, "description": "d" * 256})]),
        ("CLI-BODY-1", [sent(body=BODY, Content_Type="text/plain")]),
        ("CLI-BODY-1", [sent(body=BODY, Content_Type="")]),
        ("CLI-BODY-1", [sent(content=b"captured_amount=1000")]),
        ("CLI-BODY-1", [sent()]),
        ("CLI-BODY-2", [sent(content=b'{"captured_amount": 1000.0}')]),
        ("CLI-BODY-2", [sent(body={"captured_amount": "1000"})]),
        ("CLI-BODY-2", [sent(body={"captured_amount": 10.5})]),
        ("CLI-BODY-3", [sent("GET", ORDER, body={"a": 1})]),
        ("CLI-BODY-3", [sent("POST", f"{ORDER}/cancel", body={"reason": "none"})]),
        ("CLI-BODY-4", [sent(body={**BODY, "shop": "mine"})]),
        ("CLI-LINE-1", [sent(body=line(unit_price=400))]),
        ("CLI-LINE-2", [sent(body=line(total_tax_amount=250))]),
        ("CLI-LINE-3", [sent(body={**BODY, "captured_amount": 999})]),
        ("CLI-IDM-1", [sent(body=BODY, key=None)]),
        ("CLI-IDM-2", [sent(body=BODY, key="order-1-capture-1")]),
        ("CLI-IDM-3", [sent(body=BODY), sent("POST", f"{ORDER}/refunds", {"refunded_amount": 1}, at=5.0)]),
        ("CLI-IDM-4", [sent(body=BODY, status=None), sent(body=BODY, key=OTHER_KEY, at=2.0)]),
        ("CLI-RETRY-1", [sent(body=BODY, status=403), sent(body=BODY, at=2.0)]),
        ("CLI-RETRY-2", [sent(body=BODY, status=503), sent(body=BODY, at=0.5)]),
        ("CLI-RETRY-2", [sent(body=BODY, status=503, at=2.0 * n) for n in range(5)]),
        ("CLI-SIZE-1", [sent("GET", ORDER, User_Agent="a" * 6_100)]),
    ],
)
def test_each_slip_is_named_by_its_own_rule(rule: str, exchanges: list[Exchange]) -> None:
    assert {rule} == broken(*exchanges)


def test_a_retry_without_any_key_is_unsafe() -> None:
    tries = [sent(body=BODY, key=None, status=None), sent(body=BODY, key=None, at=2.0)]
    assert {"CLI-IDM-1", "CLI-RETRY-1"} == broken(*tries)


def test_a_wrong_credential_is_not_shown() -> None:
    stream = Stream()
    conduct = stream.next(sent("GET", ORDER, Authorization="Bearer very-secret-token"))
    check = next(entry for entry in registered() if entry.rule == "CLI-AUTH-1")
    assert not any("very-secret" in str(mark) for mark in check.judge(conduct))
