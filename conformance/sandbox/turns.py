"""Whose turn it is, where a sandbox takes its time over writes: one call on an order at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from orderproof.sandbox.calls import Call, Refusal
from orderproof.sandbox.idempotency import Scope
from orderproof.sandbox.options import Open

SLOW_WRITE_SECONDS = 0.005


class Turns:
    """Keeps calls on one order apart while they wait.

    Without a wait a call is over before another can start.
    """

    def __init__(self, chosen: Open) -> None:
        self._chosen = chosen
        self._orders: dict[str, tuple[asyncio.Lock, int]] = {}
        self._keys: set[Scope] = set()

    @property
    def needed(self) -> bool:
        """Whether writes take time at all."""
        return self._chosen.pace != "instant"

    @asynccontextmanager
    async def turn(self, call: Call, scope: Scope | None) -> AsyncGenerator[None]:
        """Wait for the turn of a call and for the time that a write takes.

        Raises Refusal (409 CONFLICT) where a key is in flight, or the order busy, and the choices say not to
        wait.
        """
        if scope in self._keys and self._chosen.in_flight == "409":
            raise Refusal(409, "CONFLICT", "A call with this idempotency key is in progress.")
        if call.order_id in self._orders and self._chosen.busy_order == "409":
            raise Refusal(409, "CONFLICT", f"Another call on order {call.order_id} is in progress.")
        mine = set() if scope is None or scope in self._keys else {scope}
        self._keys |= mine
        try:
            async with self._exclusive(call.order_id):
                await asyncio.sleep(SLOW_WRITE_SECONDS)
                yield
        finally:
            self._keys -= mine

    @asynccontextmanager
    async def _exclusive(self, order_id: str) -> AsyncGenerator[None]:
        lock, waiting = self._orders.get(order_id, (asyncio.Lock(), 0))
        self._orders[order_id] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._orders.pop(order_id)
            if waiting > 1:
                self._orders[order_id] = (lock, waiting - 1)
