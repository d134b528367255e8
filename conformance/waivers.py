"""Waivers: failures that a user knows of, in the user's own file, each with a reason and an end.

A waiver that no longer fits is as loud as a failure: the rule holds by now (stale), its day has passed (expired), or
the rule fails in another way than the waiver says.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from orderproof.catalogue import catalogue
from orderproof.errors import UsageError
from orderproof.outcome import RuleResult, RunResult, Verdict

EXIT_CODE = 4
DRAFTED_DAYS = 90
_REQUIRED = {"rule": str, "reason": str, "expires": date}
_OPTIONAL = {"message": str, "target": str, "operation": str}
_FAILING = (Verdict.FAILED, Verdict.WARNED)


@dataclass(frozen=True, slots=True)
class Waiver:
    """One known failure: the rule, why it is let pass, until which day, and what the failure says.

    `message` is a piece of what the failure says (empty: anything), `target` a pattern of the base URL (`*`: any),
    `operation` the operation it fails in (empty: any).
    """

    rule: str
    reason: str
    expires: date
    message: str = ""
    target: str = "*"
    operation: str = ""


def load(path: Path) -> list[Waiver]:
    """Read a waiver file. Raises UsageError for one that cannot be read, or an entry that is not whole."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the waivers {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the waivers {path} are not TOML: {error}") from None
    entries = data.get("waiver")
    if not isinstance(entries, list) or set(data) - {"waiver"}:
        raise UsageError(f"the waivers {path} have no [[waiver]] tables, or something beside them")
    return [_waiver(entry, f"waiver {number} of {path}") for number, entry in enumerate(entries, 1)]


def _waiver(entry: Any, name: str) -> Waiver:
    if not isinstance(entry, dict):
        raise UsageError(f"{name} is not a table but {entry!r}")
    for key, kind in _REQUIRED.items():
        if not isinstance(entry.get(key), kind) or entry[key] == "":
            wanted = "a day, as in 2027-03-31" if kind is date else "a text"
            raise UsageError(f"{name} has {key} = {entry.get(key)!r}, where {wanted} belongs")
    unknown = set(entry) - set(_REQUIRED) - set(_OPTIONAL)
    if unknown:
        raise UsageError(
            f"{name} has an unknown key {min(unknown)!r}: known are {', '.join((*_REQUIRED, *_OPTIONAL))}"
        )
    wrong = [key for key in _OPTIONAL if key in entry and not isinstance(entry[key], str)]
    if wrong:
        raise UsageError(f"{name} has {wrong[0]} = {entry[wrong[0]]!r}, where a text belongs")
    if entry["rule"] not in catalogue():
        raise UsageError(f"{name} names the rule {entry['rule']!r}, which is not in the catalogue")
    return Waiver(**entry)


def applied(result: RunResult, waivers: Iterable[Waiver], today: date) -> RunResult:
    """Return the outcome with the waivers for its target applied.

    Rules that fail as their waiver says become `waived`. What is wrong with waivers goes into the notes, and makes the
    exit code 4 unless a rule without a waiver is broken too.
    """
    mine = [waiver for waiver in waivers if fnmatch(result.target, waiver.target)]
    rules = [_waived(rule, mine, result, today) for rule in result.rules]
    problems = [problem for waiver in mine if (problem := _problem(waiver, result, today))]
    failing = [rule for rule in rules if rule.verdict is Verdict.FAILED]
    others = [rule for rule in failing if rule.rule.id not in {waiver.rule for waiver in mine}]
    verdict, code = result.verdict, result.exit_code
    if problems and not others and code in (0, 1):
        verdict, code = "waivers", EXIT_CODE
    elif code == 1 and not failing:
        verdict, code = ("not judged", 3) if result.interrupted else ("conforms", 0)
    return replace(result, rules=rules, notes=(*result.notes, *problems), verdict=verdict, exit_code=code)


def _fits(waiver: Waiver, result: RunResult) -> bool:
    """Say whether every way in which the rule fails is the one that the waiver says."""
    texts = [f"expected {b.expected}; got {b.actual}" for b in result.blocks if b.rule.id == waiver.rule]
    texts += [
        f"expected {expected}; got {actual}"
        for block in result.blocks
        for rule, expected, actual in block.follows
        if rule.id == waiver.rule
    ]
    operations = {block.operation for block in result.blocks if block.rule.id == waiver.rule}
    same_place = not waiver.operation or operations <= {waiver.operation}
    return same_place and all(waiver.message in text for text in texts)


def _waived(rule: RuleResult, waivers: Sequence[Waiver], result: RunResult, today: date) -> RuleResult:
    mine = [w for w in waivers if w.rule == rule.rule.id and w.expires >= today and _fits(w, result)]
    if rule.verdict not in _FAILING or not mine:
        return rule
    reason = f"{mine[0].reason} (until {mine[0].expires})"
    return replace(rule, verdict=Verdict.WAIVED, reason=reason)


def _problem(waiver: Waiver, result: RunResult, today: date) -> str:
    verdict = next((rule.verdict for rule in result.rules if rule.rule.id == waiver.rule), None)
    if verdict is Verdict.PASSED:
        return f"the waiver of {waiver.rule} is stale: the rule holds by now"
    if verdict not in _FAILING:
        return ""
    if waiver.expires < today:
        return f"the waiver of {waiver.rule} expired on {waiver.expires}"
    if not _fits(waiver, result):
        return f"{waiver.rule} fails in another way than its waiver says ({waiver.message or waiver.operation!r})"
    return ""


def drafted(result: RunResult, today: date) -> str:
    """Return a waiver file for the failures of a run, its reasons still to be written."""
    lines = ["# Known failures. Write a reason for each; a waiver that no longer fits fails the run."]
    found = [(block.rule.id, block.expected, block.actual, block.operation) for block in result.blocks]
    found += [(rule.id, e, a, block.operation) for block in result.blocks for rule, e, a in block.follows]
    for rule, _, actual, operation in found:
        values: Mapping[str, str] = {
            "rule": _quoted(rule),
            "target": _quoted(result.target),
            "operation": _quoted(operation or ""),
            "message": _quoted(actual.partition("\n")[0][:60]),
            "reason": _quoted("to be written"),
            "expires": (today + timedelta(days=DRAFTED_DAYS)).isoformat(),
        }
        lines += ["", "[[waiver]]", *(f"{name} = {value}" for name, value in values.items() if value != '""')]
    return "\n".join(lines) + "\n"


def hold_writable(path: Path) -> None:
    """Raise UsageError where a draft could not be written, before a run is spent on it."""
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        reason = "it is a folder" if path.is_dir() else f"{folder} is no folder that can be written to"
        raise UsageError(f"the waivers {path} cannot be written: {reason}")


def write_draft(path: Path, result: RunResult) -> None:
    """Write a drafted waiver file. Raises UsageError when it cannot be written."""
    try:
        path.write_text(drafted(result, today()), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the waivers {path} cannot be written: {error.strerror}") from None


def today() -> date:
    """The day by which waivers expire, in UTC."""
    return datetime.now(UTC).date()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
