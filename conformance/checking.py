"""Checks a server: puts target, drivers and judge together, and comes to an outcome."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from orderproof.catalogue import Rule
from orderproof.checks.findings import Finding
from orderproof.counterexample import Counterexample, clear, counterexample_of
from orderproof.drivers.plan import PROFILES, Driver, Profile, Run, Unit, drivers_of
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script, Stage
from orderproof.errors import CannotJudge
from orderproof.examples import Examples
from orderproof.exchange import Exchange
from orderproof.history import HistoryFile
from orderproof.judge import Judge
from orderproof.ledger import Ledger
from orderproof.outcome import Progress, RunResult
from orderproof.pace import Pace
from orderproof.performing import End, Looks, attempt, cut_down, perform
from orderproof.reproducing import play
from orderproof.sanity import look_at
from orderproof.sharding import Shard, units_of
from orderproof.supply import Supply, supply_from
from orderproof.target import Target
from orderproof.transport import Transport
from orderproof.verdicts import conclude
from orderproof.workers.crew import Crew
from orderproof.workers.foreman import Foreman, Office
from orderproof.workers.messages import Brief

_SANITY, _FOUND_BEFORE = -2, -1
"""The places of what comes before the first driver."""

_GOING_ON = frozenset({End.DONE, End.FAULT})


@dataclass(frozen=True)
class Settings:
    """What to check and how.

    `max_time` in seconds; `rules` are those selected; `report` the folder to write to; `examples` what earlier runs
    found, to be tried first. `workers` processes share the work; of a `shard` only its part is done.
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
    workers: int = 1
    shard: Shard | None = None

    @property
    def shown(self) -> str:
        """What a reader calls the target."""
        return self.shown_target or self.target.base_url


@dataclass
class Watch:
    """Who is told how a run goes: `progress` now and then, `finding` for each root cause, `exchange` for all.

    `enough` is asked after each sequence: if it says so, what was found is cut down and the run ends. Exchanges of
    workers are passed on only if `shows` says so, for that takes time.
    """

    progress: Callable[[Progress], None] = lambda _: None
    finding: Callable[[Finding], None] = lambda _: None
    exchange: Callable[[Exchange], None] = lambda _: None
    enough: Callable[[], bool] = lambda: False
    shows: bool = False


@dataclass
class _State:
    """A run under way. `elsewhere` are the requests that workers sent."""

    settings: Settings
    watch: Watch
    history: HistoryFile | None
    supply: Supply
    pace: Pace
    ledger: Ledger = field(default_factory=Ledger)
    started: float = field(default_factory=time.monotonic)
    elsewhere: int = 0
    last_shown: float = 0.0
    announced: set[str] = field(default_factory=set)
    drivers: tuple[str, ...] = ()

    @property
    def profile(self) -> Profile:
        return PROFILES[self.settings.profile]

    @property
    def deadline(self) -> float | None:
        """When the time is over, as a reading of the monotonic clock."""
        most = self.settings.max_time
        return None if most is None else self.started + most

    def judge(self) -> Judge:
        """A judge of the selected rules who has seen nothing yet."""
        return Judge(only=[rule.id for rule in self.settings.rules])


def check(settings: Settings, watch: Watch) -> RunResult:
    """Judge a server. Raises CannotJudge when the sanity run fails: nothing was judged then.

    A run that is cut short (time, interrupt, a target or a worker that dies) keeps what it found, and says so.
    """
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    if settings.report is not None:
        clear(settings.report / "counterexamples")
    with ExitStack() as stack:
        history = (
            stack.enter_context(HistoryFile(settings.report / "history.ndjson")) if settings.report else None
        )
        target = settings.target
        state = _State(settings, watch, history, supply_from(target.orders), Pace(target.rate))
        # They get ready while this process looks whether there is anything to do for them.
        crew = stack.enter_context(Crew(_briefs(state))) if settings.workers > 1 else None
        session = _session(state, stack.enter_context(Transport(target)))
        _look(state, session)
        _run(state, session, crew)
        if settings.examples is not None and settings.examples.trouble:
            state.ledger.notes.append(settings.examples.trouble)
    return conclude(
        settings,
        state.ledger,
        requests=state.elsewhere + session.requests,
        duration=time.monotonic() - state.started,
        started_at=started_at,
    )


