"""Idempotency keys: a repeated call takes effect once and is answered as the first was."""

from __future__ import annotations

from collections.abc import Iterator

from orderproof.checks.group import Group
from orderproof.checks.registry import Broken, Mark, check, verdict
from orderproof.checks.step import Event, Step, mark_of, shown
from orderproof.model.call import Call, created_id, error_code
from orderproof.model.forecast import Situation
from orderproof.model.oracle import is_neutral
from orderproof.model.state import Spent

_ADDING = ("captureOrder", "refundOrder", "appendOrderShippingInfo", "appendShippingInfo")


def _first(step: Step) -> Spent | None:
    return step.state.keys.get(step.call.key) if step.call is not None and step.call.key else None


def _repeats(step: Step) -> list[Event]:
    repeats = [event for event in step.since if event.situation is Situation.REPEAT]
    return [event for event in repeats if event.call.key not in step.lost_keys]


@check("IDM-1", on=["getOrder"])
def a_repeated_call_takes_effect_once(step: Step) -> Iterator[Mark]:
    repeats = [event for event in _repeats(step) if not _has_another_body(step, event)]
    if repeats and repeats == list(step.since) and step.is_reading:
        yield mark_of(list(step.differences))


def _answered_as_first(step: Step, call: Call, first: Spent) -> Mark:
    status = first.status or call.exchange.status
    same = (
        call.exchange.status == status
        and first.created in (None, created_id(call))
        and _same_place(first.location, call)
    )
    expected = f"{status}{f' and {first.created}' if first.created else ''}, as the first time"
    actual = f"{shown(step.response)}{f' and {created_id(call)}' if created_id(call) else ''}"
    return verdict(same, expected, actual)


def _same_place(location: str | None, call: Call) -> bool:
    response = call.exchange.response
    again = response.header("location") if response is not None else None
    return location is None or location == again


def _repeat_of(step: Step, same_body: bool) -> Iterator[Mark]:
    first, call = _first(step), step.call
    if step.situation is not Situation.REPEAT or not step.is_answered or first is None or call is None:
        return
    if (first.body == call.body) is same_body and not _is_old(call, first):
        yield _answered_as_first(step, call, first)


def _is_old(call: Call, first: Spent) -> bool:
    """Say whether a key was first used so long ago that it is IDM-8 which speaks of it."""
    return call.now - first.at > 3600


@check("IDM-2")
def a_repeat_is_answered_as_the_first(step: Step) -> Iterator[Mark]:
    yield from _repeat_of(step, same_body=True)


@check("IDM-3")
def only_the_key_counts(step: Step) -> Iterator[Mark]:
    yield from _repeat_of(step, same_body=False)
    others = [e for e in _repeats(step) if _has_another_body(step, e)]
    if step.document is not None and others and others == list(step.since) and step.is_reading:
        yield mark_of(list(step.differences))


def _has_another_body(step: Step, event: Event) -> bool:
    first = step.state.keys.get(event.call.key or "")
    return first is not None and first.body != event.call.body


@check("IDM-4", on=["getOrder"])
def other_keys_are_other_calls(step: Step) -> Iterator[Mark]:
    for operation in _ADDING:
        twice = [event for event in step.events(operation) if event.taken]
        bodies = {event.call.exchange.request.body for event in twice}
        alone = twice == list(step.since) and not step.follows_a_race
        if len(twice) > 1 and len(bodies) == 1 and alone and step.is_reading:
            yield mark_of(list(step.differences))


@check("IDM-5", view="group")
def calls_at_once_with_one_key_take_effect_once(group: Group) -> Iterator[Mark]:
    for calls in group.with_one_key:
        answers = [call for call in calls if call.exchange.response is not None and not is_neutral(call)]
        made = {(call.exchange.status, created_id(call)) for call in answers}
        wrong = [(status, one) for status, one in made if (status or 0) < 500]
        # Between calls of other kinds, one that was refused without spending its key may fare otherwise the next time.
        if len(wrong) > 1 and len(calls) == len(group.writes):
            actual = " and ".join(
                f"{status}{f' with {one}' if one else ''}" for status, one in sorted(wrong, key=str)
            )
            yield Broken("one answer for all, or 409 CONFLICT while the first is in flight", actual)
        else:
            yield from group.judged_as("IDM-5", "one effect of the calls with one key")


@check("IDM-6")
def a_refusal_is_repeated_with_its_key(step: Step) -> Iterator[Mark]:
    first = _first(step)
    if step.situation is not Situation.REPEAT_OF_REFUSED or first is None or first.status != 403:
        return
    if step.is_answered and step.call is not None:
        same = step.exchange.status == 403 and first.code in ("", error_code(step.call))
        yield verdict(same, f"403 {first.code}, as the first time", shown(step.response))


@check("IDM-7")
def a_call_whose_answer_was_lost_takes_effect_once(step: Step) -> Iterator[Mark]:
    if (
        step.repeats_a_lost_call
        and step.is_answered
        and step.assessment
        and (step.exchange.status or 0) < 500
    ):
        effect = ", as the first call took effect" if step.situation is Situation.REPEAT else ""
        expected = f"{step.assessment.forecast}{effect}"
        yield verdict(step.assessment.answer_allowed, expected, shown(step.response))
    called = [event for event in step.since if event.call.exchange.status != 429]
    repeated = [event for event in called if event.call.exchange.response is not None]
    if step.document is not None and step.is_reading and repeated and _all_lost(step, called):
        yield from _once(step, repeated)


def _all_lost(step: Step, called: list[Event]) -> bool:
    return all(event.call.key in step.lost_keys for event in called) and not step.follows_a_race


def _once(step: Step, repeated: list[Event]) -> Iterator[Mark]:
    """Marks for the reading after a repeat: nothing happened twice, and what the repeat was told of exists."""
    yield mark_of(list(step.differences))
    for made in filter(None, (created_id(event.call) for event in repeated)):
        there = step.after.capture(made) or step.after.refund(made)
        if not step.differences:
            yield verdict(there is not None, f"{made}, as the repeat was answered", "nothing of that id")


@check("IDM-8")
def a_key_holds_for_a_day(step: Step) -> Iterator[Mark]:
    first = _first(step)
    if first is None or step.call is None or step.situation is not Situation.REPEAT:
        return
    if _is_old(step.call, first) and step.is_answered:
        mark = _answered_as_first(step, step.call, first)
        yield Broken(f"{mark.expected}, within 24 hours", mark.actual) if isinstance(mark, Broken) else mark
