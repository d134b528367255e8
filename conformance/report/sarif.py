"""`findings.sarif`: the findings for code scanning, in SARIF 2.1.0."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orderproof.catalogue import Rule, source_address
from orderproof.outcome import Block, RunResult, Verdict
from orderproof.report.block import block_lines, is_failure
from orderproof.report.files import TOOL, tool_version, write_whole
from orderproof.report.text import visible

FILE_NAME = "findings.sarif"
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def write_sarif(directory: Path, result: RunResult) -> Path:
    """Write `findings.sarif` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / FILE_NAME, json.dumps(sarif(result), ensure_ascii=False, indent=2) + "\n")


def sarif(result: RunResult) -> dict[str, Any]:
    """Return the outcome as a SARIF log: one result for each root cause, waived ones suppressed.

    What a rule asks for is in the rule, what was found in the result's message. A place in a source file is not known:
    results point to the saved counterexample, relative to the report folder, and name the operation.
    """
    rules = list(dict.fromkeys(block.rule for block in result.blocks))
    driver = {
        "name": TOOL,
        "version": tool_version(),
        "rules": [_rule(rule) for rule in rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(result)],
        "columnKind": "utf16CodeUnits",
        "results": [_result(block, result, rules.index(block.rule)) for block in result.blocks],
        "properties": {"target": result.target, "profile": result.profile, "seed": result.seed},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _text(text: str) -> dict[str, str]:
    return {"text": text}


def _rule(rule: Rule) -> dict[str, Any]:
    sources = "; ".join(str(source) for source in rule.sources)
    addresses = [address for source in rule.sources if (address := source_address(source))]
    return {
        "id": rule.id,
        "shortDescription": _text(rule.title),
        "fullDescription": _text(rule.requirement),
        "help": _text(f"{rule.requirement}\n\nContract: {sources}"),
        "defaultConfiguration": {"level": "error" if rule.level == "MUST" else "warning"},
        "properties": {"tags": [rule.area, rule.level, rule.basis]},
        **({"helpUri": addresses[0]} if addresses else {}),
    }


def _result(block: Block, result: RunResult, index: int) -> dict[str, Any]:
    entry = next((entry for entry in result.rules if entry.rule.id == block.rule.id), None)
    verdict = Verdict.FAILED if entry is None else entry.verdict
    failed = is_failure(result, verdict) or (verdict is not Verdict.WARNED and block.rule.level == "MUST")
    data: dict[str, Any] = {
        "ruleId": block.rule.id,
        "ruleIndex": index,
        "level": "error" if failed else "warning",
        "message": _text(_message(block)),
        "locations": [_location(block)],
        "partialFingerprints": {"rootCause/v1": _fingerprint(block)},
        "occurrenceCount": block.count,
        "properties": {"follows": [rule.id for rule, _, _ in block.follows]},
    }
    if verdict is Verdict.WAIVED and entry is not None:
        data["suppressions"] = [{"kind": "external", "justification": visible(entry.reason)}]
    return data


def _message(block: Block) -> str:
    """A sentence, which is all that some readers show, and the block."""
    sentence = f"Expected {block.expected}, got {block.actual}."
    return "\n".join([visible(sentence), "", *block_lines(block)])


def _location(block: Block) -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(block.file or "result.json")},
            "region": {"startLine": 1},
        }
    }
    if block.operation:
        place["logicalLocations"] = [{"fullyQualifiedName": visible(block.operation), "kind": "function"}]
    return place


def _fingerprint(block: Block) -> str:
    """What stays the same of a root cause from run to run: ids, amounts and times in it do not."""
    return hashlib.sha256(
        f"{block.rule.id} {block.operation}".encode("utf-8", "backslashreplace")
    ).hexdigest()[:32]


def _invocation(result: RunResult) -> dict[str, Any]:
    started = _utc(result.started_at)
    return {
        "executionSuccessful": result.exit_code not in (2, 3),
        "exitCode": result.exit_code,
        **({"startTimeUtc": started} if started else {}),
        "toolExecutionNotifications": list(_notifications(result)),
    }


def _utc(time: str) -> str | None:
    try:
        return datetime.fromisoformat(time).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return None


def _notifications(result: RunResult) -> Iterator[Mapping[str, Any]]:
    for entry in result.rules:
        if entry.verdict is Verdict.ERROR:
            message = _text(visible(f"{entry.rule.id} could not be judged: {entry.reason}"))
            yield {"level": "error", "message": message, "descriptor": {"id": "own-fault"}}
    if result.interrupted:
        yield {"level": "error", "message": _text(visible(f"interrupted: {result.interrupted}"))}
    for note in result.notes:
        yield {"level": "note", "message": _text(visible(note))}
