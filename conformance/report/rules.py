"""The rule catalogue as text: a list, or one rule explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orderproof.catalogue import Rule
from orderproof.report.text import hanging


def listed(rules: Iterable[Rule]) -> str:
    """One line a rule: id, level, title; one heading an area."""
    lines: list[str] = []
    area = ""
    for rule in rules:
        if rule.area != area:
            area = rule.area
            lines += ["", area.upper()] if lines else [area.upper()]
        lines.append(f"  {rule.id:<12} {rule.level:<7} {rule.title}")
    return "\n".join(lines)


def explained(rule: Rule, faults: Sequence[str] = ()) -> str:
    """Everything about one rule: what must hold, where that is written, what is open, and which faults break it."""
    lines = [f"{rule.id}  {rule.title}  ({rule.level}, judges a {rule.judges}, {rule.basis})", ""]
    for source in rule.sources:
        lines += hanging("Contract   ", str(source), 100)
    lines += hanging("Requires   ", rule.requirement, 100)
    for outcome in rule.open:
        lines += hanging("Open       ", outcome, 100)
    if rule.needs:
        lines += hanging("Needs      ", ", ".join(rule.needs), 100)
    lines += hanging("Checked by ", ", ".join(_checks_of(rule)) or "no check yet", 100)
    for one in faults:
        lines += hanging("Fault      ", one, 100)
    return "\n".join(lines)


def _checks_of(rule: Rule) -> list[str]:
    from orderproof.judge import registered  # a list of the rules does without what judges by them

    checks = [entry.judge for entry in registered() if entry.rule == rule.id]
    return [f"{check.__module__}.{getattr(check, '__name__', '?')}" for check in checks]
