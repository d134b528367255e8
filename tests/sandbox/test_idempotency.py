"""Idempotency keys: one effect, one answer, 24 hours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.idempotency import LIFETIME
from orderproof.sandbox.store import MemoryStore
from tests.sandbox.client import Client, draft, line

Make = Callable[..., Client]

NEW: list[tuple[str, str, Any]] = [
    ("POST", "acknowledge", None),
    ("PATCH", "authorization", {"order_amount": 9000}),
    ("POST", "cancel", None),
    ("POST", "captures", {"captured_amount": 10}),
    ("PATCH", "customer-details", {"shipping_address": {"city": "Lund"}}),
    ("POST", "extend-authorization-time", None),
    ("PATCH", "merchant-references", {"merchant_reference1": "A"}),
    ("POST", "shipping-info", {"shipping_info": [{}]}),
]
PART: list[tuple[str, str, Any]] = [
    ("POST", "refunds", {"refunded_amount": 10}),
    ("POST", "release-remaining-authorization", None),
    ("PATCH", "captures/{}/extend-due-date", {"number_of_days": 14}),
    ("POST", "captures/{}/shipping-info", {"shipping_info": [{}]}),
    ("POST", "captures/{}/trigger-send-out", None),
]
NAMING = ("location", "capture-id", "refund-id")


def same(first: Any, second: Any) -> bool:
    """Tell whether two answers say the same: status, body, and the headers that name things."""
    names = [{name: reply.headers.get(name) for name in NAMING} for reply in (first, second)]
    return bool((first.status, first.body) == (second.status, second.body) and names[0] == names[1])


@pytest.mark.parametrize(("method", "tail", "body"), NEW + PART)
@pytest.mark.parametrize("other_body", [{"captured_amount": -1}, b"{not json", None])
def test_a_repeat_gives_the_first_answer_whatever_the_body(
    sandbox: Client, method: str, tail: str, body: Any, other_body: Any
) -> None:
    order = sandbox.order()
    if (method, tail, body) in PART:
        tail = tail.format(sandbox.capture(order, 5000).rpartition("/")[2])
    key = str(uuid4())
    first = sandbox.send(method, f"{order}/{tail}", body, klarna_idempotency_key=key)
    after = sandbox.get(order)
    repeats = [
        sandbox.send(method, f"{order}/{tail}", one, klarna_idempotency_key=key) for one in (body, other_body)
    ]

    assert first.status in (201, 204)
    assert all(same(first, repeat) for repeat in repeats)
    assert sandbox.get(order) == after


def test_other_keys_or_none_take_effect_again(sandbox: Client) -> None:
    order = sandbox.order()
    for key in ("a", "b", None, None, "", ""):
        sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key=key)

    assert sandbox.get(order)["captured_amount"] == 6


def test_a_refusal_is_repeated_even_if_it_would_now_be_allowed(sandbox: Client) -> None:
    order = sandbox.order()
    refund = ("POST", f"{order}/refunds", {"refunded_amount": 1})
    first = sandbox.send(*refund, klarna_idempotency_key="k")
    sandbox.capture(order, 1)
    again = sandbox.send(*refund, klarna_idempotency_key="k")
    anew = sandbox.send(*refund, klarna_idempotency_key="l")

    assert first.status == 403
    assert same(first, again)
    assert anew.status == 201


@pytest.mark.parametrize(("choice", "status"), [("fresh", 201), ("spent", 400)])
def test_whether_an_invalid_call_spends_its_key_is_open(sandbox_with: Make, choice: str, status: int) -> None:
    sandbox = sandbox_with(key_after_invalid=choice)
    path = f"{sandbox.order()}/captures"
    sandbox.send("POST", path, {"captured_amount": -1}, klarna_idempotency_key="k")

    assert sandbox.send("POST", path, {"captured_amount": 1}, klarna_idempotency_key="k").status == status


@pytest.mark.parametrize(("scope", "again"), [("call", True), ("merchant", False)])
def test_the_scope_of_a_key_is_open(sandbox_with: Make, scope: str, again: bool) -> None:
    sandbox = sandbox_with(key_scope=scope)
    orders = [sandbox.order() for _ in range(2)]
    for order in orders:
        sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key="k")

    assert sandbox.get(orders[1])["captured_amount"] == (1 if again else 0)


def test_a_key_holds_for_24_hours(sandbox: Client) -> None:
    order = sandbox.order()
    capture = ("POST", f"{order}/captures", {"captured_amount": 1})
    sandbox.send(*capture, klarna_idempotency_key="k")
    sandbox.advance(seconds=24 * 3600 - 10)
    sandbox.send(*capture, klarna_idempotency_key="k")
    held = sandbox.get(order)["captured_amount"]
    sandbox.advance(seconds=10)
    sandbox.send(*capture, klarna_idempotency_key="k")

    assert (held, sandbox.get(order)["captured_amount"]) == (1, 2)


@pytest.mark.parametrize("key", ["k" * 5000, "\u00e9", "'; DROP TABLE orders; --"])
def test_any_key_is_a_key(sandbox: Client, key: str) -> None:
    order = sandbox.order()
    for _ in range(2):
        sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key=key)
    sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key=key + "x")

    assert sandbox.get(order)["captured_amount"] == 2


def test_an_order_is_created_once_for_its_key(sandbox: Client) -> None:
    path = "/customer-token/v1/tokens/sandbox/order"
    made = [
        sandbox.send("POST", path, draft(), klarna_idempotency_key=key).json["order_id"]
        for key in ("k", "k", "l", None)
    ]

    assert made[0] == made[1]
    assert len(set(made)) == 3


def test_memory_forgets_keys_that_ran_out() -> None:
    store = MemoryStore()
    for moment in range(3):
        for number in range(100):
            with store.transaction("o") as transaction:
                transaction.keep(("op", "o", "", f"{moment}-{number}"), Answer(204), moment * LIFETIME)

    assert len(store._answers) <= 110


def at_once(sandbox: Client, *calls: tuple[str, str, Any, str | None]) -> list[int]:
    """Send calls together and return their statuses."""

    async def gathered() -> list[int]:
        sending = [
            sandbox.sending(method, path, body, klarna_idempotency_key=key)
            for method, path, body, key in calls
        ]
        return [reply.status for reply in await asyncio.gather(*sending)]

    return sandbox._loop.run_until_complete(gathered())


@pytest.mark.parametrize(("choice", "statuses"), [("409", {201, 409}), ("wait", {201})])
def test_a_key_in_flight(sandbox_with: Make, choice: str, statuses: set[int]) -> None:
    sandbox = sandbox_with(pace="5ms", in_flight=choice)
    order = sandbox.order()
    found = at_once(sandbox, *[("POST", f"{order}/captures", {"captured_amount": 1}, "k")] * 5)

    assert set(found) == statuses
    assert sandbox.get(order)["captured_amount"] == 1
    assert (
        sandbox.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key="k").status
        == 201
    )


@pytest.mark.parametrize(("choice", "taken"), [("wait", 3), ("409", 1)])
def test_a_busy_order(sandbox_with: Make, choice: str, taken: int) -> None:
    sandbox = sandbox_with(pace="5ms", busy_order=choice)
    order, other = sandbox.order(3), sandbox.order(3)
    calls = [("POST", f"{order}/captures", {"captured_amount": 1}, None)] * 5
    found = at_once(sandbox, *calls, ("POST", f"{other}/captures", {"captured_amount": 3}, None))

    assert found.count(201) == taken + 1
    assert found[-1] == 201
    assert sandbox.get(order)["captured_amount"] == taken
    assert set(found) == {201, 403 if choice == "wait" else 409}


def test_the_lines_of_a_key_are_those_of_the_first_call(sandbox: Client) -> None:
    order = sandbox.order()
    for amount in (10, 20):
        body = {"order_amount": amount, "order_lines": [line(amount)]}
        sandbox.send("PATCH", f"{order}/authorization", body, klarna_idempotency_key="k")

    assert sandbox.get(order)["order_lines"] == [line(10)]
