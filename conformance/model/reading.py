"""What a read may show: a document held against a state, and the state that it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from orderproof.exchange import ABSENT
from orderproof.model.call import Call
from orderproof.model.state import Booking, State
from orderproof.model.values import (
    ANYTHING,
    Between,
    Difference,
    Document,
    Matcher,
    differences,
    instant,
    normalise,
    pair_by_id,
    shape,
)

BOOKING_SECONDS = 5.0
"""How long a refund may stay unbooked on the captures.

The recorded service showed a refund on the order one second before it showed it on the capture.
"""

_EXPIRY_MARGIN = 60.0
_LIVE = ("AUTHORIZED", "PART_CAPTURED")


def read(state: State, call: Call) -> list[tuple[State, list[Difference]]]:
    """Return each state that the answer of a read may leave, with where it reads otherwise than expected.

    Where a state without a difference exists, the read is explained.
    """
    body = call.exchange.response.json if call.exchange.response is not None else ABSENT
    match call.name:
        case "getOrder" if isinstance(body, dict):
            return _read_order(state, normalise(body, shape("Order")), call)
        case "getCaptures" if isinstance(body, list):
            return [_read_captures(state, [normalise(item, shape("Capture")) for item in body], call.now)]
        case "getCapture" if isinstance(body, dict):
            return [_read_capture(state, normalise(body, shape("Capture")), call)]
        case "getRefund" if isinstance(body, dict):
            return [_read_refund(state, normalise(body, shape("Refund")), call)]
        case "getOptionsForExtendDueDate" if isinstance(body, dict):
            return [_read_options(state, body, call)]
    return [(state, [])]


def _read_order(state: State, actual: Document, call: Call) -> list[tuple[State, list[Difference]]]:
    if state.order is None:
        return [(learned, []) for learned in learn(state, actual)]
    return [_held_against(variant, actual, call.now) for variant in _drifted(state, call.target_now)]


def learn(state: State, actual: Document) -> Iterator[State]:
    """Return the states that an order of unknown history may be in when it reads like this.

    Whether the rest was released, or the amount lowered to what was captured, does not always show.
    """
    known = replace(state, order=actual, bookings=(), expired=actual.get("status") == "EXPIRED")
    captured, amount = known.captured, known.amount("order_amount")
    if captured == 0 or actual.get("status") == "CANCELLED":
        yield replace(known, released=False, lowered=False)
        return
    if state.released or known.remaining > 0 or known.remaining >= amount - captured:
        yield known
    if known.remaining == 0 and not state.released:
        yield replace(known, released=True)
        if captured == amount and not state.lowered:
            yield replace(known, lowered=True)


def _drifted(state: State, now: float) -> list[State]:
    """The states that time alone may have led to: an expiry, a closing, a fraud decision."""
    if (state.order or {}).get("fraud_status") == "PENDING":
        state = state.with_order(fraud_status=ANYTHING)
    if state.expired and state.status == "EXPIRED":
        return [state, *_ended(state, ("CLOSED",))]
    if state.status not in _LIVE or not state.may_have_expired(now):
        return [state]
    ended = _ended(replace(state, expired=True), ("EXPIRED", "CLOSED"))
    surely = not state.may_have_expired(now - 2 * _EXPIRY_MARGIN)
    return [state, *ended] if surely else ended


def _ended(state: State, statuses: tuple[str, ...]) -> list[State]:
    remainders = sorted({0, state.remaining}, reverse=True)
    return [state.with_order(status=s, remaining_authorized_amount=r) for s in statuses for r in remainders]


def _held_against(state: State, actual: Document, now: float) -> tuple[State, list[Difference]]:
    expected = state.order or {}
    bookings: tuple[Booking, ...] = ()
    found: list[Difference] = []
    if state.bookings:
        bookings, found = _book(state, list(actual.get("captures", ())), now)
        expected = {**expected, "captures": [_unbooked(capture) for capture in state.captures]}
    found += differences(expected, actual)
    return replace(state, order=actual, bookings=bookings), found


def _unbooked(capture: Any) -> Any:
    return {**capture, "refunded_amount": ANYTHING} if isinstance(capture, dict) else capture


def _refunded(capture: Any) -> int:
    value = capture.get("refunded_amount", 0) if isinstance(capture, dict) else 0
    return value if isinstance(value, int) else 0


def _book(state: State, actual: list[Any], now: float) -> tuple[tuple[Booking, ...], list[Difference]]:
    """Find which refunds are not booked on the captures yet (rule ORD-SUM-6)."""
    pairs = pair_by_id(state.captures, actual, "capture_id")
    steps = [_refunded(found) - _refunded(wanted) for wanted, found in pairs]
    left = _left(state.bookings, sum(steps)) if min(steps, default=0) >= 0 else None
    if left is not None and not any(now - late.at > BOOKING_SECONDS for late in left):
        return left, []
    total = sum(map(_refunded, state.captures)) + sum(booking.amount for booking in state.bookings)
    shown = [_refunded(capture) for capture in actual]
    path = ("captures", "refunded_amount")
    return (), [
        Difference(path, f"{total} in sum over the captures, none of them less than before", f"{shown}")
    ]


def _left(bookings: tuple[Booking, ...], booked: int) -> tuple[Booking, ...] | None:
    """Return the bookings that are left when others of them come to the amount booked; None when none do.

    Where there is a choice, the newer ones are left.
    """
    reach: dict[int, tuple[Booking, ...]] = {0: ()}
    for booking in bookings:
        kept = {amount: (*left, booking) for amount, left in reach.items()}
        taken = {
            amount + booking.amount: left
            for amount, left in reach.items()
            if amount + booking.amount <= booked
        }
        reach = {**taken, **kept}
    return reach.get(booked)


def _read_captures(state: State, actual: list[Any], now: float) -> tuple[State, list[Difference]]:
    if state.order is None:
        return state, []
    after, found = _held_against(state, {**state.order, "captures": actual}, now)
    return after, found


def _replaced(items: list[Any], key: str, item: Any) -> list[Any]:
    return [item if isinstance(old, dict) and old.get(key) == item.get(key) else old for old in items]


def _read_capture(state: State, actual: Any, call: Call) -> tuple[State, list[Difference]]:
    expected = state.capture(call.capture_id)
    if expected is None:
        return state, []
    wanted = _unbooked(expected) if state.bookings else expected
    found = list(differences(wanted, actual, ("capture",)))
    # While a refund waits to be booked, what one capture shows of it says nothing about the others.
    seen = {**actual, "refunded_amount": expected["refunded_amount"]} if state.bookings else dict(actual)
    made = instant(actual.get("captured_at"))
    if made and isinstance(expected.get("captured_at"), Matcher):
        # Still a matcher: where the capture stands among the others shows only when the order is read.
        seen["captured_at"] = Between(made, made)
    return state.with_order(captures=_replaced(state.captures, "capture_id", seen)), found


def _read_refund(state: State, actual: Any, call: Call) -> tuple[State, list[Difference]]:
    expected = state.refund(call.refund_id)
    if expected is None:
        return state, []
    found = list(differences(expected, actual, ("refund",)))
    return state.with_order(refunds=_replaced(state.refunds, "refund_id", actual)), found


def _read_options(state: State, body: Any, call: Call) -> tuple[State, list[Difference]]:
    offers = [offer for offer in body.get("options") or () if isinstance(offer, dict)]
    days = tuple(offer["number_of_days"] for offer in offers if isinstance(offer.get("number_of_days"), int))
    options = {**state.options, call.capture_id or "": days}
    wanted = (state.order or {}).get("purchase_currency", ANYTHING)
    currency = normalise(body, shape("DueDateOptions")).get("currency", ABSENT)
    return replace(state, options=options), list(differences(wanted, currency, ("currency",)))
