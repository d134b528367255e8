"""Runs of one scenario, or of a few: what the suite sends when it plays nothing else."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

from orderproof import checking
from orderproof.drivers import boundaries, credentials, identifiers, losses, protocol, races, repeats
from orderproof.drivers.plan import Driver, Run, drivers_of
from orderproof.drivers.scenarios.registry import SCENARIOS, Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage


@contextmanager
def only(*scenarios: str) -> Generator[None]:
    """While it lasts, a check in the profile quick plays these scenarios alone, or the walk that the first is of."""

    def few(profile: str, seed: int = 0, *, clock: bool = True) -> list[Driver]:
        return _drivers_for(scenarios, drivers_of(profile, seed, clock=clock))

    with patch.object(checking, "drivers_of", few):
        yield


def _drivers_for(scenarios: Sequence[str], drivers: Iterable[Driver]) -> list[Driver]:
    """The drivers cut down to the scenarios; where the first is of a walk, the whole walk."""
    if scenarios[0].startswith("walk"):
        name = "walk over time" if scenarios[0].startswith("walk over time") else "walk"
        return [driver for driver in drivers if driver.name == name]
    played = [partial(_played, name) for name in scenarios]
    return [Driver("a few scenarios", lambda position: played[position] if position < len(played) else None)]


def _played(name: str, session: Session) -> Iterator[Run]:
    """Play the scenarios of a name; none where looking at the target is enough."""
    for script, follow in _scripts(session):
        if script.name == name:
            stage = Stage(session, name, follow=follow)
            yield Run(stage)
            script.play(stage)
            stage.settle()


def _scripts(session: Session) -> Iterator[tuple[Scenario, bool]]:
    """Every scenario of the profile quick, and whether what it made is looked at afterwards."""
    yield from ((one, True) for one in SCENARIOS)
    for driver in (credentials, identifiers, protocol, races):
        yield from ((one, False) for one in driver.scenarios("quick"))
    yield from ((one, False) for one in repeats.scenarios())
    yield from ((one, False) for one in losses.scenarios("quick", session.random("lost answers"))[0])
    yield from ((one, False) for one in boundaries.scenarios("quick", session.random("bodies"))[0])
