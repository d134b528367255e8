"""The final screen of a run as lines of text: the verdict first, then what a reader has to act on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from orderproof.outcome import Block, RuleResult, RunResult, Verdict
from orderproof.report.block import WIDTH, block_lines, failures, heading, is_failure, run_again, warnings
from orderproof.report.text import counted, duration, hanging, visible

MOST_BLOCKS = 25
"""Root causes shown in full; the report has the others."""

WORDS = {
    Verdict.FAILED: "failed",
    Verdict.ERROR: "in error",
    Verdict.WARNED: "warned",
    Verdict.WAIVED: "waived",
    Verdict.NOT_EXERCISED: "not exercised",
    Verdict.PASSED: "passed",
}
"""The verdicts as people read them, worst first."""

_ALWAYS = frozenset({Verdict.FAILED, Verdict.PASSED})


def screen(
    result: RunResult, *, width: int = WIDTH, report: Path | None = None, quiet: bool = False
) -> Iterator[str]:
    """Yield the lines of the final screen, each at most `width` cells wide (48 at least, 88 at most).

    Paths and commands stay in one line, so that they can be copied. `report` is the folder of the report as
    the reader sees it. `quiet` leaves the verdict and the failures.
    """
    width = min(max(width, 48), WIDTH)
    folder = "" if report is None else report.as_posix()
    yield from verdict_lines(result, width)
    if result.rules and not quiet:
        yield from hanging("", counts_line(result), width)
    yield from _failures(result, width, folder)
    if not quiet:
        yield from _warnings(result, width)
        yield from grouped("Waived", result, Verdict.WAIVED, width)
        yield from grouped("In error: the suite's own fault", result, Verdict.ERROR, width)
        yield from grouped("Not exercised", result, Verdict.NOT_EXERCISED, width)
    yield from _end(result, width, report)


def verdict_lines(result: RunResult, width: int = WIDTH) -> list[str]:
    """Return the verdict, what was judged, and how."""
    label = f"{result.verdict.upper()}  "
    facts = [f"seed {result.seed}", counted(result.requests, "request"), duration(result.duration_s)]
    if result.profile:
        facts.insert(0, f"profile {result.profile}")
    lines = hanging(label, f"{visible(result.target)}: {headline(result)}", width, lines=4)
    lines += hanging(" " * len(label), " · ".join(facts), width)
    if result.interrupted:
        lines += hanging(" " * len(label), f"interrupted: {visible(result.interrupted)}", width)
    return lines


def headline(result: RunResult) -> str:
    """Return the verdict as a clause: `2 rules are broken, by 1 root cause`."""
    broken = sum(is_failure(result, entry.verdict) for entry in result.rules)
    if broken and result.verdict != "waivers":
        are = "rule is broken" if broken == 1 else "rules are broken"
        causes = counted(len(failures(result)), "root cause")
        return f"{broken:,} {are}{'' if result.verdict == 'broken' else ' so far'}, by {causes}"
    if result.verdict == "conforms":
        waived, warned = result.count(Verdict.WAIVED), result.count(Verdict.WARNED)
        said = [f"but {counted(waived, 'rule')} waived"] if waived else []
        said += [counted(warned, "warning")] if warned else []
        return ", ".join(["nothing is broken", *said])
    if result.verdict == "waivers":
        return "a waiver is stale, expired, or covers another failure than it says"
    return "could not be judged"


def counts_line(result: RunResult) -> str:
    """Return how many rules have which verdict, worst first."""
    counts = [(result.count(verdict), verdict, word) for verdict, word in WORDS.items()]
    shown = [f"{number:,} {word}" for number, verdict, word in counts if number or verdict in _ALWAYS]
    return f"{counted(len(result.rules), 'rule')}: {' · '.join(shown)}"


def _failures(result: RunResult, width: int, folder: str) -> Iterator[str]:
    blocks = failures(result)
    for block in blocks[:MOST_BLOCKS]:
        yield ""
        yield from block_lines(block, width=width, folder=folder)
    if len(blocks) > MOST_BLOCKS:
        yield ""
        yield f"and {counted(len(blocks) - MOST_BLOCKS, 'root cause')} more, in the report"
    for entry in unexplained(result):
        yield ""
        yield from heading(entry.rule, width, sign="×")
        yield from hanging("  Actual     ", visible(entry.reason or "broken"), width, lines=4)


def unexplained(result: RunResult) -> list[RuleResult]:
    """Return the failed rules that no block is about, as a root cause or as what follows from one."""
    shown = {block.rule.id for block in result.blocks}
    shown |= {rule.id for block in result.blocks for rule, _, _ in block.follows}
    broken = [entry for entry in result.rules if is_failure(result, entry.verdict)]
    return [entry for entry in broken if entry.rule.id not in shown]


def _warnings(result: RunResult, width: int) -> Iterator[str]:
    blocks = warnings(result)
    if blocks:
        yield ""
        yield "Warnings"
    for block in blocks:
        yield from _warning(block, width)


def _warning(block: Block, width: int) -> Iterator[str]:
    yield from heading(block.rule, width, sign="!")
    yield from hanging("  ", visible(f"expected {block.expected}, got {block.actual}"), width, lines=2)


def by_reason(results: Sequence[RuleResult]) -> dict[str, list[str]]:
    """Return the ids of rules by the reason for their verdict, the most common reason first."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for entry in results:
        groups[entry.reason or "no reason is known"].append(entry.rule.id)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def grouped(title: str, result: RunResult, verdict: Verdict, width: int) -> Iterator[str]:
    """Yield the rules of a verdict under its reasons, below a title; nothing when there are none."""
    chosen = [entry for entry in result.rules if entry.verdict is verdict]
    if not chosen:
        return
    yield ""
    yield from hanging("", f"{title} ({len(chosen)})", width)
    for reason, ids in by_reason(chosen).items():
        yield from hanging("  ", visible(reason), width, lines=3)
        yield from hanging("    ", ", ".join(_gathered(ids, result)), width)


def _gathered(ids: Sequence[str], result: RunResult) -> Iterator[str]:
    """Rules by id; where all of an area are among them, the area alone: `CLI-*`."""
    areas = Counter(_area(entry.rule.id) for entry in result.rules)
    here = Counter(map(_area, ids))
    whole = {area for area, count in here.items() if count > 1 and count == areas[area]}
    yield from dict.fromkeys(f"{_area(rule)}-*" if _area(rule) in whole else rule for rule in ids)


def _area(rule: str) -> str:
    return rule.partition("-")[0]


def _end(result: RunResult, width: int, report: Path | None) -> Iterator[str]:
    lines = [line for note in result.notes for line in hanging("Note       ", visible(note), width, lines=4)]
    if report is not None:
        lines.append("Report     " + visible((report / "report.html").as_posix()))
    if result.command:
        lines.append("Again      " + visible(run_again(result)))
    if lines:
        yield ""
        yield from lines
