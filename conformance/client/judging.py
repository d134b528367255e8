"""Judges a client: runs its command in each weather, hears what it sends, and comes to an outcome."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from orderproof.catalogue import Rule
from orderproof.checks.findings import Finding
from orderproof.client.claims import Claim, claims, stumbling, stumbling_blocks, went_well
from orderproof.client.conclusion import Told, concluded
from orderproof.client.hearing import Hearing
from orderproof.client.outing import Outing, Plan, credentials, go_out
from orderproof.client.repeats import is_in_doubt
from orderproof.client.stock import Stock
from orderproof.client.weather import FAIR, SCENARIOS, Scenario
from orderproof.errors import CannotJudge
from orderproof.history import HistoryFile
from orderproof.outcome import RunResult
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import ServerError, background

_GRAVE = ("CLI-IDM-4", "CLI-RETRY-1", "CLI-IDM-3")
"""The rules that keep money from moving twice."""


@dataclass(frozen=True)
class Settings:
    """What to judge: the plan for the command, the scenarios (fair weather first), and the rules."""

    plan: Plan
    scenarios: Sequence[Scenario]
    rules: Sequence[Rule]
    strict: bool = False
    report: Path | None = None
    command: str = "client"


@dataclass
class Watch:
    """Who is told how it goes: `outing` before each run of the command, `told` after it, `finding` of each new rule."""

    outing: Callable[[Scenario], None] = lambda _: None
    told: Callable[[Told], None] = lambda _: None
    finding: Callable[[Finding], None] = lambda _: None


@dataclass
class _State:
    settings: Settings
    watch: Watch
    stock: Stock
    history: HistoryFile | None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    fair: Outing | None = None
    told: list[Told] = field(default_factory=list)
    announced: set[str] = field(default_factory=set)
    interrupted: str = ""


def judge_client(settings: Settings, watch: Watch, stock: Stock | None = None) -> RunResult:
    """Run a client in every scenario, and judge it. `stock` is a sandbox that runs already; None starts one.

    Raises UsageError when the command cannot be started, CannotJudge when the sandbox fails or the command sent
    nothing to it in fair weather. An interrupt ends the run; what was found stands.
    """
    started, started_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with ExitStack() as stack:
        history = (
            stack.enter_context(HistoryFile(settings.report / "history.ndjson")) if settings.report else None
        )
        state = _State(settings, watch, stock or stack.enter_context(sandbox()), history)
        _go_through(state)
    return concluded(
        state.told,
        settings.rules,
        strict=settings.strict,
        interrupted=state.interrupted,
        command=settings.command,
        target=" ".join(settings.plan.command),
        started_at=started_at,
        duration=time.monotonic() - started,
        has_flow=settings.plan.flow is not None,
    )


@contextmanager
def sandbox() -> Iterator[Stock]:
    """Run a sandbox of one's own, with credentials that nobody else has. Raises CannotJudge when it does not start."""
    username, password = credentials()
    try:
        with background(SandboxSettings(username=username, password=password)) as base_url:
            yield Stock(base_url, username, password)
    except ServerError as error:
        raise CannotJudge(str(error)) from None


def _go_through(state: _State) -> None:
    for scenario in state.settings.scenarios:
        state.watch.outing(scenario)
        try:
            told = _told(state, scenario)
        except KeyboardInterrupt:
            state.interrupted = f"stopped in the scenario {scenario.name}"
            return
        state.told.append(told)
        state.watch.told(told)
        for finding in told.findings:
            if finding.rule not in state.announced:
                state.announced.add(finding.rule)
                state.watch.finding(finding)


def _told(state: _State, scenario: Scenario) -> Told:
    outing = _outing(state, scenario)
    if scenario is FAIR:
        state.fair = outing
        _refuse_silence(outing)
        return _fair(state, outing)
    if _went_wrong(outing, state.fair):
        # A command that fails now and then must not be blamed on the weather: it has to fail twice.
        second = _outing(state, scenario)
        if not _went_wrong(second, state.fair):
            return _at_last(state, second)
    return _heard(state, outing)


