"""Faults in how an order reads: sums, status, what should never change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import Behaviour
from orderproof.sandbox.calls import Call, Context
from orderproof.sandbox.effects import booked
from orderproof.sandbox.faults.parts import (
    captured_amount,
    captures_read,
    effect,
    orders_read,
    read_of,
    refunded_amount,
    refunds_read,
    remaining_amount,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import Capture, Order, is_fully_captured

Shown = dict[str, Any]


@fault("ORD-GET-1")
def order_id_in_capitals() -> Behaviour:
    """The order id reads in upper case."""
    return orders_read(lambda shown, order, _: {**shown, "order_id": shown["order_id"].upper()})


@fault("ORD-GET-1", when="sequence")
def order_id_renewed_by_refund() -> Behaviour:
    """An order with refunds reads under the id of its refund."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "order_id": order.refunds[0].refund_id} if order.refunds else shown

    return orders_read(change)


@fault("ORD-GET-2", "ORD-FIX-3")
def expiry_moves_with_each_read() -> Behaviour:
    """Every read shows an expiry a second later."""
    count = [0]

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        count[0] += 1
        moved = f"{shown['expires_at'][:17]}{count[0] % 60:02}{shown['expires_at'][19:]}"
        return {**shown, "expires_at": moved}

    return orders_read(change)


@fault("ORD-GET-2", "CAP-6", when="sequence")
def captures_rotate() -> Behaviour:
    """The captures of an order change places with each read."""
    count = [0]

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        count[0] += 1
        captures = shown.get("captures", ())
        turn = count[0] % max(len(captures), 1)
        return {**shown, "captures": [*captures[turn:], *captures[:turn]]} if captures else shown

    return orders_read(change)


@fault("ORD-GET-3")
def times_without_zone() -> Behaviour:
    """created_at and expires_at name no time zone."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, **{name: shown[name][:19] for name in ("created_at", "expires_at")}}

    return orders_read(change)


@fault("ORD-GET-3", when="state")
def refunded_at_without_zone() -> Behaviour:
    """The time of a refund names no time zone."""
    return refunds_read(lambda shown, order, _: {**shown, "refunded_at": shown["refunded_at"][:19]})


@fault("ORD-GET-3", when="state")
def captured_at_as_a_date() -> Behaviour:
    """The time of a capture is a date."""
    return captures_read(lambda shown, order, _: {**shown, "captured_at": shown["captured_at"][:10]})


@fault("ORD-GET-4", when="state")
def refunded_status() -> Behaviour:
    """An order that was refunded whole has the status REFUNDED."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        whole = 0 < captured_amount(order) == refunded_amount(order)
        return {**shown, "status": "REFUNDED"} if whole else shown

    return orders_read(change)


@fault("ORD-GET-4")
def fraud_status_unknown() -> Behaviour:
    """The fraud status is UNKNOWN."""
    return orders_read(lambda shown, order, _: {**shown, "fraud_status": "UNKNOWN"})


@fault("ORD-SUM-1", "CAP-4", "ORD-SUM-3", when="sequence")
def third_capture_not_counted() -> Behaviour:
    """captured_amount leaves out the third capture and those after it."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "captured_amount": sum(one.captured_amount for one in order.captures[:2])}

    return orders_read(change)


@fault("ORD-SUM-1", "ORD-SUM-3", "RFD-4", when="sequence")
def refunds_lower_captured() -> Behaviour:
    """captured_amount is what was captured less what was refunded."""
    return orders_read(
        lambda shown, order, _: {**shown, "captured_amount": captured_amount(order) - refunded_amount(order)}
    )


@fault("ORD-SUM-2", "RFD-4", when="sequence")
def last_refund_alone() -> Behaviour:
    """refunded_amount is the amount of the last refund."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "refunded_amount": order.refunds[-1].refunded_amount} if order.refunds else shown

    return orders_read(change)


