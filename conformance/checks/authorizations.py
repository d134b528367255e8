"""Acknowledging, updating, extending, releasing and cancelling an authorization."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from orderproof.checks.registry import Mark, check, verdict
from orderproof.checks.step import Event, Step
from orderproof.model.effects import target_time
from orderproof.model.forecast import DAY, EXTENSION_DAYS, Situation, created
from orderproof.model.state import Phase
from orderproof.model.values import instant

AUTHORIZATION_DAYS = 28
_UPDATE, _EXTEND, _RELEASE, _CANCEL = (
    "updateAuthorization",
    "extendAuthorizationTime",
    "releaseRemainingAuthorization",
    "cancelOrder",
)
_AMOUNTS = ("order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount")


@check("ACK-1", on=["acknowledgeOrder", "getOrder"])
def acknowledging_is_taken_and_moves_nothing(step: Step) -> Iterator[Mark]:
    if _calls(step, "acknowledgeOrder"):
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after("acknowledgeOrder", *_AMOUNTS, "status")


@check("ACK-2", on=["acknowledgeOrder"])
def acknowledging_again_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.AGAIN)


@check("AUT-1", on=[_UPDATE, "getOrder"])
def update_sets_the_order_amount(step: Step) -> Iterator[Mark]:
    if _calls(step, _UPDATE):
        yield from step.answers(Situation.INCREASE, Situation.DECREASE)
    taken = (Situation.INCREASE, Situation.DECREASE, Situation.SAME_AMOUNT, Situation.OPEN_BODY)
    if _all_events(step, _UPDATE, *taken):
        yield from step.reads_after(_UPDATE, "order_amount", "captured_amount", "remaining_authorized_amount")
    yield from step.unchanged_after(_UPDATE, Situation.INCREASE)


@check("AUT-2", on=["getOrder"])
def update_replaces_the_order_lines(step: Step) -> Iterator[Mark]:
    yield from step.reads_after(_UPDATE, "order_lines")


@check("AUT-3", on=[_UPDATE, "getOrder"])
def less_than_was_captured_is_refused(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_UPDATE, Situation.BELOW_CAPTURED)


@check("AUT-4", on=[_UPDATE, "getOrder"])
def update_of_a_finished_order_is_refused(step: Step) -> Iterator[Mark]:
    finished = (Situation.FULLY_CAPTURED, Situation.RELEASED, Situation.CANCELLED, Situation.EXPIRED)
    yield from step.refuses(_UPDATE, *finished)


@check("AUT-5", on=[_UPDATE, "getOrder"])
def decrease_to_what_was_captured_is_taken(step: Step) -> Iterator[Mark]:
    if _calls(step, _UPDATE):
        yield from step.answers(Situation.TO_CAPTURED)
    if _all_events(step, _UPDATE, Situation.TO_CAPTURED):
        yield from step.reads_after(_UPDATE, "order_amount", "remaining_authorized_amount", "status")


@check("AUT-6", on=[_UPDATE, "getOrder"])
def the_same_amount_again_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    if _calls(step, _UPDATE):
        yield from step.answers(Situation.SAME_AMOUNT)
    yield from step.unchanged_after(_UPDATE, Situation.SAME_AMOUNT)


@check("EXT-1", on=[_EXTEND, "getOrder"])
def extending_never_moves_the_expiry_backwards(step: Step) -> Iterator[Mark]:
    if _calls(step, _EXTEND):
        yield from step.answers(Situation.ORDINARY)
    if not _extended_before(step):
        yield from step.reads_after(_EXTEND, "expires_at")


@check("EXT-2", on=["getOrder"])
def extending_twice_on_a_day_is_extending_once(step: Step) -> Iterator[Mark]:
    if _extended_before(step) or len(step.events(_EXTEND)) > 1:
        yield from step.reads_after(_EXTEND, "expires_at")


def _extended_before(step: Step) -> bool:
    """Say whether the reading follows an extension whose day had one already, the result of which was read."""
    events = [event for event in step.events(_EXTEND) if event.taken]
    expected = (step.state.order or {}).get("expires_at")
    return bool(events) and isinstance(expected, str)


@check("EXT-3", on=[_EXTEND, "getOrder"])
def a_cancelled_or_expired_order_is_not_extended(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_EXTEND, Situation.CANCELLED, Situation.EXPIRED)


@check("EXT-4", on=["getOrder"])
def the_new_expiry_is_the_day_plus_the_period(step: Step) -> Iterator[Mark]:
    events = [e for e in step.events(_EXTEND) if e.taken and e.situation is Situation.ORDINARY]
    expiry = instant((step.document or {}).get("expires_at"))
    if not events or expiry is None or not step.is_reading:
        return
    call = events[-1].call
    called = target_time(call) or datetime.fromtimestamp(call.target_now, UTC)
    wanted = (called + timedelta(days=AUTHORIZATION_DAYS)).date()
    # The day of the call depends on the zone of the account, so the neighbours are as good.
    near = abs((expiry.date() - wanted).days) <= 1
    yield verdict(
        near, f"expires_at on {wanted}, {AUTHORIZATION_DAYS} days after the call", f"expires_at {expiry}"
    )


@check("EXT-5", on=[_EXTEND])
def an_order_older_than_180_days_is_not_extended(step: Step) -> Iterator[Mark]:
    if step.situation is not Situation.LATE or not step.is_answered or step.call is None:
        return
    if step.call.target_now - created(step.state, step.call.target_now) > (EXTENSION_DAYS + 1) * DAY:
        yield verdict(step.exchange.status == 403, "403", step.exchange.status)


@check("REL-1", on=[_RELEASE, "getOrder"])
def release_leaves_nothing_to_capture(step: Step) -> Iterator[Mark]:
    if _calls(step, _RELEASE):
        yield from step.answers(Situation.ORDINARY)
    subjects = (
        "captured_amount",
        "remaining_authorized_amount",
        "order_amount",
        "status",
        "capture.*",
        "captures",
    )
    yield from step.reads_after(_RELEASE, *subjects)


@check("REL-2", on=[_RELEASE, "getOrder"])
def nothing_is_released_without_captures(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_RELEASE, Situation.NO_CAPTURES, Situation.CANCELLED)


@check("REL-3", on=[_RELEASE, "getOrder"])
def nothing_is_released_of_a_full_capture(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_RELEASE, Situation.FULLY_CAPTURED)


@check("REL-4", on=["captureOrder", "refundOrder", "getOrder"])
def nothing_is_captured_after_a_release(step: Step) -> Iterator[Mark]:
    yield from step.refuses("captureOrder", Situation.RELEASED)
    released = step.state.phase is Phase.RELEASED and _calls(step, "refundOrder")
    if released:
        yield from step.answers(Situation.FITS)


@check("REL-5", on=[_RELEASE])
def releasing_again_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.AGAIN)


@check("CAN-1", on=[_CANCEL, "getOrder"])
def an_order_without_captures_is_cancelled(step: Step) -> Iterator[Mark]:
    if _calls(step, _CANCEL):
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after(_CANCEL, "status", "captured_amount", "remaining_authorized_amount")


@check("CAN-2", on=[_CANCEL, "getOrder"])
def an_order_with_captures_is_not_cancelled(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_CANCEL, Situation.HAS_CAPTURES)


@check("CAN-3", on=[_CANCEL])
def cancelling_again_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.AGAIN)


@check("CAN-4")
def a_cancelled_order_refuses_what_moves_money(step: Step) -> Iterator[Mark]:
    for operation in ("captureOrder", "refundOrder", _UPDATE, _EXTEND, _RELEASE):
        yield from step.refuses(operation, Situation.CANCELLED)
    if step.state.phase is Phase.CANCELLED and _calls(step, "getOrder"):
        yield from step.answers(Situation.READ)


@check("EXP-1")
def an_expired_order_refuses_what_needs_an_authorization(step: Step) -> Iterator[Mark]:
    for operation in ("captureOrder", _UPDATE):
        yield from step.refuses(operation, Situation.EXPIRED)
    if step.state.phase is Phase.EXPIRED and _calls(step, "refundOrder"):
        yield from step.answers(Situation.FITS)
    yield from _reads_expired(step)


def _reads_expired(step: Step) -> Iterator[Mark]:
    """Past its expiry an order reads so where something remained, and as before where nothing did."""
    state, call = step.state, step.call
    if step.document is None or call is None or state.order is None or step.since:
        return
    if not state.is_past_expiry(call.target_now - 60):
        return
    status, past = step.document.get("status"), f"past expires_at {state.order.get('expires_at')}"
    if state.remaining > 0 and state.phase in (Phase.OPEN, Phase.RELEASED, Phase.EXPIRED):
        expired = status in ("EXPIRED", "CLOSED")
        yield verdict(expired, f"status EXPIRED or CLOSED, {past}", f"status {status}")
    elif state.remaining == 0 and state.phase in (Phase.FULL, Phase.RELEASED):
        yield verdict(status != "EXPIRED", f"no status EXPIRED: nothing remained {past}", f"status {status}")


def _calls(step: Step, operation: str) -> bool:
    return step.call is not None and step.call.name == operation


def _all_events(step: Step, operation: str, *situations: Situation) -> list[Event]:
    """The calls of an operation since the last reading, if all of them met one of the situations."""
    events = [event for event in step.events(operation) if event.taken]
    return events if events and all(event.situation in situations for event in events) else []
