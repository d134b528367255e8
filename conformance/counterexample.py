"""A counterexample: the orders and calls that show a finding, as a file that can be sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Command, Sequence, command_from, command_record
from orderproof.errors import UsageError
from orderproof.operations import OPERATIONS

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Counterexample:
    """What breaks a rule: the sequence, and what was expected and seen.

    `flaky` says how often it failed in how many tries; None when it failed each time. `target` is the base URL of the
    server on which it was seen; empty for the embedded sandbox.
    """

    rule: str
    expected: str
    actual: str
    seed: int
    scenario: str
    sequence: Sequence
    flaky: tuple[int, int] | None = None
    target: str = ""


def counterexample_of(finding: Finding, sequence: Sequence, *, seed: int, scenario: str) -> Counterexample:
    """Return a finding with a sequence that shows it; `scenario` is where it was found first."""
    return Counterexample(
        rule=finding.rule,
        expected=finding.expected,
        actual=finding.actual,
        seed=seed,
        scenario=scenario,
        sequence=sequence,
        flaky=finding.flaky,
    )


def to_record(example: Counterexample) -> dict[str, Any]:
    """Return the counterexample as JSON data."""
    flaky = {} if example.flaky is None else {"flaky": list(example.flaky)}
    return {
        "orderproof_counterexample": FORMAT,
        "rule": example.rule,
        "expected": example.expected,
        "actual": example.actual,
        "seed": example.seed,
        "scenario": example.scenario,
        "target": example.target,
        **flaky,
        "orders": [dict(draft) for draft in example.sequence.orders],
        "steps": [command_record(command) for command in example.sequence.commands],
    }


def from_record(data: Any) -> Counterexample:
    """Read a counterexample from JSON data. Raises ValueError on data of another shape."""
    if not isinstance(data, Mapping) or data.get("orderproof_counterexample") != FORMAT:
        raise ValueError(f"it has no orderproof_counterexample: {FORMAT}")
    try:
        return _example(data)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"a field is missing or has the wrong type: {error}") from None


def _example(data: Mapping[str, Any]) -> Counterexample:
    commands: tuple[Command, ...] = tuple(command_from(step) for step in data["steps"])
    orders = tuple(dict(draft) for draft in data["orders"])
    unknown = [command.operation for command in commands if command.operation not in OPERATIONS]
    if unknown:
        raise ValueError(f"no operation is called {unknown[0]!r}")
    if not all(0 <= order < len(orders) for command in commands for order in _orders_of(command)):
        raise ValueError(f"a step is about an order that is not among the {len(orders)} of the file")
    flaky = data.get("flaky")
    return Counterexample(
        rule=str(data["rule"]),
        expected=str(data["expected"]),
        actual=str(data["actual"]),
        seed=int(data.get("seed", 0)),
        scenario=str(data.get("scenario", "counterexample")),
        sequence=Sequence(orders, commands),
        flaky=None if flaky is None else (int(flaky[0]), int(flaky[1])),
        target=str(data.get("target", "")),
    )


def _orders_of(command: Command) -> Iterator[int]:
    """The orders of the sequence that a command needs."""
    if command.order_id is None:
        yield command.order
    if command.donor is not None:
        yield command.donor


def load(path: Path) -> Counterexample:
    """Read a counterexample file. Raises UsageError with a sentence when it is none."""
    try:
        return from_record(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"the counterexample {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} is not a counterexample: {error}") from None


def clear(directory: Path) -> None:
    """Delete the counterexamples that an earlier run left in a folder."""
    for path in directory.glob("*.json"):
        if re.fullmatch(r"[A-Z]+(-[A-Z0-9]+)+(-\d+)?\.json", path.name):
            path.unlink()


def save(directory: Path, example: Counterexample) -> Path:
    """Write a counterexample into a folder, named after its rule; a second one of a rule gets a number."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{example.rule}.json"
    number = 2
    while path.exists():
        path = directory / f"{example.rule}-{number}.json"
        number += 1
    path.write_text(json.dumps(to_record(example), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
