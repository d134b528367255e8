"""What a conforming server may answer to a call, given one state of the order.

A forecast names the situation that the call meets and every outcome that is allowed in it. Where the contract is
OPEN there is more than one. The situations are what the checks are about; the outcomes are what the answer is
held against.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from orderproof.model.call import Call, is_uuid
from orderproof.model.state import Phase, Spent, State
from orderproof.model.validity import Standing, has_return_fee
from orderproof.model.values import instant

DAY = 86_400.0
EXTENSION_DAYS = 180
KEY_SECONDS = DAY
MANY = 30
"""So many captures, and so many refunds, one order must take; whether it takes more is OPEN."""


class Situation(Enum):
    """What a call meets; the value completes the sentence "the call was made ..."."""

    ORDINARY = "on an order that takes it"
    READ = "to read what exists"
    FITS = "within what remains"
    ABOVE_REMAINING = "above the remaining authorization"
    ABOVE_REFUNDABLE = "above what is left to refund"
    ZERO_AMOUNT = "with the amount 0"
    RETURN_FEE = "with a return fee"
    NO_CAPTURES = "on an order without captures"
    HAS_CAPTURES = "on an order with captures"
    FULLY_CAPTURED = "on a fully captured order"
    RELEASED = "after a release"
    CANCELLED = "on a cancelled order"
    EXPIRED = "on an expired order"
    BELOW_CAPTURED = "with less than was captured"
    TO_CAPTURED = "with exactly what was captured"
    SAME_AMOUNT = "with the same amount"
    INCREASE = "with a larger amount"
    DECREASE = "with a smaller amount"
    AGAIN = "a second time"
    LATE = "more than 180 days after the order was made"
    OFFERED = "with a number of days on offer"
    NOT_OFFERED = "with a number of days that is not on offer"
    UNKNOWN_ORDER = "with an unknown order id"
    MALFORMED_ORDER = "with a malformed order id"
    UNKNOWN_CAPTURE = "with an unknown capture id"
    UNKNOWN_REFUND = "with an unknown refund id"
    INVALID_BODY = "with an invalid body"
    OPEN_BODY = "with a body that a server may take or refuse"
    REPEAT = "again with its idempotency key"
    REPEAT_OF_REFUSED = "again with the idempotency key of a refused call"
    UNAUTHENTICATED = "without valid credentials"
    UNDECIDED = "in a state that the history leaves open"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Statuses and error codes (none: any) of one way to answer; `taken`: the call takes effect."""

    statuses: frozenset[int]
    codes: frozenset[str] = frozenset()
    taken: bool = False

    def allows(self, status: int, code: str) -> bool:
        # An answer without a readable code breaks GEN-ERR-1, and that is all that is wrong with it.
        return status in self.statuses and (not self.codes or not code or code in self.codes)

    def __str__(self) -> str:
        statuses = " or ".join(map(str, sorted(self.statuses)))
        return f"{statuses} {' or '.join(sorted(self.codes))}".strip()


@dataclass(frozen=True, slots=True)
class Forecast:
    """The situation that a call meets, and the outcomes that are allowed."""

    situation: Situation
    outcomes: tuple[Outcome, ...]

    def outcome(self, status: int, code: str) -> Outcome | None:
        """The allowed outcome that an answer is, or None."""
        return next((outcome for outcome in self.outcomes if outcome.allows(status, code)), None)

    @property
    def must_be_taken(self) -> bool:
        return all(outcome.taken for outcome in self.outcomes)

    @property
    def must_be_refused(self) -> bool:
        return not any(outcome.taken for outcome in self.outcomes)

    def __str__(self) -> str:
        named = [outcome for outcome in self.outcomes if outcome.codes]
        others = frozenset[int]().union(*(o.statuses for o in self.outcomes if not o.codes))
        return ", or ".join(map(str, [*named, *([Outcome(others)] if others else [])]))


def _set(*statuses: int) -> frozenset[int]:
    return frozenset(statuses)


_CAPTURE_CODES = frozenset({"NO_SUCH_CAPTURE", "NO_SUCH_ORDER", "NOT_FOUND"})
_ANY_REFUSAL = Outcome(_set(400, 403, 404, 405, 409, 413, 415, 422))
_DISPUTED = Outcome(_set(400, 403, 422))
_NO_CAPTURE = Outcome(_set(404), _CAPTURE_CODES)
REFUSAL_CODES = {
    "captureOrder": "CAPTURE_NOT_ALLOWED",
    "refundOrder": "REFUND_NOT_ALLOWED",
    "cancelOrder": "CANCEL_NOT_ALLOWED",
}
"""The error code of a 403 by operation; the others say NOT_ALLOWED."""


