"""Checks a server: puts target, drivers and judge together, and comes to an outcome."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orderproof.catalogue import Rule
from orderproof.checks.findings import Finding
from orderproof.counterexample import clear, counterexample_of
from orderproof.coverage import Coverage
from orderproof.drivers.plan import PROFILES, Driver, Run, drivers_of
from orderproof.drivers.reduction import Reduction, is_reducible, reduced
from orderproof.drivers.reruns import repeated
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge, OutOfTime
from orderproof.examples import Examples
from orderproof.exchange import Exchange
from orderproof.history import HistoryFile
from orderproof.judge import Judge
from orderproof.outcome import Progress, RunResult
from orderproof.reproducing import play
from orderproof.sanity import look_at
from orderproof.supply import OutOfOrders, supply_from
from orderproof.target import Target
from orderproof.transport import Transport
from orderproof.verdicts import conclude

_HOME = Path(__file__).parent


@dataclass(frozen=True)
class Settings:
    """What to check and how.

    `max_time` in seconds; `rules` are those selected; `report` the folder to write to; `examples` what earlier runs
    found, to be tried first.
    """

    target: Target
    rules: Sequence[Rule]
    profile: str = "standard"
    seed: int = 0
    max_time: float | None = None
    strict: bool = False
    report: Path | None = None
    shown_target: str = ""
    examples: Examples | None = None
    command: str = "check"


@dataclass
class Watch:
    """Who is told how a run goes: `progress` now and then, `finding` for each root cause, `exchange` for all.

    `enough` is asked after each sequence: if it says so, what was found is cut down and the run ends.
    """

    progress: Callable[[Progress], None] = lambda _: None
    finding: Callable[[Finding], None] = lambda _: None
    exchange: Callable[[Exchange], None] = lambda _: None
    enough: Callable[[], bool] = lambda: False


@dataclass
class _State:
    """A run under way."""

    settings: Settings
    watch: Watch
    judge: Judge
    history: HistoryFile | None
    coverage: Coverage = field(default_factory=Coverage)
    waiting: list[str] = field(default_factory=list)
    reductions: dict[str, Reduction] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    runs: list[Run] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    interrupted: str = ""
    last_shown: float = 0.0
    announced: set[str] = field(default_factory=set)
    sane: bool = False


def check(settings: Settings, watch: Watch) -> RunResult:
    """Judge a server. Raises CannotJudge when the sanity run fails: nothing was judged then.

    A run that is cut short (time, interrupt, a target that dies) keeps what it found, and says so.
    """
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    if settings.report is not None:
        clear(settings.report / "counterexamples")
    with ExitStack() as stack:
        history = (
            stack.enter_context(HistoryFile(settings.report / "history.ndjson")) if settings.report else None
        )
        state = _State(settings, watch, Judge(only=[rule.id for rule in settings.rules]), history)
        transport = stack.enter_context(Transport(settings.target))
        session = _session(state, transport)
        look_at(session)
        state.sane = True
        for driver in (_found_before(state), *drivers_of(settings.profile)):
            if not _drive(state, session, driver):
                break
    return conclude(
        settings,
        state.judge,
        state.runs,
        reductions=state.reductions,
        requests=session.requests,
        duration=time.monotonic() - state.started,
        started_at=started_at,
        interrupted=state.interrupted,
        notes=state.notes,
        remarks=state.remarks,
        coverage=state.coverage.record(clock=settings.target.clock is not None),
    )


def _session(state: _State, transport: Transport) -> Session:
    settings = state.settings
    budget = settings.max_time or PROFILES[settings.profile].seconds
    return Session(
        sender=transport,
        target=settings.target,
        supply=supply_from(settings.target.orders),
        record=lambda exchange: _record(state, exchange),
        observe=lambda exchange: _observe(state, exchange),
        observe_group=lambda exchanges: _announce(state, state.judge.observe_group(exchanges)),
        state=state.judge.state,
        coverage=state.coverage,
        seed=settings.seed,
        deadline=None if budget is None else state.started + budget,
    )


def _record(state: _State, exchange: Exchange) -> None:
    if state.history is not None:
        state.history.append(exchange)
    state.watch.exchange(exchange)


def _announce(state: _State, findings: Sequence[Finding]) -> None:
    for finding in findings if state.sane else ():
        if finding.follows is None and finding.rule not in state.announced:
            state.announced.add(finding.rule)
            state.waiting.append(finding.rule)
            state.watch.finding(finding)


def _observe(state: _State, exchange: Exchange) -> None:
    _announce(state, state.judge.observe(exchange))
    step = state.judge.step
    if step is not None and step.call is not None and step.assessment is not None:
        state.coverage.observe(step.call, step.assessment, state.judge.states(step.call.order_id))


def _drive(state: _State, session: Session, driver: Driver) -> bool:
    """Run one driver; returns whether the run can go on."""
    try:
        for run in driver.runs(session, PROFILES[state.settings.profile]):
            state.runs.append(run)
            state.remarks += [run.note] if run.note else []
            _show(state, session, driver, run)
            enough = state.watch.enough()
            if driver.lasting or enough:
                _reduce(state, session)
            if enough:
                return False
        _reduce(state, session)
    except OutOfOrders as error:
        state.notes.append(str(error))
        return False
    except OutOfTime:
        state.notes.append(f"the time was over while {driver.name} ran")
        return False
    except CannotJudge as error:
        state.interrupted = str(error)
        return False
    except KeyboardInterrupt:
        state.interrupted = "interrupted from the keyboard"
        return False
    except Exception as error:
        # What was found stands, and the other drivers may find more: a fault of ours must not take that away.
        state.interrupted = f"a fault of orderproof ended the driver {driver.name}: {_shown(error)}"
    return True


def _shown(error: Exception) -> str:
    """The error and where it was raised, in a line."""
    places = traceback.extract_tb(error.__traceback__)
    ours = [place for place in places if Path(place.filename).is_relative_to(_HOME)]
    place = (ours or places)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"


def _found_before(state: _State) -> Driver:
    """The driver that sends what earlier runs found, and drops what does not fail any more."""
    return Driver("found before", lambda session, _: _again(state, session), lasting=True)


def _again(state: _State, session: Session) -> Iterator[Run]:
    rules = {rule.id for rule in state.settings.rules}
    examples = state.settings.examples
    for number, example in enumerate(examples.known() if examples is not None else (), 1):
        if example.rule not in rules or examples is None:
            continue
        stage = Stage(session, f"found before {number}", follow=True)
        yield Run(stage)
        play(example, stage)
        found = [each for each in state.judge.findings if each.exchange.scenario == stage.name]
        again = next((each for each in found if each.rule == example.rule and each.follows is None), None)
        if again is None:
            examples.drop(example)
        else:
            state.reductions.setdefault(example.rule, Reduction(again, example.sequence, 0))


def _reduce(state: _State, session: Session) -> None:
    """Cut what was found since the last time down to the shortest sequences, once for each rule.

    What took calls at once or lost answers is played again as it was.
    """
    most = PROFILES[state.settings.profile].reductions
    rules = [rule.id for rule in state.settings.rules]
    while state.waiting and len(state.reductions) < most:
        rule = state.waiting.pop(0)
        stages = {run.stage.name: run.stage for run in state.runs}
        found = [each for each in state.judge.findings if each.rule == rule and each.follows is None]
        known = [each for each in found if each.exchange.scenario in stages]
        if known and rule not in state.reductions:
            finding = min(known, key=lambda each: (not is_reducible(each), len(each.trail)))
            shorten = reduced if is_reducible(finding) else repeated
            stage = stages[finding.exchange.scenario]
            state.reductions[rule] = shorten(session, stage, finding, lambda: Judge(only=rules))
            _keep(state, state.reductions[rule], finding.exchange.scenario)


def _keep(state: _State, reduction: Reduction, scenario: str) -> None:
    """Keep what was found for the next run."""
    if state.settings.examples is not None:
        seed = state.settings.seed
        example = counterexample_of(reduction.finding, reduction.sequence, seed=seed, scenario=scenario)
        state.settings.examples.keep(example)


def _show(state: _State, session: Session, driver: Driver, run: Run) -> None:
    now = time.monotonic()
    if now - state.last_shown < 0.1:
        return
    state.last_shown = now
    budget = state.settings.max_time or PROFILES[state.settings.profile].seconds
    found = sum(finding.follows is None for finding in state.judge.findings)
    progress = Progress(driver.name, run.stage.name, session.requests, found, now - state.started, budget)
    state.watch.progress(progress)
