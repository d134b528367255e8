"""What the process of a run and its workers tell each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.stage import Script
from orderproof.exchange import Exchange
from orderproof.performing import End
from orderproof.target import Target


@dataclass(frozen=True)
class Brief:
    """What a worker has to know of the run: it is the one with a `number`, from 1, of so many.

    `rules` are ids. `deadline` is a reading of the monotonic clock, which all processes of a machine share. `shows`:
    every exchange is to be told.
    """

    target: Target
    rules: tuple[str, ...]
    profile: str
    seed: int
    number: int
    of: int
    deadline: float | None
    history: Path | None
    shows: bool


@dataclass(frozen=True, slots=True)
class Perform:
    """Perform the unit at a place."""

    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class CutDown:
    """Cut what was found down to the shortest sequence."""

    finding: Finding
    script: Script


@dataclass(frozen=True, slots=True)
class Stop:
    """Come to an end: tell what was found until now."""


Job = Perform | CutDown


@dataclass(frozen=True, slots=True)
class WantsTurn:
    """So many requests are ready to go out; the answer are the seconds to wait."""

    requests: int


@dataclass(frozen=True, slots=True)
class WantsOrder:
    """An order is needed; the answer is a `Supplied`."""

    draft: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Supplied:
    """The id of an order, or why there is none; `dry`: there will be none any more."""

    order_id: str | None
    sentence: str = ""
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Began:
    """A sequence begins; so many requests were sent for the job until now."""

    driver: str
    sequence: str
    requests: int


@dataclass(frozen=True, slots=True)
class Found:
    """A rule was seen broken for the first time by this worker; told at once, should it not come to an end."""

    finding: Finding
    script: Script


@dataclass(frozen=True, slots=True)
class Sent:
    """Exchanges that were made."""

    exchanges: Sequence[Exchange]


@dataclass(frozen=True, slots=True)
class Shortened:
    """What came of cutting down what was found; without a reduction, why there is none."""

    rule: str
    scenario: str
    reduction: Reduction | None
    requests: int
    end: End
    sentence: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A fault of ours ended the worker."""

    sentence: str
