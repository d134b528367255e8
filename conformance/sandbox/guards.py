"""When an order refuses a call: one named guard per reason, in the order in which they are asked.

A guard answers with a Refusal or with None. Guards that read the body come after those that look at the order
alone, so that a sandbox may refuse by state before it has read the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orderproof.sandbox import addresses, amounts
from orderproof.sandbox.amounts import CAPTURE, REFUND, Check, open_refusal
from orderproof.sandbox.calls import NOT_ALLOWED, Call, Context, Refusal
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import (
    DAY,
    Order,
    find_capture,
    is_expired,
    is_fully_captured,
)
from orderproof.sandbox.states import has_captures, has_closed

CANCEL = "CANCEL_NOT_ALLOWED"
EXTENDABLE = 180 * DAY


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason to refuse, by name. `reads_body` says that it looks at the body of the call."""

    name: str
    check: Check
    reads_body: bool = False


Condition = Callable[[Order, Context], bool]

_CONDITIONS: Mapping[str, tuple[Condition, str]] = MappingProxyType(
    {
        "acknowledged": (lambda order, _: order.acknowledged, "is acknowledged already"),
        "cancelled": (lambda order, _: order.cancelled, "is cancelled"),
        "captured": (lambda order, _: is_fully_captured(order) and not order.released, "is fully captured"),
        "closed": (has_closed, "is closed"),
        "expired": (lambda order, context: is_expired(order, context.now), "has expired"),
        "has_captures": (has_captures, "has captures"),
        "no_captures": (lambda order, context: not has_captures(order, context), "has no captures"),
        "released": (lambda order, _: order.released, "has been released"),
        "too_old": (
            lambda order, context: context.now > order.created_at + EXTENDABLE,
            "is over 180 days old",
        ),
    }
)


def _refuse(condition: str, code: str = NOT_ALLOWED) -> Guard:
    applies, because = _CONDITIONS[condition]

    def check(order: Order, call: Call, context: Context) -> Refusal | None:
        return Refusal(403, code, f"Order {order.order_id} {because}.") if applies(order, context) else None

    return Guard(condition, check)


def _may_refuse(condition: str, choice: Callable[[Open], str], code: str = NOT_ALLOWED) -> Guard:
    refuse = _refuse(condition, code).check

    def check(order: Order, call: Call, context: Context) -> Refusal | None:
        return refuse(order, call, context) if choice(context.open) == "403" else None

    return Guard(condition, check)


def _room_for_another(code: str, count: Callable[[Order], int]) -> Guard:
    def check(order: Order, call: Call, context: Context) -> Refusal | None:
        if context.open.operations_per_order == "unlimited" or count(order) < 30:
            return None
        return Refusal(403, code, f"Order {order.order_id} has had as many as this account allows.")

    return Guard("room_for_another", check)


def _body(check: Check, name: str = "") -> Guard:
    return Guard(name or check.__name__, check, reads_body=True)


def no_such_capture(order: Order, call: Call, context: Context) -> Refusal:
    """Return the refusal of a call on a capture that the order does not have."""
    message = f"Capture {call.child_id} cannot be found on order {order.order_id}."
    return Refusal(404, context.open.unknown_capture_code, message)


def _unknown_capture(order: Order, call: Call, context: Context) -> Refusal | None:
    return None if find_capture(order, call.child_id) else no_such_capture(order, call, context)


def _no_capture_at_all(order: Order, call: Call, context: Context) -> Refusal | None:
    if has_captures(order, context) or find_capture(order, call.child_id):
        return None
    if context.open.no_captures == "404":
        return no_such_capture(order, call, context)
    return Refusal(403, NOT_ALLOWED, f"Order {order.order_id} has no captures.")


def days_on_offer(order: Order, call: Call, context: Context) -> Mapping[int, int]:
    """Return the numbers of days, and their fees, by which the due date of the capture can still move."""
    capture = find_capture(order, call.child_id)
    if capture is None:
        return {}
    used = () if context.open.due_date_options == "kept" else capture.due_dates_used
    return {days: fee for days, fee in context.due_date_options if days not in used}


