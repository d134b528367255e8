"""The failure block: one root cause as lines of text, the same in every report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from shlex import quote

from rich.cells import cell_len

from orderproof.catalogue import Rule
from orderproof.outcome import Block, RunResult, StepShown, Verdict
from orderproof.report.situation import order_was, together
from orderproof.report.text import hanging, padded, shortened, visible, wrapped

WIDTH = 88
"""The cells that a block takes at most."""

_LABEL = 13
_VALUE_LINES = 4
_MOST_FOLLOWING = 12
_MOST_BEFORE = 6


def failures(result: RunResult) -> list[Block]:
    """Return the root causes that make the run fail: of failed rules, in a strict run of warned ones too."""
    failed = {entry.rule.id for entry in result.rules if is_failure(result, entry.verdict)}
    return [block for block in result.blocks if block.rule.id in failed]


def warnings(result: RunResult) -> list[Block]:
    """Return the root causes that are warnings in this run."""
    warned = {entry.rule.id for entry in result.rules if entry.verdict is Verdict.WARNED}
    return [block for block in result.blocks if block.rule.id in warned and not result.strict]


def is_failure(result: RunResult, verdict: Verdict) -> bool:
    """Say whether a rule of this verdict makes the run fail."""
    return verdict is Verdict.FAILED or (result.strict and verdict is Verdict.WARNED)


def block_lines(block: Block, *, width: int = WIDTH, folder: str = "", sign: str = "×") -> list[str]:
    """Return the lines of a block, each at most `width` cells wide (48 at least).

    The command that sends it again is one line all the same, so that it can be copied. `folder` is the report
    folder as the reader sees it; without one, the file of the counterexample is shown as the block has it.
    """
    width = min(max(width, 48), WIDTH)
    lines = heading(block.rule, width, sign=sign)
    for label, value in _fields(block):
        lines += hanging(padded(f"  {label}", _LABEL), visible(value), width, lines=_VALUE_LINES)
        if label == "Sent":
            lines += _before(block, width)
    if again(block, folder):
        lines.append(padded("  Again", _LABEL) + visible(again(block, folder)))
    return lines


def heading(rule: Rule, width: int, *, sign: str) -> list[str]:
    """Return the first line of a block, the level at its right edge, and the rest of a long title."""
    label = f"{sign} {rule.id}  "
    first, *rest = wrapped(rule.title, width - cell_len(label) - len(rule.level) - 2)
    indent = " " * cell_len(label)
    return [padded(label + first, width - len(rule.level)) + rule.level, *(indent + line for line in rest)]


def _fields(block: Block) -> Iterator[tuple[str, str]]:
    yield "Sent", block.sent
    was = order_was(block)
    if was:
        yield "Order was", was
    yield "Expected", block.expected
    yield "Actual", block.actual
    if block.note:
        yield "Note", block.note
    yield "Contract", "; ".join(str(source) for source in block.rule.sources[:2])
    if block.follows:
        yield "Follows", following(block)


def _before(block: Block, width: int) -> list[str]:
    """A line for each of the calls before the deciding one, and of those that were under way with it.

    The making of one order is not shown by itself.
    """
    at_once = together(block)
    decides = max((n for n, step in enumerate(block.steps) if step.deciding), default=len(block.steps) - 1)
    before = [step for n, step in enumerate(block.steps[: max(decides, 0)]) if n not in at_once]
    others = [step for n, step in enumerate(block.steps) if n in at_once and n != decides]
    return [
        *_listed("After", before if len(before) > 1 else (), width),
        *_listed("At once", others, width),
    ]


def _listed(title: str, steps: Sequence[StepShown], width: int) -> list[str]:
    """The last steps of a list, a line each, and how many more there are."""
    room = width - _LABEL
    shown = [_step(step, room) for step in steps[-_MOST_BEFORE:]]
    if len(steps) > len(shown):
        shown[0] = f"{len(steps) - len(shown) + 1} more calls"
    return [padded("" if number else f"  {title}", _LABEL) + line for number, line in enumerate(shown)]


def _step(step: StepShown, room: int) -> str:
    answer = shortened(visible(step.answer), room // 3)
    request = shortened(visible(step.request), room - cell_len(answer) - 2)
    return padded(request, room - room // 3 - 2) + "  " + answer


def following(block: Block) -> str:
    """Return the ids of the rules whose breach follows from this one, each once."""
    ids = list(dict.fromkeys(rule.id for rule, _, _ in block.follows))
    rest = len(ids) - _MOST_FOLLOWING
    return ", ".join(ids[:_MOST_FOLLOWING]) + (f" and {rest} more" if rest > 0 else "")


def again(block: Block, folder: str = "") -> str:
    """Return the command that sends a counterexample again, or nothing when none was saved."""
    if block.file is None:
        return ""
    path = PurePath(folder, block.file).as_posix() if folder else block.file
    return f"orderproof reproduce {quote(path)}"


def run_again(result: RunResult) -> str:
    """Return the command line that makes a run again, as far as the outcome knows it."""
    if " " in result.command or not result.command:
        return result.command
    target = f" --base-url {quote(result.target)}" if "://" in result.target else ""
    profile = f" --profile {quote(result.profile)}" if result.profile else ""
    return f"orderproof {quote(result.command)}{target}{profile} --seed {result.seed}"
