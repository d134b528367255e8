"""Refunds: what may be refunded, and how a refund reads afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from orderproof import spec
from orderproof.checks.captures import location_leads_to
from orderproof.checks.registry import Mark, check, verdict
from orderproof.checks.step import Step, mark_of, shown
from orderproof.model.forecast import Situation
from orderproof.model.state import State
from orderproof.model.validity import Standing

_REFUND = "refundOrder"


@check("RFD-1", on=[_REFUND])
def what_was_captured_can_be_refunded(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.FITS)


@check("RFD-2", on=[_REFUND, "getRefund"])
def a_refund_says_where_it_is(step: Step) -> Iterator[Mark]:
    yield from location_leads_to(step, _REFUND, "getRefund", "Refund-Id")


@check("RFD-3", on=["getOrder", "getRefund"])
def a_refund_reads_back_as_sent(step: Step) -> Iterator[Mark]:
    yield from step.reads_after(_REFUND, "new refund", "new refund.*")


@check("RFD-4", on=["getOrder"])
def a_refund_moves_only_the_refunded_amount(step: Step) -> Iterator[Mark]:
    amounts = ("refunded_amount", "captured_amount", "remaining_authorized_amount", "order_amount", "status")
    yield from step.reads_after(_REFUND, *amounts, "new refund")


@check("RFD-5", on=[_REFUND, "getOrder"])
def refunds_never_exceed_captures(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_REFUND, Situation.ABOVE_REFUNDABLE)


@check("RFD-6", on=[_REFUND, "getOrder"])
def nothing_is_refunded_without_captures(step: Step) -> Iterator[Mark]:
    yield from step.refuses(_REFUND, Situation.NO_CAPTURES)


@check("RFD-7", on=["getRefund"])
def an_unknown_refund_is_not_found(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.UNKNOWN_REFUND)


@check("RFD-8", on=["getRefund"])
def refunds_read_the_same_everywhere(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.READ)
    if step.is_reading and not step.since:
        yield mark_of(list(step.differences))


@check("RFD-9", on=[_REFUND])
def a_fitting_return_fee_is_taken(step: Step) -> Iterator[Mark]:
    if step.situation is Situation.RETURN_FEE and step.is_answered and _fee_fits(step.state, _body(step)):
        yield verdict(step.exchange.status == 201, "201", shown(step.response))


@check("RFD-10", on=[_REFUND])
def any_other_return_fee_is_refused(step: Step) -> Iterator[Mark]:
    body = _body(step)
    if step.situation is not Situation.RETURN_FEE or not step.is_answered or _fee_fits(step.state, body):
        return
    actual = shown(step.response)
    as_documented = f"{actual} ".startswith("403 REFUND_NOT_ALLOWED ")
    if as_documented or not _may_be_refused_anyway(step):
        yield verdict(as_documented, "403 REFUND_NOT_ALLOWED", actual)


def _may_be_refused_anyway(step: Step) -> bool:
    """Say whether a refund was refused as its body alone allows, in whatever words: its lines do not add up, say."""
    validity = step.call.validity if step.call else None
    return (
        validity is not None
        and validity.standing is Standing.OPEN
        and step.exchange.status in validity.refusals
    )


def _sum(body: dict[str, Any]) -> int:
    return sum(line.get("total_amount", 0) for line in body.get("order_lines", ()))


def _body(step: Step) -> dict[str, Any]:
    body = step.call.body if step.call else None
    return body if isinstance(body, dict) else {}


def _fee_fits(state: State, body: dict[str, Any]) -> bool:
    """Say whether a return fee may be taken: one whole capture, an exact sum, a country that allows it."""
    country = str((state.order or {}).get("purchase_country", "")).upper()
    whole = len(state.captures) == 1 and state.fully_captured
    return whole and _sum(body) == body.get("refunded_amount") and country in _return_fee_countries()


@cache
def _return_fee_countries() -> frozenset[str]:
    line_type = spec.openapi()["components"]["schemas"]["OrderLine"]["properties"]["type"]
    return frozenset(line_type["x-return-fee-countries"])


@check("RFD-11", on=[_REFUND])
def refunding_nothing_is_taken_or_refused(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.ZERO_AMOUNT)
