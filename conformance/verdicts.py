"""From findings to verdicts: one for each rule, one block for each root cause, and the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from orderproof.catalogue import Rule, catalogue
from orderproof.checks.findings import Finding
from orderproof.counterexample import counterexample_of, save
from orderproof.drivers.commands import Sequence as Calls
from orderproof.drivers.reduction import is_reducible
from orderproof.exchange import Exchange, record
from orderproof.judge import registered
from orderproof.ledger import Ledger
from orderproof.outcome import Block, RuleResult, RunResult, StepShown, Verdict
from orderproof.sharding import shard_record
from orderproof.shown import curl_script, order_names, shown_answer, shown_request

if TYPE_CHECKING:
    from orderproof.checking import Settings

CONFORMS, BROKEN, USAGE, NOT_JUDGED, WAIVERS = range(5)
"""The exit codes of the command line."""

VERDICTS = {CONFORMS: "conforms", BROKEN: "broken", NOT_JUDGED: "not judged"}
"""What reports call the outcome with an exit code."""

_TRAIL_SHOWN = 60


def conclude(
    settings: Settings, ledger: Ledger, *, requests: int, duration: float, started_at: str
) -> RunResult:
    """Return the outcome of a run, and save a counterexample for each root cause when there is a report folder."""
    rules = [_result(rule, ledger, settings) for rule in settings.rules]
    roots = root_causes(ledger.findings)
    blocks = [_block(finding, follows, settings, ledger) for finding, follows in roots]
    code = exit_code(rules, ledger.interrupted, strict=settings.strict)
    return RunResult(
        command=settings.command,
        target=settings.shown,
        profile=settings.profile,
        seed=settings.seed,
        started_at=started_at,
        duration_s=round(duration, 3),
        requests=requests,
        verdict=VERDICTS[code],
        exit_code=code,
        rules=rules,
        blocks=blocks,
        interrupted=ledger.interrupted,
        notes=ledger.reservations,
        coverage=ledger.coverage.record(clock=settings.target.clock is not None),
        strict=settings.strict,
        workers=settings.workers,
        shard=None if settings.shard is None else shard_record(settings.shard, ledger),
    )


def _result(rule: Rule, ledger: Ledger, settings: Settings) -> RuleResult:
    exercised = ledger.exercised[rule.id]
    first = next((finding for finding in ledger.findings if finding.rule == rule.id), None)
    if first is not None:
        verdict = Verdict.FAILED if rule.level == "MUST" else Verdict.WARNED
        return RuleResult(rule, verdict, exercised, f"expected {first.expected}; got {first.actual}")
    if rule.id in ledger.errors:
        return RuleResult(rule, Verdict.ERROR, exercised, f"the check failed: {ledger.errors[rule.id]}")
    if exercised:
        return RuleResult(rule, Verdict.PASSED, exercised)
    return RuleResult(rule, Verdict.NOT_EXERCISED, 0, _why_not(rule, settings, ledger.notes))


def _why_not(rule: Rule, settings: Settings, notes: Sequence[str]) -> str:
    if rule.judges == "client":
        return "it judges a client: run `orderproof client`"
    if rule.id not in {entry.rule for entry in registered()}:
        return "no check yet"
    missing = [need for need in rule.needs if need in ("clock", "expired") and settings.target.clock is None]
    if missing:
        return (
            "needs the capability clock: a target whose time can be moved, see [clock] in the configuration"
        )
    return _REASONS.get(rule.id) or "; ".join(notes) or "no call in this run put it to the test"


_REASONS = {
    "GEN-RATE-1": "the target never answered 429",
    "DUE-2": "needs the capability pay-later: no capture had a due date that could be extended",
}


def exit_code(results: Iterable[RuleResult], interrupted: str, *, strict: bool) -> int:
    """Return the exit code of a run by its verdicts, and why it was interrupted if it was."""
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts or (strict and Verdict.WARNED in verdicts):
        return BROKEN
    if (
        interrupted
        or Verdict.ERROR in verdicts
        or not verdicts & {Verdict.PASSED, Verdict.WARNED, Verdict.WAIVED}
    ):
        return NOT_JUDGED
    return CONFORMS


def root_causes(findings: Sequence[Finding]) -> list[tuple[Finding, list[Finding]]]:
    """Return one finding for each root cause, with those that only ever followed from it.

    A rule that broke on an order that nothing else had broken on before is a root; one that only broke after another,
    on the same order, is folded under that other.
    """
    roots: dict[str, Finding] = {}
    for finding in findings:
        if finding.follows is None:
            known = roots.get(finding.rule)
            if known is None or len(finding.trail) < len(known.trail):
                roots[finding.rule] = finding
    folded: dict[str, dict[str, Finding]] = {rule: {} for rule in roots}
    for finding in findings:
        if finding.rule not in roots and finding.follows in roots:
            folded[finding.follows].setdefault(finding.rule, finding)
    return [(finding, list(folded[rule].values())) for rule, finding in roots.items()]


def _block(found: Finding, follows: Sequence[Finding], settings: Settings, ledger: Ledger) -> Block:
    rules: Mapping[str, Rule] = catalogue()
    reduction = ledger.reductions.get(found.rule)
    finding = found if reduction is None else reduction.finding
    deciding = _deciding(finding)
    trail = [exchange for exchange in finding.trail if _led_to(exchange, finding)]
    writes = [exchange for exchange in trail if exchange.request.method != "GET" or exchange is deciding]
    cut = "cut down from" if reduction is not None and is_reducible(found) else "in"
    position = f"{_position(deciding, writes, finding)}, {cut} “{found.exchange.scenario}”"
    answered = f" → {shown_answer(deciding)}" if deciding is not finding.exchange else ""
    orders = order_names(trail)
    return Block(
        rule=rules[finding.rule],
        expected=finding.expected,
        actual=finding.actual,
        operation=finding.operation,
        order_id=finding.order_id,
        scenario=found.exchange.scenario,
        sent=f"{shown_request(deciding, orders)}{answered}   ({position})",
        deciding=deciding.number,
        steps=tuple(
            StepShown(shown_request(e, orders), shown_answer(e), e is deciding)
            for e in writes[-_TRAIL_SHOWN:]
        ),
        curl=curl_script(trail, settings.target),
        file=_saved(found, settings, ledger),
        note=_flakiness(finding),
        follows=tuple((rules[f.rule], f.expected, f.actual) for f in follows),
        exchanges=tuple(record(exchange) for exchange in trail[-_TRAIL_SHOWN:]),
        count=ledger.broken[finding.rule],
    )


def _led_to(exchange: Exchange, finding: Finding) -> bool:
    at_once = exchange.group is not None and exchange.group == finding.exchange.group
    return exchange.number <= finding.exchange.number or at_once


def _flakiness(finding: Finding) -> str:
    if finding.flaky is None:
        return ""
    failures, tries = finding.flaky
    return f"flaky: it failed {failures} of {tries} times"


def _deciding(finding: Finding) -> Exchange:
    """The exchange that a reader wants to see: the last write on the order, where a reading brought it to light."""
    if finding.exchange.request.method != "GET" or finding.exchange.group is not None:
        return finding.exchange
    earlier = [e for e in finding.trail if e.number < finding.exchange.number and e.request.method != "GET"]
    mine = [e for e in earlier if finding.order_id and finding.order_id in e.request.target]
    return mine[-1] if mine else finding.exchange


def _position(deciding: Exchange, writes: Sequence[Exchange], finding: Finding) -> str:
    group = deciding.group
    if group is not None:
        return f"one of {sum(exchange.group == group for exchange in finding.trail)} calls at once"
    place = next((n for n, exchange in enumerate(writes, 1) if exchange is deciding), len(writes))
    read = ", seen when it was read back" if deciding is not finding.exchange else ""
    return f"call {place} of {len(writes)}{read}"


def _saved(found: Finding, settings: Settings, ledger: Ledger) -> str | None:
    """Save the shortest sequence that is known to break the rule; returns its file, relative to the report folder."""
    script = ledger.scripts.get(found.exchange.scenario)
    if settings.report is None or script is None or not script.drafts:
        return None
    reduction = ledger.reductions.get(found.rule)
    if reduction is not None:
        finding, sequence = reduction.finding, reduction.sequence
    else:
        last = max(exchange.number for exchange in found.trail if _led_to(exchange, found))
        commands = tuple(command for number, command in script.performed if number <= last)
        finding, sequence = found, Calls(script.drafts, commands)
    example = counterexample_of(finding, sequence, seed=settings.seed, scenario=found.exchange.scenario)
    return save(settings.report / "counterexamples", example).relative_to(settings.report).as_posix()