@fault("ORD-SUM-3", "AUT-1", when="sequence")
def remaining_counts_from_the_original() -> Behaviour:
    """What remains counts from the original amount."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        left = order.original_order_amount - captured_amount(order)
        open_ = not order.released and not order.cancelled and not is_fully_captured(order)
        return {**shown, "remaining_authorized_amount": left} if open_ and left > 0 else shown

    return orders_read(change)


@fault("ORD-SUM-3", "CAP-4", when="sequence")
def third_capture_lowers_twice() -> Behaviour:
    """The third capture lowers what remains by one more."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        left = shown["remaining_authorized_amount"]
        wrong = len(order.captures) >= 3 and left > 0
        return {**shown, "remaining_authorized_amount": left - 1} if wrong else shown

    return orders_read(change)


@fault("ORD-SUM-4", "REL-1", when="state")
def remaining_kept_on_release() -> Behaviour:
    """A released order shows what remained before."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        left = order.order_amount - captured_amount(order)
        return {**shown, "remaining_authorized_amount": left} if order.released else shown

    return orders_read(change)


@fault("ORD-SUM-4", "CAP-4", "ORD-SUM-3", when="state")
def last_capture_still_remaining() -> Behaviour:
    """A fully captured order shows 1 as remaining."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "remaining_authorized_amount": 1} if is_fully_captured(order) else shown

    return orders_read(change)


@fault("ORD-SUM-5", "REL-1", "ORD-FIX-3", "ORD-STA-1", when="state")
def release_lowers_below_captured() -> Behaviour:
    """A release lowers the order amount to one less than what is captured."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "order_amount": captured_amount(order) - 1} if order.released else shown

    return orders_read(change)


@fault("ORD-SUM-5", "ORD-SUM-4", when="state")
def remaining_below_zero() -> Behaviour:
    """A released order shows what it captured as a negative remaining amount."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "remaining_authorized_amount": -captured_amount(order)} if order.released else shown

    return orders_read(change)


@fault("ORD-SUM-6", when="sequence")
def booked_on_the_first() -> Behaviour:
    """Every refund is booked on the first capture, however small."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        first = before.captures[0]
        more = replace(first, refunded_amount=first.refunded_amount + call.body["refunded_amount"])
        return replace(after, captures=(more, *before.captures[1:]))

    return effect("refundOrder", change)


@fault("ORD-SUM-6", when="sequence")
def second_refund_not_booked() -> Behaviour:
    """From the second refund on, refunds are booked on no capture."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, captures=before.captures) if before.refunds else after

    return effect("refundOrder", change)


@fault("ORD-SUM-6", when="value")
def one_too_many_booked() -> Behaviour:
    """A refund is booked with one unit more where the capture has room."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, captures=booked(after.captures, 1, context))

    return effect("refundOrder", change)


def _status(wrong: str, applies: Any) -> Behaviour:
    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "status": wrong} if applies(order) else shown

    return orders_read(change)


@fault("ORD-STA-1", "CAP-4", when="sequence")
def part_captured_for_ever() -> Behaviour:
    """An order captured whole in several captures stays PART_CAPTURED."""
    return _status(
        "PART_CAPTURED",
        lambda order: (
            is_fully_captured(order) and len(order.captures) > 1 and not order.decreased_to_captured
        ),
    )


@fault("ORD-STA-1", "CAP-4", when="value")
def captured_at_half() -> Behaviour:
    """An order is CAPTURED once more than half of it is captured."""
    return _status(
        "CAPTURED",
        lambda order: captured_amount(order) * 2 > order.order_amount and not order.released,
    )


@fault("ORD-STA-1", "CAP-4", when="state")
def authorized_after_capture() -> Behaviour:
    """A part-captured order stays AUTHORIZED."""
    return _status(
        "AUTHORIZED",
        lambda order: bool(order.captures) and not order.released and not is_fully_captured(order),
    )


@fault("ORD-STA-1", when="sequence")
def part_captured_after_refund() -> Behaviour:
    """A fully captured order is PART_CAPTURED after a refund of a part."""
    return _status(
        "PART_CAPTURED",
        lambda order: (
            is_fully_captured(order)
            and 0 < refunded_amount(order) < captured_amount(order)
            and not order.decreased_to_captured
        ),
    )


@fault("ORD-STA-2", "ACK-2", when="sequence")
def acknowledge_reopens() -> Behaviour:
    """Acknowledging a cancelled order makes it AUTHORIZED again."""
    return effect("acknowledgeOrder", lambda before, after, call, _: replace(after, cancelled=False))


@fault("ORD-STA-2", when="sequence")
def shipping_info_reopens() -> Behaviour:
    """Appending shipping info to a cancelled order makes it AUTHORIZED again."""
    return effect("appendOrderShippingInfo", lambda before, after, call, _: replace(after, cancelled=False))


@fault("ORD-FIX-1", when="sequence")
def original_amount_follows() -> Behaviour:
    """An authorization update moves original_order_amount."""
    return effect(
        "updateAuthorization",
        lambda before, after, call, _: replace(after, original_order_amount=after.order_amount),
    )


@fault("ORD-FIX-1", when="sequence")
def created_at_moves() -> Behaviour:
    """An extension moves created_at."""
    return effect(
        "extendAuthorizationTime",
        lambda before, after, call, _: replace(after, created_at=before.created_at + 1000),
    )


@fault("ORD-FIX-1", when="sequence")
def merchant_data_cleared() -> Behaviour:
    """An update of the references clears merchant_data."""
    return effect(
        "updateMerchantReferences", lambda before, after, call, _: replace(after, merchant_data=None)
    )


@fault("ORD-FIX-1", when="state")
def locale_lost_on_refund() -> Behaviour:
    """The locale reads en-US once something was refunded."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "locale": "en-AQ"} if order.refunds else shown

    return orders_read(change)


