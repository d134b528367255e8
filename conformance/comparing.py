"""Several runs side by side: where their verdicts differ, and what changed between two runs of one target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from orderproof.catalogue import Rule, catalogue
from orderproof.errors import UsageError
from orderproof.outcome import RuleResult, RunResult, Verdict
from orderproof.report.result_json import load

BROKEN = "newly broken"
MENDED = "mended"
ELSEWHERE = "fails elsewhere"
UNTESTED = "no longer put to the test"
OTHERWISE = "changed otherwise"
KINDS = (BROKEN, ELSEWHERE, MENDED, UNTESTED, OTHERWISE)
"""What can have become of a rule that both runs judged, in the order in which a reader wants to know."""

_BAD = frozenset({Verdict.FAILED, Verdict.WARNED})
_GOOD = frozenset({Verdict.PASSED, Verdict.WAIVED})


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of a run, the name it was given on the command line (or its target's), and where it was read."""

    name: str
    place: str
    result: RunResult

    def verdict(self, rule: str) -> Verdict | None:
        """The verdict on a rule; None when the rule was no part of the run."""
        found = self.entry(rule)
        return found.verdict if found else None

    def entry(self, rule: str) -> RuleResult | None:
        """What the run says of a rule; None when the rule was no part of it."""
        return next((entry for entry in self.result.rules if entry.rule.id == rule), None)

    def operations(self, rule: str) -> frozenset[str]:
        """The operations in which a rule fails, as a root cause or following from one."""
        return frozenset(
            block.operation or ""
            for block in self.result.blocks
            if rule in (block.rule.id, *(follower.id for follower, _, _ in block.follows))
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, with its verdict in each run in the order of the runs; None where it was no part of one."""

    rule: Rule
    verdicts: tuple[Verdict | None, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs that judged it do not agree."""
        return len({verdict for verdict in self.verdicts if verdict}) > 1

    @property
    def everywhere(self) -> bool:
        """Whether every run judged it."""
        return None not in self.verdicts


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a rule between two runs of one target: one of `KINDS`, and the verdicts or places."""

    kind: str
    rule: Rule
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Step:
    """Two runs of one target, one after the other: their numbers, and what changed from the first to the second."""

    name: str
    before: int
    after: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several runs, a row for each rule of any of them, and a step for every two runs of one target."""

    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    steps: tuple[Step, ...]


def read_runs(places: Sequence[str]) -> list[Run]:
    """Read the outcomes of runs from their report folders or `result.json` files.

    A place may begin with a name for what was judged, `NAME=DIR`; without one, the target of the run is its name.
    Raises UsageError for fewer than two places, and for one that has no outcome.
    """
    if len(places) < 2:
        raise UsageError("there is nothing to compare with: give the report folders of two runs or more")
    return [_read(place) for place in places]


def _read(place: str) -> Run:
    name, equals, rest = place.partition("=")
    if not equals or not name or Path(place).exists():
        name, rest = "", place
    result = load(Path(rest))
    return Run(name or result.target, rest, result)


def compared(runs: Sequence[Run]) -> Comparison:
    """Put runs side by side, in the order given. Runs of one name are compared by the time at which they began."""
    seen = {entry.rule.id for run in runs for entry in run.result.rules}
    rows = [
        Row(rule, tuple(run.verdict(rule.id) for run in runs))
        for rule in catalogue().values()
        if rule.id in seen
    ]
    return Comparison(tuple(runs), tuple(rows), tuple(_steps(runs)))


def _steps(runs: Sequence[Run]) -> Iterator[Step]:
    for name in dict.fromkeys(run.name for run in runs):
        mine = [number for number, run in enumerate(runs) if run.name == name]
        mine.sort(key=lambda number: runs[number].result.started_at)
        for before, after in pairwise(mine):
            yield Step(name, before, after, _changes(runs[before], runs[after]))


def _changes(before: Run, after: Run) -> tuple[Change, ...]:
    found = [_change(rule, before, after) for rule in catalogue().values()]
    return tuple(sorted(filter(None, found), key=lambda change: KINDS.index(change.kind)))


def _change(rule: Rule, before: Run, after: Run) -> Change | None:
    old, new = before.verdict(rule.id), after.verdict(rule.id)
    if old is None or new is None:
        return None
    if old is new:
        return _moved(rule, before, after) if new in _BAD else None
    if new in _BAD and old not in _BAD:
        kind = BROKEN
    elif old in _BAD and new in _GOOD:
        kind = MENDED
    elif new is Verdict.NOT_EXERCISED:
        kind = UNTESTED
    else:
        kind = OTHERWISE
    return Change(kind, rule, word(old), word(new))


def _moved(rule: Rule, before: Run, after: Run) -> Change | None:
    """A rule that is as broken as before, but in an operation in which it was not."""
    old, new = before.operations(rule.id), after.operations(rule.id)
    if new <= old:
        return None
    return Change(ELSEWHERE, rule, _listed(old), _listed(new))


def _listed(operations: frozenset[str]) -> str:
    return ", ".join(sorted(filter(None, operations))) or "no operation"


def word(verdict: Verdict | None) -> str:
    """Return a verdict as people read it; `absent` for a rule that was no part of a run."""
    return verdict.value.replace("_", " ") if verdict else "absent"
