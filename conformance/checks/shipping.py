"""Shipping info, messages to the customer, and due dates."""

from __future__ import annotations

from collections.abc import Iterator

from orderproof.checks.registry import Mark, check
from orderproof.checks.step import Step, mark_of
from orderproof.model.forecast import Situation

_ORDER, _CAPTURE = "appendOrderShippingInfo", "appendShippingInfo"
_SEND, _EXTEND, _OPTIONS = "triggerSendOut", "extendDueDate", "getOptionsForExtendDueDate"


@check("SHP-1", on=[_ORDER, "getOrder"])
def items_stand_at_the_end_of_the_order(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name == _ORDER:
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after(_ORDER, "shipping_info")


@check("SHP-2", on=[_CAPTURE, "getOrder", "getCapture"])
def items_stand_at_the_end_of_the_capture(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name == _CAPTURE:
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after(_CAPTURE, "capture.shipping_info", "new capture.shipping_info")


@check("SHP-3", on=[_CAPTURE, "getOrder"])
def a_capture_that_is_not_there_has_no_shipping_info(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_CAPTURE, Situation.NO_CAPTURES, Situation.UNKNOWN_CAPTURE)


@check("SHP-4", on=[_CAPTURE, _ORDER, "getOrder"])
def shipping_info_out_of_bounds_is_refused(step: Step) -> Iterator[Mark]:
    for operation in (_CAPTURE, _ORDER):
        yield from step.refuses(operation, Situation.INVALID_BODY)


@check("SND-1", on=[_SEND, "getOrder"])
def sending_out_changes_nothing(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name == _SEND:
        yield from step.answers(Situation.ORDINARY)
    sent = [event for event in step.events(_SEND) if event.taken]
    if step.is_reading and sent and sent == list(step.since):
        yield mark_of(list(step.differences))


@check("SND-2", on=[_SEND, "getOrder"])
def nothing_is_sent_out_without_the_capture(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_SEND, Situation.NO_CAPTURES, Situation.UNKNOWN_CAPTURE)


@check("DUE-1", on=[_OPTIONS])
def options_come_in_the_currency_of_the_order(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.READ)
    if step.situation is Situation.READ and step.exchange.status == 200:
        yield mark_of(list(step.differences))


@check("DUE-2", on=[_EXTEND])
def an_offered_extension_is_taken(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.OFFERED)


@check("DUE-3", on=[_EXTEND, "getOrder"])
def an_extension_not_offered_is_refused(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_EXTEND, Situation.NOT_OFFERED)


@check("DUE-4", on=[_EXTEND, _OPTIONS, "getOrder"])
def no_due_date_without_the_capture(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_EXTEND, Situation.UNKNOWN_CAPTURE)
    if step.call is not None and step.call.name == _OPTIONS:
        yield from step.answers(Situation.UNKNOWN_CAPTURE)
