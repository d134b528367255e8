"""Performs one unit of a driver's work, judged by itself, and tells what came of it."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from orderproof.blame import Blame
from orderproof.checks.findings import Finding
from orderproof.coverage import Coverage
from orderproof.drivers.plan import Run, Unit
from orderproof.drivers.reduction import Reduction, is_reducible, reduced
from orderproof.drivers.reruns import repeated
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script, Stage
from orderproof.errors import CannotJudge, OutOfTime, Stopped
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.shown import shown_request
from orderproof.supply import OutOfOrders

__all__ = ["End", "Looks", "Outcome", "attempt", "cut_down", "perform"]

_HOME = Path(__file__).parent
_ON_PURPOSE = frozenset({"cut", "lost"})


class End(Enum):
    """Why a unit ended."""

    DONE = "it was done"
    ENOUGH = "enough was found"
    LIMIT = "there was no time or no order left"
    FAULT = "a fault of ours"
    CUT = "nothing more can be judged"
    STOPPED = "it was told to stop"


@dataclass(frozen=True)
class Outcome:
    """What came of a unit: what its judge saw, and the scripts of the sequences that findings are in.

    `sentence` says why it ended early. `requests` counts all that were sent, `unanswered` those without an answer that
    were not lost on purpose; `silence` says which was the first of these.
    """

    driver: str
    place: tuple[int, int]
    findings: Sequence[Finding] = ()
    exercised: Mapping[str, int] = field(default_factory=dict)
    broken: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    blame: Blame = field(default_factory=Blame)
    coverage: Coverage = field(default_factory=Coverage)
    scripts: Mapping[str, Script] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    requests: int = 0
    unanswered: int = 0
    silence: str = ""
    end: End = End.DONE
    sentence: str = ""


@dataclass(frozen=True)
class Looks:
    """Who looks on while a unit is performed: at each sequence, at each finding with its script; and what says stop."""

    run: Callable[[Run], object] = lambda _: None
    finding: Callable[[Finding, Script], object] = lambda *_: None
    enough: Callable[[], bool] = lambda: False


@dataclass
class _Work:
    """A unit under way."""

    unit: Unit
    judge: Judge
    looks: Looks
    coverage: Coverage = field(default_factory=Coverage)
    stages: dict[str, Stage] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    unanswered: int = 0
    silence: str = ""

    def observe(self, exchange: Exchange) -> None:
        self.note_silence(exchange)
        self.tell(self.judge.observe(exchange))
        step = self.judge.step
        if step is not None and step.call is not None and step.assessment is not None:
            self.coverage.observe(step.call, step.assessment, self.judge.states(step.call.order_id))

    def observe_group(self, exchanges: Sequence[Exchange]) -> None:
        for exchange in exchanges:
            self.note_silence(exchange)
        self.tell(self.judge.observe_group(exchanges))

    def note_silence(self, exchange: Exchange) -> None:
        if exchange.response is None and exchange.facts.isdisjoint(_ON_PURPOSE):
            self.unanswered += 1
            self.silence = self.silence or _told(exchange)

    def tell(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            stage = self.stages.get(finding.exchange.scenario)
            if finding.follows is None and stage is not None:
                self.looks.finding(finding, stage.script)

    def scripts(self) -> dict[str, Script]:
        """The sequences that findings are in: what is not asked for again need not be remembered."""
        named = {finding.exchange.scenario for finding in self.judge.findings}
        return {name: stage.script for name, stage in self.stages.items() if name in named}


def perform(unit: Unit, session: Session, judge: Judge, looks: Looks) -> Outcome:
    """Perform a unit in a session under a judge of its own. What it found stands, however it ended."""
    work, before = _Work(unit, judge, looks), session.requests
    with session.watched(work.observe, judge.state, work.observe_group, work.coverage):
        end, sentence = attempt(unit.driver, lambda: _performed(work, session))
    return Outcome(
        driver=unit.driver,
        place=unit.place,
        findings=tuple(judge.findings),
        exercised=Counter(judge.exercised),
        broken=Counter(judge.broken),
        errors=judge.errors,
        blame=judge.blame,
        coverage=work.coverage,
        scripts=work.scripts(),
        remarks=tuple(work.remarks),
        requests=session.requests - before,
        unanswered=work.unanswered,
        silence=work.silence,
        end=end,
        sentence=sentence,
    )


def _told(exchange: Exchange) -> str:
    """A request that got no answer, and what became of it, in a few words."""
    return f"{shown_request(exchange)} in “{exchange.scenario}”: {exchange.fault}"


def _performed(work: _Work, session: Session) -> End:
    for run in work.unit.runs(session):
        work.stages[run.stage.name] = run.stage
        work.remarks += [run.note] if run.note else []
        work.looks.run(run)
        if work.looks.enough():
            return End.ENOUGH
    return End.DONE


def attempt(driver: str, work: Callable[[], End]) -> tuple[End, str]:
    """Do some work of a driver; returns how it ended, and the sentence to be said about that if there is any."""
    try:
        return work(), ""
    except OutOfOrders as error:
        return End.LIMIT, str(error)
    except OutOfTime:
        return End.LIMIT, f"the time was over while {driver} ran"
    except Stopped:
        return End.STOPPED, ""
    except CannotJudge as error:
        return End.CUT, str(error)
    except KeyboardInterrupt:
        return End.CUT, "stopped by Ctrl-C or a signal"
    except Exception as error:
        # What was found stands, and other units may find more: a fault of ours must not take that away.
        return End.FAULT, f"a fault of orderproof ended the driver {driver}: {_shown(error)}"


def cut_down(session: Session, finding: Finding, script: Script, judges: Callable[[], Judge]) -> Reduction:
    """Cut what was found down to the shortest sequence; what took calls at once or lost answers is played again as is.

    Raises what sending raises.
    """
    shorten = reduced if is_reducible(finding) else repeated
    return shorten(session, script, finding, judges)


def _shown(error: Exception) -> str:
    """The error and where it was raised, in a line."""
    places = traceback.extract_tb(error.__traceback__)
    ours = [place for place in places if Path(place.filename).is_relative_to(_HOME)]
    place = (ours or places)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
