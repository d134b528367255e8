"""`result.json`: the outcome of a run as data, written and read back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from orderproof.catalogue import Rule, catalogue
from orderproof.errors import UsageError
from orderproof.outcome import Block, RuleResult, RunResult, StepShown, Verdict
from orderproof.report.files import TOOL, asset, tool_version, write_whole

FILE_NAME = "result.json"
VERSION = 1
"""The version of the format. It changes when a field goes or gets another meaning."""

_SAME = (
    "command",
    "target",
    "profile",
    "seed",
    "strict",
    "started_at",
    "requests",
    "verdict",
    "exit_code",
    "interrupted",
)


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of `result.json`."""
    data: dict[str, Any] = json.loads(asset("result.schema.json"))
    return data


def result_data(result: RunResult) -> dict[str, Any]:
    """Return an outcome as JSON data of the published schema."""
    return {
        "version": VERSION,
        "tool": {"name": TOOL, "version": tool_version()},
        **{name: getattr(result, name) for name in _SAME},
        "duration_s": round(result.duration_s, 3),
        "notes": list(result.notes),
        "rules": [_rule_data(entry) for entry in result.rules],
        "findings": [finding for block in result.blocks for finding in _findings(block)],
        "coverage": dict(result.coverage),
        "workers": result.workers,
        "shard": None if result.shard is None else dict(result.shard),
        "shards": [dict(shard) for shard in result.shards],
    }


def write_result(directory: Path, result: RunResult) -> Path:
    """Write `result.json` into a folder, whole or not at all. Returns its path."""
    text = json.dumps(result_data(result), ensure_ascii=False, allow_nan=False, indent=2)
    return write_whole(directory / FILE_NAME, text + "\n")


def load(path: Path) -> RunResult:
    """Read an outcome back from `result.json`, or from the folder that has it.

    Raises UsageError, with a sentence for the user, for a file that is missing, of another format, or about
    rules that this version does not have.
    """
    file = path / FILE_NAME if path.is_dir() else path
    data = _checked(file, _read(file))
    return RunResult(
        **{name: data[name] for name in _SAME},
        duration_s=float(data["duration_s"]),
        rules=tuple(_rule_result(entry, file) for entry in data["rules"]),
        blocks=_blocks(data["findings"], file),
        coverage=data["coverage"],
        notes=tuple(data["notes"]),
        workers=data.get("workers", 1),
        shard=data.get("shard"),
        shards=tuple(data.get("shards", ())),
    )


def _rule_data(entry: RuleResult) -> dict[str, Any]:
    rule = entry.rule
    return {
        "id": rule.id,
        "level": rule.level,
        "judges": rule.judges,
        "area": rule.area,
        "title": rule.title,
        "verdict": entry.verdict.value,
        "exercised": entry.exercised,
        "reason": entry.reason,
    }


def _findings(block: Block) -> Iterator[dict[str, Any]]:
    """The root cause, then what follows from it."""
    yield _finding(block, block.rule, block.expected, block.actual) | {
        "sent": block.sent,
        "steps": [_step_data(step) for step in block.steps],
        "curl": block.curl,
        "file": block.file,
        "note": block.note,
        "count": block.count,
        "deciding": block.deciding,
        "exchanges": [dict(exchange) for exchange in block.exchanges],
    }
    for rule, expected, actual in block.follows:
        yield _finding(block, rule, expected, actual) | {"follows_from": block.rule.id}


def _finding(block: Block, rule: Rule, expected: str, actual: str) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "level": rule.level,
        "title": rule.title,
        "requirement": rule.requirement,
        "expected": expected,
        "actual": actual,
        "operation": block.operation,
        "order_id": block.order_id,
        "scenario": block.scenario,
        "sent": "",
        "steps": [],
        "curl": "",
        "file": None,
        "note": "",
        "count": 1,
        "deciding": None,
        "exchanges": [],
        "follows_from": None,
    }


def _step_data(step: StepShown) -> dict[str, Any]:
    return {"request": step.request, "answer": step.answer, "deciding": step.deciding}


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{file} is not JSON: is it a {FILE_NAME} of a run?") from None


@cache
def _validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(result_schema())


def _checked(file: Path, data: Any) -> dict[str, Any]:
    version = data.get("version") if isinstance(data, dict) else None
    if not isinstance(data, dict) or "version" not in data:
        raise UsageError(f"{file} is not the {FILE_NAME} of a run: it has no version")
    if version != VERSION:
        raise UsageError(f"{file} is of format {version!r}, this version of {TOOL} reads format {VERSION}")
    problem = next(_validator().iter_errors(data), None)
    if problem is not None:
        place = "/".join(map(str, problem.instance_path)) or "the whole"
        raise UsageError(f"{file} is not a {FILE_NAME} of format {VERSION}: {place}: {problem.message[:200]}")
    return data


def _rule(rule_id: str, file: Path) -> Rule:
    try:
        return catalogue()[rule_id]
    except KeyError:
        raise UsageError(
            f"{file} has the rule {rule_id}, which this version of {TOOL} does not have"
        ) from None


def _rule_result(entry: Mapping[str, Any], file: Path) -> RuleResult:
    verdict = Verdict(entry["verdict"])
    return RuleResult(_rule(entry["id"], file), verdict, entry["exercised"], entry["reason"])


def _blocks(findings: Sequence[Mapping[str, Any]], file: Path) -> tuple[Block, ...]:
    roots = [number for number, finding in enumerate(findings) if finding["follows_from"] is None]
    if findings and roots[:1] != [0]:
        raise UsageError(f"{file} begins with a finding that follows from none: {findings[0]['rule']}")
    ends = [*roots[1:], len(findings)] if roots else []
    return tuple(_block(findings[start:end], file) for start, end in zip(roots, ends, strict=True))


def _block(findings: Sequence[Mapping[str, Any]], file: Path) -> Block:
    root, *rest = findings
    return Block(
        rule=_rule(root["rule"], file),
        **{name: root[name] for name in ("expected", "actual", "operation", "order_id", "scenario", "sent")},
        **{name: root[name] for name in ("curl", "file", "note", "count", "deciding")},
        steps=tuple(StepShown(**step) for step in root["steps"]),
        follows=tuple((_rule(entry["rule"], file), entry["expected"], entry["actual"]) for entry in rest),
        exchanges=tuple(root["exchanges"]),
    )
