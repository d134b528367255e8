"""The table of behaviour is the seam where a sandbox can be made wrong on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any

import pytest

from orderproof.sandbox.behaviour import AS_AGREED, Answering, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context
from orderproof.sandbox.orders import Order
from orderproof.sandbox.requests import Request
from orderproof.sandbox.service import Service
from tests.sandbox.client import Client


@pytest.fixture
def stack() -> Generator[ExitStack]:
    """Closes the clients of a test."""
    with ExitStack() as made:
        yield made


def client_of(stack: ExitStack, **changes: Any) -> Client:
    """A client of a sandbox that differs from the agreed one in some entries."""
    return stack.enter_context(closing(Client(behaviour=replace(AS_AGREED, **changes))))


def captured(client: Client, amounts: list[int]) -> tuple[list[int], dict[str, Any]]:
    """Capture amounts on an order of 10 and return the statuses and the order."""
    order = client.order(10)
    statuses = [
        client.send("POST", f"{order}/captures", {"captured_amount": amount}).status for amount in amounts
    ]
    return statuses, client.get(order)


def test_a_guard_can_be_taken_out(stack: ExitStack) -> None:
    left = tuple(guard for guard in AS_AGREED.guards["captureOrder"] if guard.name != "within_remaining")
    client = client_of(stack, guards={**AS_AGREED.guards, "captureOrder": left})

    assert captured(client, [11])[0] == [201]
    assert captured(client_of(stack), [11])[0] == [403]


def test_an_effect_can_be_doubled(stack: ExitStack) -> None:
    once = AS_AGREED.effects["captureOrder"]

    def twice(order: Order, call: Call, context: Context) -> Order:
        return once(once(order, call, context), call, context)

    client = client_of(stack, effects={**AS_AGREED.effects, "captureOrder": twice})

    assert captured(client, [3])[1]["captured_amount"] == 6


def test_a_view_can_lie(stack: ExitStack) -> None:
    def off_by_one(order: Order, call: Call, context: Context) -> Any:
        true = AS_AGREED.reads["getOrder"](order, call, context)
        return {**true, "captured_amount": true["captured_amount"] + 1}

    client = client_of(stack, reads={**AS_AGREED.reads, "getOrder": off_by_one})

    assert captured(client, [3])[1]["captured_amount"] == 4


def test_an_answer_can_be_changed_and_a_request_let_in(stack: ExitStack) -> None:
    async def open_door(request: Request, answering: Answering) -> Answer:
        known = f"Basic {'c2FuZGJveDpzYW5kYm94'}".encode()
        answer = await answering(request._replace(headers={**request.headers, b"authorization": known}))
        return answer._replace(headers=tuple(pair for pair in answer.headers if pair[0] != "location"))

    client = client_of(stack, around=open_door)
    order = client.order(10)
    reply = client.send("POST", f"{order}/captures", {"captured_amount": 1}, authorization=None)

    assert reply.status == 201
    assert "location" not in reply.headers


def test_the_answer_of_an_operation_can_be_changed(stack: ExitStack) -> None:
    def softened(call: Call, order: Order | None, answer: Answer) -> Answer:
        refused_cancel = call.operation == "cancelOrder" and answer.status == 403
        return answer._replace(status=204, body=b"") if refused_cancel else answer

    client = client_of(stack, finish=softened)
    order = client.order(10)
    client.capture(order, 1)

    assert client.send("POST", f"{order}/cancel").status == 204
    assert client.get(order)["status"] == "PART_CAPTURED"


def test_a_write_can_leave_a_window(stack: ExitStack) -> None:
    async def careless(service: Service, call: Call) -> Answer:
        before = service.store.order(call.order_id)
        after, answer = service.decide(before, call, service.context())
        await asyncio.sleep(0.005)
        if after is not None:
            with service.store.transaction(call.order_id) as transaction:
                transaction.save(after)
        return answer

    async def race(client: Client, order: str) -> list[int]:
        calls = [client.sending("POST", f"{order}/captures", {"captured_amount": 10}) for _ in range(3)]
        return [reply.status for reply in await asyncio.gather(*calls)]

    for changes, wins in (({"write": careless}, 3), ({}, 1)):
        client = client_of(stack, **changes)
        assert asyncio.run(race(client, client.order(10))).count(201) == wins


def test_keys_can_be_forgotten(stack: ExitStack) -> None:
    client = client_of(stack, scope_of=lambda call, chosen: None)
    order = client.order(10)
    for _ in range(2):
        client.send("POST", f"{order}/captures", {"captured_amount": 1}, klarna_idempotency_key="k")

    assert client.get(order)["captured_amount"] == 2


def test_the_tables_name_every_operation() -> None:
    behaviour = Behaviour()

    assert behaviour.guards.keys() == behaviour.effects.keys()
    assert len(behaviour.effects) + len(behaviour.reads) == 18
    for guards in behaviour.guards.values():
        names = [guard.name for guard in guards]
        assert len(set(names)) == len(names)
        assert [guard.reads_body for guard in guards] == sorted(guard.reads_body for guard in guards)
