"""Bodies at and beyond the bounds of their schemas, and in every notation: taken if valid, refused if not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from orderproof.drivers import invalid, notations
from orderproof.drivers.grounds import lay, with_bodies
from orderproof.drivers.notations import Notation
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_READ_EVERY = {"quick": 8, "standard": 2, "deep": 1}


@dataclass(frozen=True)
class Portion:
    """What is tried of one operation."""

    defects: Sequence[int]
    notations: Sequence[Notation]
    read_every: int


def scenarios(profile: str, chance: Random) -> tuple[list[Scenario], str]:
    """One script for each operation with a body, and what a report has to say of how much they leave out."""
    quick = profile == "quick"
    defects = invalid.part(chance) if quick else invalid.whole()
    written = notations.part(chance) if quick else notations.whole()
    scripts = [
        Scenario(f"bodies: {name}", partial(_try, name, Portion(defects[name], written[name], _READ_EVERY[profile])))
        for name in with_bodies()
    ]
    return scripts, _note(defects)


def _note(defects: Mapping[str, Sequence[int]]) -> str:
    total, tried = (sum(map(len, numbers.values())) for numbers in (invalid.whole(), defects))
    return "" if tried == total else f"{tried} of {total} bodies with one defect were tried, as the seed chose"


def _try(operation: str, portion: Portion, stage: Stage) -> None:
    ground = lay(stage, operation)
    ground = invalid.probe(ground, portion.defects, read_every=portion.read_every)
    notations.probe(ground, portion.notations, read_every=portion.read_every)
