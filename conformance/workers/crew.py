"""The crew: starts the workers of a run, gives them jobs, hears what they say, and notices when one dies."""

from __future__ import annotations

import ctypes
import importlib
import multiprocessing
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orderproof.workers.messages import Brief, Found, Job, Stop
from orderproof.workers.process import work

__all__ = ["Crew", "Hand", "Lost"]

_ENDS_WITHIN_SECONDS = 2.0
_NURSERY = "orderproof.workers.nursery"
_THREADS = Path("/proc/self/task")
"""On Linux, what threads this process has."""

_END_WITH_PARENT = 1
"""The option of Linux's prctl by which a process gets a signal when its parent ends."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone; `how` completes the sentence "it ..."."""

    how: str


@dataclass(eq=False)
class Hand:
    """A worker as the others see it: its number, what it is at, and what it told of that already."""

    number: int
    process: BaseProcess
    connection: Connection
    job: Job | None = None
    sequence: str = ""
    found: list[Found] = field(default_factory=list)

    def give(self, job: Job) -> None:
        """Give it a job. That it is gone already is told by the crew."""
        self.job, self.sequence, self.found = job, "", []
        self.say(job)

    def say(self, message: object) -> None:
        """Send it a message, if it is still there."""
        with suppress(OSError):
            self.connection.send(message)


class Crew:
    """So many workers, each in a process of its own; they end with the block, and when this process dies."""

    def __init__(self, briefs: Sequence[Brief]) -> None:
        self._briefs = briefs
        self.hands: list[Hand] = []

    def __enter__(self) -> Self:
        context = _context()
        for brief in self._briefs:
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(there, brief), daemon=True)
            process.start()
            there.close()
            self.hands.append(Hand(brief.number, process, here))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers; those that do not end by themselves are ended."""
        for hand in self.hands:
            hand.say(Stop())
        for hand in self.hands:
            hand.process.join(_ENDS_WITHIN_SECONDS)
            hand.process.kill()
            hand.connection.close()
        self.hands.clear()

    def stop(self) -> None:
        """Tell all workers to come to an end."""
        for hand in self.hands:
            hand.say(Stop())

    @property
    def busy(self) -> list[Hand]:
        """The workers that are at a job."""
        return [hand for hand in self.hands if hand.job is not None]

    def hear(self, seconds: float | None, take: Callable[[Hand, object], None]) -> bool:
        """Wait for a word of a worker that is at a job, and pass on what has come; False when nothing did in time."""
        talking = {hand.connection: hand for hand in self.busy}
        ready = wait(list(talking), seconds)
        for connection in ready:
            assert isinstance(connection, Connection)
            for message in self._messages(talking[connection]):
                take(talking[connection], message)
        return bool(ready)

    def _messages(self, hand: Hand) -> Iterator[object]:
        try:
            yield hand.connection.recv()
        except (EOFError, OSError):
            hand.process.join(_ENDS_WITHIN_SECONDS)
            self.hands.remove(hand)
            yield Lost(_how(hand.process.exitcode))


def _work(connection: Connection, brief: Brief) -> None:
    """Work, and end with the process that started it: what a fork inherits keeps the connections of others open."""
    if _THREADS.is_dir():
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    work(connection, brief)


def _context() -> Any:
    """How processes are made: forked from this one, which costs the least, if it has no other thread.

    Else from a process that has imported everything once for all of them.
    """
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    if _THREADS.is_dir() and len(list(_THREADS.iterdir())) == 1:
        importlib.import_module(_NURSERY)
        return multiprocessing.get_context("fork")
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_NURSERY])
    return context


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended with exit code {code}" if code else "ended"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"
