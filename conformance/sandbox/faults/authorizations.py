"""Faults of acknowledging, updating, extending, releasing and cancelling, and of orders that expired."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context, Refusal
from orderproof.sandbox.faults.parts import (
    INVALID,
    REFUND,
    answering,
    asking,
    captured_amount,
    effect,
    orders_read,
    refusing,
    with_body,
    without,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import DAY, Order, is_expired


def _coded(operation: str, code: str) -> Behaviour:
    """Refuse with another code."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        if call.operation != operation or answer.status != 403:
            return answer
        body = {"correlation_id": f"{id(answer)}", "error_code": code, "error_messages": ["This is a fault."]}
        return with_body(answer, body)

    return answering(change)


@fault("ACK-1", when="state")
def part_captured_not_acknowledged() -> Behaviour:
    """A part-captured order cannot be acknowledged."""
    return refusing("acknowledgeOrder", lambda order, call, _: bool(order.captures))


@fault("ACK-1", when="sequence")
def updated_not_acknowledged() -> Behaviour:
    """An order whose amount was updated cannot be acknowledged."""
    return refusing(
        "acknowledgeOrder", lambda order, call, _: order.order_amount != order.original_order_amount
    )


@fault("ACK-2", when="sequence")
def acknowledged_again_not_found() -> Behaviour:
    """Acknowledging again is answered 404."""
    return refusing(
        "acknowledgeOrder", lambda order, call, _: order.acknowledged, status=404, code="NO_SUCH_ORDER"
    )


@fault("ACK-2", when="state")
def cancelled_acknowledged_is_invalid() -> Behaviour:
    """Acknowledging a cancelled order is answered 400."""
    return refusing("acknowledgeOrder", lambda order, call, _: order.cancelled, status=400, code=INVALID)


@fault("AUT-1", "ORD-SUM-3", when="state")
def update_of_captured_ignored() -> Behaviour:
    """An authorization update of a part-captured order leaves the amount."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, order_amount=before.order_amount) if before.captures else after

    return effect("updateAuthorization", change)


@fault("AUT-1", when="value")
def small_decrease_refused() -> Behaviour:
    """A decrease is refused."""
    return refusing(
        "updateAuthorization",
        lambda order, call, _: captured_amount(order) < call.body["order_amount"] < order.order_amount,
    )


@fault("AUT-1", when="sequence")
def updated_once_only() -> Behaviour:
    """An order amount can be updated once."""
    return refusing(
        "updateAuthorization", lambda order, call, _: order.order_amount != order.original_order_amount
    )


@fault("AUT-2", when="value")
def lines_kept_when_none_sent() -> Behaviour:
    """An update without order lines keeps those that were there."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return after if call.body.get("order_lines") else replace(after, order_lines=before.order_lines)

    return effect("updateAuthorization", change)


@fault("AUT-2", when="value")
def lines_appended() -> Behaviour:
    """The order lines of an update are put after those that were there."""
    return effect(
        "updateAuthorization",
        lambda before, after, call, _: replace(after, order_lines=before.order_lines + after.order_lines),
    )


@fault("AUT-3", "ORD-SUM-5", when="value")
def decrease_below_captured() -> Behaviour:
    """The order amount can be lowered below what is captured."""
    return without("updateAuthorization", "not_below_captured")


@fault("AUT-3", "ORD-SUM-5", when="value")
def decrease_one_below_captured() -> Behaviour:
    """The order amount can be lowered to one less than what is captured."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if call.body["order_amount"] == captured_amount(order) - 1 else refusal

    return asking("updateAuthorization", "not_below_captured", alter)


@fault("AUT-3", when="value")
def decrease_below_captured_is_invalid() -> Behaviour:
    """An order amount below what is captured is answered 400."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if refusal is None else Refusal(400, INVALID, *refusal.messages)

    return asking("updateAuthorization", "not_below_captured", alter)