def _session(state: _State, transport: Transport) -> Session:
    settings, idle = state.settings, Judge()
    parties = 1 + settings.workers if settings.workers > 1 else 1
    return Session(
        sender=transport,
        target=settings.target,
        supply=state.supply,
        record=lambda exchanges: _record(state, exchanges),
        observe=idle.observe,
        state=idle.state,
        seed=settings.seed,
        deadline=state.deadline,
        numbers=itertools.count(1, parties),
        turn=state.pace.wait,
    )


def _briefs(state: _State) -> list[Brief]:
    """What each worker has to know."""
    settings = state.settings
    return [
        Brief(
            target=settings.target,
            rules=tuple(rule.id for rule in settings.rules),
            profile=settings.profile,
            seed=settings.seed,
            number=number,
            of=settings.workers,
            deadline=state.deadline,
            history=None if settings.report is None else settings.report / "history.ndjson",
            shows=state.watch.shows,
        )
        for number in range(1, settings.workers + 1)
    ]


def _record(state: _State, exchanges: Sequence[Exchange]) -> None:
    if state.history is not None:
        state.history.append(exchanges)
    _pass_on(state, exchanges)


def _pass_on(state: _State, exchanges: Sequence[Exchange]) -> None:
    for exchange in exchanges:
        state.watch.exchange(exchange)


def _announce(state: _State, finding: Finding) -> None:
    due_to = state.ledger.blame.behind(finding.rule, finding.suspects)
    if finding.rule not in state.announced and due_to is None:
        state.announced.add(finding.rule)
        state.watch.finding(finding)


def _look(state: _State, session: Session) -> None:
    """Make the sanity run. Raises CannotJudge; its findings are not announced, for there may be no server at all."""

    def runs(session: Session) -> Iterator[Run]:
        look_at(session)
        yield from ()

    outcome = perform(Unit("sanity", (_SANITY, 0), runs), session, state.judge(), Looks())
    if outcome.end is End.CUT:
        raise CannotJudge(outcome.sentence)
    state.ledger.absorb(outcome, silent=True)


def _run(state: _State, session: Session, crew: Crew | None) -> None:
    """Try what was found before, then run the drivers: one after the other, or by a crew those that can be."""
    settings = state.settings
    drivers = drivers_of(settings.profile, settings.seed, clock=settings.target.clock is not None)
    numbers = {driver.name: number for number, driver in enumerate(drivers)}
    state.drivers = tuple(numbers)
    units = partial(_units, numbers, settings.shard)
    if not _try_again(state, session):
        return
    shared = [driver for driver in drivers if crew is not None and not driver.alone]
    if crew is not None and not _share_out(state, session, crew, shared, units):
        return
    for driver in drivers:
        if driver not in shared and not _drive(state, session, driver, units(driver)):
            return


def _units(numbers: dict[str, int], shard: Shard | None, driver: Driver) -> Iterator[Unit]:
    return units_of(driver, numbers[driver.name], shard)


def _share_out(
    state: _State,
    session: Session,
    crew: Crew,
    drivers: Sequence[Driver],
    units: Callable[[Driver], Iterator[Unit]],
) -> bool:
    office = Office(
        ledger=state.ledger,
        supply=state.supply,
        pace=state.pace,
        most=state.profile.reductions,
        began=lambda driver, sequence, requests: _show(state, driver, sequence, session.requests + requests),
        finding=lambda finding: _announce(state, finding),
        sent=lambda exchanges: _pass_on(state, exchanges),
        reduced=lambda reduction, scenario: _keep(state, reduction, scenario),
        enough=state.watch.enough,
    )
    foreman = Foreman(crew, office)
    try:
        return foreman.share_out(drivers, units)
    finally:
        crew.close()
        state.elsewhere = foreman.requests


