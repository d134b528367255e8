"""An order that several users call at once: their calls overlap, a few at a time, and are judged together.

Whoever wants to call goes in, as long as the group is not full. When the last one of a group has come out, its calls
are judged as a race, the order is read with nobody else inside, and the next group may go in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from orderproof.exchange import Exchange
from orderproof.judge import Judge

__all__ = ["MOST_TOGETHER", "Commons", "Count"]

MOST_TOGETHER = 6
"""Visits in one group: more of them take long to explain, and are likelier to be explained by chance."""


@dataclass
class Count:
    """How many calls were judged by themselves, and how many as members of how many groups."""

    alone: int = 0
    together: int = 0
    groups: int = 0


class Commons:
    """Lets visitors of one order in and out, and hands what they saw to a judge.

    `settle` is called after each group with nobody inside. It gets the calls of the group, and None when one of them
    came to an end that nobody saw: nothing can be said of the order then. What it sends itself is judged as it comes.
    """

    def __init__(self, judge: Judge, settle: Callable[[Sequence[Exchange] | None], object]) -> None:
        self.count = Count()
        self._judge = judge
        self._settle = settle
        self._gate = threading.Condition()
        self._inside = 0
        self._entered = 0
        self._group: list[Exchange] = []
        self._broken_off = False
        self._owner: int | None = None

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Be inside to make a call; waits while a group is full or being settled. The last one out settles it."""
        with self._gate:
            while self._owner is not None or self._entered >= MOST_TOGETHER:
                self._gate.wait()
            self._inside += 1
            self._entered += 1
        try:
            yield
        except BaseException:
            self._broken_off = True
            raise
        finally:
            self._leave()

    def note(self, exchange: Exchange) -> None:
        """Take in what a visitor saw, or whoever settles a group."""
        if self._owner == threading.get_ident():
            self._judge.observe(exchange)
        else:
            self._group.append(exchange)

    def alone(self, work: Callable[[], object]) -> None:
        """Do some work on the order with nobody inside, and nobody let in."""
        with self._gate:
            while self._owner is not None or self._inside:
                self._gate.wait()
            self._owner = threading.get_ident()
        try:
            work()
        finally:
            self._open()

    def _leave(self) -> None:
        with self._gate:
            self._inside -= 1
            if self._inside:
                return
            self._owner = threading.get_ident()
        try:
            self._settle(self._judged())
        finally:
            self._open()

    def _open(self) -> None:
        with self._gate:
            self._owner, self._entered = None, 0
            self._gate.notify_all()

    def _judged(self) -> Sequence[Exchange] | None:
        """Judge the calls of a group, and return them with its number."""
        group, self._group = sorted(self._group, key=lambda exchange: exchange.number), []
        broken_off, self._broken_off = self._broken_off, False
        if broken_off:
            return None
        if len(group) < 2:
            self.count.alone += len(group)
            for exchange in group:
                self._judge.observe(exchange)
            return group
        self.count.groups += 1
        self.count.together += len(group)
        group = [_of_group(exchange, self.count.groups) for exchange in group]
        self._judge.observe_group(group)
        return group


def _of_group(exchange: Exchange, number: int) -> Exchange:
    """The exchange as one of several at once, among whom patience with a 409 may well run out."""
    facts = exchange.facts - {"gave-up"} if exchange.status == 409 else exchange.facts
    return replace(exchange, group=number, facts=facts)
