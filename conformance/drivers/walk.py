"""The walk: sequences of calls on a few orders, chosen by Hypothesis and steered to where the run has not been yet.

Each sequence is one test case of Hypothesis, drawn call by call from the state that the model has the orders in. It is
drawn from bytes that the seed gives, through `fuzz_one_input`: Hypothesis keeps no tree of choices then, so that what
was seen before may steer what comes next, and a target that answers now so and now otherwise does no harm. Nothing is
shrunk here: see `orderproof.drivers.reduction`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from orderproof.drivers.commands import Command
from orderproof.drivers.guide import TIME, Guide
from orderproof.drivers.moves import prospects
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.terms import TERMS
from orderproof.drivers.tour import Tally, Tour
from orderproof.model.lifecycle import stage_of

__all__ = ["Strand", "walk"]

_BYTES = 1 << 16
"""What a sequence can draw at most; one of 25 calls with rich bodies takes a tenth of it."""

_LENGTHS = st.sampled_from([8, 11, 14, 17, 20, 23])
_NUMBERS_OF_ORDERS = st.sampled_from([1, 1, 1, 1, 2, 2, 3])
_REFRESHED = 4
_REPEATS = 0.06
_SWITCHES = 0.35
_BOUNDARIES = 0.4
_ATTEMPTS = 5
_MONEY = frozenset({*TERMS, "releaseRemainingAuthorization", "cancelOrder"})
_LARGE = 3_000
"""Requests from which on a walk can see to it that little is missing of the life cycle."""

Step = Callable[[Tour, int], None]
"""Makes one call on an order of a tour."""


@dataclass(frozen=True, slots=True)
class Strand:
    """A part of a walk that knows nothing of the others: which one, and how many share the life cycle among them."""

    number: int = 0
    of: int = 1

    def name(self, sequence: int, *, over_time: bool) -> str:
        """What reports call one of its sequences."""
        return f"walk {'over time ' if over_time else ''}{self.number + 1}.{sequence + 1}"


_WHOLE = Strand()


def walk(
    session: Session, limit: int | None, *, over_time: bool = False, strand: Strand = _WHOLE
) -> Iterator[Stage]:
    """Perform sequences until the session has spent `limit` requests (None: without end), and yield each beforehand.

    Some of them are about money, some go where the guide says that something is missing, some by chance. `over_time`:
    in each of them the clock is moved, so that its orders expire. Raises what performing raises.
    """
    tally = Tally()
    guide = Guide(session.coverage, clock=over_time, share=(strand.number % strand.of, strand.of))
    play = _player(tally, limit, over_time=over_time)
    large = limit is None or (limit - session.spent) * strand.of > _LARGE
    ways = _ways(_guided_by(guide), large=large, over_time=over_time)
    number = 0
    while limit is None or session.spent < limit:
        stage = Stage(session, strand.name(number, over_time=over_time), follow=number % 4 == 0)
        yield stage
        if number % _REFRESHED == 0:
            guide.refresh()
        play(stage, ways[number % len(ways)])
        stage.settle()
        number += 1


def _ways(guided: Step, *, large: bool, over_time: bool) -> tuple[Step, ...]:
    """The ways in which sequences are made, in turns."""
    if over_time:
        return guided, guided, guided, _about_money
    return _about_money, guided, _by_chance, guided if large else _about_money


def _player(tally: Tally, limit: int | None, *, over_time: bool) -> Callable[[Stage, Step], None]:
    """Return a function that performs one sequence on a stage, as a test case of Hypothesis."""
    current: list[tuple[Stage, Step]] = []

    @settings(database=None, deadline=None)
    @given(st.data())
    def sequence(data: st.DataObject) -> None:
        stage, step = current[-1]
        _play(Tour(data.draw, stage, tally), step, limit, over_time=over_time)

    test_case = cast(Any, sequence).hypothesis.fuzz_one_input

    def play(stage: Stage, step: Step) -> None:
        current[:] = [(stage, step)]
        test_case(stage.session.random(stage.name).randbytes(_BYTES))

    return play


def _play(tour: Tour, step: Step, limit: int | None, *, over_time: bool) -> None:
    orders, calls = tour.draw(_NUMBERS_OF_ORDERS), tour.draw(_LENGTHS)
    expiry = tour.below(6) if over_time and step in (_by_chance, _about_money) else -1
    order = 0
    for number in range(calls):
        if limit is not None and tour.stage.session.spent >= limit:
            return
        if number == 0 or (orders > 1 and tour.chance(_SWITCHES)):
            order = tour.seat(tour.below(orders))
        if number == expiry:
            tour.expire(order)
        if tour.keyed and tour.chance(_REPEATS):
            tour.perform(tour.keyed[tour.below(len(tour.keyed))])
        else:
            step(tour, order)
    tour.look_around(order)


def _by_chance(tour: Tour, order: int) -> None:
    """Make any call: what was made the least, in the stage that the order is in, is the most likely."""
    candidates = tour.distinct_moves(order)
    tour.make(order, candidates[tour.chosen(tour.tally.weights(tour.state(order), candidates))])


def _about_money(tour: Tour, order: int) -> None:
    """Make a call that moves an amount, or one that must be refused: mistakes about limits show in these."""
    candidates = [move for move in tour.distinct_moves(order) if move.operation in _MONEY]
    weights = tour.tally.weights(tour.state(order), candidates)
    refused = tour.chance(_BOUNDARIES)
    for _ in range(_ATTEMPTS):
        position = tour.chosen(weights)
        taken = {
            taken
            for taken, _ in prospects(candidates[position], tour.stage, order, before=tour.before[order])
        }
        if taken == {False} if refused else True in taken:
            break
        weights[position] = 0.0
    tour.make(order, candidates[position])


def _guided_by(guide: Guide) -> Step:
    """Make a call that is missing in the stage of the order, or one that leads on to such a stage, if there is any."""

    def step(tour: Tour, order: int) -> None:
        stage = stage_of(tour.state(order))
        if not _at(guide, stage, tour, order) and not _on_the_way(guide, stage, tour, order):
            _by_chance(tour, order)

    return step


def _at(guide: Guide, stage: str, tour: Tour, order: int) -> bool:
    """Make a call that is missing in a stage; returns whether one was made."""
    missing = guide.missing(stage)
    if not missing:
        return False
    goal = missing[tour.below(len(missing))]
    if goal.operation == "extendDueDate" and _is_offer_unknown(tour, order):
        tour.perform(Command("getOptionsForExtendDueDate", order, capture=0))
        return True
    guide.tried(goal)
    return _towards(tour, order, goal.operation, lambda taken, _: taken == goal.taken)


def _on_the_way(guide: Guide, stage: str, tour: Tour, order: int) -> bool:
    """Make a call that leads on to a stage where something is missing; returns whether one was made."""
    way = guide.way(stage)
    if way is None:
        return False
    if way[0] == TIME:
        tour.expire(order)
        return True
    return _towards(tour, order, way[0], lambda taken, after: taken and after == way[1])


def _is_offer_unknown(tour: Tour, order: int) -> bool:
    """Say whether no due-date options of the first capture were read yet."""
    captures = tour.stage.seats[order].captures
    return bool(captures) and captures[0] not in tour.state(order).options


def _towards(tour: Tour, order: int, operation: str, wanted: Callable[[bool, str], bool]) -> bool:
    """Make a call of an operation from which the model expects what is wanted; returns whether there is one."""
    candidates = [move for move in tour.moves(order) if move.operation == operation]
    first = tour.below(len(candidates))
    for move in candidates[first:] + candidates[:first]:
        ends = prospects(move, tour.stage, order, before=tour.before[order])
        if any(wanted(*end) for end in ends):
            tour.make(order, move)
            return True
    return False
