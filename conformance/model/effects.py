"""What a taken call does to an order: the states that may follow, one for each OPEN choice of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orderproof.model.call import Call, created_id
from orderproof.model.state import Booking, State
from orderproof.model.validity import AMOUNT_FIELDS, place_fits
from orderproof.model.values import ANYTHING, AsSent, Between, Matcher, OrAbsent, instant, normalise, shape

SKEW = timedelta(seconds=60)
_LINES = "order_lines"


def effects(state: State, call: Call) -> list[State]:
    """Return the states that a call may leave when it takes effect. An unknown order stays unknown."""
    if state.order is None:
        return [state]
    if _is_beyond_us(call):
        return [replace(state, order=None)]
    effect = _EFFECTS.get(call.name)
    return [state] if effect is None else list(effect(state, call))


def _is_beyond_us(call: Call) -> bool:
    """Say whether a server may make something of a body of which we cannot: nested by the thousand, say."""
    if not call.exchange.request.body or call.operation.request_schema is None:
        return False
    return not isinstance(call.body, dict) or (call.name in AMOUNT_FIELDS and call.amount < 0)


def target_time(call: Call) -> datetime | None:
    """The target's own time when it answered, from its `Date` header; None once its clock was moved."""
    return None if call.exchange.clock else call.exchange.dated


def _made_at(call: Call) -> Matcher:
    """When something that the call made may say that it was made (rules CAP-3 and RFD-3)."""
    answered = target_time(call)
    if answered is None or call.exchange.group is not None:
        return ANYTHING
    duration = timedelta(seconds=max(0.0, call.exchange.answered_at - call.exchange.sent_at))
    return Between(answered - duration - SKEW, answered + SKEW)


def _sent(call: Call, schema: str) -> dict[str, Any]:
    """The fields of the body that have a value, normalised."""
    value: dict[str, Any] = normalise(call.body, shape(schema)) if isinstance(call.body, dict) else {}
    return value


def _as_sent(call: Call, schema: str, *names: str) -> dict[str, Any]:
    """Expectations for fields that read back as sent; what was not sent, the server may fill."""
    sent = _sent(call, schema)
    given = call.body if isinstance(call.body, dict) else {}
    empty = {name for name in names if name in given and name not in sent}
    return {name: AsSent(sent[name]) if name in sent else ANYTHING for name in names if name not in empty}


def _capture(state: State, call: Call) -> Iterable[State]:
    amount, captured = call.amount, state.captured + call.amount
    order = state.order or {}
    capture = {
        "capture_id": created_id(call) or ANYTHING,
        "klarna_reference": ANYTHING,
        "captured_amount": amount,
        "captured_at": _made_at(call),
        "refunded_amount": 0,
        **{name: OrAbsent(order[name]) for name in ("billing_address", "shipping_address") if name in order},
        **_as_sent(call, "CaptureRequest", "description", "reference", _LINES, "shipping_info"),
    }
    for status in _capture_statuses(state, amount, captured):
        yield state.with_order(
            captured_amount=captured,
            remaining_authorized_amount=state.remaining - amount,
            captures=[*state.captures, capture],
            status=status,
        )


def _capture_statuses(state: State, amount: int, captured: int) -> tuple[Any, ...]:
    if amount == 0:
        return (state.status, "PART_CAPTURED") if state.status == "AUTHORIZED" else (state.status,)
    return ("CAPTURED", "CLOSED") if captured == state.amount("order_amount") else ("PART_CAPTURED",)


def _refund(state: State, call: Call) -> Iterable[State]:
    refunded = state.amount("refunded_amount") + call.amount
    refund = {
        "refund_id": created_id(call) or ANYTHING,
        "refunded_amount": call.amount,
        "refunded_at": _made_at(call),
        "credit_invoice": ANYTHING,
        **_as_sent(call, "RefundRequest", "description", "reference", _LINES),
    }
    booking = Booking(call.amount, call.exchange.answered_at + call.exchange.clock)
    bookings = (*state.bookings, booking) if call.amount else state.bookings
    after = replace(
        state.with_order(refunded_amount=refunded, refunds=[*state.refunds, refund]), bookings=bookings
    )
    yield after
    if refunded == state.captured and state.status != "CLOSED":
        yield after.with_order(status="CLOSED")
        if state.remaining:
            yield after.with_order(status="CLOSED", remaining_authorized_amount=0)


def _update_authorization(state: State, call: Call) -> Iterable[State]:
    amount = call.amount
    lines = _sent(call, "AuthorizationUpdate").get(_LINES)
    order = {name: value for name, value in (state.order or {}).items() if name != _LINES}
    if lines:
        order[_LINES] = AsSent(lines)
    order |= {"order_amount": amount, "remaining_authorized_amount": amount - state.captured}
    after = replace(state, order=order)
    if amount > state.captured:
        yield after
        return
    closing = (
        ("CAPTURED", "CLOSED", "PART_CAPTURED") if state.captured else ("AUTHORIZED", "CAPTURED", "CLOSED")
    )
    for status in closing:
        yield replace(after.with_order(status=status), lowered=True)


