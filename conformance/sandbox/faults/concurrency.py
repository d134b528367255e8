"""Faults that show only when calls come at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import Order, captured_amount
from orderproof.sandbox.service import Service

WINDOW_SECONDS = 0.02

Merge = Callable[[Order, Order, Order], Order]
"""From the order that was decided on, the one that came of it, and the one that is stored by now: what to save."""


def _careless(merge: Merge, *operations: str) -> Behaviour:
    """Decide some operations on an order that may have changed by the time they are written."""

    async def write(service: Service, call: Call) -> Answer:
        scope = service.behaviour.scope_of(call, service.open)
        context = service.context()
        with service.store.transaction(call.order_id) as transaction:
            before = transaction.order()
            kept = None if scope is None else transaction.answer(scope, context.now)
        if kept is not None or call.operation not in operations:
            return kept or await service.exclusive(call)
        after, answer = service.decide(before, call, context)
        await asyncio.sleep(WINDOW_SECONDS)
        with service.store.transaction(call.order_id) as transaction:
            now = transaction.order()
            if before is not None and after is not None and now is not None:
                transaction.save(merge(before, after, now))
            if scope is not None and service.behaviour.is_kept(answer, service.open):
                transaction.keep(scope, answer, context.now)
        return answer

    return replace(AS_AGREED, write=write)


def _both_captures(before: Order, after: Order, now: Order) -> Order:
    return replace(now, captures=now.captures + after.captures[len(before.captures) :])


def _both_refunds(before: Order, after: Order, now: Order) -> Order:
    return replace(now, refunds=now.refunds + after.refunds[len(before.refunds) :], captures=after.captures)


def _last_one(before: Order, after: Order, now: Order) -> Order:
    return after


@fault("CON-1", "CON-4", "ORD-SUM-5", when="concurrency")
def captures_at_once_not_held_together() -> Behaviour:
    """Captures that come at once are each held against what remained before them."""
    return _careless(_both_captures, "captureOrder")


@fault("CON-2", "CON-4", "ORD-SUM-5", when="concurrency")
def refunds_at_once_not_held_together() -> Behaviour:
    """Refunds that come at once are each held against what was captured before them."""
    return _careless(_both_refunds, "refundOrder")


@fault("CON-3", "CON-4", when="concurrency")
def cancel_and_capture_both_win() -> Behaviour:
    """Of a cancellation and a capture that come at once both are taken."""

    def merge(before: Order, after: Order, now: Order) -> Order:
        return replace(now, cancelled=after.cancelled)

    return _careless(merge, "cancelOrder")


@fault("CON-4", when="concurrency")
def last_references_win() -> Behaviour:
    """Of updates of the references that come at once the last written overwrites the others whole."""
    return _careless(_last_one, "updateMerchantReferences")


@fault("CON-4", when="concurrency")
def last_parcel_wins() -> Behaviour:
    """Of shipping info that is appended at once the last written overwrites the others."""
    return _careless(_last_one, "appendOrderShippingInfo")


@fault("CON-4", "CON-1", when="concurrency")
def last_capture_wins() -> Behaviour:
    """Of captures that come at once the last written stays."""
    return _careless(_last_one, "captureOrder")


@fault("CON-4", "CON-2", when="concurrency")
def last_refund_wins() -> Behaviour:
    """Of refunds that come at once the last written stays."""
    return _careless(_last_one, "refundOrder")


def _torn(operation: str, name: str, amount: Callable[[Order], int]) -> Behaviour:
    """Show a sum before the list has what it sums, for as long as a call is being written."""
    ahead: dict[str, int] = {}

    async def write(service: Service, call: Call) -> Answer:
        if call.operation != operation:
            return await service.exclusive(call)
        before = service.store.order(call.order_id)
        after, _ = service.decide(before, call, service.context())
        if before is not None and after is not None:
            ahead[call.order_id] = ahead.get(call.order_id, 0) + amount(after) - amount(before)
            await asyncio.sleep(WINDOW_SECONDS)
            ahead[call.order_id] -= amount(after) - amount(before)
        return await service.exclusive(call)

    def read(order: Order, call: Call, context: Context) -> Any:
        shown = AS_AGREED.reads["getOrder"](order, call, context)
        return {**shown, name: shown[name] + ahead.get(order.order_id, 0)}

    return replace(AS_AGREED, write=write, reads={**AS_AGREED.reads, "getOrder": read})


@fault("CON-5", "CON-4", when="concurrency")
def torn_capture() -> Behaviour:
    """A read during a capture shows its amount before the capture is in the list."""
    return _torn("captureOrder", "captured_amount", captured_amount)


@fault("CON-5", "CON-4", when="concurrency")
def torn_refund() -> Behaviour:
    """A read during a refund shows its amount before the refund is in the list."""
    return _torn(
        "refundOrder", "refunded_amount", lambda order: sum(one.refunded_amount for one in order.refunds)
    )
