"""Faults of refunds."""

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
    read_of,
    refunded_amount,
    refunds_read,
    refusing,
    without,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.orders import Order, Refund, is_fully_captured

Shown = dict[str, Any]


def _left(order: Order) -> int:
    return captured_amount(order) - refunded_amount(order)


def _has_fee(call: Call) -> bool:
    return any(line.get("type") == "return_fee" for line in call.body.get("order_lines", ()))


@fault("RFD-1", when="state")
def part_captured_not_refunded() -> Behaviour:
    """An order that is not fully captured cannot be refunded."""
    return refusing(
        "refundOrder", lambda order, call, _: not is_fully_captured(order) and not order.released, code=REFUND
    )


@fault("RFD-1", when="sequence")
def refunded_once_only() -> Behaviour:
    """An order can be refunded once."""
    return refusing("refundOrder", lambda order, call, _: bool(order.refunds), code=REFUND)


@fault("RFD-1", when="value")
def whole_refund_refused() -> Behaviour:
    """What was captured cannot be refunded whole at once."""
    return refusing(
        "refundOrder",
        lambda order, call, _: call.body["refunded_amount"] == captured_amount(order),
        code=REFUND,
    )


@fault("RFD-1", when="sequence")
def refund_within_one_capture() -> Behaviour:
    """A refund cannot be larger than the largest capture."""
    return refusing(
        "refundOrder",
        lambda order, call, _: (
            call.body["refunded_amount"] > max(one.captured_amount for one in order.captures)
        ),
        code=REFUND,
    )


