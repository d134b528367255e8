"""The audit: judges recorded traffic offline, the answers by the server rules and the requests by the client rules."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby

from orderproof.cassette.belonging import Belonging
from orderproof.cassette.clients import ClientJudge
from orderproof.cassette.continuity import API, Continuity, addressed
from orderproof.cassette.credentials import Credentials
from orderproof.cassette.entries import Entry
from orderproof.cassette.reading import Recording
from orderproof.cassette.scrubbing import Scrubber
from orderproof.catalogue import Rule, catalogue
from orderproof.checks.findings import Finding
from orderproof.exchange import Exchange, record
from orderproof.judge import Judge, registered
from orderproof.model.call import call_of
from orderproof.outcome import Block, RuleResult, RunResult, StepShown, Verdict
from orderproof.report.text import counted
from orderproof.shown import order_names, shown_answer, shown_request
from orderproof.verdicts import BROKEN, CONFORMS, NOT_JUDGED, root_causes

_ORDERS = 300
"""So many orders are remembered at a time: a long recording must not fill the memory."""

_STEPS = 12


@dataclass
class _Ledger:
    """What an audit has come to so far, in a size that does not depend on how much was read."""

    judged: int = 0
    other: int = 0
    incomplete: int = 0
    breaks: int = 0
    exercised: Counter[str] = field(default_factory=Counter)
    errors: dict[str, str] = field(default_factory=dict)
    found: dict[tuple[str, str | None], Finding] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)


def audit(recordings: Sequence[Recording], rules: Sequence[Rule], *, strict: bool = False) -> RunResult:
    """Judge recordings; in a `strict` audit a broken SHOULD fails too.

    Each recording is judged on its own, front to back: an order may be in any state when it starts, and what it is
    in is learned from what it reads. Raises UsageError for a recording that cannot be read.
    """
    started, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    ledger = _Ledger()
    for recording in recordings:
        _audit_one(recording, rules, ledger)
    return _concluded(recordings, rules, ledger, strict, started_at, time.monotonic() - started)


def _audit_one(recording: Recording, rules: Sequence[Rule], ledger: _Ledger) -> None:
    ids = [rule.id for rule in rules]
    judge, clients, belonging = Judge(only=ids, orders=_ORDERS), ClientJudge(ids), Belonging()
    continuity, conduct = Continuity(), _Ledger()
    for _, together in groupby(map(Credentials().read, recording), key=_group):
        entries = list(together)
        found = _judged_together(entries, judge, continuity, ledger)
        found += [
            finding for entry in entries for finding in _astray(entry, belonging) if finding.rule in ids
        ]
        for finding in found:
            _keep(finding, ledger)
        for finding in (finding for entry in entries for finding in _client_side(entry, clients)):
            _keep(finding, conduct)
        judge.findings.clear()
    ledger.exercised += judge.exercised
    ledger.errors |= judge.errors
    ledger.breaks += continuity.breaks
    # The header of a cassette may stand at its end: only now is it certain whose requests these are.
    if not recording.own.get("probes"):
        ledger.exercised += clients.exercised
        ledger.errors |= clients.errors
        ledger.found = {**ledger.found, **{k: v for k, v in conduct.found.items() if k not in ledger.found}}
        ledger.counts += conduct.counts


def _astray(entry: Entry, belonging: Belonging) -> list[Finding]:
    exchange = addressed(entry.exchange)
    return belonging.observe(exchange) if exchange is not None and entry.whole else []


def _client_side(entry: Entry, clients: ClientJudge) -> list[Finding]:
    is_traffic = (
        entry.whole and API in entry.exchange.request.target and addressed(entry.exchange) is not None
    )
    return clients.observe(entry.exchange) if is_traffic else []


def _group(entry: Entry) -> int:
    """Equal for entries whose exchanges were under way at the same time, as a history of ours says."""
    group = entry.exchange.group
    return -entry.exchange.number if group is None else group


def _judged_together(
    entries: Sequence[Entry], judge: Judge, continuity: Continuity, ledger: _Ledger
) -> list[Finding]:
    if len(entries) == 1:
        return _judged(entries[0], judge, continuity, ledger)
    exchanges = [exchange for entry in entries if (exchange := addressed(entry.exchange)) is not None]
    ledger.judged += len(exchanges)
    return judge.observe_group(exchanges)


def _judged(entry: Entry, judge: Judge, continuity: Continuity, ledger: _Ledger) -> list[Finding]:
    exchange = addressed(entry.exchange)
    if exchange is None:
        ledger.other += not entry.exchange.advances
        return []
    before, after = continuity.breaks_before(exchange, timed=entry.timed)
    order_id = _order_of(exchange)
    if order_id and (before or not entry.whole):
        judge.forget(order_id)
    if not entry.whole:
        ledger.incomplete += 1
        return []
    ledger.judged += 1
    found = judge.observe(exchange)
    if after and order_id:
        judge.forget(order_id)
    return found


def _order_of(exchange: Exchange) -> str | None:
    call = call_of(exchange)
    return call.order_id if call is not None else None


def _keep(finding: Finding, ledger: _Ledger) -> None:
    """Keep the first finding of each rule as a root and as a consequence of each other rule, and count the rest."""
    ledger.counts[finding.rule] += 1
    key = (finding.rule, finding.follows)
    if key not in ledger.found:
        ledger.found[key] = _discreet(replace(finding, trail=_of_order(finding)))


def _discreet(finding: Finding) -> Finding:
    """The finding as it may be shown: without credentials and personal data."""
    scrubber = Scrubber()
    for exchange in finding.trail:
        scrubber.learn(exchange)
    clean = {exchange.number: scrubber.scrubbed(exchange) for exchange in (*finding.trail, finding.exchange)}
    return replace(
        finding,
        expected=scrubber.text(finding.expected),
        actual=scrubber.text(finding.actual),
        exchange=clean[finding.exchange.number],
        trail=tuple(clean[exchange.number] for exchange in finding.trail),
    )


def _of_order(finding: Finding) -> tuple[Exchange, ...]:
    """The last exchanges of the order that a finding is about."""
    mine = [
        e for e in finding.trail if e is finding.exchange or (finding.order_id or "?") in e.request.target
    ]
    return tuple(mine[-_STEPS:])


def _concluded(
    recordings: Sequence[Recording],
    rules: Sequence[Rule],
    ledger: _Ledger,
    strict: bool,
    started_at: str,
    duration: float,
) -> RunResult:
    results = [_result(rule, ledger) for rule in rules]
    code = _exit_code(results, ledger, strict=strict)
    return RunResult(
        command=" ".join(["orderproof audit", *(recording.name for recording in recordings)]),
        target=recordings[0].name if len(recordings) == 1 else counted(len(recordings), "recording"),
        profile="",
        seed=0,
        started_at=started_at,
        duration_s=round(duration, 3),
        requests=ledger.judged,
        verdict={CONFORMS: "conforms", BROKEN: "broken", NOT_JUDGED: "not judged"}[code],
        exit_code=code,
        rules=results,
        blocks=[_block(*root, ledger) for root in root_causes(list(ledger.found.values()))],
        notes=tuple(_notes(ledger)),
        strict=strict,
    )


def _result(rule: Rule, ledger: _Ledger) -> RuleResult:
    exercised = ledger.exercised[rule.id]
    first = next((finding for (name, _), finding in ledger.found.items() if name == rule.id), None)
    if first is not None:
        verdict = Verdict.FAILED if rule.level == "MUST" else Verdict.WARNED
        place = f"entry {first.exchange.number} of {first.exchange.scenario}"
        return RuleResult(rule, verdict, exercised, f"{place}: expected {first.expected}; got {first.actual}")
    if rule.id in ledger.errors:
        return RuleResult(rule, Verdict.ERROR, exercised, f"the check failed: {ledger.errors[rule.id]}")
    if exercised:
        return RuleResult(rule, Verdict.PASSED, exercised)
    known = any(entry.rule == rule.id for entry in registered())
    reason = "nothing in the recording puts it to the test" if known else "recorded bytes cannot show it"
    return RuleResult(rule, Verdict.NOT_EXERCISED, 0, reason)


def _exit_code(results: Iterable[RuleResult], ledger: _Ledger, *, strict: bool) -> int:
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts or (strict and Verdict.WARNED in verdicts):
        return BROKEN
    return NOT_JUDGED if Verdict.ERROR in verdicts or not ledger.judged else CONFORMS


def _notes(ledger: _Ledger) -> list[str]:
    notes = []
    if ledger.other:
        notes.append(f"{counted(ledger.other, 'exchange')} of other traffic passed over")
    if ledger.incomplete:
        notes.append(
            f"{counted(ledger.incomplete, 'exchange')} not judged: recorded without a body that can be read"
        )
    if ledger.breaks:
        notes.append(
            f"{counted(ledger.breaks, 'time')} an order was judged afresh: over an hour without a call, "
            "entries out of order in time, or calls at the same time"
        )
    return notes


def _block(finding: Finding, follows: Sequence[Finding], ledger: _Ledger) -> Block:
    rules = catalogue()
    exchange = finding.exchange
    deciding = _deciding(finding)
    seen = f", seen in entry {exchange.number}" if deciding is not exchange else ""
    answered = f" → {shown_answer(deciding)}" if deciding is not exchange else ""
    orders = order_names(finding.trail)
    steps = [e for e in finding.trail if e.request.method != "GET" or e is deciding or e is exchange]
    return Block(
        rule=rules[finding.rule],
        expected=finding.expected,
        actual=finding.actual,
        operation=finding.operation,
        order_id=finding.order_id,
        scenario=exchange.scenario,
        sent=f"{shown_request(deciding, orders)}{answered}   (entry {deciding.number} of {exchange.scenario}{seen})",
        steps=tuple(StepShown(shown_request(e, orders), shown_answer(e), e is deciding) for e in steps),
        follows=tuple((rules[f.rule], f.expected, f.actual) for f in follows),
        exchanges=tuple(record(e) for e in finding.trail),
        count=ledger.counts[finding.rule],
        deciding=exchange.number,
    )


def _deciding(finding: Finding) -> Exchange:
    """The exchange that a reader wants to see: the last write on the order, where a reading brought it to light."""
    if finding.exchange.request.method != "GET" or finding.order_id is None:
        return finding.exchange
    writes = [e for e in finding.trail if e.number < finding.exchange.number and e.request.method != "GET"]
    return writes[-1] if writes else finding.exchange
