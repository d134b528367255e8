"""Faults of shipping info, send-outs and due dates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context, Refusal
from orderproof.sandbox.faults.parts import (
    answering,
    asking,
    effect,
    less,
    mended,
    read_of,
    refusing,
    without,
    written_in_place_of,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import Order, find_capture


@fault("SHP-1", when="sequence")
def shipping_info_replaced() -> Behaviour:
    """Shipping info of an order replaces what was there."""
    return effect(
        "appendOrderShippingInfo",
        lambda before, after, call, _: replace(after, shipping_info=tuple(call.body["shipping_info"])),
    )


@fault("SHP-1", when="sequence")
def shipping_info_in_front() -> Behaviour:
    """Shipping info of an order is put in front of what was there."""
    return effect(
        "appendOrderShippingInfo",
        lambda before, after, call, _: replace(
            after, shipping_info=tuple(call.body["shipping_info"]) + before.shipping_info
        ),
    )


@fault("SHP-1", when="value")
def first_parcel_only() -> Behaviour:
    """Of several items of shipping info the first is kept."""
    return effect(
        "appendOrderShippingInfo",
        lambda before, after, call, _: replace(
            after, shipping_info=(*before.shipping_info, call.body["shipping_info"][0])
        ),
    )


@fault("SHP-2", when="sequence")
def capture_shipping_info_replaced() -> Behaviour:
    """Shipping info of a capture replaces what was there."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        one = find_capture(after, call.child_id)
        assert one is not None
        return written_in_place_of(after, replace(one, shipping_info=tuple(call.body["shipping_info"])))

    return effect("appendShippingInfo", change)


@fault("SHP-2", "ORD-FIX-3", when="sequence")
def shipping_info_of_the_first_capture() -> Behaviour:
    """Shipping info of a capture is written to the first capture."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        first = before.captures[0]
        more = first.shipping_info + tuple(call.body["shipping_info"])
        return written_in_place_of(before, replace(first, shipping_info=more))

    return effect("appendShippingInfo", change)


def _lenient(operation: str) -> Behaviour:
    """Let an operation on a capture pass that does not exist, without effect."""
    agreed = AS_AGREED.effects[operation]

    def on_what_exists(order: Order, call: Call, context: Context) -> Order:
        return agreed(order, call, context) if find_capture(order, call.child_id) else order

    changed = without(operation, "unknown_capture", "no_captures")
    return replace(changed, effects={**AS_AGREED.effects, operation: on_what_exists})


@fault("SHP-3", when="state")
def shipping_info_of_nothing() -> Behaviour:
    """Shipping info for an unknown capture is answered 204."""
    return _lenient("appendShippingInfo")


@fault("SHP-3", "GEN-VAL-4", when="state")
def shipping_info_without_captures_is_invalid() -> Behaviour:
    """Shipping info for a capture of an order without captures is answered 400."""
    return refusing(
        "appendShippingInfo",
        lambda order, call, _: not order.captures,
        status=400,
        code="BAD_VALUE",
        first=True,
    )


@fault("SHP-4", "GEN-VAL-1", when="value")
def no_parcels_taken() -> Behaviour:
    """Shipping info without an item is answered 204."""

    def mend(value: Any) -> Any:
        return {**value, "shipping_info": [{}]} if value.get("shipping_info") == [] else value

    nothing = effect(
        "appendOrderShippingInfo",
        lambda before, after, call, _: before if call.body["shipping_info"] == [{}] else after,
    )
    return replace(nothing, read_body=mended("appendOrderShippingInfo", mend).read_body)


@fault("SHP-4", "GEN-VAL-1", when="value")
def carriers_cut() -> Behaviour:
    """A shipping company of more than 100 characters is cut."""

    def mend(value: Any) -> Any:
        items = value.get("shipping_info")
        if not isinstance(items, list):
            return value
        return {**value, "shipping_info": [_cut(one) if isinstance(one, dict) else one for one in items]}

    return mended("appendOrderShippingInfo", mend)


def _cut(item: dict[str, Any]) -> dict[str, Any]:
    company = item.get("shipping_company")
    return {**item, "shipping_company": company[:100]} if isinstance(company, str) else item


@fault("SHP-4", "GEN-VAL-1", when="value")
def any_shipping_method() -> Behaviour:
    """A shipping method outside the list is left out of shipping info of a capture."""
    known = {
        "PickUpStore",
        "Home",
        "BoxReg",
        "BoxUnreg",
        "PickUpPoint",
        "Own",
        "Postal",
        "DHLPackstation",
        "Digital",
    }

    def mend(value: Any) -> Any:
        items = value.get("shipping_info")
        if not isinstance(items, list):
            return value
        kept = [
            less(one, "shipping_method") if isinstance(one, dict) and _unknown(one, known) else one
            for one in items
        ]
        return {**value, "shipping_info": kept}

    return mended("appendShippingInfo", mend)


def _unknown(item: dict[str, Any], known: set[str]) -> bool:
    method = item.get("shipping_method")
    return isinstance(method, str) and method not in known


@fault("SND-1", when="state")
def no_send_out_after_release() -> Behaviour:
    """A send-out of a released order is refused."""
    return refusing("triggerSendOut", lambda order, call, _: order.released)


@fault("SND-1", "ORD-FIX-3", "ORD-FIX-2", when="always")
def send_out_marks_the_order() -> Behaviour:
    """A send-out writes into the merchant reference."""
    return effect(
        "triggerSendOut", lambda before, after, call, _: replace(after, merchant_reference2="sent out")
    )


@fault("SND-1", when="sequence")
def send_out_of_the_last_alone() -> Behaviour:
    """A send-out of any capture but the last is refused."""
    return refusing("triggerSendOut", lambda order, call, _: order.captures[-1].capture_id != call.child_id)


@fault("SND-2", when="state")
def send_out_of_nothing() -> Behaviour:
    """A send-out of an unknown capture is answered 204."""
    return _lenient("triggerSendOut")


@fault("SND-2", when="state")
def send_out_without_captures_is_invalid() -> Behaviour:
    """A send-out from an order without captures is answered 400."""
    return refusing(
        "triggerSendOut", lambda order, call, _: not order.captures, status=400, code="BAD_VALUE", first=True
    )


@fault("DUE-1", when="always")
def options_in_another_currency() -> Behaviour:
    """Due-date options are in a currency that is not the order's."""
    return read_of(lambda shown, order, _: {**shown, "currency": "XTS"}, "getOptionsForExtendDueDate")


