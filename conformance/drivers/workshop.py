"""The workshop: tries plans on fresh orders, within a budget of requests, and keeps the last one that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Command, Sequence
from orderproof.drivers.plans import Plan, Step, resolved
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge
from orderproof.judge import Judge
from orderproof.model.state import State
from orderproof.supply import OutOfOrders

_REFUSALS = 2


@dataclass(frozen=True, slots=True)
class Failure:
    """A candidate that broke the rule: the finding, and the plan as it was carried out, up to the call that did it."""

    finding: Finding
    sequence: Sequence
    plan: Plan


class Workshop:
    """Tries candidates, within a budget of requests, and keeps the last one that failed.

    A candidate counts as failing when it failed `times` in a row.
    """

    def __init__(
        self, session: Session, finding: Finding, judges: Callable[[], Judge], most: int, *, settles: bool
    ) -> None:
        self.rule = finding.rule
        self.best: Failure | None = None
        self.flaky: tuple[int, int] | None = None
        self.times = 1
        self.start = session.requests
        self._session = session
        self._judges = judges
        self._most = most
        self._follow = finding.exchange.stands_for is not None
        self._settles = settles
        self._tried: dict[tuple[str, int], bool] = {}
        self._number = 0
        self._refusals = 0

    @property
    def left(self) -> int:
        """The requests that may still be sent."""
        return self._most - (self._session.requests - self.start)

    @property
    def plan(self) -> Plan:
        """The plan of the best candidate so far."""
        assert self.best is not None
        return self.best.plan

    def fails(self, plan: Plan) -> bool:
        """Send a candidate, unless it was tried before or is beyond the budget; keep it if it breaks the rule."""
        known = repr(plan), self.times
        if known not in self._tried and self.times * plan.cost <= self.left:
            failures = [self.try_out(plan)]
            while failures[-1] is not None and len(failures) < self.times:
                failures.append(self.try_out(plan))
            self._tried[known] = failures[-1] is not None
            self.best = failures[-1] or self.best
        return self._tried.get(known, False)

    def try_out(self, plan: Plan) -> Failure | None:
        """Send a candidate to fresh orders; returns what broke the rule, if anything did."""
        self._number += 1
        judge = self._judges()
        stage = Stage(self._session, f"{self.rule}, try {self._number}", follow=self._follow)
        try:
            with self._session.aside(judge.observe, judge.state):
                steps = self._performed(stage, plan, judge)
        except OutOfOrders:
            raise
        except CannotJudge:
            # No order like that is to be had, or the target is gone: then the next candidates end this way too.
            self._refusals += 1
            if self._refusals > _REFUSALS:
                raise
            return None
        found = _root(judge, self.rule)
        if found is None:
            return None
        drafts, commands = tuple(stage.drafts), tuple(command for _, command in stage.performed)
        return Failure(found, Sequence(drafts, commands), Plan(drafts, steps))

    def _performed(self, stage: Stage, plan: Plan, judge: Judge) -> tuple[Step, ...]:
        """Make the calls of a candidate until the rule is broken; returns those that were made, amounts filled in."""
        before: dict[int, int] = {}
        done: list[Step] = []
        for wanted in () if plan.steps else plan.drafts[:1]:
            stage.obtain(wanted)
        for step in plan.steps:
            obtain_for(stage, plan.drafts, step.command)
            if _root(judge, self.rule):
                break
            order = step.command.order
            state = self._state(stage, order)
            filled = resolved(step, state, before.get(order, state.remaining))
            if stage.perform(filled.command) is not None:
                done.append(filled)
            if self._state(stage, order).remaining != state.remaining:
                before[order] = state.remaining
            if _root(judge, self.rule):
                break
        if self._settles and not _root(judge, self.rule):
            stage.settle()
        return tuple(done)

    def _state(self, stage: Stage, order: int) -> State:
        return self._session.state(stage.seats[order].order_id) if order < len(stage.seats) else State()


def obtain_for(stage: Stage, drafts: tuple[Mapping[str, Any], ...], command: Command) -> None:
    """Obtain the orders that a call needs, and those that were there when it was made first."""
    most = max(command.order + 1, (command.donor or 0) + 1, command.opened)
    for wanted in drafts[len(stage.seats) : most]:
        stage.obtain(wanted)


def _root(judge: Judge, rule: str) -> Finding | None:
    return next((each for each in judge.findings if each.rule == rule and each.follows is None), None)
