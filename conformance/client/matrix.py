"""The matrix of scenarios and rules, as text for a terminal and as a Markdown table for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orderproof.outcome import RunResult
from orderproof.report.files import write_whole

FILE_NAME = "matrix.md"
_BROKEN, _HELD, _UNTRIED = "✗", "✓", "·"


def rows_of(result: RunResult) -> Sequence[Mapping[str, Any]]:
    """Return the runs of a client as `result.json` has them, one for each scenario."""
    rows: Sequence[Mapping[str, Any]] = result.coverage.get("client", {}).get("scenarios", ())
    return rows


def matrix_lines(result: RunResult) -> list[str]:
    """Return a line for each scenario: how the command ended, what it sent, and which rules it broke in it."""
    rows = rows_of(result)
    if not rows:
        return []
    width = max(len(row["name"]) for row in rows)
    lines = [f"{'Weather':<{width}}  exit  requests  rules broken (of those put to the test)"]
    for row in rows:
        broken = [rule for rule, counts in row["rules"].items() if counts["broken"]]
        code = "–" if row["exit_code"] is None else str(row["exit_code"])
        what = f"{', '.join(broken) or 'none'} ({len(row['rules'])})"
        lines.append(f"{row['name']:<{width}}  {code:>4}  {row['requests']:>8}  {what}")
    return lines


def matrix_table(result: RunResult) -> str:
    """Return the whole matrix as a Markdown table, a row for each rule and a column for each scenario."""
    rows = rows_of(result)
    names = [row["name"] for row in rows]
    lines = [
        "# Scenarios and rules",
        "",
        f"{_BROKEN} broken, {_HELD} put to the test and kept, {_UNTRIED} not put to the test.",
        "",
        "| rule | " + " | ".join(names) + " |",
        "|---|" + "---|" * len(names),
    ]
    for entry in result.rules:
        marks = [_mark(row["rules"].get(entry.rule.id)) for row in rows]
        lines.append(f"| {entry.rule.id} | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def write_matrix(directory: Path, result: RunResult) -> Path:
    """Write the matrix into a report folder. Returns its path."""
    return write_whole(directory / FILE_NAME, matrix_table(result))


def _mark(counts: Mapping[str, int] | None) -> str:
    if counts is None:
        return _UNTRIED
    return _BROKEN if counts["broken"] else _HELD
