"""Faults that show only where several processes serve one database, or where one is killed and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.idempotency import Scope
from orderproof.sandbox.orders import Order
from orderproof.sandbox.service import Service
from orderproof.sandbox.store import Store, Transaction

NOBODY = ""
WINDOW_SECONDS = 0.05


@dataclass(frozen=True)
class _Unlocked:
    """A store whose transactions lock no order: they read it as anyone does."""

    store: Store

    def order(self, order_id: str) -> Order | None:
        return self.store.order(order_id)

    @contextmanager
    def transaction(self, order_id: str) -> Generator[Transaction]:
        with self.store.transaction(NOBODY) as transaction:
            yield _Overlapping(transaction, self.store.order(order_id))

    def clock_offset(self) -> int:
        return self.store.clock_offset()

    def move_clock(self, milliseconds: int) -> int:
        return self.store.move_clock(milliseconds)

    def close(self) -> None:
        self.store.close()


@dataclass(frozen=True)
class _Overlapping:
    transaction: Transaction
    found: Order | None

    def order(self) -> Order | None:
        return self.found

    def answer(self, scope: Scope, now: int) -> Answer | None:
        return self.transaction.answer(scope, now)

    def save(self, order: Order) -> None:
        self.transaction.save(order)

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self.transaction.keep(scope, answer, now)


@fault("CON-4", "CON-1", "CON-2", "CON-3", "CON-5", "IDM-5", when="processes")
def no_row_lock() -> Behaviour:
    """A call does not lock its order in PostgreSQL, so that those of two processes overwrite each other."""
    return replace(AS_AGREED, store=_Unlocked)


class _WriteBehind:
    """A store that keeps what is saved in memory at first, and writes it down a moment later."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.orders: dict[str, Order] = {}
        self.answers: dict[Scope, tuple[Answer, int]] = {}

    def order(self, order_id: str) -> Order | None:
        return self.orders.get(order_id) or self.store.order(order_id)

    @contextmanager
    def transaction(self, order_id: str) -> Generator[Transaction]:
        yield _Ahead(self, order_id)
        asyncio.get_running_loop().call_later(WINDOW_SECONDS, self.write_down, order_id)

    def write_down(self, order_id: str) -> None:
        with self.store.transaction(order_id) as transaction:
            for order in self.orders.values():
                transaction.save(order)
            for scope, (answer, now) in self.answers.items():
                transaction.keep(scope, answer, now)
        self.orders.clear()
        self.answers.clear()

    def clock_offset(self) -> int:
        return self.store.clock_offset()

    def move_clock(self, milliseconds: int) -> int:
        return self.store.move_clock(milliseconds)

    def close(self) -> None:
        self.store.close()


@dataclass(frozen=True)
class _Ahead:
    behind: _WriteBehind
    order_id: str

    def order(self) -> Order | None:
        return self.behind.order(self.order_id)

    def answer(self, scope: Scope, now: int) -> Answer | None:
        if scope in self.behind.answers:
            return self.behind.answers[scope][0]
        with self.behind.store.transaction(self.order_id) as transaction:
            return transaction.answer(scope, now)

    def save(self, order: Order) -> None:
        self.behind.orders[order.order_id] = order

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self.behind.answers[scope] = (answer, now)


@fault("ORD-GET-1", "CAP-3", "RFD-3", "AUT-1", when="restarts")
def answered_before_saved() -> Behaviour:
    """A call is answered a moment before it is saved, so that a crash in between loses what was answered."""
    return replace(AS_AGREED, store=_WriteBehind)


@fault("IDM-7", "IDM-1", "IDM-2", when="restarts")
def key_saved_apart() -> Behaviour:
    """An idempotency key is saved a moment after what its call did, so that a crash in between lets it act twice."""
    under_way: dict[Scope, asyncio.Lock] = {}

    async def write(service: Service, call: Call) -> Answer:
        scope = service.behaviour.scope_of(call, service.open)
        if scope is None:
            return await service.exclusive(call)
        async with under_way.setdefault(scope, asyncio.Lock()):
            return await _key_last(service, call, scope)

    return replace(AS_AGREED, write=write)


async def _key_last(service: Service, call: Call, scope: Scope) -> Answer:
    now = service.clock.now()
    with service.store.transaction(call.order_id) as transaction:
        kept = transaction.answer(scope, now)
    if kept is not None:
        return kept
    answer = await service.exclusive(call._replace(key=""))
    if service.behaviour.is_kept(answer, service.open):
        await asyncio.sleep(WINDOW_SECONDS)
        with service.store.transaction(call.order_id) as transaction:
            transaction.keep(scope, answer, now)
    return answer
