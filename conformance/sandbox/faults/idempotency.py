"""Faults of idempotency keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from hashlib import sha256

from orderproof.sandbox.behaviour import AS_AGREED, Answering, Behaviour
from orderproof.sandbox.calls import Answer, Call
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.idempotency import LIFETIME, Scope, scope_of
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Order
from orderproof.sandbox.requests import Request
from orderproof.sandbox.service import Service
from orderproof.sandbox.store import Store, Transaction


def _scoped(change: Callable[[Call, Scope], Scope | None]) -> Behaviour:
    """Let keys stand for something else."""

    def scope(call: Call, chosen: Open) -> Scope | None:
        true = scope_of(call, chosen)
        return None if true is None else change(call, true)

    return replace(AS_AGREED, scope_of=scope)


@fault("IDM-1", "IDM-2", "IDM-3")
def keys_ignored() -> Behaviour:
    """Keys do nothing."""
    return _scoped(lambda call, scope: None)


@fault("IDM-1", "IDM-2", "IDM-3", when="value")
def refund_keys_ignored() -> Behaviour:
    """Keys do nothing for refunds."""
    return _scoped(lambda call, scope: None if call.operation == "refundOrder" else scope)


@fault("IDM-1", "IDM-2", "IDM-3", when="sequence")
def keys_good_for_one_repeat() -> Behaviour:
    """A key is forgotten after its first repeat."""
    seen: dict[Scope, int] = {}

    def change(call: Call, scope: Scope) -> Scope:
        seen[scope] = seen.get(scope, 0) + 1
        return (*scope[:3], f"{scope[3]} {(seen[scope] - 1) // 2}")

    return _scoped(change)


async def _repeated(service: Service, call: Call, change: Callable[[Answer], Answer]) -> Answer:
    """Answer a call, and change the answer if it only repeats the first."""
    scope = service.behaviour.scope_of(call, service.open)
    now = service.context().now
    with service.store.transaction(call.order_id) as transaction:
        repeats = scope is not None and transaction.answer(scope, now) is not None
    answer = await service.exclusive(call)
    return change(answer) if repeats else answer


def _repeating(change: Callable[[Answer], Answer]) -> Behaviour:
    async def write(service: Service, call: Call) -> Answer:
        return await _repeated(service, call, change)

    return replace(AS_AGREED, write=write)


@fault("IDM-2")
def repeats_are_ok() -> Behaviour:
    """The repeat of a capture or refund is answered 200."""
    return _repeating(lambda answer: answer._replace(status=200) if answer.status == 201 else answer)


@fault("IDM-2")
def repeats_have_no_location() -> Behaviour:
    """The repeat of a capture or refund has no Location."""
    return _repeating(
        lambda answer: answer._replace(headers=tuple(h for h in answer.headers if h[0] != "location"))
    )


@fault("IDM-3", when="value")
def keys_count_with_the_body() -> Behaviour:
    """A key with another body is another call."""
    return _scoped(lambda call, scope: (*scope[:3], f"{scope[3]} {sha256(call.raw).hexdigest()}"))


@fault("IDM-4", when="sequence")
def equal_bodies_are_one_call() -> Behaviour:
    """Two calls with equal bodies and different keys are taken for one."""
    return _scoped(lambda call, scope: (*scope[:3], sha256(call.raw).hexdigest()))


@fault("IDM-4", when="value")
def keys_cut() -> Behaviour:
    """The first 12 characters of a key count."""
    return _scoped(lambda call, scope: (*scope[:3], scope[3][:12]))


@fault("IDM-4", when="sequence")
def keyless_twins_merged() -> Behaviour:
    """Two captures with equal bodies and no keys are taken for one."""

    def scope(call: Call, chosen: Open) -> Scope | None:
        if call.key or call.operation != "captureOrder":
            return scope_of(call, chosen)
        return (call.operation, call.order_id, call.child_id, sha256(call.raw).hexdigest())

    return replace(AS_AGREED, scope_of=scope)


@fault("IDM-5", "CON-4", when="concurrency")
def keys_race() -> Behaviour:
    """A key is looked up before the call waits for its turn: calls at once all take effect."""
    turns: dict[str, asyncio.Lock] = {}

    async def write(service: Service, call: Call) -> Answer:
        scope = service.behaviour.scope_of(call, service.open)
        context = service.context()
        with service.store.transaction(call.order_id) as transaction:
            kept = None if scope is None else transaction.answer(scope, context.now)
        if kept is not None or scope is None:
            return kept or service.perform(call)
        async with turns.setdefault(call.order_id, asyncio.Lock()):
            await asyncio.sleep(0.01)
            return _performed_anew(service, call, scope)

    return replace(AS_AGREED, write=write)


def _performed_anew(service: Service, call: Call, scope: Scope) -> Answer:
    context = service.context()
    with service.store.transaction(call.order_id) as transaction:
        after, answer = service.decide(transaction.order(), call, context)
        if after is not None:
            transaction.save(after)
        if service.behaviour.is_kept(answer, service.open):
            transaction.keep(scope, answer, context.now)
    return answer


@fault("IDM-6", when="sequence")
def refusals_not_kept() -> Behaviour:
    """A call that was refused is judged anew when it is repeated with its key."""
    return replace(AS_AGREED, is_kept=lambda answer, chosen: answer.status < 300)


@fault("IDM-7", "IDM-1", when="sequence")
def undelivered_keys_forgotten() -> Behaviour:
    """A key is forgotten when its answer could not be delivered."""
    lost: dict[str, int] = {}

    async def around(request: Request, answering: Answering) -> Answer:
        answer = await answering(request)
        key = request.header(b"klarna-idempotency-key")
        if key and await _is_gone(request):
            lost[key] = lost.get(key, 0) + 1
        return answer

    changed = _scoped(lambda call, scope: (*scope[:3], f"{scope[3]} {lost.get(call.key, 0)}"))
    return replace(changed, around=around)


async def _is_gone(request: Request) -> bool:
    try:
        message = await asyncio.wait_for(request.receive(), 0.03)
    except TimeoutError:
        return False
    return bool(message["type"] == "http.disconnect")


class _Forgetful:
    """A store in which keys last for another time than a day."""

    def __init__(self, store: Store, lifetime: int) -> None:
        self._store = store
        self._lifetime = lifetime

    def order(self, order_id: str) -> Order | None:
        return self._store.order(order_id)

    def transaction(self, order_id: str) -> AbstractContextManager[Transaction]:
        return self._transaction(order_id)

    @contextmanager
    def _transaction(self, order_id: str) -> Generator[Transaction]:
        with self._store.transaction(order_id) as transaction:
            yield _Shortened(transaction, LIFETIME - self._lifetime)

    def clock_offset(self) -> int:
        return self._store.clock_offset()

    def move_clock(self, milliseconds: int) -> int:
        return self._store.move_clock(milliseconds)

    def close(self) -> None:
        self._store.close()


class _Shortened:
    """A transaction that finds keys only for a part of their time."""

    def __init__(self, transaction: Transaction, ahead: int) -> None:
        self._transaction = transaction
        self._ahead = ahead

    def order(self) -> Order | None:
        return self._transaction.order()

    def answer(self, scope: Scope, now: int) -> Answer | None:
        return self._transaction.answer(scope, now + self._ahead)

    def save(self, order: Order) -> None:
        self._transaction.save(order)

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self._transaction.keep(scope, answer, now)


@fault("IDM-8", when="sequence")
def keys_hold_an_hour() -> Behaviour:
    """A key is forgotten after an hour."""
    return replace(AS_AGREED, store=lambda store: _Forgetful(store, 3_600_000))


@fault("IDM-8", when="sequence")
def keys_hold_half_a_day() -> Behaviour:
    """A key is forgotten after twelve hours."""
    return replace(AS_AGREED, store=lambda store: _Forgetful(store, 12 * 3_600_000))
