"""The process of a worker: performs the units that it is given, one after the other, and tells what came of them."""

from __future__ import annotations

import itertools
import signal
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from multiprocessing.connection import Connection
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.plan import Run, Unit, drivers_of
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script
from orderproof.errors import CannotJudge, Stopped
from orderproof.exchange import Exchange
from orderproof.history import HistoryFile
from orderproof.judge import Judge
from orderproof.performing import End, Looks, attempt, cut_down, perform
from orderproof.supply import OutOfOrders, Send, Supply, is_shared, supply_from
from orderproof.transport import Transport
from orderproof.workers.messages import (
    Began,
    Brief,
    CutDown,
    Failed,
    Found,
    Perform,
    Sent,
    Shortened,
    Stop,
    Supplied,
    WantsOrder,
    WantsTurn,
)

__all__ = ["work"]

_LOOKS_EVERY = 0.1
"""Seconds after which a worker looks again whether it is to stop."""


def work(connection: Connection, brief: Brief) -> None:
    """Do what the other end of a connection asks for, until it says stop or is gone."""
    # An interrupt from the terminal reaches every process; the one that shares out the work decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        try:
            with ExitStack() as stack:
                _Worker(connection, brief, stack).go_on()
        except (EOFError, OSError):
            raise
        except Exception as error:
            connection.send(Failed(f"{type(error).__name__}: {error}"))


class _Worker:
    """A worker with its session and its end of the connection."""

    def __init__(self, connection: Connection, brief: Brief, stack: ExitStack) -> None:
        self._connection = connection
        self._brief = brief
        self._drivers = drivers_of(brief.profile, brief.seed, clock=brief.target.clock is not None)
        self._history = None
        if brief.history is not None:
            self._history = stack.enter_context(HistoryFile(brief.history, fresh=False))
        self._session = self._open(stack.enter_context(Transport(brief.target)))
        self._told: set[str] = set()
        self._jobs: deque[Any] = deque()
        self._looked_at = self._began_at = self._before = 0.0
        self._stopped = False

    def _open(self, transport: Transport) -> Session:
        brief, judge = self._brief, Judge()
        return Session(
            sender=transport,
            target=brief.target,
            supply=_Asking(self) if is_shared(brief.target.orders) else supply_from(brief.target.orders),
            record=self._record,
            observe=judge.observe,
            state=judge.state,
            seed=brief.seed,
            deadline=brief.deadline,
            numbers=itertools.count(1 + brief.number, 1 + brief.of),
            turn=self._take_turn,
        )

    def go_on(self) -> None:
        """Do one job after the other."""
        while not self._stopped:
            match self._jobs.popleft() if self._jobs else self._connection.recv():
                case Perform(place):
                    self._perform(place)
                case CutDown(finding, script):
                    self._cut_down(finding, script)
                case Stop():
                    return

    def _perform(self, place: tuple[int, int]) -> None:
        number, position = place
        unit = self._drivers[number].unit(position, number)
        assert unit is not None
        self._before = self._session.requests
        looks = Looks(run=lambda run: self._begin(unit, run), finding=self._tell)
        judge = Judge(only=self._brief.rules)
        self._connection.send(perform(unit, self._session, judge, looks))

    def _cut_down(self, finding: Finding, script: Script) -> None:
        before = self._session.requests
        done: list[Reduction] = []

        def shorten() -> End:
            judges = lambda: Judge(only=self._brief.rules)  # noqa: E731
            done.append(cut_down(self._session, finding, script, judges))
            return End.DONE

        end, sentence = attempt("reduction", shorten)
        spent = self._session.requests - before
        reduction = done[0] if done else None
        self._connection.send(Shortened(finding.rule, script.name, reduction, spent, end, sentence))

    def _begin(self, unit: Unit, run: Run) -> None:
        now = time.monotonic()
        if now - self._began_at >= _LOOKS_EVERY:
            self._began_at = now
            sent = self._session.requests - int(self._before)
            self._connection.send(Began(unit.driver, run.stage.name, sent))

    def _tell(self, finding: Finding, script: Script) -> None:
        if finding.rule not in self._told:
            self._told.add(finding.rule)
            self._connection.send(Found(finding, script))

    def _record(self, exchanges: Sequence[Exchange]) -> None:
        if self._history is not None:
            self._history.append(exchanges)
        if self._brief.shows:
            self._connection.send(Sent(tuple(exchanges)))

    def _take_turn(self, requests: int) -> None:
        """Wait for a turn where there is a rate, and see now and then whether to stop. Raises Stopped."""
        if self._brief.target.rate:
            seconds: float = self.ask(WantsTurn(requests))
            time.sleep(seconds)
        elif time.monotonic() - self._looked_at >= _LOOKS_EVERY:
            self._looked_at = time.monotonic()
            while self._connection.poll():
                self._note(self._connection.recv())

    def ask(self, question: object) -> Any:
        """Ask the other end, and return its answer; jobs that come meanwhile have to wait. Raises Stopped."""
        self._connection.send(question)
        while isinstance(answer := self._connection.recv(), (Perform, CutDown, Stop)):
            self._note(answer)
        return answer

    def _note(self, message: object) -> None:
        if isinstance(message, Stop):
            self._stopped = True
            raise Stopped
        self._jobs.append(message)


class _Asking(Supply):
    """Gets orders from the process that has the supply: what it hands out, it hands out once."""

    def __init__(self, worker: _Worker) -> None:
        self._worker = worker

    def obtain(self, draft: Mapping[str, Any], send: Send) -> str:
        supplied: Supplied = self._worker.ask(WantsOrder(draft))
        if supplied.order_id is None:
            raise (OutOfOrders if supplied.dry else CannotJudge)(supplied.sentence)
        return supplied.order_id