def _fair(state: _State, fair: Outing) -> Told:
    """What the run in fair weather comes to. One that fails is tried where nothing but a 201 is written otherwise."""
    for name in stumbling_blocks(fair):
        other = _outing(state, SCENARIOS[name])
        if went_well(other):
            second = _outing(state, FAIR)
            if not second.succeeded:
                return _heard(state, fair, [stumbling(fair, other)])
            state.fair = second
            return _at_last(state, second)
    return _heard(state, fair)


def _at_last(state: _State, second: Outing) -> Told:
    told = _heard(state, second)
    return replace(told, notes=(*told.notes, "failed once, and went well when it was run again"))


def _went_wrong(outing: Outing, fair: Outing | None) -> bool:
    return outing.scenario.is_benign and fair is not None and went_well(fair) and not went_well(outing)


def _outing(state: _State, scenario: Scenario) -> Outing:
    outing = go_out(state.settings.plan, scenario, state.stock, state.numbers)
    if state.history is not None:
        state.history.append(outing.exchanges)
    return outing


def _refuse_silence(outing: Outing) -> None:
    if not outing.heard:
        why = (
            f": {'; '.join(outing.notes)}"
            if outing.notes
            else ", does it read ORDERPROOF_BASE_URL? See --env"
        )
        raise CannotJudge(f"the command sent no request to the sandbox ({outing.ended}){why}")


def _heard(state: _State, outing: Outing, more: Iterable[Claim] = ()) -> Told:
    hearing = Hearing([rule.id for rule in state.settings.rules])
    found = [finding for exchange in outing.exchanges for finding in hearing.hear(exchange)]
    if state.settings.plan.flow is None or outing.scenario is not FAIR:
        found = list(_beyond_doubt(hearing, found, outing, state.fair))
    shown = [*claims(outing, state.fair), *more]
    found += _claimed(hearing, outing, shown, {finding.rule for finding in found})
    return Told(
        outing=outing,
        findings=tuple(found),
        exercised=+hearing.exercised,
        broken=+hearing.broken,
        errors=dict(hearing.errors),
        doubled=frozenset(_doubled(hearing, outing)),
        retries=dict(hearing.retries),
    )


def _beyond_doubt(
    hearing: Hearing, found: Sequence[Finding], outing: Outing, fair: Outing | None
) -> Iterator[Finding]:
    """Drop what may be the doing of the command, which makes a call twice, rather than of the client in it."""
    known = outing.exchanges
    usual = None if fair is None or fair is outing else fair.exchanges
    for finding in found:
        if is_in_doubt(finding, hearing.retries, known, usual):
            hearing.take_back(finding.rule)
        else:
            yield finding


def _claimed(
    hearing: Hearing, outing: Outing, shown: Iterable[Claim], already: set[str]
) -> Iterator[Finding]:
    cause = next((rule for rule in _GRAVE if rule in already), None)
    for claim in shown:
        finding = hearing.note(claim.rule, claim.mark, claim.exchange)
        if finding is not None:
            cause = cause or (claim.rule if claim.rule in _GRAVE else None)
            follows = cause if claim.doubled or (claim.rule == "CLI-DO-1" and cause == "CLI-IDM-3") else None
            yield replace(finding, trail=tuple(outing.exchanges[-_TRAIL:]), follows=follows)


_TRAIL = 40


def _doubled(hearing: Hearing, outing: Outing) -> Iterator[int]:
    """Numbers of requests that made a second capture or refund out of one call."""
    made = {
        entry.exchange.number: entry.taken.header("capture-id") or entry.taken.header("refund-id")
        for entry in outing.heard
        if entry.taken is not None and entry.taken.status == 201
    }
    for number, tries in hearing.retries.items():
        ids = {made[one] for one in (*tries, number) if made.get(one)}
        if len(ids) > 1 and number in made:
            yield number
