"""The link between rules and code: `@check("CAP-5")` says which function judges which rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Held:
    """The rule was exercised, and it holds."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The rule was exercised, and it is broken: what was expected, and what came.

    `symptom` says in general what an operation did wrong, where that may break several rules, one in each situation.
    """

    expected: str
    actual: str
    symptom: str = ""


Mark = Held | Broken
HELD = Held()
Check = Callable[[Any], Iterable[Mark]]


@dataclass(frozen=True, slots=True)
class Registered:
    """A check with the rule that it judges and the operations whose exchanges it looks at (none: all)."""

    rule: str
    judge: Check
    on: frozenset[str]
    view: str


CHECKS: list[Registered] = []


def check(rule: str, *, on: Iterable[str] = (), view: str = "step") -> Callable[[Check], Check]:
    """Register a function as the check of a rule.

    It takes a view of the history and yields a mark each time that the rule is exercised. The view is one `step`
    (an exchange in its context), a `group` (exchanges that were under way at the same time), or a `request`
    (what a client sent, for the client rules).
    """

    def register(function: Check) -> Check:
        CHECKS.append(Registered(rule, function, frozenset(on), view))
        return function

    return register


def verdict(holds: bool, expected: object, actual: object) -> Mark:
    """Return the mark for a claim."""
    return HELD if holds else Broken(str(expected), str(actual))