def _drive(state: _State, session: Session, driver: Driver, units: Iterator[Unit]) -> bool:
    """Perform the units of a driver in this process; returns whether the run can go on."""
    looks = Looks(
        run=lambda run: _show(state, driver.name, run.stage.name, state.elsewhere + session.requests),
        finding=lambda finding, _: _announce(state, finding),
        enough=state.watch.enough,
    )
    for unit in units:
        outcome = perform(unit, session, state.judge(), looks)
        state.ledger.absorb(outcome)
        enough = outcome.end is End.ENOUGH or state.watch.enough()
        if (driver.lasting or enough) and not _reduce(state, session, driver.name):
            return False
        if enough or outcome.end not in _GOING_ON:
            return False
    return _reduce(state, session, driver.name)


def _try_again(state: _State, session: Session) -> bool:
    """Send what earlier runs found, and drop what does not fail any more; returns whether the run can go on.

    Of a run in shards, the first does so.
    """
    settings = state.settings
    if settings.examples is None or (settings.shard is not None and settings.shard.number > 1):
        return True
    rules = {rule.id for rule in settings.rules}
    for number, example in enumerate(settings.examples.known(), 1):
        if example.rule in rules and not _try_one(state, session, settings.examples, example, number):
            return False
    return True


def _try_one(
    state: _State, session: Session, examples: Examples, example: Counterexample, number: int
) -> bool:
    name = f"found before {number}"

    def runs(session: Session) -> Iterator[Run]:
        stage = Stage(session, name, follow=True)
        yield Run(stage)
        play(example, stage)

    unit = Unit("found before", (_FOUND_BEFORE, number), runs)
    looks = Looks(finding=lambda finding, _: _announce(state, finding))
    outcome = perform(unit, session, state.judge(), looks)
    state.ledger.absorb(outcome)
    again = [
        each for each in state.ledger.found_in(name) if each.rule == example.rule and each.follows is None
    ]
    if again:
        state.ledger.reduced_to(example.rule, Reduction(again[0], example.sequence, 0))
    elif outcome.end is End.DONE:
        examples.drop(example)
    return outcome.end in _GOING_ON


def _reduce(state: _State, session: Session, driver: str) -> bool:
    """Cut down what was found since the last time, once for each rule; returns whether the run can go on."""
    for finding, script in state.ledger.to_cut_down(state.profile.reductions):
        end, sentence = attempt(driver, partial(_reduce_one, state, session, finding, script))
        state.ledger.end(end, sentence)
        if end not in _GOING_ON:
            return False
    return True


def _reduce_one(state: _State, session: Session, finding: Finding, script: Script) -> End:
    reduction = cut_down(session, finding, script, state.judge)
    state.ledger.reduced_to(finding.rule, reduction)
    _keep(state, reduction, script.name)
    return End.DONE


def _keep(state: _State, reduction: Reduction, scenario: str) -> None:
    """Keep what was found for the next run."""
    if state.settings.examples is not None:
        seed = state.settings.seed
        example = counterexample_of(reduction.finding, reduction.sequence, seed=seed, scenario=scenario)
        state.settings.examples.keep(example)


def _show(state: _State, driver: str, sequence: str, requests: int) -> None:
    now = time.monotonic()
    if now - state.last_shown < 0.1:
        return
    state.last_shown = now
    roots, elapsed = state.ledger.roots, now - state.started
    done = state.drivers.index(driver) + 1 if driver in state.drivers else 0
    state.watch.progress(
        Progress(
            driver, sequence, requests, roots, elapsed, state.settings.max_time, done, len(state.drivers)
        )
    )