@fault("AUT-4", when="state")
def released_is_updated() -> Behaviour:
    """The authorization of a released order can be updated."""
    return without("updateAuthorization", "released")


@fault("AUT-4", when="state")
def captured_is_updated() -> Behaviour:
    """The authorization of a fully captured order can be updated."""
    return without("updateAuthorization", "captured")


@fault("AUT-4", when="state")
def update_refused_with_another_code() -> Behaviour:
    """An authorization update of an order that has ended is refused with UPDATE_NOT_ALLOWED."""
    return _coded("updateAuthorization", "UPDATE_NOT_ALLOWED")


@fault("AUT-5", when="value")
def decrease_to_captured_refused() -> Behaviour:
    """A decrease to exactly what is captured is refused."""
    return refusing(
        "updateAuthorization", lambda order, call, _: 0 < call.body["order_amount"] == captured_amount(order)
    )


@fault("AUT-5", "ORD-STA-1", when="value")
def decrease_to_captured_cancels() -> Behaviour:
    """A decrease to exactly what is captured leaves the status AUTHORIZED."""

    def change(shown: dict[str, Any], order: Order, context: Context) -> dict[str, Any]:
        return {**shown, "status": "AUTHORIZED"} if order.decreased_to_captured else shown

    return orders_read(change)


@fault("AUT-6", when="value")
def same_amount_not_found() -> Behaviour:
    """The same order amount again is answered 404."""
    return refusing(
        "updateAuthorization",
        lambda order, call, _: call.body["order_amount"] == order.order_amount,
        status=404,
        code="NO_SUCH_ORDER",
    )


@fault("CUS-1", "ORD-FIX-3", when="value")
def address_replaced() -> Behaviour:
    """An address update clears the fields that are not sent."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        sent = call.body.get("shipping_address")
        return replace(after, shipping_address={k: v for k, v in sent.items() if v}) if sent else after

    return effect("updateConsumerDetails", change)


@fault("CUS-1", when="value")
def empty_field_kept() -> Behaviour:
    """An empty address field does not clear the one that is there."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, shipping_address={**before.shipping_address, **after.shipping_address})

    return effect("updateConsumerDetails", change)


@fault("CUS-2", "ORD-FIX-1", when="value")
def billing_follows_shipping() -> Behaviour:
    """An address update changes the billing address too."""
    return effect(
        "updateConsumerDetails",
        lambda before, after, call, _: replace(after, billing_address=after.shipping_address),
    )


@fault("CUS-2", "ORD-FIX-1", when="value")
def billing_address_taken() -> Behaviour:
    """A billing address sent in an address update clears the city of the one that is there."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        if "billing_address" not in call.unknown:
            return after
        return replace(after, billing_address={**before.billing_address, "city": "Elsewhere"})

    return effect("updateConsumerDetails", change)


@fault("CUS-3", when="state")
def address_of_cancelled_changed() -> Behaviour:
    """The address of a cancelled order can be changed."""
    return without("updateConsumerDetails", "cancelled")


@fault("REF-1", "ORD-FIX-3", when="value")
def other_reference_cleared() -> Behaviour:
    """A merchant reference that is not sent is cleared."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(
            after,
            merchant_reference1=call.body.get("merchant_reference1") or None,
            merchant_reference2=call.body.get("merchant_reference2") or None,
        )

    return effect("updateMerchantReferences", change)


