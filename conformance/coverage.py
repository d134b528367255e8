"""Which transitions of the life cycle a run took, out of those that the target can be brought to take."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from orderproof.model.call import Call
from orderproof.model.forecast import Forecast
from orderproof.model.lifecycle import (
    UNKNOWN,
    Choice,
    Choices,
    Transition,
    choice_of,
    is_of_the_stage,
    reachable,
    stage_of,
)
from orderproof.model.oracle import Assessment, is_neutral
from orderproof.model.state import State


@dataclass(frozen=True, slots=True)
class _Pending:
    """A transition whose outcome is not read yet: the stages that may follow."""

    transition: Transition
    stages: frozenset[str]
    broken: bool


class Coverage:
    """Counts the transitions that the orders of a run went through, as the judge saw them."""

    def __init__(self) -> None:
        self.seen: Counter[Transition] = Counter()
        self._rows: Counter[tuple[Transition, str | None, bool]] = Counter()
        self._pending: dict[str, _Pending] = {}
        self._taken: defaultdict[Choice, set[bool]] = defaultdict(set)
        self._stages: defaultdict[tuple[str, frozenset[str]], set[str]] = defaultdict(set)
        self._reachable: dict[bool, tuple[int, frozenset[Transition]]] = {}

    def observe(self, call: Call, assessment: Assessment, after: Iterable[State]) -> None:
        """Count a call, with what was possible before it and the states that are possible after it."""
        stages = frozenset(map(stage_of, after))
        if not call.operation.writes:
            self._read(call, assessment, stages)
        elif not is_neutral(call):
            self._settle(call.order_id, None, broken=False)
        status = call.exchange.status
        if status is None or status >= 500 or is_neutral(call):
            return
        if call.key is not None and call.key in assessment.state.keys:
            return
        transition = Transition(stage_of(assessment.state), call.name, status < 300)
        if transition.stage == UNKNOWN or not is_of_the_stage(
            assessment.forecast, assessment.state, call.name
        ):
            return
        self._count(call, transition, assessment, stages)

    def _count(
        self, call: Call, transition: Transition, assessment: Assessment, stages: frozenset[str]
    ) -> None:
        broken = not assessment.explains
        if not broken:
            self.seen[transition] += 1
            self._choose(assessment.forecast, transition)
        if call.operation.writes and transition.taken:
            self._pending[call.order_id] = _Pending(transition, stages, broken)
        else:
            self._rows[transition, None if not transition.taken else transition.stage, broken] += 1

    def _choose(self, found: Forecast, transition: Transition) -> None:
        choice = choice_of(found, transition)
        if choice is not None:
            self._taken[choice].add(transition.taken)

    def _read(self, call: Call, assessment: Assessment, stages: frozenset[str]) -> None:
        if call.name == "getOrder" and call.exchange.status == 200 and len(stages) == 1:
            self._settle(call.order_id, next(iter(stages)), broken=bool(assessment.differences))

    def _settle(self, order_id: str, stage: str | None, *, broken: bool) -> None:
        pending = self._pending.pop(order_id, None)
        if pending is None:
            return
        broken = broken or pending.broken
        if stage is not None and not broken:
            self._stages[pending.transition.operation, pending.stages].add(stage)
        self._rows[pending.transition, stage, broken] += 1

    def add(self, other: Coverage) -> None:
        """Count what other orders went through as well."""
        self.seen.update(other.seen)
        self._rows.update(other.counted())
        for choice, taken in other._taken.items():
            self._taken[choice] |= taken
        for passage, stages in other._stages.items():
            self._stages[passage] |= stages

    def counted(self) -> Counter[tuple[Transition, str | None, bool]]:
        """How often each transition was taken, with the stage it led to (None: not known) and whether it was broken.

        What was not read after it is counted too, and is not waited for any more.
        """
        for order_id in list(self._pending):
            self._settle(order_id, None, broken=False)
        return self._rows

    @property
    def choices(self) -> Choices:
        """What the target was seen to choose where the contract leaves it free."""
        return Choices(self._taken, self._stages)

    def missed(self, *, clock: bool) -> frozenset[Transition]:
        """The transitions that the target can be brought to take and was not; `clock`: its clock can be moved."""
        known = sum(map(len, self._taken.values())) + sum(map(len, self._stages.values()))
        if self._reachable.get(clock, (-1,))[0] != known:
            self._reachable[clock] = known, frozenset(reachable(self.choices, clock=clock))
        return self._reachable[clock][1] - self.seen.keys()

    def record(self, *, clock: bool) -> dict[str, Any]:
        """Return the coverage as JSON data: the transitions taken, how many there are, and which were missed."""
        missed = sorted(self.missed(clock=clock))
        rows = sorted(self.counted().items(), key=lambda item: (item[0][0], item[0][1] or "", item[0][2]))
        return {
            "transitions": [
                _named(transition) | {"count": count, "next": stage, "broken": broken}
                for (transition, stage, broken), count in rows
            ],
            "reachable": len(self.seen) + len(missed),
            "taken": len(self.seen),
            "missed": [_named(transition) for transition in missed],
        }


def _named(transition: Transition) -> dict[str, Any]:
    outcome = "taken" if transition.taken else "refused"
    return {"state": transition.stage, "operation": transition.operation, "outcome": outcome}