def _taken(call: Call) -> Outcome:
    return Outcome(_set(next(s for s in call.operation.statuses if s < 300)), taken=True)


def _refused(call: Call) -> Outcome:
    return Outcome(_set(403), frozenset({REFUSAL_CODES.get(call.name, "NOT_ALLOWED")}))


def _takes(situation: Situation, call: Call) -> Forecast:
    return Forecast(situation, (_taken(call),))


def _refuses(situation: Situation, call: Call) -> Forecast:
    return Forecast(situation, (_refused(call),))


def _either(situation: Situation, call: Call, refusal: Outcome | None = None) -> Forecast:
    return Forecast(situation, (_taken(call), refusal or Outcome(_set(403))))


def forecast(state: State, call: Call) -> Forecast:
    """Say what may be answered to a call in a state. Rules: sections 1 to 6 of the catalogue."""
    if call.exchange.credentials != "own":
        # A header that is no header of any scheme may be called a malformed request.
        statuses = _set(400, 401) if call.exchange.credentials == "garbled" else _set(401)
        return Forecast(Situation.UNAUTHENTICATED, (Outcome(statuses),))
    if "invented-order" in call.exchange.facts:
        return _with_body(_unknown_order(call), call)
    spent = state.keys.get(call.key) if call.key else None
    if spent is None:
        return _with_body(_of_order(state, call), call)
    return _of_repeat(state, call, spent)


def _unknown_order(call: Call) -> Forecast:
    if not is_uuid(call.order_id):
        return Forecast(Situation.MALFORMED_ORDER, (Outcome(_set(400, 404)),))
    codes = {"NO_SUCH_ORDER"} | ({"NOT_FOUND"} if call.name in ("refundOrder", "getRefund") else set())
    return Forecast(Situation.UNKNOWN_ORDER, (Outcome(_set(404), frozenset(codes)),))


def _with_body(base: Forecast, call: Call) -> Forecast:
    validity = call.validity
    if validity.standing is Standing.VALID:
        return base
    if validity.standing is Standing.OPEN:
        kept = base.must_be_refused or base.situation is Situation.RETURN_FEE
        situation = base.situation if kept else Situation.OPEN_BODY
        return Forecast(situation, (*base.outcomes, Outcome(validity.refusals)))
    # An order that would refuse the call anyway may refuse it for that reason.
    others = (outcome.statuses for outcome in base.outcomes if not outcome.taken)
    return Forecast(Situation.INVALID_BODY, (Outcome(validity.refusals.union(*others)),))


def _of_repeat(state: State, call: Call, spent: Spent) -> Forecast:
    plain = _with_body(_of_order(state, call), call)
    same_call = spent.operation == call.name and spent.child == call.child
    again = Outcome(_taken(call).statuses)
    if not same_call or call.now - spent.at > KEY_SECONDS - 60:
        # The server may have forgotten the key, hold it for longer, or hold it since a later repeat.
        return Forecast(Situation.UNDECIDED, (*plain.outcomes, _taken(call), again, _ANY_REFUSAL))
    if spent.status is None or spent.status < 300:
        if call.validity.standing is Standing.INVALID:
            return Forecast(Situation.UNDECIDED, (again, Outcome(call.validity.refusals)))
        return Forecast(Situation.REPEAT, (again,))
    return Forecast(Situation.REPEAT_OF_REFUSED, (*plain.outcomes, Outcome(_set(spent.status))))


def _of_order(state: State, call: Call) -> Forecast:
    if state.order is None or (call.operation.writes and not _is_certain(state, call)):
        return Forecast(Situation.UNDECIDED, (_taken(call), _ANY_REFUSAL))
    return _FORECASTS[call.name](state, call)


def _is_certain(state: State, call: Call) -> bool:
    """Say whether nothing outside the history decides: no fraud decision pending, no expiry that may just have come."""
    live = state.phase in (Phase.OPEN, Phase.RELEASED, Phase.FULL)
    return state.phase is not Phase.UNKNOWN and not (live and state.may_have_expired(call.target_now))


def _read(state: State, call: Call) -> Forecast:
    return _takes(Situation.READ, call)


