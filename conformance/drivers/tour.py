"""One sequence of a walk under way: what it draws, its orders, and how often the run made which move where."""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from hypothesis import strategies as st

from orderproof.drivers.commands import Command
from orderproof.drivers.contents import Draw, drawn_draft
from orderproof.drivers.drafts import draft
from orderproof.drivers.moves import Move, command_for, moves
from orderproof.drivers.stage import Stage
from orderproof.drivers.terms import fits
from orderproof.errors import CannotJudge
from orderproof.model.lifecycle import stage_of
from orderproof.model.state import State
from orderproof.model.values import instant
from orderproof.operations import OPERATIONS
from orderproof.supply import OutOfOrders

__all__ = ["Tally", "Tour"]

_BITS, _PIECE_BITS = 128, 16
_PIECE = (1 << _PIECE_BITS) - 1
_NUMBERS = st.integers(0, (1 << _BITS) - 1)
_WITHOUT_KEY = 0.1
_A_MONTH = 31 * 86_400.0
_AN_HOUR = 3_600.0


@dataclass
class Tally:
    """How often each move was made in each stage of an order, and after each kind of history.

    `ordinary_orders`: the source refused an order that was out of the ordinary.
    """

    by_stage: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    by_history: Counter[tuple[object, ...]] = field(default_factory=Counter)
    operations: set[tuple[str, str]] = field(default_factory=set)
    ordinary_orders: bool = False

    def weights(self, state: State, candidates: Sequence[Move]) -> list[float]:
        """The worth of each move here: less with each time that it was made, more where its operation is new."""
        stage, history = stage_of(state), _history(state)
        return [self._weight(stage, history, move) for move in candidates]

    def _weight(self, stage: str, history: tuple[int, ...], move: Move) -> float:
        name = (stage, move.operation, move.kind)
        known = 0.5 / (1 + self.by_stage[name]) + 1 / (1 + self.by_history[(*name, *history)])
        fresh = 1.0 if (stage, move.operation) in self.operations else 3.0
        return move.worth * known * fresh

    def count(self, state: State, move: Move) -> None:
        """Take note of a move that is made."""
        name = (stage_of(state), move.operation, move.kind)
        self.by_stage[name] += 1
        self.by_history[(*name, *_history(state))] += 1
        self.operations.add(name[:2])


def _history(state: State) -> tuple[int, ...]:
    """What an order went through, as far as it may matter: its captures and refunds, and where its amount went."""
    amount, original = state.amount("order_amount"), state.amount("original_order_amount")
    return min(len(state.captures), 3), min(len(state.refunds), 3), (amount > original) - (amount < original)


@dataclass
class Tour:
    """One sequence under way.

    `before` has the remaining authorization of each order before it last changed, `keyed` the calls whose keys can be
    used again.
    """

    draw: Draw[Any]
    stage: Stage
    tally: Tally
    before: list[int] = field(default_factory=list)
    keyed: list[Command] = field(default_factory=list)
    _drawn: list[int] = field(default_factory=list)

    def point(self) -> float:
        """A number from 0 up to 1. Several come from one draw, for each draw of Hypothesis takes its time."""
        if not self._drawn:
            number = self.draw(_NUMBERS)
            self._drawn = [number >> shift & _PIECE for shift in range(0, _BITS, _PIECE_BITS)]
        return float(self._drawn.pop()) / (_PIECE + 1)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to a limit."""
        return int(self.point() * limit)

    def chance(self, share: float) -> bool:
        """Say yes in a share of all cases."""
        return self.point() < share

    def chosen(self, weights: Sequence[float]) -> int:
        """A position, by weight."""
        sums = list(accumulate(weights))
        return min(bisect(sums, self.point() * sums[-1]), len(sums) - 1)

    def state(self, order: int) -> State:
        """The most plausible state of an order."""
        return self.stage.session.state(self.stage.seats[order].order_id)

    def seat(self, order: int) -> int:
        """The position of an order, or of a fresh one if there is none at this position yet."""
        if order < len(self.before):
            return order
        position = self._obtained(drawn_draft(self.draw))
        self.before.append(self.state(position).remaining)
        return position

    def _obtained(self, wanted: Mapping[str, Any]) -> int:
        """Obtain an order, an ordinary one where the source does not give the one that is wanted."""
        try:
            return self.stage.obtain(draft() if self.tally.ordinary_orders else wanted)
        except OutOfOrders:
            raise
        except CannotJudge:
            self.tally.ordinary_orders = True
            return self.stage.obtain(draft())

    def moves(self, order: int) -> tuple[Move, ...]:
        """The moves on an order as it is now."""
        seat = self.stage.seats[order]
        others = (n for n, other in enumerate(self.stage.seats) if n != order and other.captures)
        counts = {"captures": len(seat.captures), "refunds": len(seat.refunds)}
        return moves(self.state(order), **counts, stranger=next(others, None))

    def distinct_moves(self, order: int) -> list[Move]:
        """The moves on an order as it is now, of those that come to the same amount only the first."""
        state, before = self.state(order), self.before[order]
        seen: set[tuple[str, int]] = set()
        found = []
        for move in self.moves(order):
            if move.term is not None:
                amount = (move.operation, move.term.value(state, before))
                if amount in seen or not fits(*amount):
                    continue
                seen.add(amount)
            found.append(move)
        return found

    def make(self, order: int, move: Move) -> None:
        """Make a move, unless its amount is out of the bounds of any request."""
        self.tally.count(self.state(order), move)
        command = command_for(move, self.draw, self.stage, order, before=self.before[order])
        if command is None:
            return
        if OPERATIONS[command.operation].writes:
            key = None if self.chance(_WITHOUT_KEY) else f"call {len(self.stage.performed) + 1}"
            command = replace(command, key=key)
            self.keyed += [self.pinned(command)] if key is not None else []
        self.perform(command)

    def pinned(self, command: Command) -> Command:
        """The command for the same capture, whatever is captured later: a key is never used for another one."""
        if not isinstance(command.capture, int) or command.capture >= 0:
            return command
        owner = command.order if command.donor is None else command.donor
        return replace(command, capture=command.capture + len(self.stage.seats[owner].captures))

    def perform(self, command: Command) -> None:
        """Make a call, and keep in mind what remained before it."""
        remaining = self.state(command.order).remaining
        self.stage.perform(command)
        if self.state(command.order).remaining != remaining:
            self.before[command.order] = remaining

    def expire(self, order: int) -> None:
        """Move the clock past the expiry of an order, and look at it."""
        expiry = instant((self.state(order).order or {}).get("expires_at"))
        seconds = _A_MONTH if expiry is None else self.stage.until(expiry.timestamp()) + _AN_HOUR
        self.perform(Command("getOrder", order, advance=float(int(seconds))))

    def look_around(self, last: int) -> None:
        """Read what the last calls did not: the other orders, and the captures of the last one by themselves."""
        for order in range(len(self.before)):
            if order != last:
                self.stage.perform(Command("getOrder", order))
        if self.stage.seats[last].captures:
            self.stage.perform(Command("getCaptures", last))
