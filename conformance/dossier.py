"""What the judge remembers of each order, and how an exchange, or several at once, move it on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orderproof.checks.group import Group
from orderproof.checks.step import Event, Step
from orderproof.model.call import Call, created_id
from orderproof.model.forecast import Situation
from orderproof.model.linear import Undecided, culprits, linearize
from orderproof.model.oracle import Assessment, assess, explained, is_neutral
from orderproof.model.state import State

_FULL_READ = frozenset({"getOrder"})
_MOST_STATES = 300
"""So many states are followed after answers that were lost: each may multiply them. With more, the order is unknown."""


@dataclass
class Dossier:
    """What is remembered of one order.

    `states` are those that it may be in; `since` the writes on it since it was last read, and `race` those of them
    that were under way at once; `before` is that reading. `stained_by` is the rule that broke on it first, `lost_keys`
    those of calls whose answer was lost, `keys_of` those under which each write was sent.
    """

    states: tuple[State, ...] = (State(),)
    since: list[Event] = field(default_factory=list)
    before: dict[str, Any] | None = None
    stained_by: str | None = None
    race: Group | None = None
    lost_keys: set[str] = field(default_factory=set)
    keys_of: dict[int, set[str | None]] = field(default_factory=dict)

    def has_twin_of(self, call: Call) -> bool:
        """Say whether an equal call was sent under another idempotency key, or one of the two without."""
        keys = self.keys_of.get(_content(call), ())
        return bool(keys) and (call.key is None or call.key not in keys)

    def note_key_of(self, call: Call) -> None:
        """Take note of the idempotency key, or of the lack of one, under which a write was sent."""
        self.keys_of.setdefault(_content(call), set()).add(call.key)


class Dossiers(OrderedDict[str, Dossier]):
    """The orders that were seen lately: a long history must not grow the memory."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def of(self, name: str) -> Dossier:
        """The dossier of a name, a new one where there is none."""
        if name not in self:
            self[name] = Dossier()
            if len(self) > self._size:
                self.popitem(last=False)
        self.move_to_end(name)
        return self[name]


def most_plausible(dossier: Dossier, call: Call, assessments: Sequence[Assessment]) -> Assessment:
    """The assessment that comes nearest to what was answered.

    Of a call that is repeated because its answer was lost, that it took effect is what matters; of one that never had
    an answer, what it met the first time.
    """
    repeats = call.key in dossier.lost_keys
    first = "never-answered" in call.exchange.facts

    def implausibility(entry: Assessment) -> tuple[bool, int, bool]:
        other = repeats and (entry.forecast.situation is Situation.REPEAT) is first
        return not entry.answer_allowed, len(entry.differences), other

    return min(assessments, key=implausibility)


def advance(dossier: Dossier, step: Step, assessments: Sequence[Assessment], chosen: Assessment) -> None:
    """Move past an exchange; where nothing explains it, go on from the most plausible state."""
    call = step.call
    if call is None:
        return
    dossier.states = explained(assessments) or _believed(dossier, call, chosen)
    if call.exchange.response is None and len(dossier.states) > _MOST_STATES:
        dossier.states = (replace(dossier.states[0], order=None, keys={}),)
    if call.key and call.exchange.response is None:
        dossier.lost_keys.add(call.key)
    if call.operation.writes:
        dossier.note_key_of(call)
        if not is_neutral(call) or call.exchange.status == 429:
            dossier.since.append(_event(call, chosen, is_twin=step.is_twin))
    elif step.document is not None and call.name in _FULL_READ:
        dossier.since.clear()
        dossier.race = None
        dossier.before = step.document


def _believed(dossier: Dossier, call: Call, chosen: Assessment) -> tuple[State, ...]:
    """What to go on from after an answer that nothing explains; after a race, the order is as it reads."""
    if dossier.race is None or call.operation.writes:
        return chosen.after
    return assess(replace(chosen.state, order=None), call).after


def advance_at_once(dossier: Dossier, calls: Sequence[Call]) -> Group | None:
    """Move past calls that were under way together, and return what came of them.

    None when it takes too long to say what they may have done. What cannot be explained leaves the order unknown.
    """
    before = dossier.states
    for call in calls:
        dossier.note_key_of(call)
    dossier.since += [_event_at_once(call) for call in calls if call.exchange.status != 409]
    dossier.lost_keys |= {call.key for call in calls if call.key and call.exchange.response is None}
    dossier.race, dossier.states = None, (replace(before[0], order=None),)
    try:
        after = linearize(before, calls)
    except Undecided:
        return None
    race = Group(tuple(calls), before, after, culprits=() if after else culprits(before, calls))
    if after:
        dossier.race, dossier.states = race, after
    return race


def race_with_reading(dossier: Dossier, step: Step, assessments: Sequence[Assessment]) -> Group | None:
    """The calls at once since the last reading, with this one; None when there were none, or others besides."""
    race, call = dossier.race, step.call
    if race is None or call is None or step.document is None or not step.is_reading:
        return None
    numbers = {member.exchange.group for member in race.calls}
    if any(event.call.exchange.group not in numbers for event in dossier.since):
        return None
    after = explained(assessments)
    if after:
        return replace(race, after=after, reading=call)
    guilty = culprits(race.before, (*race.calls, call))
    return replace(race, after=(), reading=call, culprits=guilty, differences=step.differences)


def _content(call: Call) -> int:
    """What equal calls have in common: all but the idempotency key."""
    return hash((call.name, call.child, call.exchange.request.body))


def _event(call: Call, chosen: Assessment, *, is_twin: bool) -> Event:
    taken = chosen.taken and (call.exchange.status or 500) < 300
    created = created_id(call) if taken else None
    return Event(call, chosen.forecast.situation, taken, chosen.answer_allowed, created, is_twin)


def _event_at_once(call: Call) -> Event:
    taken = 200 <= (call.exchange.status or 0) < 300
    return Event(call, Situation.UNDECIDED, taken, True, created_id(call) if taken else None)
