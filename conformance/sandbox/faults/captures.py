"""Faults of captures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context, Refusal
from orderproof.sandbox.faults.parts import (
    CAPTURE,
    INVALID,
    answering,
    asking,
    captures_read,
    effect,
    less,
    read_of,
    refusing,
    remaining_amount,
    without,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import Capture, Order

Shown = dict[str, Any]


@fault("CAP-1", when="value")
def whole_rest_refused() -> Behaviour:
    """A capture of exactly what remains is refused when something was captured before."""
    return refusing(
        "captureOrder",
        lambda order, call, _: (
            bool(order.captures) and call.body["captured_amount"] == remaining_amount(order)
        ),
        code=CAPTURE,
    )


@fault("CAP-1", when="sequence")
def two_captures_at_most() -> Behaviour:
    """An order takes two captures."""
    return refusing("captureOrder", lambda order, call, _: len(order.captures) >= 2, code=CAPTURE)


@fault("CAP-1", when="sequence")
def no_capture_after_refund() -> Behaviour:
    """An order with a refund takes no further capture."""
    return refusing("captureOrder", lambda order, call, _: bool(order.refunds), code=CAPTURE)


@fault("CAP-1", when="sequence")
def twenty_captures_at_most() -> Behaviour:
    """An order takes twenty captures."""
    return refusing("captureOrder", lambda order, call, _: len(order.captures) >= 20, code=CAPTURE)


def _changed(operation: str, status: int, change: Any) -> Behaviour:
    def last_look(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == operation and answer.status == status
        return answer._replace(headers=tuple(change(call, order, answer.headers))) if wrong else answer

    return answering(last_look)


@fault("CAP-2")
def capture_without_location() -> Behaviour:
    """A capture is answered without Location."""
    return _changed(
        "captureOrder", 201, lambda call, order, headers: [h for h in headers if h[0] != "location"]
    )


@fault("CAP-2")
def capture_without_id() -> Behaviour:
    """A capture is answered without Capture-Id."""
    return _changed(
        "captureOrder", 201, lambda call, order, headers: [h for h in headers if h[0] != "capture-id"]
    )


@fault("CAP-2", when="sequence")
def location_of_the_first_capture() -> Behaviour:
    """The Location of every capture is that of the first."""

    def change(call: Call, order: Order, headers: Any) -> Any:
        first, last = order.captures[0].capture_id, order.captures[-1].capture_id
        return [
            (name, value.replace(last, first) if name == "location" else value) for name, value in headers
        ]

    return _changed("captureOrder", 201, change)


def _made(change: Any) -> Behaviour:
    """Change a capture when it is made."""

    def changed(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, captures=(*before.captures, change(after.captures[-1], before, context)))

    return effect("captureOrder", changed)


@fault("CAP-3", when="value")
def description_cut() -> Behaviour:
    """The description of a capture is cut after 100 characters."""

    def change(made: Capture, order: Order, context: Context) -> Capture:
        return replace(made, description=(made.description or "")[:100] or None)

    return _made(change)


@fault("CAP-3", when="value")
def capture_lines_lost() -> Behaviour:
    """The order lines of a capture are not kept."""
    return _made(lambda made, order, context: replace(made, order_lines=()))


@fault("CAP-3", when="value")
def capture_shipping_info_lost() -> Behaviour:
    """The shipping info that comes with a capture is not kept."""
    return _made(lambda made, order, context: replace(made, shipping_info=()))


@fault("CAP-3")
def captured_an_hour_ago() -> Behaviour:
    """The time of a capture is an hour back."""
    return _made(lambda made, order, context: replace(made, captured_at=made.captured_at - 3_600_000))


@fault("CAP-4", "CAP-3", "ORD-SUM-3", when="sequence")
def third_capture_one_more() -> Behaviour:
    """The third capture is written with one unit less than was asked for."""

    def change(made: Capture, order: Order, context: Context) -> Capture:
        return replace(made, captured_amount=made.captured_amount - (len(order.captures) == 2))

    return _made(change)


@fault("CAP-4", "CAP-2", "CAP-3", when="sequence")
def capture_written_twice() -> Behaviour:
    """A capture with order lines is written twice where there is room."""
    true = AS_AGREED.effects["captureOrder"]

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        room = remaining_amount(after) >= call.body["captured_amount"] and call.body.get("order_lines")
        return true(after, call, context) if room else after

    return effect("captureOrder", change)


@fault("CAP-4", "ORD-SUM-3", "ORD-FIX-3", when="sequence")
def capture_moves_the_order_amount() -> Behaviour:
    """A second capture raises the order amount by one."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, order_amount=after.order_amount + 1) if len(after.captures) == 2 else after

    return effect("captureOrder", change)


@fault("CAP-5", "ORD-SUM-5", when="value")
def one_above_remaining() -> Behaviour:
    """A capture of exactly one more than what remains is taken."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if call.body["captured_amount"] == remaining_amount(order) + 1 else refusal

    return asking("captureOrder", "within_remaining", alter)


@fault("CAP-5", "ORD-SUM-5", when="sequence")
def third_capture_unchecked() -> Behaviour:
    """From the third capture on the order amount is the limit of each."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        free = len(order.captures) >= 2 and call.body["captured_amount"] <= order.order_amount
        return None if free else refusal

    return asking("captureOrder", "within_remaining", alter)


@fault("CAP-5", when="value")
def capture_cut_to_remaining() -> Behaviour:
    """A capture of too much is taken, and cut to what remains."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        made = replace(
            after.captures[-1], captured_amount=min(call.body["captured_amount"], remaining_amount(before))
        )
        return replace(after, captures=(*before.captures, made))

    return replace(effect("captureOrder", change), guards=without("captureOrder", "within_remaining").guards)


@fault("CAP-5", "ORD-SUM-5", when="sequence")
def refund_makes_room() -> Behaviour:
    """What was refunded can be captured again."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        room = remaining_amount(order) + sum(one.refunded_amount for one in order.refunds)
        return None if call.body["captured_amount"] <= room else refusal

    return asking("captureOrder", "within_remaining", alter)


