"""The list of scenarios, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orderproof.drivers.stage import Stage


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named script. `needs` names the capability without which it cannot run."""

    name: str
    play: Callable[[Stage], None]
    needs: str | None = None


SCENARIOS: list[Scenario] = []


def scenario(
    name: str, *, needs: str | None = None
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Register a script under a name that reports show."""

    def register(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        SCENARIOS.append(Scenario(name, play, needs))
        return play

    return register