@fault("DUE-1", "GEN-HTTP-1", when="state")
def no_options_after_refund() -> Behaviour:
    """Due-date options of an order with a refund cannot be read."""
    true = AS_AGREED.reads["getOptionsForExtendDueDate"]

    def read(order: Order, call: Call, context: Context) -> Any:
        if order.refunds:
            raise Refusal(403, "NOT_ALLOWED", "This is a fault.")
        return true(order, call, context)

    return replace(AS_AGREED, reads={**AS_AGREED.reads, "getOptionsForExtendDueDate": read})


@fault("DUE-2", when="always")
def offered_days_refused() -> Behaviour:
    """The first of the offered numbers of days is refused."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return refusal or (
            Refusal(403, "NOT_ALLOWED", "This is a fault.") if call.body["number_of_days"] == 14 else None
        )

    return asking("extendDueDate", "not_on_offer", alter)


@fault("DUE-2", when="sequence")
def one_extension_only() -> Behaviour:
    """A due date is extended once; a further number of days that is offered is refused."""

    def used(order: Order, call: Call, context: Context) -> bool:
        capture = find_capture(order, call.child_id)
        return capture is not None and bool(capture.due_dates_used)

    return refusing("extendDueDate", used)


@fault("DUE-3", when="value")
def any_number_of_days() -> Behaviour:
    """A due date is extended by a number of days that is not offered."""
    return without("extendDueDate", "not_on_offer")


@fault("DUE-3", when="value")
def days_not_offered_not_found() -> Behaviour:
    """A number of days that is not offered is answered 404."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if refusal is None else Refusal(404, "NOT_FOUND", *refusal.messages)

    return asking("extendDueDate", "not_on_offer", alter)


@fault("DUE-4")
def no_options_for_nothing() -> Behaviour:
    """Due-date options of an unknown capture are an empty list."""
    true = AS_AGREED.reads["getOptionsForExtendDueDate"]

    def read(order: Order, call: Call, context: Context) -> Any:
        if find_capture(order, call.child_id) is None:
            return {"currency": order.purchase_currency, "options": []}
        return true(order, call, context)

    return replace(AS_AGREED, reads={**AS_AGREED.reads, "getOptionsForExtendDueDate": read})


@fault("DUE-4")
def due_date_of_nothing() -> Behaviour:
    """Extending the due date of an unknown capture is answered 403."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == "extendDueDate" and order is not None and answer.status == 404
        return answer._replace(status=403) if wrong else answer

    return answering(change)