@fault("REF-1", when="value")
def empty_reference_kept() -> Behaviour:
    """An empty merchant reference leaves the one that is there."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        if call.body.get("merchant_reference1") == "":
            return replace(after, merchant_reference1=before.merchant_reference1)
        return after

    return effect("updateMerchantReferences", change)


@fault("REF-1", when="state")
def references_of_captured_frozen() -> Behaviour:
    """The references of an order with captures cannot be changed."""
    return refusing("updateMerchantReferences", lambda order, call, _: bool(order.captures))


@fault("REF-2", when="state")
def references_of_cancelled_changed() -> Behaviour:
    """The references of a cancelled order can be changed."""
    return without("updateMerchantReferences", "cancelled")


@fault("EXT-1", "EXT-4", "EXT-2", when="always")
def extension_shortens() -> Behaviour:
    """An extension moves the expiry a day back."""
    return effect(
        "extendAuthorizationTime",
        lambda before, after, call, _: replace(after, expires_at=before.expires_at - DAY),
    )


@fault("EXT-1", when="state")
def part_captured_not_extended() -> Behaviour:
    """The authorization of a part-captured order cannot be extended."""
    return refusing("extendAuthorizationTime", lambda order, call, _: bool(order.captures))


@fault("EXT-2", "EXT-4", when="sequence")
def extensions_add_up() -> Behaviour:
    """Every extension adds a period to the expiry."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, expires_at=before.expires_at + context.authorization_days * DAY)

    return effect("extendAuthorizationTime", change)


@fault("EXT-2", when="sequence")
def second_extension_adds_a_day() -> Behaviour:
    """A second extension adds a day to the expiry that the first one gave."""
    extended: set[str] = set()

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        again = before.order_id in extended
        extended.add(before.order_id)
        return replace(after, expires_at=before.expires_at + DAY) if again else after

    return effect("extendAuthorizationTime", change)


@fault("EXT-3", "CAN-4", when="state")
def cancelled_is_extended() -> Behaviour:
    """The authorization of a cancelled order can be extended."""
    return without("extendAuthorizationTime", "cancelled")


@fault("EXT-3", when="state")
def expired_is_extended() -> Behaviour:
    """The authorization of an expired order can be extended."""
    return without("extendAuthorizationTime", "expired")


@fault("EXT-4", when="sequence")
def extension_of_a_month() -> Behaviour:
    """An extension lasts 31 days."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, expires_at=context.now - context.now % DAY + 31 * DAY)

    return effect("extendAuthorizationTime", change)


@fault("EXT-5", when="sequence")
def extended_for_ever() -> Behaviour:
    """An authorization can be extended more than 180 days after the order was made."""
    return without("extendAuthorizationTime", "too_old")


@fault("REL-1", when="value")
def second_capture_stops_release() -> Behaviour:
    """An order with two captures cannot be released."""
    return refusing("releaseRemainingAuthorization", lambda order, call, _: len(order.captures) > 1)


@fault("REL-1", "ORD-FIX-3", "ORD-FIX-2", when="state")
def release_of_refunded_refused() -> Behaviour:
    """An order with a refund cannot be released."""
    return refusing("releaseRemainingAuthorization", lambda order, call, _: bool(order.refunds))


@fault("REL-1", "ORD-SUM-4", when="state")
def release_forgotten() -> Behaviour:
    """A release is answered 204 and not written."""
    return effect("releaseRemainingAuthorization", lambda before, after, call, _: before)


@fault("REL-2", when="state")
def uncaptured_is_released() -> Behaviour:
    """An order without captures can be released."""
    return without("releaseRemainingAuthorization", "no_captures")


@fault("REL-3", when="state")
def captured_is_released() -> Behaviour:
    """A fully captured order can be released."""
    return without("releaseRemainingAuthorization", "captured")


@fault("REL-4", "CAP-5", when="state")
def released_is_captured() -> Behaviour:
    """A released order can be captured up to its order amount."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        left = order.order_amount - captured_amount(order)
        return None if order.released and call.body["captured_amount"] <= left else refusal

    checked = asking("captureOrder", "within_remaining", alter).guards["captureOrder"]
    guards = tuple(one for one in checked if one.name != "released")
    return replace(AS_AGREED, guards={**AS_AGREED.guards, "captureOrder": guards})


@fault("REL-4", when="state")
def released_is_not_refunded() -> Behaviour:
    """A released order cannot be refunded."""
    return refusing("refundOrder", lambda order, call, _: order.released, code=REFUND)


