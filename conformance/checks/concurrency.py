"""Concurrency: calls at once have the effect of some sequence of them, and reads between them hold together."""

from __future__ import annotations

from collections.abc import Iterator

from orderproof.checks.group import Group, torn
from orderproof.checks.registry import Mark, check, verdict


@check("CON-1", view="group")
def captures_at_once_never_exceed_remaining(group: Group) -> Iterator[Mark]:
    if len(group.of("captureOrder")) > 1:
        remaining = max(state.remaining for state in group.before)
        yield from group.judged_as(
            "CON-1", f"captures that come to at most {remaining}, what remained before"
        )


@check("CON-2", view="group")
def refunds_at_once_never_exceed_captured(group: Group) -> Iterator[Mark]:
    if len(group.of("refundOrder")) > 1:
        refundable = max(state.refundable for state in group.before)
        expected = f"refunds that come to at most {refundable}, what was captured and not refunded before"
        yield from group.judged_as("CON-2", expected)


@check("CON-3", view="group")
def of_cancel_and_capture_one_wins(group: Group) -> Iterator[Mark]:
    if group.of("cancelOrder") and group.of("captureOrder"):
        expected = "one of cancel and capture taken, the other refused, and the order as that one leaves it"
        yield from group.judged_as("CON-3", expected)


@check("CON-4", view="group")
def some_order_explains_calls_at_once(group: Group) -> Iterator[Mark]:
    if len(group.calls) > 1:
        after = " and how the order reads after them" if group.reading else ""
        yield from group.judged_as("CON-4", f"some sequence of the calls that explains every answer{after}")


@check("CON-5", view="group")
def sums_hold_in_reads_during_writes(group: Group) -> Iterator[Mark]:
    if group.writes and group.reading is None:
        for call, document in group.orders_read:
            fault = torn(document)
            yield verdict(not fault, "sums that hold in every reading", f"{fault}, in {group.told(call)}")
