"""Which drivers run in which profile, within which budget, and the units that their work consists of.

What a unit does depends on the profile, the seed and its place alone, not on what others saw: so they can be done in
any order, by several processes at once or on several machines, and find the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from random import Random

import orderproof.drivers.scenarios
from orderproof.drivers import boundaries, credentials, identifiers, losses, protocol, races, repeats
from orderproof.drivers.scenarios.registry import SCENARIOS, Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.walk import Strand, walk

__all__ = ["PROFILES", "Driver", "Profile", "Run", "Sequences", "Unit", "drivers_of"]

_ENDLESS_STRAND = 1_000
"""Requests of one strand of a walk without an end."""

assert orderproof.drivers.scenarios  # importing it has registered them
_SCENARIOS = SCENARIOS


@dataclass(frozen=True, slots=True)
class Profile:
    """How much is tried: the slice of the grids that the drivers take by its name, and the length of the walk.

    The walk has so many requests in all (`walk`; None: without end), in so many `strands`; the one over time has
    `walk_over_time`. Beyond them, up to so many root causes are cut down to their shortest sequences (`reductions`).
    """

    name: str
    walk: int | None
    walk_over_time: int
    reductions: int
    strands: int = 4


PROFILES = {
    "quick": Profile("quick", walk=664, walk_over_time=166, reductions=10),
    "standard": Profile("standard", walk=3_332, walk_over_time=832, reductions=40),
    "deep": Profile("deep", walk=None, walk_over_time=832, reductions=200),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One sequence that was performed. `note` is what a report has to say of it."""

    stage: Stage
    note: str = ""


Sequences = Callable[[Session], Iterator[Run]]
"""Performs sequences in a session, one after the other, and yields each beforehand."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Work that is performed and judged by itself: it depends on nothing that another unit saw.

    `place` is the position of its driver, and its own among the units of that.
    """

    driver: str
    place: tuple[int, int]
    runs: Sequences


@dataclass(frozen=True, slots=True)
class Driver:
    """A maker of histories: its units by their position, None beyond the last.

    A `lasting` one goes on for as long as it may: what it finds is cut down while it runs, not at its end. While one
    that moves the clock is at work (`alone`), nothing else may be.
    """

    name: str
    at: Callable[[int], Sequences | None]
    lasting: bool = False
    alone: bool = False

    def unit(self, position: int, number: int) -> Unit | None:
        """The unit at a position of this driver, which is the one with a number; None beyond the last."""
        runs = self.at(position)
        return None if runs is None else Unit(self.name, (number, position), runs)


def drivers_of(profile: str, seed: int = 0, *, clock: bool = True) -> list[Driver]:
    """The drivers of a profile, in the order in which they run; those that move the clock come last, if it moves."""
    chance = partial(_chance, seed)
    drivers = [
        _scripted("scenarios", lambda: _scenarios(needs=None), follow=True),
        _scripted("credentials", lambda: credentials.scenarios(profile)),
        _scripted("ids", lambda: identifiers.scenarios(profile)),
        _scripted("repeats", repeats.scenarios),
        _scripted("protocol", lambda: protocol.scenarios(profile)),
        _scripted("races", lambda: races.scenarios(profile)),
        _noted("lost answers", lambda: losses.scenarios(profile, chance("lost answers"))),
        _noted("bodies", lambda: boundaries.scenarios(profile, chance("bodies"))),
        _walking(PROFILES[profile]),
    ]
    over_time = [
        _scripted("scenarios over time", lambda: _scenarios(needs="clock"), follow=True, alone=True),
        _walking_over_time(PROFILES[profile]),
    ]
    return [*drivers, *(over_time if clock else ())]


def _chance(seed: int, name: str) -> Random:
    return Random(f"{seed}/{name}")


def _scenarios(*, needs: str | None) -> list[Scenario]:
    return [scenario for scenario in _SCENARIOS if scenario.needs == needs]


def _scripted(
    name: str, scenarios: Callable[[], Sequence[Scenario]], *, follow: bool = False, alone: bool = False
) -> Driver:
    known = cache(scenarios)

    def at(position: int) -> Sequences | None:
        return _play(known()[position], follow=follow) if position < len(known()) else None

    return Driver(name, at, alone=alone)


def _noted(name: str, scenarios: Callable[[], tuple[Sequence[Scenario], str]]) -> Driver:
    """A driver with something to say of what it plays, which its first unit does."""
    known = cache(scenarios)

    def at(position: int) -> Sequences | None:
        scripts, note = known()
        return _play(scripts[position], note="" if position else note) if position < len(scripts) else None

    return Driver(name, at)


def _play(scenario: Scenario, *, follow: bool = False, note: str = "") -> Sequences:
    def runs(session: Session) -> Iterator[Run]:
        stage = Stage(session, scenario.name, follow=follow)
        # Announced before it is played, so that a sequence that is cut short is known all the same.
        yield Run(stage, note)
        scenario.play(stage)
        stage.settle()

    return runs


def _walking(profile: Profile) -> Driver:
    if profile.walk is None:
        return Driver("walk", partial(_strand, profile.strands, None, _ENDLESS_STRAND), lasting=True)
    size = profile.walk // profile.strands
    return Driver("walk", partial(_strand, profile.strands, profile.strands, size), lasting=True)


def _walking_over_time(profile: Profile) -> Driver:
    """The walk in which orders expire, in half as many strands."""
    strands = profile.strands // 2
    size = profile.walk_over_time // strands
    strand = partial(_strand, strands, strands, size, over_time=True)
    return Driver("walk over time", strand, lasting=True, alone=True)


def _strand(
    of: int, end: int | None, size: int, position: int, *, over_time: bool = False
) -> Sequences | None:
    if end is not None and position >= end:
        return None

    def runs(session: Session) -> Iterator[Run]:
        limit = session.spent + size
        return map(Run, walk(session, limit, over_time=over_time, strand=Strand(position, of)))

    return runs
