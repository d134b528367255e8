"""An exchange in its context, as the checks see it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from orderproof.checks.registry import HELD, Broken, Mark
from orderproof.exchange import ABSENT, Exchange, Response
from orderproof.model.call import Call
from orderproof.model.forecast import Situation
from orderproof.model.oracle import Assessment, is_neutral
from orderproof.model.state import State
from orderproof.model.values import Difference

AMOUNTS = frozenset({"order_amount", "captured_amount", "refunded_amount", "remaining_authorized_amount"})
_NOT_THERE = (Situation.UNKNOWN_CAPTURE, Situation.UNKNOWN_REFUND, Situation.NO_CAPTURES)
_READS = frozenset({"getOrder", "getCaptures", "getCapture", "getRefund"})


@dataclass(frozen=True)
class Event:
    """A call on the order since it was last read: what it met, and whether it was taken.

    `is_twin`: an equal one, under another key or none, came before it on this order.
    """

    call: Call
    situation: Situation
    taken: bool
    allowed: bool
    created: str | None
    is_twin: bool = False


@dataclass(frozen=True)
class Step:
    """An exchange with what was possible before it.

    `assessment` holds it against the most plausible state; `since` are the writes on the order since it was last
    read; `before` is the last reading of the order as the server sent it. `repeated_error`: its correlation id was
    seen before; `repeats_a_key`: its idempotency key was; `is_twin`: an equal call, under another key or none, was.
    `lost_keys` are those of calls on the order whose answer was lost.
    """

    exchange: Exchange
    call: Call | None
    assessment: Assessment | None
    since: tuple[Event, ...] = ()
    before: Mapping[str, Any] | None = None
    repeated_error: bool = False
    repeats_a_key: bool = False
    is_twin: bool = False
    lost_keys: frozenset[str] = frozenset()

    @property
    def response(self) -> Response | None:
        return self.exchange.response

    @cached_property
    def situation(self) -> Situation | None:
        return self.assessment.forecast.situation if self.assessment else None

    @cached_property
    def state(self) -> State:
        """The state before the exchange."""
        return self.assessment.state if self.assessment else State()

    @property
    def after(self) -> State:
        return self.assessment.after[0] if self.assessment and self.assessment.after else State()

    @property
    def repeats_a_lost_call(self) -> bool:
        """Say whether the call was made before with its key, and its answer was lost (rule IDM-7 is about these)."""
        return self.call is not None and self.call.key in self.lost_keys

    @cached_property
    def is_answered(self) -> bool:
        """Say whether there is an answer to judge: not lost, and not "try again"."""
        return self.call is not None and self.response is not None and not is_neutral(self.call)

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """The order as a GET of it shows it, as the server sent it; None for any other exchange."""
        if (
            self.call is None
            or self.call.name != "getOrder"
            or self.exchange.status != 200
            or self.response is None
        ):
            return None
        body = self.response.json
        return body if isinstance(body, dict) else None

    @property
    def differences(self) -> tuple[Difference, ...]:
        return self.assessment.differences if self.assessment else ()

    @cached_property
    def is_reading(self) -> bool:
        """Say whether the exchange reads an order, a capture or a refund that exists."""
        return (
            self.call is not None
            and self.call.name in _READS
            and self.exchange.status == 200
            and self.state.order is not None
        )

    @cached_property
    def created_since(self) -> frozenset[str]:
        """Ids of captures and refunds that were made since the last reading of the order."""
        return frozenset(event.created for event in self.since if event.created)

    def subject(self, difference: Difference) -> str:
        """Name what a difference is about: a field of the order, or of a capture or refund, new or old."""
        head, *rest = difference.path
        if head in ("capture", "refund"):
            child = self.call.child if self.call else None
            return self._entry(str(head), child, rest)
        if head in ("captures", "refunds") and rest and rest != ["refunded_amount"]:
            return self._entry(str(head)[:-1], rest[0], rest[1:])
        return "capture.refunded_amount" if rest == ["refunded_amount"] else str(head)

    def _entry(self, kind: str, name: str | int | None, rest: list[str | int]) -> str:
        made = name in self.created_since or (name == "?" and any(event.taken for event in self.since))
        return ".".join([f"new {kind}" if made else kind, *map(str, rest[:1])])

    def answers(self, *situations: Situation) -> Iterator[Mark]:
        """Yield a mark for the answer when the call met one of the situations."""
        if self.situation not in situations or self.assessment is None:
            return
        expected = str(self.assessment.forecast)
        if self.is_never_answered:
            yield Broken(expected, "no answer: the connection ended each time", self.symptom)
        elif self.is_answered and not self.repeats_a_lost_call:
            allowed = self.assessment.answer_allowed
            yield HELD if allowed else Broken(expected, shown(self.response), self.symptom)

    @property
    def is_never_answered(self) -> bool:
        """Say whether the call was sent several times, and the connection ended each time in place of an answer."""
        return "never-answered" in self.exchange.facts

    @property
    def symptom(self) -> str:
        """What is wrong with an answer in several situations, each with a rule of its own; empty if nothing is.

        That is a success that the operation does not have, any answer for what does not exist, and never an answer.
        """
        if self.call is not None and self.is_never_answered:
            return f"{self.call.name} never answered"
        if self.call is None or self.exchange.status is None:
            return ""
        if self.situation in (Situation.UNKNOWN_ORDER, Situation.MALFORMED_ORDER):
            return f"{self.call.name} of no order answered {self.exchange.status}"
        if self.call.child is not None and self.situation in _NOT_THERE:
            return f"{self.call.name} of what does not exist answered {self.exchange.status}"
        odd = 200 <= self.exchange.status < 300 and self.exchange.status not in self.call.operation.statuses
        return f"{self.call.name} answered {self.exchange.status}" if odd else ""

    def events(self, operation: str) -> list[Event]:
        """The calls of an operation since the last reading."""
        return self._events.get(operation, [])

    @cached_property
    def _events(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.since:
            found.setdefault(event.call.name, []).append(event)
        return found

    @cached_property
    def follows_a_race(self) -> bool:
        return any(event.call.exchange.group is not None for event in self.since)

    def reads_after(self, operation: str, *subjects: str) -> Iterator[Mark]:
        """Yield a mark when this reads an order that took such a call: do the subjects read as they must?"""
        if (
            self.is_reading
            and not self.follows_a_race
            and any(event.taken for event in self.events(operation))
        ):
            yield self._mark(lambda name: any(_covers(subject, name) for subject in subjects))

    def unchanged_after(self, operation: str, *situations: Situation) -> Iterator[Mark]:
        """Yield a mark when this reads an order after a refused call, and nothing else was called."""
        events = self.events(operation)
        if not events:
            return
        refused = [e for e in events if e.situation in situations and not e.taken and e.call.exchange.status]
        if self.document is not None and self.is_reading and refused and refused == list(self.since):
            yield self.untouched(refused)

    def untouched(self, refused: Sequence[Event]) -> Mark:
        """Return the mark for a reading after calls that were refused, and no others."""
        mark = mark_of(list(self.differences))
        names = {event.call.name for event in refused}
        if isinstance(mark, Broken) and len(names) == 1:
            return replace(mark, symptom=f"{min(names)} refused and done")
        return mark

    def refuses(self, operation: str, *situations: Situation) -> Iterator[Mark]:
        """Yield marks for the answer to a call that must be refused, and for the reading after it."""
        if self.call is not None and self.call.name == operation:
            yield from self.answers(*situations)
        yield from self.unchanged_after(operation, *situations)

    def _mark(self, concerns: Callable[[str], bool]) -> Mark:
        found = [difference for difference in self.differences if concerns(self.subject(difference))]
        return mark_of(found)


def mark_of(found: list[Difference]) -> Mark:
    """Return the mark for a list of differences that would break the rule."""
    if not found:
        return HELD
    expected = "; ".join(f"{d.place} {_wanted(d)}" for d in found[:3])
    actual = "; ".join(f"{d.place} {brief(d.actual)}" for d in found[:3])
    more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
    return Broken(expected + more, actual + more)


def _wanted(difference: Difference) -> str:
    """What was expected; of an object that is missing, no more than that."""
    is_missing = difference.actual is ABSENT and isinstance(difference.expected, dict)
    return "there" if is_missing else brief(difference.expected)


def _covers(subject: str, name: str) -> bool:
    return name == subject or (
        subject.endswith(".*") and (name == subject[:-2] or name.startswith(subject[:-1]))
    )


def brief(value: Any) -> str:
    """Show a value in at most about 100 characters."""
    if value is ABSENT:
        return "absent"
    text = (
        json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (dict, list)) else str(value)
    )
    return text if len(text) <= 100 else f"{text[:97]}…"


def entries_of(document: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in a list of a document, captures or refunds; none where it has no such list."""
    items = document.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def shown(response: Response | None) -> str:
    """Show an answer in one line: status, error code and the first message."""
    if response is None:
        return "no answer"
    body = response.json
    if not isinstance(body, dict) or "error_code" not in body:
        return str(response.status)
    messages = body.get("error_messages")
    message = f" ({brief(messages[0])})" if isinstance(messages, list) and messages else ""
    return f"{response.status} {brief(body.get('error_code'))}{message}"
