"""Which drivers run in which profile, and within which budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orderproof.drivers.scenarios
from orderproof.drivers import credentials, identifiers, repeats
from orderproof.drivers.scenarios.registry import SCENARIOS, Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage

__all__ = ["PROFILES", "Driver", "Profile", "Run", "drivers_of"]

_SCENARIOS = orderproof.drivers.scenarios and SCENARIOS


@dataclass(frozen=True, slots=True)
class Profile:
    """A budget: requests (None: without end) and seconds (None: no limit but --max-time)."""

    name: str
    requests: int | None
    seconds: float | None = None


PROFILES = {
    "quick": Profile("quick", 2_000),
    "standard": Profile("standard", 10_000),
    "deep": Profile("deep", None),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One sequence that was performed."""

    stage: Stage


@dataclass(frozen=True, slots=True)
class Driver:
    """A maker of histories: performs sequences in a session, one after the other."""

    name: str
    runs: Callable[[Session, Profile], Iterator[Run]]


def drivers_of(profile: str) -> list[Driver]:
    """The drivers of a profile, in the order in which they run; those that move the clock come last."""
    return [
        Driver("scenarios", lambda session, _: _play(session, [s for s in _SCENARIOS if s.needs is None])),
        Driver("credentials", lambda session, _: _play(session, credentials.scenarios(profile), follow=False)),
        Driver("ids", lambda session, _: _play(session, identifiers.scenarios(profile), follow=False)),
        Driver("repeats", lambda session, _: _play(session, repeats.scenarios(), follow=False)),
        Driver("scenarios over time", lambda session, _: _play(session, [s for s in _SCENARIOS if s.needs == "clock"])),
    ]


def _play(session: Session, scenarios: list[Scenario], *, follow: bool = True) -> Iterator[Run]:
    for scenario in scenarios:
        if scenario.needs == "clock" and session.target.clock is None:
            continue
        stage = Stage(session, scenario.name, follow=follow)
        # Announced before it is played, so that a sequence that is cut short is known all the same.
        yield Run(stage)
        scenario.play(stage)
        stage.settle()
