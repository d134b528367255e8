"""What the users of one process saw, as plain data for the way to the master, and back.

Exchanges travel as a history file has them: without secrets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from orderproof.blame import Blame
from orderproof.checks.findings import Finding
from orderproof.drivers.commands import command_from, command_record
from orderproof.drivers.stage import Script
from orderproof.exchange import from_record, record
from orderproof.judge import Judge
from orderproof.load.users import Company
from orderproof.performing import Outcome

__all__ = ["outcomes", "packed"]

_TRAIL_CARRIED = 100
_FINDINGS_CARRIED = 40
"""Of each judge; there may be hundreds of them."""


def packed(company: Company) -> dict[str, Any]:
    """Return what was seen so far as JSON data."""
    counts = [party.commons.count for party in company.parties]
    return {
        "requests": company.requests,
        "problem": company.problem,
        "note": company.note,
        "calls_alone": sum(one.alone for one in counts),
        "calls_together": sum(one.together for one in counts),
        "groups": sum(one.groups for one in counts),
        "judges": [_judge_record(judge, scripts) for judge, scripts in company.judges()],
    }


def outcomes(carried: Mapping[str, Any], process: int) -> list[Outcome]:
    """Return what each judge of a process saw. Raises KeyError, TypeError or ValueError on data of another shape."""
    return [_outcome(data, (process, number)) for number, data in enumerate(carried["judges"])]


def _judge_record(judge: Judge, scripts: Mapping[str, Script]) -> dict[str, Any]:
    return {
        "exercised": dict(judge.exercised),
        "broken": dict(judge.broken),
        "errors": dict(judge.errors),
        "astray": dict(judge.blame.astray),
        "keys": judge.blame.keys,
        "findings": [_finding_record(finding) for finding in judge.findings[:_FINDINGS_CARRIED]],
        "scripts": [_script_record(script) for script in scripts.values()],
    }


def _outcome(data: Mapping[str, Any], place: tuple[int, int]) -> Outcome:
    scripts = [_script(one) for one in data["scripts"]]
    return Outcome(
        driver="load",
        place=place,
        findings=[_finding(one) for one in data["findings"]],
        exercised=Counter(data["exercised"]),
        broken=Counter(data["broken"]),
        errors=dict(data["errors"]),
        blame=Blame(dict(data["astray"]), data["keys"]),
        scripts={script.name: script for script in scripts},
    )


def _finding_record(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "expected": finding.expected,
        "actual": finding.actual,
        "exchange": record(finding.exchange),
        "operation": finding.operation,
        "order_id": finding.order_id,
        "trail": [record(exchange) for exchange in finding.trail[-_TRAIL_CARRIED:]],
        "follows": finding.follows,
        "suspects": list(finding.suspects),
    }


def _finding(data: Mapping[str, Any]) -> Finding:
    exchange = from_record(data["exchange"])
    trail = tuple(from_record(one) for one in data["trail"])
    return Finding(
        rule=str(data["rule"]),
        expected=str(data["expected"]),
        actual=str(data["actual"]),
        # Reports tell the deciding exchange from the others by its being the same object.
        exchange=next((one for one in trail if one.number == exchange.number), exchange),
        operation=data["operation"],
        order_id=data["order_id"],
        trail=trail,
        follows=data["follows"],
        suspects=tuple(data["suspects"]),
    )


def _script_record(script: Script) -> dict[str, Any]:
    return {
        "name": script.name,
        "drafts": [dict(draft) for draft in script.drafts],
        "performed": [[number, command_record(command)] for number, command in script.performed],
    }


def _script(data: Mapping[str, Any]) -> Script:
    performed = tuple((int(number), command_from(command)) for number, command in data["performed"])
    return Script(str(data["name"]), tuple(data["drafts"]), performed)
