"""The foreman: shares out the units of a run to a crew, and enters what comes of them in the order of the plan."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orderproof.checks.findings import Finding
from orderproof.drivers.plan import Driver, Unit
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.stage import Script
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Request
from orderproof.ledger import Ledger
from orderproof.pace import Pace
from orderproof.performing import End, Outcome
from orderproof.supply import OutOfOrders, Supply
from orderproof.workers.crew import Crew, Hand, Lost
from orderproof.workers.messages import (
    Began,
    CutDown,
    Failed,
    Found,
    Job,
    Perform,
    Sent,
    Shortened,
    Supplied,
    WantsOrder,
    WantsTurn,
)

__all__ = ["Foreman", "Office"]

_GRACE_SECONDS = 3.0
"""How long a worker that was told to stop may take to tell what it found."""


@dataclass(frozen=True)
class Office:
    """What the process of a run keeps for all: the ledger, the orders, the pace; and who is told of what happens.

    `most` reductions are made. `began` is told the driver, the sequence and the requests of all workers.
    """

    ledger: Ledger
    supply: Supply
    pace: Pace
    most: int
    began: Callable[[str, str, int], None]
    finding: Callable[[Finding], None]
    sent: Callable[[Sequence[Exchange]], None]
    reduced: Callable[[Reduction, str], None]
    enough: Callable[[], bool]


@dataclass
class Foreman:
    """Shares out the units of drivers. `requests` are those that all workers sent."""

    crew: Crew
    office: Office
    requests: int = 0
    _units: Iterator[Unit] = field(default_factory=lambda: iter(()))
    _drivers_left: deque[Iterator[Unit]] = field(default_factory=deque)
    _lasting: frozenset[str] = frozenset()
    _due: deque[tuple[int, int] | None] = field(default_factory=deque)
    _drivers: dict[tuple[int, int], str] = field(default_factory=dict)
    _done: dict[tuple[int, int], Outcome] = field(default_factory=dict)
    _cuts: deque[tuple[Finding, Script]] = field(default_factory=deque)
    _under_way: dict[int, int] = field(default_factory=dict)
    _enough: bool = False
    _stopped: bool = False
    _reason: str = ""

    def share_out(self, drivers: Sequence[Driver], units: Callable[[Driver], Iterator[Unit]]) -> bool:
        """Have the units of all drivers performed; returns whether the run can go on."""
        self._lasting = frozenset(driver.name for driver in drivers if driver.lasting)
        # After the last of them comes one without units, so that what the last one found is cut down too.
        self._drivers_left = deque([*map(units, drivers), iter(())])
        try:
            while self._keep_busy():
                self.crew.hear(None, self._take)
        except KeyboardInterrupt:
            self._reason = "stopped by Ctrl-C or a signal"
            self._stop()
        if self._stopped:
            self._wind_up()
        self._enter_the_rest()
        return not self._stopped and not self._enough

    def _keep_busy(self) -> bool:
        """Give a job to whoever has none; returns whether anybody has one."""
        for hand in self.crew.hands:
            if hand.job is None and not self._stopped:
                job = self._next()
                if job is not None:
                    hand.give(job)
        if not self.crew.hands and not self._stopped:
            self._stopped = True
        return bool(self.crew.busy) and not self._stopped

    def _next(self) -> Job | None:
        """What is to be cut down, or the next unit; None when there is nothing to do at the moment."""
        while not self._cuts:
            unit = next(self._units, None)
            if unit is not None:
                self._due.append(unit.place)
                self._drivers[unit.place] = unit.driver
                return Perform(unit.place)
            if not self._drivers_left:
                return None
            self._units = self._drivers_left.popleft()
            self._due.append(None)
            self._enter()
        return CutDown(*self._cuts.popleft())

    def _take(self, hand: Hand, message: object) -> None:
        match message:
            case Outcome():
                self._finish(hand, message)
            case Shortened():
                self._enter_reduction(hand, message)
            case Began(driver, sequence, requests):
                hand.sequence = sequence
                self._under_way[hand.number] = requests
                self.office.began(driver, sequence, self.requests + sum(self._under_way.values()))
            case Found():
                hand.found.append(message)
                self.office.finding(message.finding)
            case Sent(exchanges):
                self.office.sent(exchanges)
            case WantsTurn(requests):
                hand.say(self.office.pace.delay(requests))
            case WantsOrder():
                hand.say(_supplied(self.office.supply, message))
            case Failed(sentence):
                self._lose(hand, f"failed: {sentence}")
            case Lost(how):
                self._lose(hand, how)

    def _finish(self, hand: Hand, outcome: Outcome) -> None:
        hand.job = None
        self._under_way.pop(hand.number, None)
        self.requests += outcome.requests
        self._done[outcome.place] = outcome
        self._enter()
        if outcome.end in (End.LIMIT, End.CUT):
            self._stop()
        elif not self._enough and self.office.enough():
            self._enough = True
            self._units, self._drivers_left = iter(()), deque([iter(())])

    def _enter_reduction(self, hand: Hand, done: Shortened) -> None:
        hand.job = None
        self.requests += done.requests
        if done.reduction is not None:
            self.office.ledger.reduced_to(done.rule, done.reduction)
            self.office.reduced(done.reduction, done.scenario)
        if done.end in (End.CUT, End.FAULT):
            self._reason = self._reason or done.sentence
        if done.end is End.CUT:
            self._stop()

    def _lose(self, hand: Hand, how: str) -> None:
        """Go on without a worker: what it had told of its unit stands, and is all that there will be of it."""
        at = self._work_of(hand)
        where = f" while it ran “{at}”" if at else ""
        sentence = f"worker {hand.number} of the run {how}{where}: what it had not told by then is lost"
        self._reason = self._reason or ("" if self._stopped else sentence)
        if isinstance(hand.job, Perform):
            self._done[hand.job.place] = _remains(hand, self._drivers[hand.job.place])
        hand.job = None
        if hand in self.crew.hands:
            self.crew.hands.remove(hand)
        self._under_way.pop(hand.number, None)
        self._enter()

    def _work_of(self, hand: Hand) -> str:
        """What a worker is at, for people; empty when it is at nothing."""
        match hand.job:
            case Perform(place):
                return hand.sequence or self._drivers[place]
            case CutDown(finding):
                return f"cutting down {finding.rule}"
        return ""

    def _enter(self) -> None:
        """Enter the outcomes that are next in the plan, and see what is to be cut down now."""
        ledger = self.office.ledger
        while self._due and (self._due[0] is None or self._due[0] in self._done):
            place = self._due.popleft()
            if place is not None:
                ledger.absorb(self._done.pop(place))
            if place is None or self._drivers.pop(place) in self._lasting:
                self._cuts.extend(ledger.to_cut_down(self.office.most))

    def _enter_the_rest(self) -> None:
        for place in [place for place in self._due if place in self._done]:
            self.office.ledger.absorb(self._done.pop(place))
        ledger = self.office.ledger
        ledger.interrupted = ledger.interrupted or self._reason

    def _stop(self) -> None:
        if not self._stopped:
            self._stopped = True
            self.crew.stop()

    def _wind_up(self) -> None:
        """Hear what those under way have found, and end those that take too long to tell."""
        until = time.monotonic() + _GRACE_SECONDS
        while self.crew.busy and (rest := until - time.monotonic()) > 0:
            self.crew.hear(rest, self._take)
        for hand in self.crew.busy:
            self._lose(hand, "was not heard of any more")


def _remains(hand: Hand, driver: str) -> Outcome:
    """What a worker that is gone had told of its unit."""
    assert isinstance(hand.job, Perform)
    return Outcome(
        driver=driver,
        place=hand.job.place,
        findings=tuple(found.finding for found in hand.found),
        exercised={found.finding.rule: 1 for found in hand.found},
        broken={found.finding.rule: 1 for found in hand.found},
        scripts={found.script.name: found.script for found in hand.found},
        end=End.STOPPED,
    )


def _supplied(supply: Supply, wanted: WantsOrder) -> Supplied:
    try:
        return Supplied(supply.obtain(wanted.draft, _send_nothing))
    except OutOfOrders as error:
        return Supplied(None, str(error), dry=True)
    except CannotJudge as error:
        return Supplied(None, str(error))


def _send_nothing(request: Request) -> Exchange:
    raise CannotJudge(f"an order cannot be had with {request.method} {request.target} here")
