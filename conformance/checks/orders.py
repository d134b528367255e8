"""The order as it reads: sums, status, and what never changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orderproof.checks.registry import Mark, check, verdict
from orderproof.checks.step import Step, entries_of, mark_of
from orderproof.exchange import ABSENT
from orderproof.model.forecast import Situation
from orderproof.model.state import Phase
from orderproof.model.values import SEQUENCE_OF_CAPTURES, instant, is_empty

STATUSES = ("AUTHORIZED", "PART_CAPTURED", "CAPTURED", "CANCELLED", "EXPIRED", "CLOSED")
FRAUD_STATUSES = ("ACCEPTED", "PENDING", "REJECTED")
LASTING = ("CANCELLED", "CLOSED")
FIXED = (
    "order_id",
    "created_at",
    "original_order_amount",
    "purchase_country",
    "purchase_currency",
    "klarna_reference",
    "billing_address",
    "merchant_data",
    "locale",
)
_OF_OLD = ("capture_id", "captured_amount", "captured_at", "klarna_reference", "reference", "description")
_OF_OLD_REFUNDS = ("refund_id", "refunded_amount", "refunded_at", "reference", "description")
HISTORY = frozenset(
    {"capture", "refund", "captures", "refunds"}
    | {f"capture.{name}" for name in _OF_OLD}
    | {f"refund.{name}" for name in _OF_OLD_REFUNDS}
)
NAMED: Mapping[str, tuple[str, ...]] = {
    "captureOrder": ("captured_amount", "remaining_authorized_amount", "status", "new capture", "captures"),
    "refundOrder": ("refunded_amount", "status", "new refund", "refunds", "capture.refunded_amount"),
    "updateAuthorization": ("order_amount", "remaining_authorized_amount", "order_lines", "status"),
    "updateConsumerDetails": ("shipping_address",),
    "updateMerchantReferences": ("merchant_reference1", "merchant_reference2"),
    "acknowledgeOrder": (),
    "extendAuthorizationTime": ("expires_at",),
    "releaseRemainingAuthorization": ("remaining_authorized_amount", "order_amount", "status"),
    "cancelOrder": ("status", "remaining_authorized_amount"),
    "appendOrderShippingInfo": ("shipping_info",),
    "appendShippingInfo": ("capture.shipping_info", "new capture"),
    "triggerSendOut": (),
    "extendDueDate": (),
}
"""What each operation names, and so may change; the rest of the order reads as before (rule ORD-FIX-3)."""


def _number(holder: Mapping[str, Any], name: str) -> int | None:
    value = holder.get(name)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _sum(document: Mapping[str, Any], entries: str, name: str) -> int:
    return sum(_number(entry, name) or 0 for entry in entries_of(document, entries))


def _amounts(document: Mapping[str, Any]) -> tuple[int | None, int | None, int | None, int | None]:
    names = ("order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount")
    order, captured, refunded, remaining = (_number(document, name) for name in names)
    return order, captured, refunded, remaining


@check("ORD-GET-1", on=["getOrder"])
def reading_gives_the_order_asked_for(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.READ)
    if step.document is not None and step.call is not None:
        asked, actual = step.call.order_id, str(step.document.get("order_id", "absent"))
        # Asked for in capitals, an order may answer with the id that it was given.
        same = actual == asked or (asked != asked.lower() and actual.casefold() == asked.casefold())
        yield verdict(same, f"order_id {asked}", f"order_id {actual}")


@check("ORD-GET-2", on=["getOrder", "getCaptures", "getCapture", "getRefund"])
def two_reads_with_nothing_between_are_equal(step: Step) -> Iterator[Mark]:
    if step.is_reading and not step.since and step.document is not None:
        yield mark_of(list(step.differences))


@check("ORD-GET-3", on=["getOrder", "getCaptures", "getCapture", "getRefund"])
def times_have_a_zone(step: Step) -> Iterator[Mark]:
    body = step.response.json if step.response is not None and step.exchange.status == 200 else ABSENT
    times = list(_times(body))
    wrong = [(name, value) for name, value in times if instant(value) is None]
    if times:
        expected = "ISO 8601 with a time zone"
        yield verdict(not wrong, expected, "; ".join(f"{name} {value!r}" for name, value in wrong[:3]))


def _times(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _times(item)
    elif isinstance(value, dict):
        for name in ("created_at", "expires_at", "captured_at", "refunded_at"):
            if name in value and not is_empty(value[name]):
                yield name, value[name]
        for name in ("captures", "refunds"):
            yield from _times(value.get(name))


@check("ORD-GET-4", on=["getOrder"])
def statuses_come_from_the_closed_lists(step: Step) -> Iterator[Mark]:
    if step.document is None:
        return
    status, fraud = step.document.get("status"), step.document.get("fraud_status")
    yield verdict(status in STATUSES, f"status one of {', '.join(STATUSES)}", f"status {status!r}")
    if not is_empty(fraud):
        expected = f"fraud_status one of {', '.join(FRAUD_STATUSES)}"
        yield verdict(fraud in FRAUD_STATUSES, expected, f"fraud_status {fraud!r}")


@check("ORD-SUM-1", on=["getOrder"])
def captured_amount_is_the_sum_of_the_captures(step: Step) -> Iterator[Mark]:
    if step.document is not None:
        total = _sum(step.document, "captures", "captured_amount")
        actual = step.document.get("captured_amount", "absent")
        yield verdict(
            actual == total, f"captured_amount {total}, the sum over captures", f"captured_amount {actual}"
        )


@check("ORD-SUM-2", on=["getOrder"])
def refunded_amount_is_the_sum_of_the_refunds(step: Step) -> Iterator[Mark]:
    if step.document is not None:
        total = _sum(step.document, "refunds", "refunded_amount")
        actual = step.document.get("refunded_amount", "absent")
        yield verdict(
            actual == total, f"refunded_amount {total}, the sum over refunds", f"refunded_amount {actual}"
        )


@check("ORD-SUM-3", on=["getOrder"])
def remaining_is_order_amount_less_captured(step: Step) -> Iterator[Mark]:
    document = step.document
    if document is None or step.call is None or step.after.released:
        return
    # Of an order that should have expired, EXP-1 says that it reads otherwise.
    is_past_expiry = step.state.is_past_expiry(step.call.target_now - 60)
    if document.get("status") not in ("AUTHORIZED", "PART_CAPTURED") or is_past_expiry:
        return
    order, captured, _, remaining = _amounts(document)
    if order is None or captured is None or step.follows_a_race:
        return
    expected = f"remaining_authorized_amount {order - captured}, order_amount {order} less captured_amount {captured}"
    yield verdict(remaining == order - captured, expected, f"remaining_authorized_amount {_shown(document)}")


def _shown(document: Mapping[str, Any]) -> Any:
    return document.get("remaining_authorized_amount", "absent")


@check("ORD-SUM-4", on=["getOrder"])
def nothing_remains_when_captured_or_released(step: Step) -> Iterator[Mark]:
    if step.document is None:
        return
    order, captured, _, remaining = _amounts(step.document)
    spent = captured is not None and captured > 0 and captured == order
    if step.document.get("status") in ("CANCELLED", "EXPIRED") or step.after.expired:
        return
    if spent or (step.after.released and step.state.order is not None):
        why = "the order is fully captured" if spent else "the rest was released"
        expected = f"remaining_authorized_amount 0, as {why}"
        yield verdict(remaining == 0, expected, f"remaining_authorized_amount {_shown(step.document)}")


@check("ORD-SUM-5", on=["getOrder"])
def amounts_keep_their_order(step: Step) -> Iterator[Mark]:
    if step.document is None:
        return
    order, captured, refunded, remaining = _amounts(step.document)
    if order is None or captured is None or refunded is None or remaining is None:
        yield verdict(False, "four amounts that are integers", _listed(step.document))
        return
    holds = 0 <= refunded <= captured <= order and remaining >= 0
    expected = "0 <= refunded_amount <= captured_amount <= order_amount, remaining_authorized_amount >= 0"
    yield verdict(holds, expected, _listed(step.document))


def _listed(document: Mapping[str, Any]) -> str:
    names = ("refunded_amount", "captured_amount", "order_amount", "remaining_authorized_amount")
    return ", ".join(f"{name} {document.get(name, 'absent')}" for name in names)


@check("ORD-SUM-6", on=["getOrder", "getCaptures"])
def refunds_are_booked_within_each_capture(step: Step) -> Iterator[Mark]:
    captures = _read_captures(step)
    for capture in captures:
        captured, refunded = _number(capture, "captured_amount"), _number(capture, "refunded_amount")
        holds = captured is not None and refunded is not None and 0 <= refunded <= captured
        expected = f"0 <= refunded_amount <= captured_amount of capture {capture.get('capture_id')}"
        values = (capture.get(name, "absent") for name in ("refunded_amount", "captured_amount"))
        yield verdict(holds, expected, "refunded_amount {}, captured_amount {}".format(*values))
    # A list that reads otherwise than the order just did is the matter of CAP-6.
    booked = step.document is not None or step.since or step.state.bookings
    if captures and booked and step.is_reading and not step.follows_a_race:
        found = [d for d in step.differences if step.subject(d) == "capture.refunded_amount"]
        yield mark_of(found)


def _read_captures(step: Step) -> list[dict[str, Any]]:
    if step.document is not None:
        return entries_of(step.document, "captures")
    if step.exchange.status == 200 and step.response is not None:
        return entries_of({"captures": step.response.json}, "captures")
    return []


@check("ORD-STA-1", on=["getOrder"])
def status_follows_what_was_captured(step: Step) -> Iterator[Mark]:
    allowed = _allowed_statuses(step)
    if allowed and step.document is not None:
        status = step.document.get("status")
        _, captured, _, _ = _amounts(step.document)
        expected = (
            f"status {' or '.join(allowed)}, with {captured} of {step.document.get('order_amount')} captured"
        )
        yield verdict(status in allowed, expected, f"status {status}")


def _allowed_statuses(step: Step) -> tuple[str, ...]:
    """Statuses that the amounts allow; none where the contract leaves it open."""
    document, after = step.document, step.after
    order, captured, refunded, _ = _amounts(document or {})
    if document is None or order is None or captured is None:
        return ()
    if step.state.phase is Phase.CANCELLED and not step.since:
        return ("CANCELLED",)
    if after.released or after.lowered or after.expired or document.get("status") == "CANCELLED":
        return ()
    if captured == 0:
        return () if after.captures or order == 0 else ("AUTHORIZED",)
    statuses = ("CAPTURED", "CLOSED") if captured == order else ("PART_CAPTURED",)
    return (*statuses, "CLOSED") if captured == refunded else statuses


@check("ORD-STA-2", on=["getOrder"])
def last_statuses_last(step: Step) -> Iterator[Mark]:
    before = (step.before or {}).get("status")
    if step.document is not None and before in LASTING:
        status = step.document.get("status")
        yield verdict(status == before, f"status {before}, as before", f"status {status}")


@check("ORD-FIX-1", on=["getOrder"])
def facts_of_the_order_never_change(step: Step) -> Iterator[Mark]:
    if step.document is not None and step.is_reading:
        yield mark_of([d for d in step.differences if d.path[0] in FIXED])


@check("ORD-FIX-2", on=["getOrder", "getCaptures"])
def captures_and_refunds_stay(step: Step) -> Iterator[Mark]:
    exists = bool(step.state.captures or step.state.refunds)
    if step.is_reading and exists and not step.follows_a_race:
        found = [d for d in step.differences if step.subject(d) in HISTORY]
        yield mark_of([d for d in found if d.path != SEQUENCE_OF_CAPTURES])


@check("ORD-FIX-3", on=["getOrder"])
def a_call_changes_only_what_it_names(step: Step) -> Iterator[Mark]:
    taken = [event for event in step.since if event.taken]
    if step.document is None or not step.is_reading or not taken or step.follows_a_race:
        return
    named = {name for event in taken for name in NAMED.get(event.call.name, ())}
    others = [d for d in step.differences if not _is_named(step.subject(d), named)]
    yield mark_of([d for d in others if d.path[0] not in FIXED and step.subject(d) not in HISTORY])


def _is_named(subject: str, named: set[str]) -> bool:
    return subject in named or subject.partition(".")[0] in named