def _capture_order(state: State, call: Call) -> Forecast:
    if call.amount == 0:
        return _either(Situation.ZERO_AMOUNT, call, _DISPUTED)
    match state.phase:
        case Phase.CANCELLED:
            return _refuses(Situation.CANCELLED, call)
        case Phase.EXPIRED:
            return Forecast(Situation.EXPIRED, (Outcome(_set(403)),))
        case Phase.RELEASED:
            return _refuses(Situation.RELEASED, call)
        case Phase.FULL if state.remaining >= call.amount:
            # CLOSED by a full refund with something left: the documents do not say which of the two counts.
            return _either(Situation.UNDECIDED, call)
    if call.amount > state.remaining:
        return _refuses(Situation.ABOVE_REMAINING, call)
    if len(state.captures) >= MANY:
        return _either(Situation.UNDECIDED, call, _DISPUTED)
    return _takes(Situation.FITS, call)


def _refund_order(state: State, call: Call) -> Forecast:
    if call.amount == 0:
        return _either(Situation.ZERO_AMOUNT, call, _DISPUTED)
    if state.phase is Phase.CANCELLED:
        return _refuses(Situation.CANCELLED, call)
    if not state.captures:
        return _refuses(Situation.NO_CAPTURES, call)
    if call.amount > state.refundable:
        return _refuses(Situation.ABOVE_REFUNDABLE, call)
    if has_return_fee(call.body):
        return _either(Situation.RETURN_FEE, call, _DISPUTED)
    if len(state.refunds) >= MANY:
        return _either(Situation.UNDECIDED, call, _DISPUTED)
    return _takes(Situation.FITS, call)


def _update_authorization(state: State, call: Call) -> Forecast:
    closed = {
        Phase.CANCELLED: Situation.CANCELLED,
        Phase.EXPIRED: Situation.EXPIRED,
        Phase.RELEASED: Situation.RELEASED,
    }.get(state.phase)
    if closed:
        return (
            Forecast(closed, (Outcome(_set(403)),)) if closed is Situation.EXPIRED else _refuses(closed, call)
        )
    if state.lowered:
        return _either(Situation.UNDECIDED, call)
    if state.phase is Phase.FULL:
        unclear = state.remaining > 0
        return _either(Situation.UNDECIDED, call) if unclear else _refuses(Situation.FULLY_CAPTURED, call)
    return _amount_update(state, call)


def _amount_update(state: State, call: Call) -> Forecast:
    current = state.amount("order_amount")
    if call.amount < state.captured:
        return _refuses(Situation.BELOW_CAPTURED, call)
    if call.amount == current:
        return _either(Situation.SAME_AMOUNT, call)
    if call.amount > current:
        return _either(Situation.INCREASE, call, _refused(call))
    if call.amount == 0:
        return _either(Situation.ZERO_AMOUNT, call)
    return _takes(Situation.TO_CAPTURED if call.amount == state.captured else Situation.DECREASE, call)


def _update_customer(state: State, call: Call) -> Forecast:
    if state.phase is Phase.CANCELLED:
        return _refuses(Situation.CANCELLED, call)
    ordinary = {Phase.OPEN: Situation.ORDINARY, Phase.EXPIRED: Situation.EXPIRED}
    situation = ordinary.get(state.phase, Situation.FULLY_CAPTURED)
    return _either(situation, call, _refused(call) if state.phase is Phase.OPEN else None)


def _update_references(state: State, call: Call) -> Forecast:
    if state.phase is Phase.CANCELLED:
        return _refuses(Situation.CANCELLED, call)
    if state.phase is Phase.EXPIRED:
        return _either(Situation.EXPIRED, call)
    return _takes(Situation.ORDINARY, call)


def _acknowledge(state: State, call: Call) -> Forecast:
    if state.phase is Phase.OPEN and not state.acknowledged:
        return _takes(Situation.ORDINARY, call)
    return _either(Situation.AGAIN, call)


def _extend_authorization(state: State, call: Call) -> Forecast:
    if state.phase is Phase.CANCELLED:
        return _refuses(Situation.CANCELLED, call)
    if state.phase is Phase.EXPIRED and not state.released:
        return _refuses(Situation.EXPIRED, call)
    if state.phase is not Phase.OPEN or state.lowered:
        return _either(Situation.FULLY_CAPTURED, call)
    if call.target_now - created(state, call.target_now) > (EXTENSION_DAYS - 1) * DAY:
        return _either(Situation.LATE, call)
    return _takes(Situation.ORDINARY, call)


