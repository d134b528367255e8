"""`summary.md`: the outcome in Markdown, short enough for a job summary (`$GITHUB_STEP_SUMMARY`) or a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from orderproof.outcome import Block, RunResult, Verdict
from orderproof.report.block import block_lines, failures, run_again, warnings
from orderproof.report.files import write_whole
from orderproof.report.screen import WORDS, by_reason, headline, unexplained
from orderproof.report.text import counted, duration, shortened, visible

FILE_NAME = "summary.md"
MOST_BLOCKS = 20
"""Root causes shown in full; job summaries end at 1 MiB."""

_MOST_CURL = 8_000
_MARKS = re.compile(r"[\\`*_\[\]#|<>&~$@]|:(?=//)|^[-+=]")
_SIGNS = {"conforms": "✅", "broken": "❌"}


def write_markdown(directory: Path, result: RunResult) -> Path:
    """Write `summary.md` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / FILE_NAME, markdown(result))


def markdown(result: RunResult) -> str:
    """Return the outcome in GitHub's Markdown. What a target sent is in it as text only."""
    return "\n\n".join(_parts(result)) + "\n"


def _parts(result: RunResult) -> Iterator[str]:
    sign = _SIGNS.get(result.verdict, "⚠️")
    yield f"## {sign} {result.verdict.capitalize()}: {_plain(result.target)}"
    yield f"{headline(result).capitalize()}. {_how(result)}"
    if result.interrupted:
        yield f"Interrupted: {_plain(result.interrupted)}"
    if result.notes:
        yield "\n".join(f"- {_plain(note)}" for note in result.notes)
    if result.rules:
        yield _counts(result)
    blocks = failures(result)
    for block in blocks[:MOST_BLOCKS]:
        yield from _cause(block)
    if len(blocks) > MOST_BLOCKS:
        yield f"And {counted(len(blocks) - MOST_BLOCKS, 'root cause')} more, in `report.html`."
    for entry in unexplained(result):
        yield f"### {entry.rule.id} {_plain(entry.rule.title)}\n\n{_plain(entry.reason or 'broken')}"
    yield from _listed("Warnings", [_warning(block) for block in warnings(result)])
    yield from _reasons("Waived", result, Verdict.WAIVED)
    yield from _reasons("In error, the suite's own fault", result, Verdict.ERROR)
    yield from _reasons("Not exercised", result, Verdict.NOT_EXERCISED)
    if result.command:
        yield f"This run again: {_code(run_again(result))}"


def _how(result: RunResult) -> str:
    facts = [f"seed {result.seed}", counted(result.requests, "request"), duration(result.duration_s)]
    if result.profile:
        facts.insert(0, f"profile {_plain(result.profile)}")
    return ", ".join(facts).capitalize() + "."


def _counts(result: RunResult) -> str:
    shown = {word: result.count(verdict) for verdict, word in WORDS.items() if result.count(verdict)}
    head, rule, row = (" | ".join(cells) for cells in (shown, ["--:"] * len(shown), map(str, shown.values())))
    return f"| {head} |\n| {rule} |\n| {row} |"


def _cause(block: Block) -> Iterator[str]:
    yield f"### {block.rule.id} {_plain(block.rule.title)}"
    yield block.rule.requirement
    yield _fenced("\n".join(block_lines(block)), "text")
    if block.curl:
        curl = block.curl if len(block.curl) <= _MOST_CURL else block.curl[:_MOST_CURL] + "\n# … cut here"
        lines = "\n".join(visible(line) for line in curl.rstrip("\n").split("\n"))
        yield f"<details><summary>The same with curl</summary>\n\n{_fenced(lines, 'sh')}\n\n</details>"


def _warning(block: Block) -> str:
    expected, actual = shortened(block.expected, 200), shortened(block.actual, 200)
    return (
        f"**{block.rule.id}** {_plain(block.rule.title)}: expected {_plain(expected)}, got {_plain(actual)}"
    )


def _listed(title: str, items: list[str]) -> Iterator[str]:
    if items:
        lines = "\n".join(f"- {item}" for item in items)
        yield f"<details><summary>{title} ({len(items)})</summary>\n\n{lines}\n\n</details>"


def _reasons(title: str, result: RunResult, verdict: Verdict) -> Iterator[str]:
    chosen = [entry for entry in result.rules if entry.verdict is verdict]
    items = [f"{_plain(reason)}: {', '.join(ids)}" for reason, ids in by_reason(chosen).items()]
    for part in _listed(title, items):
        yield part.replace(f"({len(items)})", f"({len(chosen)})", 1)


def _plain(text: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return _MARKS.sub(lambda match: "\\" + match[0], visible(text))


def _code(text: str) -> str:
    """Return text as a code span, however many backquotes it has."""
    shown = visible(text)
    runs = _longest_run(shown)
    fence, gap = "`" * (runs + 1), " " if runs else ""
    return f"{fence}{gap}{shown}{gap}{fence}"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
