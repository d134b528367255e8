"""The books: what the sandbox holds of an order after a command ran, against what the command was told to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from orderproof.client.flows import MONEY, Books, Flow


class Fate(Enum):
    """What became of an order."""

    DONE = "as the intent has it"
    UNTOUCHED = "as before"
    PARTLY = "half-way"
    OTHER = "something else"


@dataclass(frozen=True)
class Balance:
    """The books of an order held against an intent: what was wanted and found, in words, where they differ."""

    fate: Fate
    expected: str = ""
    actual: str = ""
    doubled: bool = False


def balance(flow: Flow, before: Books, after: Books, *, answered: bool) -> Balance:
    """Hold the books after a run against those before it. `answered`: the flow's operation did its work."""
    wanted = flow.wanted(before)
    names = (*MONEY, *flow.also)
    wrong = _differences(names, wanted, after)
    if not wrong and answered:
        return Balance(Fate.DONE)
    done = "answered" if flow.reads else "taken"
    expected = "; ".join(f"{name} {_shown(wanted[name])}" for name in wrong) or f"{flow.answered} {done}"
    actual = "; ".join(f"{name} {_shown(after[name])}" for name in wrong) or f"no {flow.answered} {done}"
    if not _differences(names, before, after):
        return Balance(Fate.UNTOUCHED, expected, actual)
    if flow.part is not None and not _differences(names, flow.part(before), after):
        return Balance(Fate.PARTLY, expected, actual)
    return Balance(Fate.OTHER, expected, actual, _moved_too_much(before, wanted, after))


def _differences(names: tuple[str, ...], wanted: Books, found: Books) -> list[str]:
    return [name for name in names if wanted[name] != found[name]]


def _moved_too_much(before: Books, wanted: Books, after: Books) -> bool:
    """Say whether more was captured or refunded than the intent has, where it has any."""
    return any(
        (after[name] or 0) > (wanted[name] or 0) > (before[name] or 0)
        for name in ("captured_amount", "refunded_amount")
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