def _update_customer(state: State, call: Call) -> Iterable[State]:
    given = call.body.get("shipping_address") if isinstance(call.body, dict) else None
    if not isinstance(given, dict) or not given:
        return [state]
    sent = _sent(call, "CustomerDetailsUpdate").get("shipping_address", {})
    before = (state.order or {}).get("shipping_address", {})
    kept = {name: value for name, value in before.items() if name not in given}
    address = {**kept, **{name: AsSent(value) for name, value in sent.items()}}
    if not place_fits(given):
        address |= dict.fromkeys(("country", "postal_code", "region"), ANYTHING)
    return [_with_or_without(state, "shipping_address", address)]


def _with_or_without(state: State, name: str, value: Any) -> State:
    if value:
        return state.with_order(**{name: value})
    return replace(state, order={key: item for key, item in (state.order or {}).items() if key != name})


def _update_references(state: State, call: Call) -> Iterable[State]:
    sent = _sent(call, "MerchantReferencesUpdate")
    given = call.body if isinstance(call.body, dict) else {}
    for name in ("merchant_reference1", "merchant_reference2"):
        if name in given:
            state = _with_or_without(state, name, AsSent(sent[name]) if name in sent else None)
    return [state]


def _acknowledge(state: State, call: Call) -> Iterable[State]:
    return [replace(state, acknowledged=True)]


def _extend_authorization(state: State, call: Call) -> Iterable[State]:
    before = instant((state.order or {}).get("expires_at"))
    same_day = state.extended is not None and _same_quarter_hour(state.extended, call.target_now)
    after = replace(state, extended=call.target_now)
    if same_day and before:
        return [after]
    return [after.with_order(expires_at=Between(before) if before else ANYTHING)]


def _same_quarter_hour(one: float, other: float) -> bool:
    """Midnight comes to some time zone every quarter of an hour: only within one is it surely the same day."""
    return int(one // 900) == int(other // 900)


def _release(state: State, call: Call) -> Iterable[State]:
    amounts = {state.amount("order_amount"), state.captured}
    statuses = {state.status} if state.status == "CLOSED" else {"PART_CAPTURED", "CAPTURED", "CLOSED"}
    # One that had expired may read so still: nothing says what releasing it makes of it.
    statuses |= {state.status} & {"EXPIRED"}
    for amount in sorted(amounts):
        for status in sorted(statuses):
            after = state.with_order(order_amount=amount, status=status, remaining_authorized_amount=0)
            yield replace(after, released=True)


def _cancel(state: State, call: Call) -> Iterable[State]:
    # One that has expired may have read 0 already, and go back to what it was cancelled with.
    before = state.amount("order_amount") - state.captured if state.expired else 0
    for remaining in sorted({0, state.remaining, before}):
        yield state.with_order(status="CANCELLED", remaining_authorized_amount=remaining)


def _append_to_order(state: State, call: Call) -> Iterable[State]:
    before = (state.order or {}).get("shipping_info", [])
    return [state.with_order(shipping_info=[*before, *_shipping_items(call)])]


def _append_to_capture(state: State, call: Call) -> Iterable[State]:
    captures = [
        {**capture, "shipping_info": _appended(capture.get("shipping_info", []), call)}
        if capture.get("capture_id") == call.capture_id
        else capture
        for capture in state.captures
    ]
    return [state.with_order(captures=captures)]


def _appended(before: Any, call: Call) -> Any:
    return [*before, *_shipping_items(call)] if isinstance(before, list) else ANYTHING


def _shipping_items(call: Call) -> list[Any]:
    return [AsSent(item) for item in _sent(call, "ShippingInfoAppend").get("shipping_info", [])]


def _extend_due_date(state: State, call: Call) -> Iterable[State]:
    # Options may be used up by an extension: what is on offer is unknown until it is read again.
    return [
        replace(state, options={key: value for key, value in state.options.items() if key != call.capture_id})
    ]


_EFFECTS: dict[str, Callable[[State, Call], Iterable[State]]] = {
    "captureOrder": _capture,
    "refundOrder": _refund,
    "updateAuthorization": _update_authorization,
    "updateConsumerDetails": _update_customer,
    "updateMerchantReferences": _update_references,
    "acknowledgeOrder": _acknowledge,
    "extendAuthorizationTime": _extend_authorization,
    "releaseRemainingAuthorization": _release,
    "cancelOrder": _cancel,
    "appendOrderShippingInfo": _append_to_order,
    "appendShippingInfo": _append_to_capture,
    "extendDueDate": _extend_due_date,
}
