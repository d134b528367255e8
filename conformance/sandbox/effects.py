"""What a call that nothing refuses does to an order: one pure function per operation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from orderproof.sandbox.addresses import merged_address
from orderproof.sandbox.calls import Call, Context
from orderproof.sandbox.orders import (
    Capture,
    Order,
    Refund,
    captured_amount,
    expiry,
    is_fully_captured,
)

Effect = Callable[[Order, Call, Context], Order]


def acknowledge(order: Order, call: Call, context: Context) -> Order:
    """Note that the merchant has taken the order in."""
    return replace(order, acknowledged=True)


def update_authorization(order: Order, call: Call, context: Context) -> Order:
    """Replace amount and lines; lines that are not sent are gone."""
    changed = replace(
        order, order_amount=call.body["order_amount"], order_lines=tuple(call.body.get("order_lines", ()))
    )
    return replace(changed, decreased_to_captured=is_fully_captured(changed))


def update_customer_details(order: Order, call: Call, context: Context) -> Order:
    """Merge the shipping address sent into the present one.

    Captures keep the address that they were made with.
    """
    return replace(order, shipping_address=merged_address(order, call))


def update_merchant_references(order: Order, call: Call, context: Context) -> Order:
    """Overwrite the references sent; an empty one is cleared."""
    return replace(
        order,
        merchant_reference1=call.body.get("merchant_reference1", order.merchant_reference1) or None,
        merchant_reference2=call.body.get("merchant_reference2", order.merchant_reference2) or None,
    )


def extend_authorization_time(order: Order, call: Call, context: Context) -> Order:
    """Move the expiry to the day of the call plus the authorization period, never backwards."""
    return replace(order, expires_at=max(order.expires_at, expiry(context.now, context.authorization_days)))


def release(order: Order, call: Call, context: Context) -> Order:
    """Let go of what is not captured."""
    if context.open.release_amount == "lowered":
        return replace(order, released=True, order_amount=captured_amount(order))
    return replace(order, released=True)


def cancel(order: Order, call: Call, context: Context) -> Order:
    """End the order."""
    return replace(order, cancelled=True)


def append_order_shipping_info(order: Order, call: Call, context: Context) -> Order:
    """Put the shipments sent at the end of the order's."""
    return replace(order, shipping_info=order.shipping_info + tuple(call.body["shipping_info"]))


def capture(order: Order, call: Call, context: Context) -> Order:
    """Add a capture at the end, with the addresses of this moment."""
    made = Capture(
        capture_id=context.new_id(),
        klarna_reference=f"{order.klarna_reference}-{len(order.captures) + 1}",
        captured_amount=call.body["captured_amount"],
        captured_at=context.now,
        description=call.body.get("description"),
        reference=call.body.get("reference"),
        order_lines=tuple(call.body.get("order_lines", ())),
        shipping_info=tuple(call.body.get("shipping_info", ())),
        billing_address=order.billing_address,
        shipping_address=order.shipping_address,
    )
    return replace(order, captures=(*order.captures, made))


def _with_capture(order: Order, capture_id: str, change: Callable[[Capture], Capture]) -> Order:
    changed = tuple(change(one) if one.capture_id == capture_id else one for one in order.captures)
    return replace(order, captures=changed)


def append_shipping_info(order: Order, call: Call, context: Context) -> Order:
    """Put the shipments sent at the end of the capture's."""
    more = tuple(call.body["shipping_info"])
    return _with_capture(
        order, call.child_id, lambda one: replace(one, shipping_info=one.shipping_info + more)
    )


def extend_due_date(order: Order, call: Call, context: Context) -> Order:
    """Note that the due date of the capture has moved by a number of days."""
    days = call.body["number_of_days"]
    return _with_capture(
        order, call.child_id, lambda one: replace(one, due_dates_used=(*one.due_dates_used, days))
    )


def trigger_send_out(order: Order, call: Call, context: Context) -> Order:
    """Change nothing: the messages that would go out cannot be read through this API."""
    return order


def refund(order: Order, call: Call, context: Context) -> Order:
    """Add a refund at the end, and book its amount on captures that have room for it."""
    made = Refund(
        refund_id=context.new_id(),
        refunded_amount=call.body["refunded_amount"],
        refunded_at=context.now,
        description=call.body.get("description"),
        reference=call.body.get("reference"),
        order_lines=tuple(call.body.get("order_lines", ())),
    )
    return replace(
        order, refunds=(*order.refunds, made), captures=booked(order.captures, made.refunded_amount, context)
    )


def booked(captures: tuple[Capture, ...], amount: int, context: Context) -> tuple[Capture, ...]:
    """Return the captures with a refunded amount spread over them as the sandbox is told to."""
    if context.open.refund_booking == "newest":
        return _filled(captures[::-1], amount)[::-1]
    if context.open.refund_booking == "spread" and captures:
        even = _filled(captures, amount, at_most=-(-amount // len(captures)))
        left = amount - sum(
            after.refunded_amount - before.refunded_amount
            for after, before in zip(even, captures, strict=True)
        )
        return _filled(even, left)
    return _filled(captures, amount)


def _filled(captures: tuple[Capture, ...], amount: int, at_most: int | None = None) -> tuple[Capture, ...]:
    after = []
    for one in captures:
        room = one.captured_amount - one.refunded_amount
        share = min(amount, room if at_most is None else min(room, at_most))
        after.append(replace(one, refunded_amount=one.refunded_amount + share) if share else one)
        amount -= share
    return tuple(after)


EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "acknowledgeOrder": acknowledge,
        "updateAuthorization": update_authorization,
        "updateConsumerDetails": update_customer_details,
        "updateMerchantReferences": update_merchant_references,
        "extendAuthorizationTime": extend_authorization_time,
        "releaseRemainingAuthorization": release,
        "cancelOrder": cancel,
        "appendOrderShippingInfo": append_order_shipping_info,
        "captureOrder": capture,
        "appendShippingInfo": append_shipping_info,
        "extendDueDate": extend_due_date,
        "triggerSendOut": trigger_send_out,
        "refundOrder": refund,
    }
)