def _recaptured(order: Order, **changes: Any) -> Order:
    def renewed(one: Capture) -> Capture:
        return replace(one, **changes)

    return replace(order, captures=tuple(map(renewed, order.captures)))


@fault("ORD-FIX-2", when="sequence")
def refund_describes_captures() -> Behaviour:
    """The description of a refund becomes that of the captures."""
    return effect(
        "refundOrder",
        lambda before, after, call, _: _recaptured(
            after, description=call.body.get("description", "refunded")
        ),
    )


@fault("ORD-FIX-2", "SND-1", when="sequence")
def send_out_moves_the_capture() -> Behaviour:
    """A send-out renews the time of the captures."""
    return effect(
        "triggerSendOut",
        lambda before, after, call, _: _recaptured(after, captured_at=before.captures[0].captured_at + 1000),
    )


@fault("ORD-FIX-2", "CAP-6", "ORD-SUM-1", when="sequence")
def refunded_capture_disappears() -> Behaviour:
    """The lists leave out a capture that was refunded whole."""

    def change(value: Any, order: Order, context: Context) -> Any:
        captures = value["captures"] if isinstance(value, dict) else value
        kept = [one for one in captures if not 0 < one["captured_amount"] == one["refunded_amount"]]
        return {**value, "captures": kept} if isinstance(value, dict) else kept

    return read_of(change, "getOrder", "getCaptures")


@fault("ORD-FIX-3", when="state")
def lines_gone_on_capture() -> Behaviour:
    """A capture takes the order lines off the order."""
    return effect("captureOrder", lambda before, after, call, _: replace(after, order_lines=()))


@fault("ORD-FIX-3", when="sequence")
def refund_moves_the_other_refunds() -> Behaviour:
    """A refund after a release brings the shipping info of the captures back to nothing."""
    return effect(
        "refundOrder",
        lambda before, after, call, _: _recaptured(after, shipping_info=()) if before.released else after,
    )


@fault("ORD-FIX-3", "REF-1", when="sequence")
def neighbours_share_references() -> Behaviour:
    """The second merchant reference is one for all orders."""
    last: list[str | None] = []

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        last[:] = [after.merchant_reference2]
        return after

    written = effect("updateMerchantReferences", change)

    def shown_of(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "merchant_reference2": last[0]} if last and last[0] else shown

    return replace(written, reads=orders_read(shown_of).reads)


@fault("ORD-SUM-3", "CAP-5", "ORD-GET-2", when="value")
def remaining_rounded() -> Behaviour:
    """What remains of more than 1,000.00 is shown in whole tens."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        left = remaining_amount(order)
        wrong = left > 100_000 and not order.cancelled
        return {**shown, "remaining_authorized_amount": left - left % 1000} if wrong else shown

    return orders_read(change)
