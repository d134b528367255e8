"""Which drivers run in which profile, and within which budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import orderproof.drivers.scenarios
from orderproof.drivers import boundaries, credentials, identifiers, losses, protocol, races, repeats
from orderproof.drivers.scenarios.registry import SCENARIOS, Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.walk import walk

__all__ = ["PROFILES", "Driver", "Profile", "Run", "drivers_of"]

_SCENARIOS_OVER_TIME = 120
"""About how many requests the scenarios take that move the clock."""

assert orderproof.drivers.scenarios  # importing it has registered them
_SCENARIOS = SCENARIOS


@dataclass(frozen=True, slots=True)
class Profile:
    """A budget: requests (None: without end) and seconds (None: no limit but --max-time).

    Beyond it, up to so many root causes are cut down to their shortest sequences (`reductions`).
    """

    name: str
    requests: int | None
    reductions: int
    seconds: float | None = None


PROFILES = {
    "quick": Profile("quick", 2_000, 10),
    "standard": Profile("standard", 10_000, 40),
    "deep": Profile("deep", None, 200),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One sequence that was performed. `note` is what a report has to say of it."""

    stage: Stage
    note: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """A maker of histories: performs sequences in a session, one after the other.

    A `lasting` one goes on for as long as it may: what it finds is cut down while it runs, not at its end.
    """

    name: str
    runs: Callable[[Session, Profile], Iterator[Run]]
    lasting: bool = False


def drivers_of(profile: str) -> list[Driver]:
    """The drivers of a profile, in the order in which they run; those that move the clock come last."""
    return [
        Driver("scenarios", lambda session, _: _play(session, [s for s in _SCENARIOS if s.needs is None])),
        Driver(
            "credentials", lambda session, _: _play(session, credentials.scenarios(profile), follow=False)
        ),
        Driver("ids", lambda session, _: _play(session, identifiers.scenarios(profile), follow=False)),
        Driver("repeats", lambda session, _: _play(session, repeats.scenarios(), follow=False)),
        Driver("protocol", lambda session, _: _play(session, protocol.scenarios(profile), follow=False)),
        Driver("races", lambda session, _: _play(session, races.scenarios(profile), follow=False)),
        Driver("lost answers", lambda session, _: _lost_answers(session, profile)),
        Driver("bodies", lambda session, _: _bodies(session, profile)),
        Driver("walk", _walk, lasting=True),
        Driver(
            "scenarios over time",
            lambda session, _: _play(session, [s for s in _SCENARIOS if s.needs == "clock"]),
        ),
        Driver("walk over time", _walk_over_time, lasting=True),
    ]


def _walk(session: Session, profile: Profile) -> Iterator[Run]:
    """Walk with what the other drivers leave of the budget, and at least with a third of it."""
    limit = profile.requests
    if limit is not None:
        reserve = _over_time(profile) + _SCENARIOS_OVER_TIME if session.target.clock is not None else 0
        limit = max(limit - reserve, session.spent + limit // 3)
    return map(Run, walk(session, limit))


def _walk_over_time(session: Session, profile: Profile) -> Iterator[Run]:
    if session.target.clock is None:
        return iter(())
    return map(Run, walk(session, session.spent + _over_time(profile), over_time=True))


def _over_time(profile: Profile) -> int:
    """The requests for walks in which orders expire."""
    return (profile.requests or 10_000) // 12


def _lost_answers(session: Session, profile: str) -> Iterator[Run]:
    scenarios, note = losses.scenarios(profile, session.random("lost answers"))
    for run in _play(session, scenarios, follow=False):
        yield replace(run, note=note)
        note = ""


def _bodies(session: Session, profile: str) -> Iterator[Run]:
    scenarios, note = boundaries.scenarios(profile, session.random("bodies"))
    for run in _play(session, scenarios, follow=False):
        yield replace(run, note=note)
        note = ""


def _play(session: Session, scenarios: list[Scenario], *, follow: bool = True) -> Iterator[Run]:
    for scenario in scenarios:
        if scenario.needs == "clock" and session.target.clock is None:
            continue
        stage = Stage(session, scenario.name, follow=follow)
        # Announced before it is played, so that a sequence that is cut short is known all the same.
        yield Run(stage)
        scenario.play(stage)
        stage.settle()
