"""The list of takes: the standard scenarios that are recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orderproof.drivers.stage import Stage


@dataclass(frozen=True, slots=True)
class Take:
    """A script for one cassette. `name` is its place on the shelf, an area of the rules and a word.

    `probes` says that it has requests that no client should send: they are there to be refused. `needs` names the
    capability of the target without which it cannot be played.
    """

    name: str
    title: str
    play: Callable[[Stage], None]
    probes: bool = False
    needs: str | None = None


TAKES: list[Take] = []

_Play = Callable[[Stage], None]


def take(
    name: str, title: str, *, probes: bool = False, needs: str | None = None
) -> Callable[[_Play], _Play]:
    """Register a script under its place on the shelf."""

    def register(play: _Play) -> _Play:
        TAKES.append(Take(name, title, play, probes, needs))
        return play

    return register
