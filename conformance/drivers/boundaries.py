"""Bodies at and beyond the bounds of their schemas, and in every notation: taken if valid, refused if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from orderproof.drivers import invalid, limits, notations
from orderproof.drivers.grounds import lay, with_bodies
from orderproof.drivers.limits import Limit
from orderproof.drivers.notations import Notation
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_READ_EVERY = {"quick": 8, "standard": 2, "deep": 1}


@dataclass(frozen=True)
class Grid:
    """What is tried, by operation: defects by number, notations, and valid bodies on their bounds."""

    defects: Mapping[str, Sequence[int]]
    notations: Mapping[str, Sequence[Notation]]
    limits: Mapping[str, Sequence[Limit]]

    @property
    def size(self) -> int:
        """How many bodies it has."""
        kinds = (self.defects, self.notations, self.limits)
        return sum(len(tried) for kind in kinds for tried in kind.values())


def whole() -> Grid:
    """The whole grid."""
    return Grid(invalid.whole(), notations.whole(), limits.whole())


def part(chance: Random) -> Grid:
    """A slice of the grid, chosen by chance: each field and each notation once, on one of the bodies that have it."""
    return Grid(invalid.part(chance), notations.part(chance), limits.part(chance))


def scenarios(profile: str, chance: Random) -> tuple[list[Scenario], str]:
    """Two scripts for each operation with a body, and a sentence on how much of the grid they leave out, or none."""
    grid = part(chance) if profile == "quick" else whole()
    every = _READ_EVERY[profile]
    scripts = [
        Scenario(f"wrong bodies: {name}", partial(_try_wrong, name, grid, every)) for name in with_bodies()
    ]
    scripts += [
        Scenario(f"valid bodies: {name}", partial(_try_valid, name, grid, every)) for name in grid.limits
    ]
    total = whole().size
    note = f"{grid.size} of {total} bodies on and beyond bounds were tried, as the seed chose"
    return scripts, note if grid.size < total else ""


def _try_wrong(operation: str, grid: Grid, read_every: int, stage: Stage) -> None:
    ground = invalid.probe(lay(stage, operation), grid.defects[operation], read_every=read_every)
    notations.probe(ground, grid.notations[operation], read_every=read_every)


def _try_valid(operation: str, grid: Grid, read_every: int, stage: Stage) -> None:
    limits.probe(stage, operation, grid.limits[operation], read_every=read_every)
