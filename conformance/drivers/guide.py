"""The guide of a walk: which transitions of the life cycle are still missing, and the way to the nearest."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from orderproof.coverage import Coverage
from orderproof.model.lifecycle import Transition, passages

__all__ = ["Guide"]

_TRIES = 3
TIME = ""
"""The operation that stands for time going by."""


class Guide:
    """Knows the ways between the stages of an order, as far as the target was seen to choose them.

    What is missing is worked out now and then, for it takes a while; what was taken since is left out at once. Of
    several guides that do not know of each other each has a `share` of the stages, which it goes to first.
    """

    def __init__(self, coverage: Coverage, *, clock: bool, share: tuple[int, int] = (0, 1)) -> None:
        self._coverage = coverage
        self._clock = clock
        stages = sorted({transition.stage for transition in self._missed()})
        self._own = frozenset(stages[share[0] :: share[1]])
        self._missing: dict[str, set[Transition]] = {}
        self._ways: dict[str, tuple[str, str]] = {}
        self._tries: Counter[Transition] = Counter()

    def refresh(self) -> None:
        """Work out again what is missing, and the ways there."""
        self._missing = {}
        wanted = [each for each in sorted(self._missed()) if self._tries[each] < _TRIES]
        for transition in [each for each in wanted if each.stage in self._own] or wanted:
            self._missing.setdefault(transition.stage, set()).add(transition)
        self._ways = _ways_to(self._missing, passages(self._coverage.choices, clock=self._clock))

    def _missed(self) -> frozenset[Transition]:
        """What was not taken yet; where the clock moves, only what takes that: the rest can be had without."""
        missed = self._coverage.missed(clock=self._clock)
        return missed - self._coverage.missed(clock=False) if self._clock else missed

    def missing(self, stage: str) -> list[Transition]:
        """The transitions from a stage that were not taken yet, in a fixed order."""
        seen, tries = self._coverage.seen, self._tries
        return sorted(
            each for each in self._missing.get(stage, ()) if each not in seen and tries[each] < _TRIES
        )

    def way(self, stage: str) -> tuple[str, str] | None:
        """The operation, and the stage that it is to lead to, on the way to what is missing; None if there is none."""
        return self._ways.get(stage)

    def tried(self, transition: Transition) -> None:
        """Take note of a try: what does not come about in a few is left alone, for the target chooses otherwise."""
        self._tries[transition] += 1


def _ways_to(
    goals: Iterable[str], passages_by_stage: dict[str, set[tuple[str, str]]]
) -> dict[str, tuple[str, str]]:
    """For each stage from which a goal can be reached, the first step on a shortest way; goals have none."""
    backward: dict[str, list[tuple[str, str]]] = {}
    for stage, steps in passages_by_stage.items():
        for operation, following in sorted(steps):
            backward.setdefault(following, []).append((operation, stage))
    ways: dict[str, tuple[str, str]] = {}
    known, waiting = set(goals), deque(sorted(goals))
    while waiting:
        following = waiting.popleft()
        for operation, stage in sorted(backward.get(following, ())):
            if stage not in known:
                known.add(stage)
                ways[stage] = (operation, following)
                waiting.append(stage)
    return ways
