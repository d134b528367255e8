"""The status and the remaining amount that an order shows, where the contract lets a server choose."""

from __future__ import annotations

from math import inf

from orderproof.sandbox.calls import Context
from orderproof.sandbox.orders import (
    DAY,
    Order,
    captured_amount,
    is_expired,
    is_fully_captured,
    refunded_amount,
    remaining_amount,
)

CLOSES_AFTER = 30 * DAY


def has_captures(order: Order, context: Context) -> bool:
    """Tell whether the order counts as captured; whether a capture of nothing counts is open."""
    if context.open.zero_capture_counts == "yes":
        return bool(order.captures)
    return captured_amount(order) > 0


def has_closed(order: Order, context: Context) -> bool:
    """Tell whether the order expired so long ago that it is closed, where the sandbox is told to close it."""
    if context.open.expired_status == "EXPIRED":
        return False
    return is_expired(order, context.now) and context.now >= order.expires_at + CLOSES_AFTER


def remaining_shown(order: Order, context: Context) -> int:
    """Return `remaining_authorized_amount` as it reads."""
    if order.cancelled:
        return 0 if context.open.cancel_remaining == "zero" else remaining_amount(order)
    if is_expired(order, context.now) and (
        context.open.expired_remaining == "zero" or has_closed(order, context)
    ):
        return 0
    return remaining_amount(order)


def status(order: Order, context: Context) -> str:
    """Return `status` as it reads."""
    if order.cancelled:
        return "CANCELLED"
    if is_expired(order, context.now):
        return "CLOSED" if has_closed(order, context) else "EXPIRED"
    if _closed_by_refund(order, context):
        return "CLOSED"
    if order.released:
        return _released_status(order, context)
    if is_fully_captured(order):
        chosen = context.open
        return (
            chosen.decrease_to_captured_status if order.decreased_to_captured else chosen.full_capture_status
        )
    return "PART_CAPTURED" if captured_amount(order) else "AUTHORIZED"


def next_change(order: Order, context: Context) -> float:
    """Return when the order will read differently without a call, in milliseconds, or infinity for never."""
    if order.cancelled or remaining_amount(order) <= 0:
        return inf
    closes = inf if context.open.expired_status == "EXPIRED" else order.expires_at + CLOSES_AFTER
    return next((time for time in (order.expires_at, closes) if context.now < time), inf)


def _closed_by_refund(order: Order, context: Context) -> bool:
    if context.open.full_refund_status == "kept" or not captured_amount(order):
        return False
    return remaining_amount(order) == 0 and refunded_amount(order) == captured_amount(order)


def _released_status(order: Order, context: Context) -> str:
    # When the release lowers the order amount, the order is fully captured, and may no longer read
    # PART_CAPTURED.
    if context.open.release_amount == "lowered" and context.open.release_status == "PART_CAPTURED":
        return "CAPTURED"
    return context.open.release_status