def _answered(change: Any) -> Behaviour:
    def last_look(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == "refundOrder" and answer.status == 201
        return answer._replace(headers=tuple(change(order, answer.headers))) if wrong else answer

    return answering(last_look)


@fault("RFD-2")
def refund_without_location() -> Behaviour:
    """A refund is answered without Location."""
    return _answered(lambda order, headers: [pair for pair in headers if pair[0] != "location"])


@fault("RFD-2")
def refund_without_id() -> Behaviour:
    """A refund is answered without Refund-Id."""
    return _answered(lambda order, headers: [pair for pair in headers if pair[0] != "refund-id"])


@fault("RFD-2")
def refund_among_the_captures() -> Behaviour:
    """The Location of a refund names it among the captures."""

    def change(order: Order, headers: Any) -> Any:
        return [(name, value.replace("/refunds/", "/captures/")) for name, value in headers]

    return _answered(change)


def _made(change: Any) -> Behaviour:
    def changed(before: Order, after: Order, call: Call, context: Context) -> Order:
        return replace(after, refunds=(*before.refunds, change(after.refunds[-1], before)))

    return effect("refundOrder", changed)


@fault("RFD-3", when="value")
def refund_reference_lost() -> Behaviour:
    """The reference of a refund is not kept."""
    return _made(lambda made, order: replace(made, reference=None))


@fault("RFD-3", when="value")
def refund_lines_lost() -> Behaviour:
    """The order lines of a refund are not kept."""
    return _made(lambda made, order: replace(made, order_lines=()))


@fault("RFD-3")
def refunded_a_day_ago() -> Behaviour:
    """The time of a refund is a day back."""
    return _made(lambda made, order: replace(made, refunded_at=made.refunded_at - 86_400_000))


@fault("RFD-3", when="value")
def refund_description_trimmed() -> Behaviour:
    """The description of a refund loses what is beyond 200 characters."""

    def change(made: Refund, order: Order) -> Refund:
        return replace(made, description=(made.description or "")[:200] or None)

    return _made(change)


@fault("RFD-4", "ORD-SUM-3", when="state")
def refund_restores_the_remaining() -> Behaviour:
    """What is refunded shows as remaining again."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        left = shown["remaining_authorized_amount"] + refunded_amount(order)
        return {**shown, "remaining_authorized_amount": left}

    return orders_read(change)


@fault("RFD-4", "ORD-FIX-3", "ORD-SUM-3", when="state")
def refund_lowers_the_order() -> Behaviour:
    """A refund of a part-captured order lowers its order amount."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        if is_fully_captured(before) or before.released:
            return after
        return replace(after, order_amount=max(captured_amount(before), before.order_amount - 1))

    return effect("refundOrder", change)


@fault("RFD-4", "RFD-2", "RFD-3", when="sequence")
def third_refund_lost() -> Behaviour:
    """The third refund is answered 201 and not written."""

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        return before if len(before.refunds) == 2 else after

    return effect("refundOrder", change)


@fault("RFD-5", "ORD-SUM-5", when="value")
def one_above_captured() -> Behaviour:
    """A refund of one more than what is left is taken."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if call.body["refunded_amount"] == _left(order) + 1 else refusal

    return asking("refundOrder", "within_captured", alter)


@fault("RFD-5", "ORD-SUM-5", when="sequence")
def refunds_not_counted() -> Behaviour:
    """Each refund is held against all that was captured, whatever was refunded before."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if call.body["refunded_amount"] <= captured_amount(order) else refusal

    return asking("refundOrder", "within_captured", alter)


@fault("RFD-5", "ORD-SUM-5", when="state")
def order_amount_refunded() -> Behaviour:
    """A part-captured order can be refunded up to its order amount."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return (
            None if call.body["refunded_amount"] <= order.order_amount - refunded_amount(order) else refusal
        )

    return asking("refundOrder", "within_captured", alter)


@fault("RFD-5", when="value")
def over_refund_is_invalid() -> Behaviour:
    """A refund of too much is answered 422."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if refusal is None else Refusal(422, INVALID, *refusal.messages)

    return asking("refundOrder", "within_captured", alter)


@fault("RFD-6", "RFD-5", when="state")
def uncaptured_is_refunded() -> Behaviour:
    """An order without captures can be refunded up to its amount."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        free = not order.captures and call.body["refunded_amount"] <= order.order_amount
        return None if free else refusal

    changed = asking("refundOrder", "within_captured", alter)
    left = tuple(guard for guard in changed.guards["refundOrder"] if guard.name != "no_captures")
    return replace(changed, guards={**changed.guards, "refundOrder": left})


@fault("RFD-6", when="state")
def uncaptured_refund_not_found() -> Behaviour:
    """A refund of an order without captures is answered 404."""
    return refusing(
        "refundOrder",
        lambda order, call, _: not order.captures and not order.cancelled,
        status=404,
        code="NOT_FOUND",
        first=True,
    )


@fault("RFD-7")
def unknown_refund_code() -> Behaviour:
    """An unknown refund is answered 404 with the code NO_SUCH_REFUND."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == "getRefund" and answer.status == 404
        return answer._replace(body=answer.body.replace(b"NOT_FOUND", b"NO_SUCH_REFUND")) if wrong else answer

    return answering(change)


@fault("RFD-7", when="sequence")
def refunds_of_any_order() -> Behaviour:
    """A refund is read under any order."""
    homes: dict[str, Order] = {}
    true = AS_AGREED.reads["getRefund"]

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        homes[after.refunds[-1].refund_id] = after
        return after

    def read(order: Order, call: Call, context: Context) -> Any:
        own = any(one.refund_id == call.child_id for one in order.refunds)
        return true(order if own else homes.get(call.child_id, order), call, context)

    return replace(effect("refundOrder", change), reads={**AS_AGREED.reads, "getRefund": read})


@fault("RFD-8", "RFD-3", when="state")
def refunds_in_order_without_lines() -> Behaviour:
    """The refunds in an order have no order lines."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "refunds": [{**one, "order_lines": []} for one in shown.get("refunds", ())]}

    return orders_read(change)


@fault("RFD-8", when="sequence")
def first_refund_not_found() -> Behaviour:
    """A refund is not found by its id once there is another on the order."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        if shown["refund_id"] != order.refunds[-1].refund_id:
            raise Refusal(404, "NOT_FOUND", "This is a fault.")
        return shown

    return read_of(change, "getRefund")


@fault("RFD-8", "RFD-3", when="sequence")
def single_refund_as_total() -> Behaviour:
    """A refund that is read by itself shows all that was refunded."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        return {**shown, "refunded_amount": refunded_amount(order)}

    return read_of(change, "getRefund")


@fault("RFD-9", when="value")
def no_return_fees() -> Behaviour:
    """A refund with a return fee is always refused."""
    return refusing("refundOrder", lambda order, call, _: _has_fee(call), code=REFUND)


@fault("RFD-10", when="value")
def return_fees_anywhere() -> Behaviour:
    """A refund with a return fee is taken without conditions."""
    return without("refundOrder", "return_fee")


@fault("RFD-10", when="sequence")
def return_fees_after_two_captures() -> Behaviour:
    """A return fee is taken when the order was captured whole in several captures."""

    def alter(refusal: Refusal | None, order: Order, call: Call) -> Refusal | None:
        return None if is_fully_captured(order) and len(order.captures) > 1 else refusal

    return asking("refundOrder", "return_fee", alter)


@fault("RFD-11", when="value")
def refund_of_zero_not_found() -> Behaviour:
    """A refund of 0 is answered 404."""
    return refusing(
        "refundOrder", lambda order, call, _: call.body["refunded_amount"] == 0, status=404, code="NOT_FOUND"
    )


@fault("RFD-3", "RFD-8", "ORD-SUM-2", when="state")
def refund_amount_off_by_one() -> Behaviour:
    """Every refund after the first reads one unit less than was asked for."""

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        later = order.refunds and shown["refund_id"] != order.refunds[0].refund_id
        return {**shown, "refunded_amount": shown["refunded_amount"] - 1} if later else shown

    return refunds_read(change)
