"""Whether some order of calls that were under way at once explains every answer (linearizability).

The search goes depth first over the calls done so far and the state that they left, and remembers what it met. A call
that was answered before another was sent comes first. A call without an answer may take effect at any later time, or
never; 409 and 429 have no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from orderproof.model.call import Call
from orderproof.model.oracle import assess, distinct, is_neutral
from orderproof.model.state import State

MOST_ASSESSMENTS = 5_000
"""After so many looks at a call in a state a search is given up: about a quarter of a second."""

_ADDITIVE = frozenset({"captureOrder", "refundOrder"})


class Undecided(Exception):
    """The search was given up before it came to an end: nothing can be said."""


def linearize(
    states: Iterable[State], calls: Sequence[Call], *, limit: int = MOST_ASSESSMENTS
) -> tuple[State, ...]:
    """Return the states that an order may be in after calls that were under way at once.

    An empty tuple: no order of the calls explains the answers. Raises Undecided after `limit` assessments.
    """
    search = _Search(calls, limit)
    return distinct([after for state in states for after in search.from_state(state)])


def is_explained(
    states: Iterable[State],
    calls: Sequence[Call],
    *,
    unsure: Iterable[Call] = (),
    limit: int = MOST_ASSESSMENTS,
) -> bool:
    """Say whether some order of the calls explains the answers; what `unsure` calls were answered does not count.

    Raises Undecided after `limit` assessments.
    """
    search = _Search(calls, limit, unsure=tuple(unsure))
    return any(True for state in states for _ in search.from_state(state))


def culprits(
    states: Sequence[State], calls: Sequence[Call], *, limit: int = MOST_ASSESSMENTS
) -> tuple[Call, ...]:
    """Return as few of unexplained calls as cannot be explained, whatever the others were answered.

    The others may have taken effect at any time, or never: leaving them out would leave their effects unexplained.
    Stops early, with more calls than needed, when a search is given up.
    """
    kept = [call for call in calls if not is_neutral(call)]
    unsure: list[Call] = []
    for call in sorted(kept, key=_weight):
        rest = [other for other in kept if other is not call]
        others = [*unsure, call] if call.operation.writes else unsure
        try:
            explained = is_explained(states, [*rest, *others], unsure=others, limit=limit)
        except Undecided:
            continue
        if not explained:
            kept, unsure = rest, others
    return tuple(kept)


def _weight(call: Call) -> tuple[bool, bool, int]:
    """What to leave out first: what was refused, then reads, then small amounts."""
    taken = (call.exchange.status or 500) < 300
    return taken and call.operation.writes, taken, call.amount


@dataclass
class _Search:
    """One search; positions stand for calls, and sets of calls are bits of a number."""

    calls: Sequence[Call]
    limit: int
    unsure: tuple[Call, ...] = ()
    seen: set[tuple[int, str]] = field(default_factory=set)
    first: list[int] = field(default_factory=list)
    silent: int = 0
    binding: int = 0
    additive: bool = False

    def __post_init__(self) -> None:
        calls = [call for call in self.calls if not is_neutral(call)]
        silent = [_is_silent(call) or any(call is other for other in self.unsure) for call in calls]
        self.calls = [_unanswered(call) if lost else call for call, lost in zip(calls, silent, strict=True)]
        self.silent = sum(1 << position for position, lost in enumerate(silent) if lost)
        self.binding = (1 << len(calls)) - 1 - self.silent
        self.first = [self._before(call) for call in self.calls]
        self.additive = not self.silent and _is_additive(self.calls)

    def _before(self, call: Call) -> int:
        """The calls that were answered before this one was sent."""
        earlier = (
            1 << position
            for position, other in enumerate(self.calls)
            if not self.silent >> position & 1 and other.exchange.answered_at < call.exchange.sent_at
        )
        return sum(earlier)

    def from_state(self, root: State) -> Iterator[State]:
        """Yield the states that some order of all calls leaves, from one state before them."""
        self.seen.clear()
        yield from self._visit(root, 0, root)

    def _visit(self, root: State, done: int, state: State) -> Iterator[State]:
        footprint = (done, _footprint(root, state))
        if footprint in self.seen:
            return
        self.seen.add(footprint)
        if done & self.binding == self.binding:
            yield state
        for position, after in self._moves(done, state):
            yield from self._visit(root, done | 1 << position, after)

    def _moves(self, done: int, state: State) -> list[tuple[int, State]]:
        """The next calls, and the states that they leave."""
        found: list[tuple[int, State]] = []
        ready = [n for n in range(len(self.calls)) if not done >> n & 1 and self.first[n] & ~done == 0]
        for position in sorted(ready, key=lambda n: not _is_refused(self.calls[n])):
            moves = [(position, after) for after in self._after(position, state)]
            # A refusal changes nothing, so it may as well come now. Captures alone, or refunds alone, only add up.
            if moves and (self.additive or self._settles(position)):
                return moves
            found += moves
        return found

    def _settles(self, position: int) -> bool:
        return not self.silent >> position & 1 and _is_refused(self.calls[position])

    def _after(self, position: int, state: State) -> list[State]:
        self.limit -= 1
        if self.limit < 0:
            raise Undecided
        call = self.calls[position]
        if self.silent >> position & 1:
            # Left out altogether, it never took effect.
            return [after for after in assess(state, call).after if after is not state]
        assessment = assess(state, call)
        return list(assessment.after) if assessment.explains else []


def _is_silent(call: Call) -> bool:
    """Say whether an answer leaves open if the call took effect: none at all, or a 5xx, which is a fault by itself."""
    return call.exchange.status is None or call.exchange.status >= 500


def _is_refused(call: Call) -> bool:
    return 400 <= (call.exchange.status or 0) < 500


def _unanswered(call: Call) -> Call:
    return replace(call, exchange=replace(call.exchange, response=None))


def _is_additive(calls: Sequence[Call]) -> bool:
    """Say whether any order of the calls comes to the same: captures alone, or refunds alone, each with its own key."""
    names = {call.name for call in calls}
    keys = [call.key for call in calls if call.key]
    return len(names) == 1 and names <= _ADDITIVE and len(keys) == len(set(keys))


def _footprint(root: State, state: State) -> str:
    """What sets a state apart from the one that the search began with."""
    known, order = root.order or {}, state.order or {}
    changed = [(name, _shown(name, value)) for name, value in order.items() if value is not known.get(name)]
    gone = sorted(known.keys() - order.keys())
    spent = [
        (key, use.status, use.created) for key, use in state.keys.items() if root.keys.get(key) is not use
    ]
    flags = (
        state.order is None,
        state.released,
        state.lowered,
        state.acknowledged,
        state.expired,
        state.extended,
    )
    bookings = sorted(map(repr, state.bookings))
    return repr((sorted(changed), gone, sorted(map(repr, spent)), flags, bookings, state.options))


def _shown(name: str, value: object) -> str:
    """Show a field; where a capture or refund stands among the others is no difference."""
    if name in ("captures", "refunds") and isinstance(value, list):
        return repr(sorted(map(repr, value)))
    return repr(value)
