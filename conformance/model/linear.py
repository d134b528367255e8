"""Whether some order of calls that were under way at once explains every answer (linearizability).

The search goes depth first over the calls done so far and the state that they left, and remembers what it met. A call
that was answered before another was sent comes first. A call without an answer may take effect at any later time, or
never; 409 and 429 have no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from orderproof.model.call import Call
from orderproof.model.oracle import assess, distinct, is_neutral
from orderproof.model.state import State

MOST_ASSESSMENTS = 5_000
"""After so many looks at a call in a state a search is given up: about a quarter of a second."""

_MOST_FOR_CULPRITS = 1_500
_ADDITIVE = frozenset({"captureOrder", "refundOrder"})


class Undecided(Exception):
    """The search was given up before it came to an end: nothing can be said."""


def linearize(
    states: Iterable[State], calls: Sequence[Call], *, limit: int = MOST_ASSESSMENTS
) -> tuple[State, ...]:
    """Return the states that an order may be in after calls that were under way at once.

    An empty tuple: no order of the calls explains the answers. Raises Undecided after `limit` assessments.
    """
    search = _Search(calls, (), limit)
    return distinct([after for state in states for after in search.from_state(state)])


def is_explained(
    states: Iterable[State],
    calls: Sequence[Call],
    *,
    unsure: Sequence[Call] = (),
    limit: int = MOST_ASSESSMENTS,
) -> bool:
    """Say whether some order of the calls explains the answers, where `unsure` ones besides may have taken effect.

    Raises Undecided after `limit` assessments.
    """
    search = _Search(calls, unsure, limit)
    return any(True for state in states for _ in search.from_state(state))


def culprits(
    states: Sequence[State], calls: Sequence[Call], *, limit: int = _MOST_FOR_CULPRITS
) -> tuple[Call, ...]:
    """Return as few of unexplained calls as cannot be explained, whatever the others were answered.

    The others may have taken effect at any time, or never: leaving them out would leave their effects unexplained.
    Those that were refused and those that read are simply left out. Calls stay where a search is given up.
    """
    kept = [call for call in calls if not is_neutral(call)]
    unsure: list[Call] = []
    for call in sorted(kept, key=_weight):
        rest = [other for other in kept if other is not call]
        others = [*unsure, call] if call.operation.writes and not _is_refused(call) else unsure
        with suppress(Undecided):
            if not is_explained(states, rest, unsure=others, limit=limit):
                kept, unsure = rest, others
    return tuple(kept)


def _weight(call: Call) -> tuple[bool, bool, int]:
    """What to leave out first: what was refused, then reads, then small amounts."""
    taken = (call.exchange.status or 500) < 300
    return taken and call.operation.writes, taken, call.amount


class _Search:
    """One search; positions stand for calls, and sets of calls are bits of a number.

    `silent` calls may take effect or not, the `binding` ones must be explained; `first` are those that come before
    each call. `additive`: captures alone, or refunds alone, so that any order of them comes to the same.
    """

    def __init__(self, calls: Sequence[Call], unsure: Sequence[Call], limit: int) -> None:
        told = [_unanswered(call) if _is_silent(call) else call for call in calls if not is_neutral(call)]
        self.calls = sorted([*told, *map(_doubted, unsure)], key=lambda call: call.exchange.sent_at)
        self.limit = limit
        self.silent = sum(1 << n for n, call in enumerate(self.calls) if call.exchange.response is None)
        self.binding = (1 << len(self.calls)) - 1 - self.silent
        self.first = [self._before(call) for call in self.calls]
        self.additive = _is_additive([call for n, call in enumerate(self.calls) if not self._comes_last(n)])
        self._seen: set[tuple[int, str]] = set()
        self._shown: dict[int, tuple[object, str]] = {}

    def _before(self, call: Call) -> int:
        """The calls that were answered before this one was sent."""
        return sum(
            1 << position
            for position, other in enumerate(self.calls)
            if other.exchange.response is not None and other.exchange.answered_at < call.exchange.sent_at
        )

    def _comes_last(self, position: int) -> bool:
        others = self.binding & ~(1 << position)
        return others not in (0, self.binding) and self.first[position] == others

    def from_state(self, root: State) -> Iterator[State]:
        """Yield the states that some order of all calls leaves, from one state before them."""
        self._seen.clear()
        yield from self._visit(root, 0, root)

    def _visit(self, root: State, done: int, state: State) -> Iterator[State]:
        footprint = (done, self._footprint(root, state))
        if footprint in self._seen:
            return
        self._seen.add(footprint)
        if done & self.binding == self.binding:
            yield state
        for position, after in self._moves(done, state):
            yield from self._visit(root, done | 1 << position, after)

    def _moves(self, done: int, state: State) -> list[tuple[int, State]]:
        """The next calls, and the states that they leave."""
        found: list[tuple[int, State]] = []
        for position in sorted(self._ready(done), key=self._precedence):
            moves = [(position, after) for after in self._after(position, state)]
            # What changes nothing may as well come now. Where all adds up, so may what must come.
            if (
                moves
                and self.binding >> position & 1
                and (self.additive or self._changes_nothing(moves, state))
            ):
                return moves
            found += moves
        return found

    def _changes_nothing(self, moves: list[tuple[int, State]], state: State) -> bool:
        """Say whether a call was refused, or repeats another with its key."""
        return all(after is state or _is_refused(self.calls[position]) for position, after in moves)

    def _ready(self, done: int) -> list[int]:
        ready = [n for n in range(len(self.calls)) if not done >> n & 1 and self.first[n] & ~done == 0]
        if not self.additive:
            return ready
        # Silent calls that add up are placed in one order alone, that in which they were sent.
        last = (done & self.silent).bit_length()
        return [n for n in ready if n >= last or self.binding >> n & 1]

    def _precedence(self, position: int) -> tuple[bool, bool]:
        return bool(self.silent >> position & 1), not _is_refused(self.calls[position])

    def _after(self, position: int, state: State) -> list[State]:
        self.limit -= 1
        if self.limit < 0:
            raise Undecided
        assessment = assess(state, self.calls[position])
        if self.silent >> position & 1:
            # Left out altogether, it never took effect.
            return [after for after in assessment.after if after is not state]
        return list(assessment.after) if assessment.explains else []

    def _footprint(self, root: State, state: State) -> str:
        """What sets a state apart from the one that the search began with."""
        known, order = root.order or {}, state.order or {}
        changed = [(name, self._text(value)) for name, value in order.items() if value is not known.get(name)]
        gone = sorted(known.keys() - order.keys())
        spent = [
            repr((key, use.status, use.created))
            for key, use in state.keys.items()
            if root.keys.get(key) is not use
        ]
        flags = (state.released, state.lowered, state.acknowledged, state.expired, state.extended)
        bookings = sorted(map(repr, state.bookings))
        return repr(
            (sorted(changed), gone, sorted(spent), flags, bookings, state.options, state.order is None)
        )

    def _text(self, value: object) -> str:
        """Show a value; that of an object that was met before is remembered."""
        if not isinstance(value, (dict, list)):
            return repr(value)
        known = self._shown.get(id(value))
        if known is None:
            # Where a capture or refund stands among the others is no difference; order lines have no id.
            parts = list(map(self._text, value)) if isinstance(value, list) else [repr(value)]
            entries = isinstance(value, list) and value and isinstance(value[0], dict) and _has_id(value[0])
            known = (value, repr(sorted(parts) if entries else parts))
            self._shown[id(value)] = known
        return known[1]


def _has_id(entry: dict[str, object]) -> bool:
    return "capture_id" in entry or "refund_id" in entry


def _is_silent(call: Call) -> bool:
    """Say whether an answer leaves open if the call took effect: none at all, or a 5xx, which is a fault by itself."""
    return call.exchange.status is None or call.exchange.status >= 500


def _is_refused(call: Call) -> bool:
    return 400 <= (call.exchange.status or 0) < 500


def _unanswered(call: Call) -> Call:
    return replace(call, exchange=replace(call.exchange, response=None))


def _doubted(call: Call) -> Call:
    """The call without its answer and its key: it may take effect, whatever others with the same key do."""
    headers = tuple(
        pair for pair in call.exchange.request.headers if pair[0].lower() != "klarna-idempotency-key"
    )
    request = replace(call.exchange.request, headers=headers)
    return replace(call, exchange=replace(call.exchange, request=request, response=None))


def _is_additive(calls: Sequence[Call]) -> bool:
    """Say whether any order of the calls comes to the same: captures alone, or refunds alone, each with its own key."""
    names = {call.name for call in calls}
    keys = [call.key for call in calls if call.key]
    return len(names) == 1 and names <= _ADDITIVE and len(keys) == len(set(keys))
