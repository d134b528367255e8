"""From the runs of a client to its outcome: a verdict for each rule, a block for each root cause, and the matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orderproof.catalogue import Rule, catalogue
from orderproof.checks.findings import Finding
from orderproof.client.books import Fate
from orderproof.client.claims import is_of_moved_money
from orderproof.client.outing import Outing
from orderproof.exchange import Exchange, record
from orderproof.outcome import Block, RuleResult, RunResult, StepShown, Verdict
from orderproof.shown import shown_answer, shown_request

CONFORMS, BROKEN, NOT_JUDGED = 0, 1, 3

_STEPS = 12
_MONEY = "money moved twice: each of these tries took effect"
_GRAVEST = ("CLI-IDM-4", "CLI-RETRY-1", "CLI-DO-1", "CLI-SAFE-1", "CLI-IDM-3", "CLI-READ-4")


@dataclass(frozen=True)
class Told:
    """A run of the command, with what it was found to break.

    `exercised` and `broken` count by rule. `retries` gives, for the number of a request, those of the earlier tries
    of the same call; `doubled` are the requests by which such a call took effect twice.
    """

    outing: Outing
    findings: tuple[Finding, ...]
    exercised: Counter[str]
    broken: Counter[str]
    errors: Mapping[str, str] = field(default_factory=dict)
    doubled: frozenset[int] = frozenset()
    retries: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.outing.scenario.name


def concluded(
    told: Sequence[Told],
    rules: Sequence[Rule],
    *,
    strict: bool,
    interrupted: str,
    command: str,
    target: str,
    started_at: str,
    duration: float,
    has_flow: bool,
) -> RunResult:
    """Return the outcome of all runs."""
    results = [_result(rule, told, has_flow=has_flow) for rule in rules]
    code = _exit_code(results, told, interrupted, strict=strict)
    return RunResult(
        command=command,
        target=target,
        profile="",
        seed=0,
        started_at=started_at,
        duration_s=round(duration, 3),
        requests=sum(len(entry.outing.heard) for entry in told),
        verdict={CONFORMS: "conforms", BROKEN: "broken", NOT_JUDGED: "not judged"}[code],
        exit_code=code,
        rules=results,
        blocks=_blocks(told),
        interrupted=interrupted,
        coverage={"client": {"scenarios": [_row(entry) for entry in told]}},
        notes=tuple(_notes(told)),
        strict=strict,
    )


def _result(rule: Rule, told: Sequence[Told], *, has_flow: bool) -> RuleResult:
    exercised = sum(entry.exercised[rule.id] for entry in told)
    found = [(entry, finding) for entry in told for finding in entry.findings if finding.rule == rule.id]
    if found:
        entry, finding = found[0]
        verdict = Verdict.FAILED if rule.level == "MUST" else Verdict.WARNED
        return RuleResult(
            rule, verdict, exercised, f"{entry.name}: expected {finding.expected}; got {finding.actual}"
        )
    errors = [entry.errors[rule.id] for entry in told if rule.id in entry.errors]
    if errors:
        return RuleResult(rule, Verdict.ERROR, exercised, f"the check failed: {errors[0]}")
    if exercised:
        return RuleResult(rule, Verdict.PASSED, exercised)
    return RuleResult(rule, Verdict.NOT_EXERCISED, 0, _why_not(rule.id, told, has_flow=has_flow))


_WEATHER_FOR = {
    "CLI-READ-1": "--scenario unknown",
    "CLI-READ-2": "--scenario 403",
    "CLI-READ-3": "--scenario lower-case",
    "CLI-SAFE-1": "--scenario location-elsewhere",
    "CLI-IDM-4": "--scenario 503-once",
    "CLI-RETRY-1": "--scenario 503-once",
    "CLI-RETRY-2": "--scenario 503-once",
}


def _why_not(rule: str, told: Sequence[Told], *, has_flow: bool) -> str:
    if rule in ("CLI-READ-4", "CLI-DO-1") and not has_flow:
        return "needs --flow: without a stated intent an exit code claims nothing"
    if rule == "CLI-READ-4":
        return "no run ended in a refusal: try --scenario 403"
    if rule in _WEATHER_FOR and len(told) < 2:
        return f"fair weather does not put it to the test: try {_WEATHER_FOR[rule]}, or all"
    if rule in ("CLI-IDM-4", "CLI-RETRY-1", "CLI-RETRY-2"):
        return "no call was sent again"
    if told and not told[0].outing.succeeded and rule in _WEATHER_FOR:
        return "the command fails in fair weather, so that nothing can be held against its other runs"
    return "nothing that the command sent put it to the test"


def _exit_code(results: Iterable[RuleResult], told: Sequence[Told], interrupted: str, *, strict: bool) -> int:
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts or (strict and Verdict.WARNED in verdicts):
        return BROKEN
    cut_short = any(entry.outing.ended.exit_code is None for entry in told)
    failed_in_fair = bool(told) and not told[0].outing.succeeded
    judged = verdicts & {Verdict.PASSED, Verdict.WARNED}
    unable = interrupted or cut_short or failed_in_fair or Verdict.ERROR in verdicts or not judged
    return NOT_JUDGED if unable else CONFORMS


def _row(told: Told) -> dict[str, Any]:
    """A row of the matrix of scenarios and rules."""
    return {
        "name": told.name,
        "says": told.outing.scenario.says,
        "exit_code": told.outing.ended.exit_code,
        "requests": len(told.outing.heard),
        "met": told.outing.met,
        "rules": {
            rule: {"exercised": count, "broken": told.broken[rule]}
            for rule, count in sorted(told.exercised.items())
        },
    }


def _notes(told: Sequence[Told]) -> list[str]:
    notes = [f"{entry.name}: {note}" for entry in told for note in (*entry.outing.notes, *entry.notes)]
    if told and not told[0].outing.succeeded:
        ended = told[0].outing.ended
        notes.append(
            f"the command failed in fair weather ({ended}): how it copes with other weather is not judged"
        )
    notes += [
        f"{entry.name}: the command was stopped, as it ran for more than {entry.outing.ended.seconds:.0f} s (--timeout)"
        for entry in told
        if entry.outing.ended.exit_code is None
    ]
    unaware = [entry.name for entry in told if _took_effect_unnoticed(entry.outing)]
    if unaware:
        notes.append(f"the command reports a failure where its call took effect: {', '.join(unaware)}")
    unmet = [entry.name for entry in told if entry.outing.scenario.effect and not _was_met(entry)]
    if unmet:
        notes.append(f"these scenarios met no call of the command: {', '.join(unmet)}")
    return notes


def _took_effect_unnoticed(outing: Outing) -> bool:
    """Say whether the order is as the intent has it, by a write of the command, which says that it failed.

    No rule forbids that: who got no answer has to look, or to try again.
    """
    wrote = any(
        entry.taken is not None and entry.taken.status < 300 and entry.exchange.request.method != "GET"
        for entry in outing.heard
    )
    done = outing.balance is not None and outing.balance.fate is Fate.DONE
    return done and wrote and bool(outing.ended.exit_code) and outing.scenario.effect is not None


def _was_met(told: Told) -> bool:
    return told.outing.met > 0 or told.name == "refused"


def _blocks(told: Sequence[Told]) -> list[Block]:
    """One block for each rule that is broken, unless it only followed from another; what costs money first."""
    roots: dict[str, tuple[Told, Finding]] = {}
    followers: dict[str, dict[str, Finding]] = {}
    for entry in told:
        for finding in entry.findings:
            if finding.follows is not None:
                followers.setdefault(finding.follows, {}).setdefault(finding.rule, finding)
            elif finding.rule not in roots or (
                _costs_money(entry, finding) and not _costs_money(*roots[finding.rule])
            ):
                roots[finding.rule] = (entry, finding)
    counts = Counter(finding.rule for entry in told for finding in entry.findings)
    ordered = sorted(roots.items(), key=lambda item: (_rank(item[0], *item[1]), item[0]))
    return [
        _block(
            entry,
            finding,
            [f for name, f in followers.get(rule, {}).items() if name not in roots],
            counts[rule],
        )
        for rule, (entry, finding) in ordered
    ]


def _rank(rule: str, told: Told, finding: Finding) -> int:
    if _costs_money(told, finding):
        return 0
    if rule in _GRAVEST:
        return 1
    return 2 if catalogue()[rule].level == "MUST" else 3


def _costs_money(told: Told, finding: Finding) -> bool:
    """Say whether more money moved than was meant, and this is why, or that it did."""
    return _moved_it_twice(told, finding) or is_of_moved_money(finding.actual)


def _moved_it_twice(told: Told, finding: Finding) -> bool:
    return finding.rule in ("CLI-IDM-4", "CLI-RETRY-1") and finding.exchange.number in told.doubled


def _block(told: Told, finding: Finding, follows: Sequence[Finding], count: int) -> Block:
    rules = catalogue()
    tries = told.retries.get(finding.exchange.number, ())
    doubled = _moved_it_twice(told, finding)
    trail = list(finding.trail[-_STEPS:]) or [finding.exchange]
    return Block(
        rule=rules[finding.rule],
        expected=finding.expected,
        actual=finding.actual,
        operation=finding.operation,
        order_id=finding.order_id,
        scenario=told.name,
        sent=f"{shown_request(finding.exchange)}   (request {finding.exchange.number}, scenario {told.name})",
        steps=tuple(_step(entry, finding.exchange) for entry in trail),
        note="; ".join(filter(None, [_retry_note(tries), _MONEY if doubled else ""])),
        follows=tuple((rules[f.rule], f.expected, f.actual) for f in follows),
        exchanges=tuple(record(entry) for entry in trail),
        count=count,
        deciding=finding.exchange.number,
    )


def _retry_note(tries: Sequence[int]) -> str:
    if not tries:
        return ""
    shown = ", ".join(map(str, tries))
    return f"read as a retry of request {shown}, by method, path, body and time"


def _step(exchange: Exchange, deciding: Exchange) -> StepShown:
    return StepShown(shown_request(exchange), shown_answer(exchange), exchange is deciding)