def created(state: State, default: float) -> float:
    """When the order was made, in seconds since the epoch; the default when it does not say."""
    moment = instant((state.order or {}).get("created_at"))
    return moment.timestamp() if moment else default


def _release(state: State, call: Call) -> Forecast:
    match state.phase:
        case Phase.CANCELLED:
            return _refuses(Situation.CANCELLED, call)
        case Phase.EXPIRED:
            return _either(Situation.EXPIRED, call)
        case Phase.RELEASED:
            return _either(Situation.AGAIN, call)
    if not state.captures:
        return _refuses(Situation.NO_CAPTURES, call)
    if state.lowered or state.has_only_zero_captures or (state.phase is Phase.FULL and state.remaining > 0):
        return _either(Situation.UNDECIDED, call)
    if state.phase is Phase.FULL:
        return _refuses(Situation.FULLY_CAPTURED, call)
    return _takes(Situation.ORDINARY, call)


def _cancel(state: State, call: Call) -> Forecast:
    if state.phase is Phase.CANCELLED:
        return _either(Situation.AGAIN, call, _refused(call))
    if state.phase is Phase.EXPIRED:
        # Expired, it may be taken; with captures, it is refused: with both, the documents do not say which counts.
        return _either(Situation.UNDECIDED if state.captures else Situation.EXPIRED, call)
    if state.has_only_zero_captures:
        return _either(Situation.UNDECIDED, call)
    if state.captures:
        return _refuses(Situation.HAS_CAPTURES, call)
    return _takes(Situation.ORDINARY, call)


def _append_shipping(state: State, call: Call) -> Forecast:
    if state.phase in (Phase.CANCELLED, Phase.EXPIRED):
        return _either(Situation.CANCELLED, call)
    return _takes(Situation.ORDINARY, call)


def _unknown_capture(state: State, call: Call) -> Forecast | None:
    if state.capture(call.capture_id) is not None:
        return None
    if not is_uuid(call.capture_id):
        return Forecast(Situation.UNKNOWN_CAPTURE, (Outcome(_set(400, 404)),))
    return Forecast(Situation.UNKNOWN_CAPTURE, (_NO_CAPTURE,))


def _on_capture(state: State, call: Call) -> Forecast:
    missing = _unknown_capture(state, call)
    if missing and not state.captures:
        return Forecast(Situation.NO_CAPTURES, (_refused(call), *missing.outcomes))
    if missing:
        return missing
    if state.phase is Phase.EXPIRED:
        return _either(Situation.EXPIRED, call)
    return _takes(Situation.ORDINARY, call)


def _read_capture(state: State, call: Call) -> Forecast:
    return _unknown_capture(state, call) or _takes(Situation.READ, call)


def _read_refund(state: State, call: Call) -> Forecast:
    if state.refund(call.refund_id) is not None:
        return _takes(Situation.READ, call)
    codes = frozenset({"NOT_FOUND"}) if is_uuid(call.refund_id) else frozenset()
    return Forecast(Situation.UNKNOWN_REFUND, (Outcome(_set(400, 404), codes),))


def _extend_due_date(state: State, call: Call) -> Forecast:
    missing = _unknown_capture(state, call)
    if missing:
        return missing
    offered = state.options.get(call.capture_id or "")
    days = call.body.get("number_of_days") if isinstance(call.body, dict) else None
    if offered is None:
        return _either(Situation.UNDECIDED, call, _DISPUTED)
    if days in offered:
        return _takes(Situation.OFFERED, call)
    return Forecast(Situation.NOT_OFFERED, (_DISPUTED,))


_FORECASTS: dict[str, Callable[[State, Call], Forecast]] = {
    "getOrder": _read,
    "getCaptures": _read,
    "getCapture": _read_capture,
    "getRefund": _read_refund,
    "getOptionsForExtendDueDate": _read_capture,
    "captureOrder": _capture_order,
    "refundOrder": _refund_order,
    "updateAuthorization": _update_authorization,
    "updateConsumerDetails": _update_customer,
    "updateMerchantReferences": _update_references,
    "acknowledgeOrder": _acknowledge,
    "extendAuthorizationTime": _extend_authorization,
    "releaseRemainingAuthorization": _release,
    "cancelOrder": _cancel,
    "appendOrderShippingInfo": _append_shipping,
    "appendShippingInfo": _on_capture,
    "triggerSendOut": _on_capture,
    "extendDueDate": _extend_due_date,
}
