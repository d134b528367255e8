"""The walk: sequences of calls on a few orders, chosen by Hypothesis and steered to where the run has not been yet.

Each sequence is one test case of Hypothesis, drawn call by call from the state that the model has the orders in. It is
drawn from bytes that the seed gives, through `fuzz_one_input`: Hypothesis keeps no tree of choices then, so that what
was seen before may steer what comes next, and a target that answers now so and now otherwise does no harm. Nothing is
shrunk here: see `orderproof.drivers.reduction`.
"""

from __future__ import annotations

from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from orderproof.coverage import Coverage
from orderproof.drivers.commands import Command
from orderproof.drivers.contents import Draw, drawn_draft
from orderproof.drivers.drafts import draft
from orderproof.drivers.guide import TIME, Guide
from orderproof.drivers.moves import Move, command_for, moves, prospects
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge
from orderproof.model.lifecycle import stage_of
from orderproof.model.state import State
from orderproof.model.values import instant
from orderproof.operations import OPERATIONS
from orderproof.supply import OutOfOrders

__all__ = ["walk"]

_BYTES = 1 << 16
"""What a sequence can draw at most; one of 25 calls with rich bodies takes a tenth of it."""

_BITS, _PIECE_BITS = 128, 16
_PIECE = (1 << _PIECE_BITS) - 1
_NUMBERS = st.integers(0, (1 << _BITS) - 1)
_LENGTHS = st.sampled_from([6, 9, 12, 15, 18, 22])
_NUMBERS_OF_ORDERS = st.sampled_from([1, 1, 1, 1, 2, 2, 3])
_REFRESHED = 4
_REPEATS = 0.06
_SWITCHES = 0.35
_WITHOUT_KEY = 0.1


@dataclass
class _Tally:
    """How often each move was made in each stage of an order, and in each stage and history.

    `ordinary_orders`: the source refused an order that was out of the ordinary.
    """

    coverage: Coverage
    by_stage: Counter[Any] = field(default_factory=Counter)
    by_history: Counter[Any] = field(default_factory=Counter)
    operations: set[tuple[str, str]] = field(default_factory=set)
    ordinary_orders: bool = False

    def weights(self, state: State, candidates: tuple[Move, ...]) -> list[float]:
        """The worth of each move here: less with each time that it was made, more where its operation is new."""
        stage, history = stage_of(state), _history(state)
        return [self._weight(stage, history, move) for move in candidates]

    def _weight(self, stage: str, history: Any, move: Move) -> float:
        name = (stage, move.operation, move.kind)
        known = 1 / (1 + self.by_stage[name]) + 0.5 / (1 + self.by_history[(*name, history)])
        fresh = 1.0 if (stage, move.operation) in self.operations else 3.0
        return move.worth * known * fresh

    def count(self, state: State, move: Move) -> None:
        name = (stage_of(state), move.operation, move.kind)
        self.by_stage[name] += 1
        self.by_history[(*name, _history(state))] += 1
        self.operations.add(name[:2])


def _history(state: State) -> tuple[int, ...]:
    """What an order went through, as far as it may matter: how many captures and refunds, and where its amount went."""
    amount, original = state.amount("order_amount"), state.amount("original_order_amount")
    return min(len(state.captures), 3), min(len(state.refunds), 2), (amount > original) - (amount < original)


@dataclass
class _Tour:
    """One sequence under way. `before` has the remaining authorization of each order before it last changed."""

    draw: Draw[Any]
    stage: Stage
    tally: _Tally
    guide: Guide | None
    before: list[int] = field(default_factory=list)
    keyed: list[Command] = field(default_factory=list)
    drawn: list[int] = field(default_factory=list)

    def state(self, order: int) -> State:
        return self.stage.session.state(self.stage.seats[order].order_id)

    def point(self) -> float:
        """A number from 0 up to 1. Several come from one draw, for each draw of Hypothesis takes its time."""
        if not self.drawn:
            number = self.draw(_NUMBERS)
            self.drawn = [number >> shift & _PIECE for shift in range(0, _BITS, _PIECE_BITS)]
        return float(self.drawn.pop()) / (_PIECE + 1)

    def below(self, limit: int) -> int:
        """A whole number from 0 up to a limit."""
        return int(self.point() * limit)

    def chance(self, share: float) -> bool:
        return self.point() < share

    def perform(self, command: Command) -> None:
        """Make a call, and keep in mind what remained before it."""
        remaining = self.state(command.order).remaining
        self.stage.perform(command)
        if self.state(command.order).remaining != remaining:
            self.before[command.order] = remaining


def walk(session: Session, limit: int | None, *, over_time: bool = False) -> Iterator[Stage]:
    """Perform sequences until the session has spent `limit` requests (None: without end), and yield each beforehand.

    Every third sequence goes by chance, the others where the guide says that something is missing. `over_time`: in
    each of them the clock is moved, so that its orders expire. Raises what performing raises.
    """
    tally, guide = _Tally(session.coverage), Guide(session.coverage, clock=over_time)
    play = _player(limit, over_time=over_time)
    number = 0
    while limit is None or session.spent < limit:
        number += 1
        stage = Stage(session, f"walk {'over time ' if over_time else ''}{number}", follow=number % 4 == 1)
        yield stage
        if number % _REFRESHED == 1:
            guide.refresh()
        play(stage, tally, guide if number % 3 else None)
        stage.settle()


