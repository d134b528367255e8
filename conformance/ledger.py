"""The ledger of a run: takes in what came of each unit, in the order of the plan, and links what belongs together.

Units know nothing of each other. What one of them found may be due to what an earlier one did, so findings are linked
here once more; in this way they are the same however the units were shared out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from orderproof.blame import Blame
from orderproof.checks.findings import Finding
from orderproof.coverage import Coverage
from orderproof.drivers.reduction import Reduction, is_reducible
from orderproof.drivers.stage import Script
from orderproof.judge import FINDINGS_KEPT
from orderproof.performing import End, Outcome

__all__ = ["Ledger", "Origin"]

Origin = tuple[tuple[int, int], tuple[str, ...]]
"""Where a root cause was found, and the operations to which it would be due if they went wrong by themselves."""


class Ledger:
    """What a run has come to so far.

    `findings`, `exercised`, `broken` and `errors` are those of a judge; `scripts` the sequences that findings are in,
    by name. `origins` has for each rule where its root causes were found, `blamed` where it was first
    seen what its `blame` has, by the names that has for it. `unanswered` requests got no answer, `silence` says which
    was the first. `interrupted` says why the run cannot be complete.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.exercised: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.errors: dict[str, str] = {}
        self.coverage = Coverage()
        self.scripts: dict[str, Script] = {}
        self.reductions: dict[str, Reduction] = {}
        self.notes: list[str] = []
        self.remarks: list[str] = []
        self.unanswered = 0
        self.silence = ""
        self.interrupted = ""
        self.blame = Blame()
        self.blamed: dict[str, tuple[int, int]] = {}
        self.origins: dict[str, list[Origin]] = {}
        self._kept: Counter[tuple[str, str | None]] = Counter()
        self._waiting: list[str] = []
        self._cut_down: set[str] = set()

    @property
    def reservations(self) -> tuple[str, ...]:
        """What a reader has to know beside the verdicts."""
        silent = (
            f"requests without an answer: {self.unanswered}; the first {self.silence}"
            if self.unanswered
            else ""
        )
        return (*self.notes, *self.remarks, *([silent] if silent else []))

    @property
    def roots(self) -> int:
        """How many findings follow from no other."""
        return sum(finding.follows is None for finding in self.findings)

    def absorb(self, outcome: Outcome, *, silent: bool = False) -> None:
        """Take in what came of the next unit. Of a `silent` one nothing is cut down."""
        linked, renamed = self._linked(outcome)
        for finding in linked:
            self._keep(finding, outcome)
            if finding.follows is None and not silent and finding.rule not in self._waiting:
                self._waiting.append(finding.rule)
        self.exercised.update(outcome.exercised)
        self.broken.update(outcome.broken)
        self.errors = {**outcome.errors, **self.errors}
        self.coverage.add(outcome.coverage)
        known = set(self.blame.known())
        self.blame.add(outcome.blame, renamed)
        self.blamed |= dict.fromkeys(self.blame.known().keys() - known, outcome.place)
        self.remarks += outcome.remarks
        self.unanswered += outcome.unanswered
        self.silence = self.silence or outcome.silence
        self.end(outcome.end, outcome.sentence)

    def _linked(self, outcome: Outcome) -> tuple[list[Finding], dict[str, str]]:
        """The findings, those due to what is known already marked so; and the rule that each of them is due to."""
        on_order: dict[tuple[str | None, str], str] = {}
        renamed: dict[str, str] = {}
        linked = []
        for finding in outcome.findings:
            known = self.blame.behind(finding.rule, finding.suspects) if finding.follows is None else None
            if known is not None:
                on_order[finding.order_id, finding.rule] = renamed[finding.rule] = known
                finding = replace(finding, follows=known)
            elif finding.follows is not None:
                root = on_order.get((finding.order_id, finding.follows), finding.follows)
                finding = replace(finding, follows=root)
            linked.append(finding)
        return linked, renamed

    def _keep(self, finding: Finding, outcome: Outcome) -> None:
        kind = (finding.rule, finding.follows)
        self._kept[kind] += 1
        if self._kept[kind] > FINDINGS_KEPT:
            return
        self.findings.append(finding)
        if finding.follows is None:
            self.origins.setdefault(finding.rule, []).append((outcome.place, finding.suspects))
        script = outcome.scripts.get(finding.exchange.scenario)
        if script is not None:
            self.scripts[script.name] = script

    def end(self, end: End, sentence: str) -> None:
        """Take note of how a piece of work ended."""
        if end is End.LIMIT and sentence not in self.notes:
            self.notes.append(sentence)
        elif end in (End.CUT, End.FAULT):
            self.interrupted = self.interrupted or sentence

    def to_cut_down(self, most: int) -> list[tuple[Finding, Script]]:
        """What was found since the last time, one finding for each rule with the sequence that it is in.

        There are at most so many of them in a run.
        """
        chosen: list[tuple[Finding, Script]] = []
        while self._waiting and len(self._cut_down) < most:
            rule = self._waiting.pop(0)
            found = [each for each in self.findings if each.rule == rule and each.follows is None]
            known = [each for each in found if each.exchange.scenario in self.scripts]
            if known and rule not in self._cut_down:
                self._cut_down.add(rule)
                finding = min(known, key=_difficulty)
                chosen.append((finding, self.scripts[finding.exchange.scenario]))
        return chosen

    def reduced_to(self, rule: str, reduction: Reduction) -> None:
        """Take note of the shortest sequence that breaks a rule."""
        self._cut_down.add(rule)
        self.reductions.setdefault(rule, reduction)

    def found_in(self, scenario: str) -> Sequence[Finding]:
        """What was found in one sequence."""
        return [finding for finding in self.findings if finding.exchange.scenario == scenario]


def _difficulty(finding: Finding) -> tuple[bool, int]:
    """Lower is easier to cut down."""
    return not is_reducible(finding), len(finding.trail)
