"""What the checks of the wire count, and what they let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orderproof.exchange import Exchange, Request, Response
from orderproof.judge import Judge

_ID = "3f1e9c0a-1111-4222-8333-444455556666"
_ORDER: dict[str, Any] = {
    "order_id": _ID,
    "status": "AUTHORIZED",
    "fraud_status": "ACCEPTED",
    "order_amount": 10_000,
    "original_order_amount": 10_000,
    "captured_amount": 0,
    "refunded_amount": 0,
    "remaining_authorized_amount": 10_000,
    "klarna_reference": "K4PLAN-0815",
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": "2099-01-01T00:00:00Z",
    "billing_address": {"email": "klara@example.com"},
}
_JSON = (("Content-Type", "application/json"),)


class _History:
    """Exchanges on one order, judged as they come."""

    def __init__(self) -> None:
        self.judge = Judge()
        self._number = 0
        self.read(_ORDER)

    def call(
        self, method: str, tail: str, body: bytes, status: int, answer: Any = None, **facts: Any
    ) -> set[str]:
        self._number += 1
        content = b"" if answer is None else json.dumps(answer).encode()
        exchange = Exchange(
            self._number,
            Request(
                headers=_JSON, body=body, method=method, target=f"/ordermanagement/v1/orders/{_ID}{tail}"
            ),
            Response(headers=_JSON if content else (), body=content, status=status),
            1_800_000_000.0,
            1_800_000_000.1,
            **facts,
        )
        return {finding.rule for finding in self.judge.observe(exchange)}

    def read(self, order: dict[str, Any]) -> set[str]:
        return self.call("GET", "", b"", 200, order)


def _error(code: str = "BAD_VALUE", message: str = "No.") -> dict[str, Any]:
    return {"error_code": code, "error_messages": [message], "correlation_id": "c-1"}


_TWIN = frozenset({"twin-taken"})


@pytest.mark.parametrize(("facts", "count"), [(frozenset(), 0), (_TWIN, 1)])
def test_a_refusal_counts_where_the_defect_is_the_reason(facts: frozenset[str], count: int) -> None:
    history = _History()
    body = b'{"merchant_reference1": 1}'
    assert history.call("PATCH", "/merchant-references", body, 400, _error(), facts=facts) == set()
    assert history.judge.exercised["GEN-VAL-1"] == count


def test_taking_an_invalid_body_is_wrong_whatever_was_taken_before() -> None:
    history = _History()
    assert "GEN-VAL-1" in history.call("PATCH", "/merchant-references", b'{"merchant_reference1": 1}', 204)


@pytest.mark.parametrize("status", [400, 415, 422])
def test_a_body_that_is_no_object_may_be_of_the_wrong_media_type(status: int) -> None:
    history = _History()
    assert history.call("PATCH", "/merchant-references", b"[]", status, _error(), facts=_TWIN) == set()
    assert history.judge.exercised["GEN-VAL-2"] == 1


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (f"Credentials are needed for /orders/{_ID}/captures.", set()),
        ("Not for you: {'klarna_reference': 'K4PLAN-0815'}", {"GEN-AUTH-1"}),
        ("Ask klara@example.com.", {"GEN-AUTH-1"}),
    ],
)
def test_a_401_shows_nothing_that_only_the_order_has(message: str, found: set[str]) -> None:
    history = _History()
    answer = _error("UNAUTHORIZED", message)
    assert history.call("GET", "", b"", 401, answer, credentials="none") - {"GEN-AUTH-3"} == found


def test_a_401_with_an_order_deep_inside_shows_it() -> None:
    history = _History()
    answer = {**_error("UNAUTHORIZED"), "details": [{"order": {"captured_amount": 0}}]}
    assert "GEN-AUTH-1" in history.call("GET", "", b"", 401, answer, credentials="none")


def test_a_header_that_is_none_may_be_answered_400() -> None:
    history = _History()
    assert history.call("GET", "", b"", 400, credentials="garbled") == set()
    assert "GEN-AUTH-2" in history.call("GET", "", b"", 400, credentials="wrong-user")


@pytest.mark.parametrize("shown", ["AB", "A\ufffdB", "A B", None])
def test_odd_text_may_be_stored_without_what_is_odd(shown: str | None) -> None:
    history = _History()
    assert (
        history.call("PATCH", "/merchant-references", b'{"merchant_reference1": "A\\u0000B"}', 204) == set()
    )
    assert history.read({**_ORDER, "merchant_reference1": shown}) == set()


def test_ordinary_text_is_stored_as_it_is() -> None:
    history = _History()
    assert history.call("PATCH", "/merchant-references", b'{"merchant_reference1": "A B"}', 204) == set()
    assert "REF-1" in history.read({**_ORDER, "merchant_reference1": "AB"})


def test_what_a_server_makes_of_a_body_beyond_us_is_its_own_affair() -> None:
    history = _History()
    body = b'{"merchant_reference1": "A", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert history.call("PATCH", "/merchant-references", body, 204) == set()
    assert history.read({**_ORDER, "merchant_reference1": "A"}) == set()


def test_a_malformed_id_is_refused_with_an_error_body() -> None:
    history = _History()
    request = Request(headers=(), body=b"", method="GET", target="/ordermanagement/v1/orders/no-id")
    bare = Response(headers=(), body=b"", status=404)
    exchange = Exchange(9, request, bare, 0.0, 0.1, facts=frozenset({"invented-order"}))
    assert {"GEN-ID-1", "GEN-ERR-1"} <= {finding.rule for finding in history.judge.observe(exchange)}