def _player(limit: int | None, *, over_time: bool) -> Callable[[Stage, _Tally, Guide | None], None]:
    """Return a function that performs one sequence on a stage, as a test case of Hypothesis."""
    current: list[tuple[Stage, _Tally, Guide | None]] = []

    @settings(database=None, deadline=None)
    @given(st.data())
    def sequence(data: st.DataObject) -> None:
        _play(_Tour(data.draw, *current[-1]), limit, over_time=over_time)

    test_case = cast(Any, sequence).hypothesis.fuzz_one_input

    def play(stage: Stage, tally: _Tally, guide: Guide | None) -> None:
        current[:] = [(stage, tally, guide)]
        test_case(stage.session.random(stage.name).randbytes(_BYTES))

    return play


def _play(tour: _Tour, limit: int | None, *, over_time: bool) -> None:
    orders, calls = tour.draw(_NUMBERS_OF_ORDERS), tour.draw(_LENGTHS)
    expiry = tour.below(6) if over_time and tour.guide is None else -1
    order = 0
    for number in range(calls):
        if limit is not None and tour.stage.session.spent >= limit:
            return
        if number == 0 or (orders > 1 and tour.chance(_SWITCHES)):
            order = _seat(tour, tour.below(orders))
        if number == expiry:
            _expire(tour, order)
        if not _guided(tour, order):
            _step(tour, order)
    _look_around(tour, order)


def _seat(tour: _Tour, order: int) -> int:
    """The position of an order; one that was not obtained yet is."""
    if order < len(tour.before):
        return order
    position = _obtain(tour, drawn_draft(tour.draw))
    tour.before.append(tour.state(position).remaining)
    return position


def _obtain(tour: _Tour, wanted: Mapping[str, Any]) -> int:
    """Obtain an order, an ordinary one where the source does not give the one that is wanted."""
    try:
        return tour.stage.obtain(draft() if tour.tally.ordinary_orders else wanted)
    except OutOfOrders:
        raise
    except CannotJudge:
        tour.tally.ordinary_orders = True
        return tour.stage.obtain(draft())


def _step(tour: _Tour, order: int) -> None:
    """Make a call by chance: what was made the least, in the stage that the order is in, is the most likely."""
    if tour.keyed and tour.chance(_REPEATS):
        repeated = tour.keyed[tour.below(len(tour.keyed))]
        tour.perform(repeated)
        return
    state, candidates = tour.state(order), _moves(tour, order)
    _make(tour, order, candidates[_chosen(tour, tour.tally.weights(state, candidates))])


def _guided(tour: _Tour, order: int) -> bool:
    """Make a call that is missing in the stage of the order, or one that leads on to such a stage, if there is any."""
    if tour.guide is None:
        return False
    stage = stage_of(tour.state(order))
    missing, way = tour.guide.missing(stage), tour.guide.way(stage)
    if missing:
        goal = missing[tour.below(len(missing))]
        if _is_offer_unknown(tour, order, goal.operation):
            tour.perform(Command("getOptionsForExtendDueDate", order, capture=0))
            return True
        tour.guide.tried(goal)
        if _towards(tour, order, goal.operation, lambda taken, _: taken == goal.taken):
            return True
    if way is not None and way[0] == TIME:
        _expire(tour, order)
        return True
    return way is not None and _towards(tour, order, way[0], lambda taken, after: taken and after == way[1])


def _is_offer_unknown(tour: _Tour, order: int, operation: str) -> bool:
    """Say whether a due date is to be extended, and no due-date options of the first capture were read yet."""
    captures = tour.stage.seats[order].captures
    return operation == "extendDueDate" and bool(captures) and captures[0] not in tour.state(order).options


def _towards(tour: _Tour, order: int, operation: str, wanted: Callable[[bool, str], bool]) -> bool:
    """Make a call of an operation from which the model expects what is wanted; returns whether there is one."""
    candidates = [move for move in _moves(tour, order) if move.operation == operation]
    first = tour.below(len(candidates))
    for move in candidates[first:] + candidates[:first]:
        ends = prospects(move, tour.stage, order, before=tour.before[order])
        if any(wanted(*end) for end in ends):
            _make(tour, order, move)
            return True
    return False


def _moves(tour: _Tour, order: int) -> tuple[Move, ...]:
    seat = tour.stage.seats[order]
    others = (n for n, other in enumerate(tour.stage.seats) if n != order and other.captures)
    counts = {"captures": len(seat.captures), "refunds": len(seat.refunds)}
    return moves(tour.state(order), **counts, stranger=next(others, None))


def _make(tour: _Tour, order: int, move: Move) -> None:
    tour.tally.count(tour.state(order), move)
    command = command_for(move, tour.draw, tour.stage, order, before=tour.before[order])
    if command is not None:
        _perform_with_key(tour, command)


def _chosen(tour: _Tour, weights: list[float]) -> int:
    sums = list(accumulate(weights))
    return min(bisect(sums, tour.point() * sums[-1]), len(sums) - 1)


def _perform_with_key(tour: _Tour, command: Command) -> None:
    """Give a write a key by which it can be repeated later, at times none."""
    if OPERATIONS[command.operation].writes:
        key = None if tour.chance(_WITHOUT_KEY) else f"call {len(tour.stage.performed) + 1}"
        command = replace(command, key=key)
        if key is not None:
            tour.keyed.append(command)
    tour.perform(command)


def _expire(tour: _Tour, order: int) -> None:
    """Move the clock past the expiry of an order, and look at it."""
    expiry = instant((tour.state(order).order or {}).get("expires_at"))
    seconds = 31 * 86_400.0 if expiry is None else max(0.0, expiry.timestamp() - tour.stage.now) + 3_600.0
    tour.perform(Command("getOrder", order, advance=float(int(seconds))))


def _look_around(tour: _Tour, last: int) -> None:
    """Read what the last calls did not: the other orders, and the captures of the last one by themselves."""
    for order in range(len(tour.before)):
        if order != last:
            tour.stage.perform(Command("getOrder", order))
    if tour.stage.seats[last].captures:
        tour.stage.perform(Command("getCaptures", last))
