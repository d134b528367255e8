"""Captures: what may be captured, and how a capture reads afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orderproof import operations
from orderproof.checks.registry import Mark, check, verdict
from orderproof.checks.step import Step, mark_of, shown
from orderproof.exchange import Response
from orderproof.model.call import Call
from orderproof.model.forecast import Situation
from orderproof.model.values import SEQUENCE_OF_CAPTURES

_CAPTURE = "captureOrder"
_READS = ("getOrder", "getCaptures", "getCapture")
_AS_SENT = (
    "capture_id",
    "captured_amount",
    "captured_at",
    "refunded_amount",
    "description",
    "reference",
    "order_lines",
    "shipping_info",
)


@check("CAP-1", on=[_CAPTURE])
def what_remains_can_be_captured(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.FITS)


@check("CAP-2", on=[_CAPTURE, "getCapture"])
def a_capture_says_where_it_is(step: Step) -> Iterator[Mark]:
    yield from location_leads_to(step, _CAPTURE, "getCapture", "Capture-Id")


def location_leads_to(step: Step, operation: str, read: str, header: str) -> Iterator[Mark]:
    """Yield marks for the id and `Location` of a 201, and for what following the `Location` gave."""
    call, response = step.call, step.response
    if call is None or response is None:
        return
    if call.name == operation and response.status == 201:
        missing = [name for name in (header, "Location") if not response.header(name)]
        elsewhere = _leads_elsewhere(call, response, read, header)
        shown_as = (
            f"no {' and no '.join(missing)}" if missing else f"{response.header(header)} and {elsewhere}"
        )
        yield verdict(not missing and not elsewhere, f"{header}, and a Location that leads to it", shown_as)
    elif call.name == read and call.exchange.stands_for is not None and step.is_answered:
        found = response.json if response.status == 200 else None
        actual = (
            found.get("capture_id" if header == "Capture-Id" else "refund_id")
            if isinstance(found, dict)
            else None
        )
        expected = f"200 and {call.child} at its Location {call.exchange.request.target}"
        yield verdict(actual == call.child, expected, f"{shown(response)}{f', {actual}' if actual else ''}")


def _leads_elsewhere(call: Call, response: Response, read: str, header: str) -> str:
    """The `Location` of a 201 if it is the documented path of something else; any other path may lead there."""
    location = response.header("location") or ""
    at = location.find("/ordermanagement/")
    found = operations.match("GET", re.split("[?#]", location[at:])[0]) if at >= 0 else None
    if found is None or found[0].id != read:
        return ""
    order_id, child = found[1].values()
    meant = (order_id.casefold(), child.casefold())
    return "" if meant == (call.order_id.casefold(), (response.header(header) or "").casefold()) else location


@check("CAP-3", on=_READS)
def a_capture_reads_back_as_sent(step: Step) -> Iterator[Mark]:
    yield from step.reads_after(_CAPTURE, "new capture", *(f"new capture.{name}" for name in _AS_SENT))


@check("CAP-4", on=["getOrder"])
def a_capture_moves_the_amounts(step: Step) -> Iterator[Mark]:
    subjects = ("captured_amount", "remaining_authorized_amount", "status", "new capture")
    yield from step.reads_after(_CAPTURE, *subjects)


@check("CAP-5", on=[_CAPTURE, "getOrder"])
def capture_never_exceeds_remaining(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_CAPTURE, Situation.ABOVE_REMAINING)


@check("CAP-6", on=_READS)
def captures_read_the_same_everywhere(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name in ("getCaptures", "getCapture"):
        yield from step.answers(Situation.READ)
    if step.call is None or not step.is_reading or step.follows_a_race:
        return
    if step.document is not None and len(step.state.captures) > 1:
        yield mark_of([d for d in step.differences if d.path == SEQUENCE_OF_CAPTURES])
    elif step.document is None and not step.since:
        yield mark_of(list(step.differences))


@check("CAP-7")
def an_unknown_capture_is_not_found(step: Step) -> Iterator[Mark]:
    foreign = "other-order" in step.exchange.facts
    if step.call is not None and step.call.name == "getCapture" and not foreign:
        yield from step.answers(Situation.UNKNOWN_CAPTURE)


@check("CAP-8")
def a_capture_belongs_to_its_order(step: Step) -> Iterator[Mark]:
    if step.call is not None and "other-order" in step.exchange.facts and step.call.capture_id:
        yield from step.answers(Situation.UNKNOWN_CAPTURE, Situation.NO_CAPTURES)


@check("CAP-9", on=["getOrder"])
def captures_are_numbered(step: Step) -> Iterator[Mark]:
    reference = (step.document or {}).get("klarna_reference")
    captures = (step.document or {}).get("captures")
    if not reference or not isinstance(captures, list) or not captures or not step.events(_CAPTURE):
        return
    if step.follows_a_race:
        return
    actual = [str(c.get("klarna_reference", "absent")) for c in captures if isinstance(c, dict)]
    numbers = [re.fullmatch(rf"{re.escape(str(reference))}-(\d+)", text) for text in actual]
    holds = sorted(int(found[1]) if found else 0 for found in numbers) == list(range(1, len(captures) + 1))
    yield verdict(
        holds, f"klarna_reference {reference}-1 to {reference}-{len(captures)}", ", ".join(actual[-3:])
    )


@check("CAP-10", on=[_CAPTURE])
def capturing_nothing_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.ZERO_AMOUNT)


@check("CAP-11", on=_READS)
def addresses_of_a_capture_are_those_of_its_time(step: Step) -> Iterator[Mark]:
    names = ("billing_address", "shipping_address")
    yield from step.reads_after(_CAPTURE, *(f"new capture.{name}" for name in names))
    if step.state.captures and step.document is not None:
        yield from step.reads_after("updateConsumerDetails", *(f"capture.{name}" for name in names))
