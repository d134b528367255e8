"""The shipping address and the merchant's own references."""

from __future__ import annotations

from collections.abc import Iterator

from orderproof.checks.registry import Mark, check
from orderproof.checks.step import Step
from orderproof.model.call import Call
from orderproof.model.forecast import Situation

_UPDATE, _REFERENCES = "updateConsumerDetails", "updateMerchantReferences"
_AMOUNTS = ("order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount", "status")


@check("CUS-1", on=[_UPDATE, "getOrder"])
def address_fields_read_back_as_sent(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name == _UPDATE:
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after(_UPDATE, "shipping_address")
    yield from step.unchanged_after(_UPDATE, Situation.ORDINARY)


@check("CUS-2", on=[_UPDATE, "getOrder"])
def the_billing_address_stays(step: Step) -> Iterator[Mark]:
    sent = [event for event in step.events(_UPDATE) if _names_billing(event.call)]
    if step.document is not None and step.is_reading:
        yield from step.reads_after(_UPDATE, "billing_address")
        if sent and not any(event.taken for event in sent):
            yield from step.unchanged_after(_UPDATE, *Situation)
    elif step.call is not None and step.call.name == _UPDATE and _names_billing(step.call):
        yield from step.answers(Situation.OPEN_BODY)


def _names_billing(call: Call) -> bool:
    return isinstance(call.body, dict) and "billing_address" in call.body


@check("CUS-3", on=[_UPDATE, "getOrder"])
def a_cancelled_order_keeps_its_address(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_UPDATE, Situation.CANCELLED)


@check("REF-1", on=[_REFERENCES, "getOrder"])
def references_are_overwritten_one_by_one(step: Step) -> Iterator[Mark]:
    if step.call is not None and step.call.name == _REFERENCES:
        yield from step.answers(Situation.ORDINARY)
    yield from step.reads_after(_REFERENCES, "merchant_reference1", "merchant_reference2", *_AMOUNTS)


@check("REF-2", on=[_REFERENCES, "getOrder"])
def a_cancelled_order_keeps_its_references(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_REFERENCES, Situation.CANCELLED)