@fault("CAP-6", when="sequence")
def list_lacks_the_latest() -> Behaviour:
    """The list of captures leaves out the third and those after it."""
    return read_of(lambda shown, order, _: shown[:2], "getCaptures")


@fault("CAP-6", when="state")
def list_without_references() -> Behaviour:
    """The list of captures has no klarna_reference."""
    return read_of(lambda shown, order, _: [less(one, "klarna_reference") for one in shown], "getCaptures")


@fault("CAP-6", when="sequence")
def list_in_reverse() -> Behaviour:
    """The list of captures is the other way round than in the order."""
    return read_of(lambda shown, order, _: shown[::-1], "getCaptures")


@fault("CAP-6", when="state")
def single_capture_never_refunded() -> Behaviour:
    """A capture that is read by itself never shows a refund."""
    return read_of(lambda shown, order, _: {**shown, "refunded_amount": 0}, "getCapture")


@fault("CAP-6", when="sequence")
def first_of_many_not_found() -> Behaviour:
    """The first capture is not found by its id once there are more than twenty."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        if len(order.captures) > 20 and shown["capture_id"] == order.captures[0].capture_id:
            raise Refusal(404, context.open.unknown_capture_code, "This is a fault.")
        return shown

    return read_of(change, "getCapture")


def _not_found(operation: str, status: int, code: str) -> Behaviour:
    def last_look(call: Call, order: Order | None, answer: Answer) -> Answer:
        if call.operation != operation or answer.status != 404 or order is not None or not call.child_id:
            return answer
        wrong = b"NO_SUCH_CAPTURE" in answer.body
        body = answer.body.replace(b"NO_SUCH_CAPTURE", code.encode())
        return answer._replace(status=status, body=body) if wrong else answer

    return answering(last_look)


@fault("CAP-7")
def unknown_capture_forbidden() -> Behaviour:
    """An unknown capture is answered 403."""
    return _not_found("getCapture", 403, "NOT_ALLOWED")


@fault("CAP-7")
def unknown_capture_code() -> Behaviour:
    """An unknown capture is answered 404 with the code INVALID_CAPTURE."""
    return _not_found("getCapture", 404, "INVALID_CAPTURE")


@fault("CAP-7", when="state")
def unknown_capture_is_the_last() -> Behaviour:
    """An unknown capture id gives the last capture of the order."""
    true = AS_AGREED.reads["getCapture"]

    def read(order: Order, call: Call, context: Context) -> Any:
        known = {one.capture_id for one in order.captures}
        if call.child_id not in known and order.captures:
            call = call._replace(child_id=order.captures[-1].capture_id)
        return true(order, call, context)

    return replace(AS_AGREED, reads={**AS_AGREED.reads, "getCapture": read})


@fault("CAP-8", when="sequence")
def captures_of_any_order() -> Behaviour:
    """A capture is read under any order."""
    homes: dict[str, Order] = {}
    true = AS_AGREED.reads["getCapture"]

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        homes[after.captures[-1].capture_id] = after
        return after

    def read(order: Order, call: Call, context: Context) -> Any:
        own = any(one.capture_id == call.child_id for one in order.captures)
        return true(order if own else homes.get(call.child_id, order), call, context)

    return replace(effect("captureOrder", change), reads={**AS_AGREED.reads, "getCapture": read})


@fault("CAP-9")
def references_from_zero() -> Behaviour:
    """The captures of an order are numbered from 0."""

    def change(made: Capture, order: Order, context: Context) -> Capture:
        return replace(made, klarna_reference=f"{order.klarna_reference}-{len(order.captures)}")

    return _made(change)


@fault("CAP-9", when="sequence")
def reference_of_the_second() -> Behaviour:
    """The second capture has the reference of the order alone."""

    def change(made: Capture, order: Order, context: Context) -> Capture:
        return replace(made, klarna_reference=order.klarna_reference) if len(order.captures) == 1 else made

    return _made(change)


@fault("CAP-10", when="value")
def capture_of_zero_not_found() -> Behaviour:
    """A capture of 0 is answered 404."""
    return refusing(
        "captureOrder",
        lambda order, call, _: call.body["captured_amount"] == 0,
        status=404,
        code="NO_SUCH_ORDER",
        first=False,
    )


@fault("CAP-11", "ORD-FIX-3", "ORD-FIX-2", "CUS-1", when="sequence")
def captures_follow_the_address() -> Behaviour:
    """The shipping address of a capture is the order's of today."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        moved = tuple(replace(one, shipping_address=after.shipping_address) for one in after.captures)
        return replace(after, captures=moved)

    return effect("updateConsumerDetails", change)


@fault("CAP-11", when="always")
def capture_billed_elsewhere() -> Behaviour:
    """The billing address of a capture is not the order's."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "billing_address": {**shown["billing_address"], "city": "Elsewhere"}}

    return captures_read(change)


@fault("CAP-1", "CAP-4", when="value")
def amounts_beyond_32_bits_refused() -> Behaviour:
    """A capture of 10,000.00 or more is refused as invalid."""
    return refusing(
        "captureOrder",
        lambda order, call, _: call.body["captured_amount"] >= 1_000_000,
        status=403,
        code=CAPTURE,
    )


@fault("CAP-5", when="value")
def over_capture_is_invalid() -> Behaviour:
    """A capture of more than remains is answered 400."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if refusal is None else Refusal(400, INVALID, *refusal.messages)

    return asking("captureOrder", "within_remaining", alter)
