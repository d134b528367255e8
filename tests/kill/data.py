"""The results of the kill matrix as data: a CSV file each for faults, exactness and correct variants."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from tests.kill.trial import Conformity, Exactness, Row

DOCS = Path(__file__).resolve().parents[2] / "docs"
MATRIX = DOCS / "kill-matrix.csv"
EXACT = DOCS / "exact-faults.csv"
VARIANTS = DOCS / "correct-variants.csv"
PAGE = DOCS / "kill-matrix.md"


def rows(path: Path = MATRIX) -> list[Row]:
    """Return the rows of a matrix, in the order of the file; none if there is no file."""
    return [_row(record) for record in _records(path)]


def _row(record: dict[str, str]) -> Row:
    return Row(
        fault=record["fault"],
        rule=record["rule"],
        when=record["when"],
        profile=record["profile"],
        found=record["found"] == "yes",
        by=tuple(record["by"].split()),
        requests=int(record["requests"]),
        seconds=float(record["seconds"]),
        calls=int(record["calls"]) if record["calls"] else None,
        note=record["note"],
    )


def exactness(path: Path = EXACT) -> list[Exactness]:
    """Return for each rule the fault that turned the fewest others red, in the order of the file."""
    return [_exactness(record) for record in _records(path)]


def _exactness(record: dict[str, str]) -> Exactness:
    return Exactness(
        rule=record["rule"],
        fault=record["fault"],
        scenario=record["scenario"],
        red=tuple(record["red"].split()),
        roots=tuple(record["roots"].split()),
    )


def conformities(path: Path = VARIANTS) -> list[Conformity]:
    """Return what was said of correct variants, in the order of the file; nothing if there is no file."""
    return [_conformity(record) for record in _records(path)]


def _conformity(record: dict[str, str]) -> Conformity:
    return Conformity(
        variant=record["variant"],
        profile=record["profile"],
        seed=int(record["seed"]),
        accused=tuple(record["accused"].split()),
        requests=int(record["requests"]),
        seconds=float(record["seconds"]),
        detail=record["detail"],
    )


def write(entries: Iterable[Row | Exactness | Conformity], path: Path) -> None:
    """Write what was measured, sorted, in place of what the file had."""
    records = sorted(map(_flat, entries), key=lambda record: [str(value) for value in record.values()])
    names = list(records[0]) if records else [one.name for one in fields(Row)]
    fresh = path.with_suffix(".new")
    with fresh.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
    fresh.replace(path)  # whoever reads at this moment reads the one or the other


def _flat(entry: Row | Exactness | Conformity) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in asdict(entry).items():
        if isinstance(value, tuple):
            value = " ".join(value)
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        flat[name] = "" if value is None else value
    return flat


def _records(path: Path) -> Iterator[dict[str, str]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
