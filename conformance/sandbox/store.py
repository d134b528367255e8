"""Where orders and the answers of idempotency keys are kept, behind one interface, and the keeping in memory.

A call is decided inside a transaction on its order. Order and key are saved together, before the answer goes
out.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.idempotency import LIFETIME, Scope
from orderproof.sandbox.orders import Order


class StoreError(Exception):
    """The storage cannot be used; the message is one sentence for the user."""


class Transaction(Protocol):
    """What one call sees and leaves behind.

    Nothing of it lasts unless the transaction ends without an exception.
    """

    def order(self) -> Order | None:
        """Return the order as it stands, or None when there is none with this id."""

    def answer(self, scope: Scope, now: int) -> Answer | None:
        """Return the answer that a key holds, or None when it is free or its time is over."""

    def save(self, order: Order) -> None:
        """Keep an order, new or changed."""

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        """Bind an answer to a key for 24 hours from `now`."""


class Store(Protocol):
    """Keeps orders, keys and how far the clock was moved."""

    def order(self, order_id: str) -> Order | None:
        """Return the order as last saved, or None."""

    def transaction(self, order_id: str) -> AbstractContextManager[Transaction]:
        """Open a transaction that no other one on the same order overlaps."""

    def clock_offset(self) -> int:
        """Return by how many milliseconds the clock is ahead."""

    def move_clock(self, milliseconds: int) -> int:
        """Move the clock ahead and return the new offset."""

    def close(self) -> None:
        """Give back what the store holds open."""


class MemoryStore:
    """Keeps everything in this process, until it ends."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._answers: dict[Scope, tuple[int, Answer]] = {}
        self._offset = 0

    def order(self, order_id: str) -> Order | None:
        """Return the order as last saved, or None."""
        return self._orders.get(order_id)

    @contextmanager
    def transaction(self, order_id: str) -> Generator[Transaction]:
        """Yield a transaction that writes through: calls in one process do not overlap."""
        yield _MemoryTransaction(self._orders, self._answers, order_id)

    def clock_offset(self) -> int:
        """Return by how many milliseconds the clock is ahead."""
        return self._offset

    def move_clock(self, milliseconds: int) -> int:
        """Move the clock ahead and return the new offset."""
        self._offset += milliseconds
        return self._offset

    def close(self) -> None:
        """Do nothing: memory needs no giving back."""


class _MemoryTransaction:
    __slots__ = ("_answers", "_order_id", "_orders")

    def __init__(
        self, orders: dict[str, Order], answers: dict[Scope, tuple[int, Answer]], order_id: str
    ) -> None:
        self._orders = orders
        self._answers = answers
        self._order_id = order_id

    def order(self) -> Order | None:
        return self._orders.get(self._order_id)

    def answer(self, scope: Scope, now: int) -> Answer | None:
        until, answer = self._answers.get(scope, (0, None))
        return answer if now < until else None

    def save(self, order: Order) -> None:
        self._orders[order.order_id] = order

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self._forget(now)
        self._answers.pop(scope, None)
        self._answers[scope] = (now + LIFETIME, answer)

    def _forget(self, now: int) -> None:
        # Keys stand in the order in which they run out. Two for each new one keeps the work even and still
        # catches up.
        for _ in range(2):
            oldest = next(iter(self._answers), None)
            if oldest is None or now < self._answers[oldest][0]:
                return
            del self._answers[oldest]
