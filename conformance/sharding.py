"""Shards: a run in several parts, each on a machine of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orderproof.drivers.plan import Driver, Unit
from orderproof.errors import UsageError
from orderproof.ledger import Ledger

__all__ = ["Shard", "shard_from", "shard_record", "units_of"]


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of a run, counted from 1, out of so many."""

    number: int = 1
    of: int = 1

    def takes(self, place: tuple[int, int]) -> bool:
        """Say whether the unit at a place is in this part."""
        return sum(place) % self.of == self.number - 1


def shard_from(text: str) -> Shard:
    """Read `--shard`: K/N, with K from 1 to N. Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip(), re.ASCII)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of:
        raise UsageError(f"--shard {text!r} is not of the form K/N with K from 1 to N, as in 2/4")
    return Shard(number, of)


def units_of(driver: Driver, number: int, shard: Shard | None) -> Iterator[Unit]:
    """Yield the units of a driver, which has a number in the plan, that are in a shard; without one, all of them."""
    position = 0
    while (unit := driver.unit(position, number)) is not None:
        if shard is None or shard.takes(unit.place):
            yield unit
        position += 1


def shard_record(shard: Shard, ledger: Ledger) -> dict[str, Any]:
    """Return which part of a run this was, and what of it says how its findings hang together with those of others."""
    known = ledger.blame.known()
    return {
        "number": shard.number,
        "of": shard.of,
        "blamed": [
            {"operation": name, "rule": known[name], "place": list(place)}
            for name, place in sorted(ledger.blamed.items())
        ],
        "origins": [
            {"rule": rule, "place": list(place), "suspects": list(suspects)}
            for rule, origins in ledger.origins.items()
            for place, suspects in origins
        ],
    }