def _not_on_offer(order: Order, call: Call, context: Context) -> Refusal | None:
    days = call.body["number_of_days"]
    if days in days_on_offer(order, call, context):
        return None
    message = f"number_of_days: an extension by {days} days is not on offer for capture {call.child_id}."
    return open_refusal(context.open.due_date_refusal, NOT_ALLOWED, message)


_UNKNOWN_CAPTURE = Guard("unknown_capture", _unknown_capture)
_NO_CAPTURE = Guard("no_captures", _no_capture_at_all)

GUARDS: Mapping[str, tuple[Guard, ...]] = MappingProxyType(
    {
        "acknowledgeOrder": (
            _may_refuse("cancelled", lambda chosen: chosen.acknowledge_cancelled),
            _may_refuse("expired", lambda chosen: chosen.acknowledge_expired),
            _may_refuse("released", lambda chosen: chosen.acknowledge_released),
            _may_refuse("captured", lambda chosen: chosen.acknowledge_captured),
            _may_refuse("acknowledged", lambda chosen: chosen.acknowledge_again),
        ),
        "updateAuthorization": (
            _refuse("cancelled"),
            _refuse("expired"),
            _refuse("released"),
            _refuse("captured"),
            _body(amounts.not_below_captured),
            _body(amounts.increase),
            _body(amounts.same_amount),
            _body(amounts.lines_add_up(NOT_ALLOWED, "order_amount"), "lines_add_up"),
        ),
        "updateConsumerDetails": (
            _refuse("cancelled"),
            _may_refuse("expired", lambda chosen: chosen.address_expired),
            _may_refuse("released", lambda chosen: chosen.address_released),
            _may_refuse("captured", lambda chosen: chosen.address_captured),
            _body(addresses.billing_address_sent),
            _body(addresses.unfit_address),
            _body(addresses.change_not_approved),
        ),
        "updateMerchantReferences": (
            _refuse("cancelled"),
            _may_refuse("expired", lambda chosen: chosen.references_expired),
        ),
        "extendAuthorizationTime": (
            _refuse("cancelled"),
            _refuse("expired"),
            _refuse("too_old"),
            _may_refuse("released", lambda chosen: chosen.extension_released),
            _may_refuse("captured", lambda chosen: chosen.extension_captured),
        ),
        "releaseRemainingAuthorization": (
            _refuse("cancelled"),
            _refuse("no_captures"),
            _refuse("captured"),
            _refuse("closed"),
            _may_refuse("released", lambda chosen: chosen.release_again),
            _may_refuse("expired", lambda chosen: chosen.release_expired),
        ),
        "cancelOrder": (
            _refuse("has_captures", CANCEL),
            _refuse("closed", CANCEL),
            _may_refuse("cancelled", lambda chosen: chosen.cancel_again, CANCEL),
            _may_refuse("expired", lambda chosen: chosen.cancel_expired, CANCEL),
        ),
        "appendOrderShippingInfo": (
            _may_refuse("cancelled", lambda chosen: chosen.shipping_info_cancelled),
            _may_refuse("expired", lambda chosen: chosen.shipping_info_expired),
        ),
        "captureOrder": (
            _refuse("cancelled", CAPTURE),
            _refuse("expired", CAPTURE),
            _refuse("released", CAPTURE),
            _refuse("captured", CAPTURE),
            _room_for_another(CAPTURE, lambda order: len(order.captures)),
            _body(amounts.within_remaining),
            _body(amounts.capture_of_nothing),
            _body(amounts.shipping_delay),
            _body(amounts.lines_add_up(CAPTURE, "captured_amount"), "lines_add_up"),
        ),
        "appendShippingInfo": (_NO_CAPTURE, _UNKNOWN_CAPTURE),
        "triggerSendOut": (_NO_CAPTURE, _UNKNOWN_CAPTURE),
        "extendDueDate": (_UNKNOWN_CAPTURE, _body(_not_on_offer, "not_on_offer")),
        "refundOrder": (
            _refuse("cancelled", REFUND),
            _refuse("no_captures", REFUND),
            _room_for_another(REFUND, lambda order: len(order.refunds)),
            _body(amounts.within_captured),
            _body(amounts.refund_of_nothing),
            _body(amounts.return_fee),
            _body(amounts.lines_add_up(REFUND, "refunded_amount"), "lines_add_up"),
        ),
    }
)
