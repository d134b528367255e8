"""Calls that were under way at the same time, as the checks see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orderproof.checks.registry import HELD, Broken, Mark
from orderproof.checks.step import brief, mark_of, shown
from orderproof.model.call import Call
from orderproof.model.state import State
from orderproof.model.values import Difference

_AMOUNTS = ("order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount")


@dataclass(frozen=True)
class Group:
    """Calls on one order that were under way at the same time, with the reading of the order that followed, if any.

    `before` are the states that the order may have been in; `after` those that some order of the calls leaves: none
    when no order explains the answers. `culprits` are as few of the calls as cannot be explained. `differences` say
    where the reading differs from the state that comes nearest to it.
    """

    calls: tuple[Call, ...]
    before: tuple[State, ...]
    after: tuple[State, ...]
    reading: Call | None = None
    culprits: tuple[Call, ...] = ()
    differences: tuple[Difference, ...] = ()

    def of(self, operation: str) -> list[Call]:
        """The calls of an operation."""
        return [call for call in self.calls if call.name == operation]

    @property
    def writes(self) -> list[Call]:
        return [call for call in self.calls if call.operation.writes]

    @property
    def orders_read(self) -> list[tuple[Call, Mapping[str, Any]]]:
        """The readings of the order while the others were under way, with what they showed."""
        found = ((call, _document(call)) for call in self.of("getOrder"))
        return [(call, document) for call, document in found if document is not None]

    @property
    def with_one_key(self) -> list[list[Call]]:
        """The calls that share an idempotency key, for each key that more than one has."""
        counts = Counter(call.key for call in self.calls if call.key)
        return [[call for call in self.calls if call.key == key] for key, n in counts.items() if n > 1]

    @cached_property
    def rule(self) -> str | None:
        """The rule that says best why the calls cannot be explained; None when they can."""
        return None if self.after else _blamed(self)

    def judged_as(self, rule: str, expected: str) -> Iterator[Mark]:
        """Yield the mark of a rule: it holds when the calls are explained, and is broken when it is to blame."""
        if self.after:
            yield HELD
        elif self.rule == rule:
            yield Broken(expected, self.story)

    def told(self, call: Call) -> str:
        """One of the calls in a few words: what, from when to when in milliseconds, and how it was answered."""
        start = min(other.exchange.sent_at for other in self.calls)
        sent, answered = ((at - start) * 1000 for at in (call.exchange.sent_at, call.exchange.answered_at))
        what = str(call.amount) if call.amount >= 0 else brief(call.body) if call.body else ""
        document = _document(call) if call.name == "getOrder" else None
        answer = f"{shown(call.exchange.response)}{f' with {_amounts(document)}' if document else ''}"
        return f"{' '.join(filter(None, [call.name, what]))} from {sent:.1f} to {answered:.1f} ms: {answer}"

    @property
    def story(self) -> str:
        """The calls that cannot be explained, as a time line in milliseconds, and how the order read after them."""
        told = [call for call in self.culprits if call is not self.reading] or self.writes
        lines = "; ".join(map(self.told, told))
        if self.reading is None:
            return lines
        mark = mark_of(list(self.differences))
        found = f"{mark.actual}, expected {mark.expected}" if isinstance(mark, Broken) else "otherwise"
        return f"{lines}; and then it reads {found}"


def _document(call: Call) -> Mapping[str, Any] | None:
    response = call.exchange.response
    body = response.json if response is not None and response.status == 200 else None
    return body if isinstance(body, dict) else None


def _amounts(document: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {document.get(name, 'absent')}" for name in _AMOUNTS)


def taken(calls: Sequence[Call]) -> list[Call]:
    """The calls that were answered 2xx."""
    return [call for call in calls if 200 <= (call.exchange.status or 0) < 300]


def total(calls: Sequence[Call]) -> int:
    """The sum of the amounts of calls, in minor units."""
    return sum(max(call.amount, 0) for call in calls)


def torn(document: Mapping[str, Any]) -> str:
    """Say which sums of an order do not hold (rules ORD-SUM-1, 2 and 5); empty when all do."""
    order, captured, refunded, remaining = (_number(document, name) for name in _AMOUNTS)
    if order is None or captured is None or refunded is None or remaining is None:
        return ""
    sums = ((captured, "captures", "captured_amount"), (refunded, "refunds", "refunded_amount"))
    for amount, entries, name in sums:
        listed = _sum(document, entries, name)
        if listed is not None and amount != listed:
            return f"{name} {amount}, while its {entries} sum to {listed}"
    holds = 0 <= refunded <= captured <= order and remaining >= 0
    return "" if holds else _amounts(document)


def _number(holder: Mapping[str, Any], name: str) -> int | None:
    value = holder.get(name)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(value) if value is not None and whole and not isinstance(value, bool) else None


def _sum(document: Mapping[str, Any], entries: str, name: str) -> int | None:
    items = document.get(entries) or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None
    return sum(_number(item, name) or 0 for item in items)


def _blamed(group: Group) -> str:
    """Name one rule for calls that cannot be explained: the most special one that fits."""
    culprits = [call for call in group.culprits if call.operation.writes] or group.writes
    keys = {call.key for call in culprits}
    if any(torn(document) for call, document in group.orders_read if call in group.culprits):
        return "CON-5"
    if len(keys) == 1 and any(calls[0].key in keys for calls in group.with_one_key):
        return "IDM-5"
    names = {call.name for call in culprits}
    if names == {"captureOrder"} and total(taken(culprits)) > max(state.remaining for state in group.before):
        return "CON-1" if not group.of("updateAuthorization") else "CON-4"
    if names == {"refundOrder"} and total(taken(culprits)) > max(state.refundable for state in group.before):
        return "CON-2" if not group.of("captureOrder") else "CON-4"
    return "CON-3" if _disagrees_on_the_winner(group, names) else "CON-4"


def _disagrees_on_the_winner(group: Group, names: set[str]) -> bool:
    """Say whether both cancel and capture were taken, or neither, or the order reads as the loser leaves it."""
    captures, cancels = taken(group.of("captureOrder")), taken(group.of("cancelOrder"))
    if (
        not names <= {"cancelOrder", "captureOrder"}
        or not group.of("cancelOrder")
        or not group.of("captureOrder")
    ):
        return False
    other = any(difference.path[0] == "status" for difference in group.differences)
    return bool(captures) == bool(cancels) or other