@fault("REL-5", when="sequence")
def released_again_not_found() -> Behaviour:
    """Releasing again is answered 404."""
    return refusing(
        "releaseRemainingAuthorization",
        lambda order, call, _: order.released,
        status=404,
        code="NO_SUCH_ORDER",
        first=True,
    )


@fault("CAN-1", when="sequence")
def extended_not_cancelled() -> Behaviour:
    """An order that was acknowledged cannot be cancelled."""
    return refusing("cancelOrder", lambda order, call, _: order.acknowledged, code="CANCEL_NOT_ALLOWED")


@fault("CAN-1", "ORD-STA-1", when="state")
def cancel_forgotten() -> Behaviour:
    """A cancellation is answered 204 and not written."""
    return effect("cancelOrder", lambda before, after, call, _: before)


@fault("CAN-2", when="state")
def captured_is_cancelled() -> Behaviour:
    """An order with captures can be cancelled."""
    return without("cancelOrder", "has_captures")


@fault("CAN-2", when="state")
def refunded_is_cancelled() -> Behaviour:
    """An order whose captures were refunded whole can be cancelled."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        refunded = sum(one.refunded_amount for one in order.refunds)
        return None if 0 < captured_amount(order) == refunded else refusal

    return asking("cancelOrder", "has_captures", alter)


@fault("CAN-2", when="state")
def cancel_refused_with_another_code() -> Behaviour:
    """A refused cancellation has the code NOT_ALLOWED."""
    return _coded("cancelOrder", "NOT_ALLOWED")


@fault("CAN-3", when="sequence")
def cancelled_again_not_found() -> Behaviour:
    """Cancelling again is answered 404."""
    return refusing(
        "cancelOrder", lambda order, call, _: order.cancelled, status=404, code="NO_SUCH_ORDER", first=True
    )


@fault("CAN-4", when="state")
def cancelled_is_captured() -> Behaviour:
    """A cancelled order can be captured."""
    return without("captureOrder", "cancelled")


@fault("CAN-4", "AUT-4", when="state")
def cancelled_is_updated() -> Behaviour:
    """The authorization of a cancelled order can be updated."""
    return without("updateAuthorization", "cancelled")


@fault("CAN-4", "REL-2", when="state")
def cancelled_is_released() -> Behaviour:
    """A cancelled order can be released."""
    guards = AS_AGREED.guards["releaseRemainingAuthorization"]
    left = tuple(one for one in guards if one.name not in ("cancelled", "no_captures"))
    return replace(AS_AGREED, guards={**AS_AGREED.guards, "releaseRemainingAuthorization": left})


@fault("CAN-4", when="state")
def cancelled_refund_is_not_found() -> Behaviour:
    """A refund of a cancelled order is answered 404."""
    return refusing(
        "refundOrder", lambda order, call, _: order.cancelled, status=404, code="NO_SUCH_ORDER", first=True
    )


@fault("EXP-1", when="sequence")
def expired_is_captured() -> Behaviour:
    """An expired order can be captured."""
    return without("captureOrder", "expired")


@fault("EXP-1", "AUT-4", when="sequence")
def expired_is_updated() -> Behaviour:
    """The authorization of an expired order can be updated."""
    return without("updateAuthorization", "expired")


@fault("EXP-1", when="sequence")
def expired_is_not_refunded() -> Behaviour:
    """What was captured of an expired order cannot be refunded."""
    return refusing("refundOrder", lambda order, call, context: is_expired(order, context.now), code=REFUND)


@fault("EXP-1", "ORD-STA-1", when="sequence")
def never_expires() -> Behaviour:
    """An expired order reads as if it were open."""

    def change(shown: dict[str, Any], order: Order, context: Context) -> dict[str, Any]:
        if shown["status"] != "EXPIRED":
            return shown
        return {**shown, "status": "PART_CAPTURED" if captured_amount(order) else "AUTHORIZED"}

    return orders_read(change)
