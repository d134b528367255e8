"""The register of faults: what each is called, which rule it breaks, when it shows, and the lie it tells."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from orderproof.sandbox.behaviour import Behaviour
from orderproof.sandbox.options import OptionError

When = Literal["always", "state", "value", "sequence", "concurrency", "processes", "restarts"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to be wrong.

    `rules` are ids of the rule that it breaks, first, and of others that may rightly be named for it. `when` is the
    condition under which it shows, `lie` says it in one sentence. `make` returns a fresh behaviour, as some remember
    what they have seen.
    """

    name: str
    rules: tuple[str, ...]
    when: When
    lie: str
    make: Callable[[], Behaviour]
    mechanical: bool = False

    @property
    def rule(self) -> str:
        """The id of the rule that it breaks."""
        return self.rules[0]


FAULTS: dict[str, Fault] = {}
"""Those that one sandbox shows by itself."""

FAULTS_ACROSS: dict[str, Fault] = {}
"""Those that show only where several processes serve one database, or where one is killed and comes back."""


def enter(fault: Fault) -> None:
    """Put a fault into the register. Raises ValueError for a name that is taken, or a fault without a rule or lie."""
    if fault.name in FAULTS or fault.name in FAULTS_ACROSS:
        raise ValueError(f"two faults are called {fault.name}")
    if not fault.rules or not fault.lie or fault.when not in get_args(When):
        raise ValueError(f"the fault {fault.name} lacks a rule, a lie, or a condition")
    register = FAULTS_ACROSS if fault.when in ("processes", "restarts") else FAULTS
    register[fault.name] = fault


def fault(*rules: str, when: When = "always") -> Callable[[Callable[[], Behaviour]], Callable[[], Behaviour]]:
    """Enter a function that makes a behaviour. Its name is the fault's, its docstring the lie."""

    def entered(make: Callable[[], Behaviour]) -> Callable[[], Behaviour]:
        enter(
            Fault(make.__name__.replace("_", "-"), rules, when, " ".join((make.__doc__ or "").split()), make)
        )
        return make

    return entered


def behaviour_of(name: str) -> Behaviour:
    """Return the behaviour of a sandbox with a fault. Raises OptionError, with the nearest name, for an unknown one."""
    known = FAULTS | FAULTS_ACROSS
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise OptionError(f"There is no fault {name!r}: {hint}--list-faults shows all {len(known)}.")
    return known[name].make()


def faults_of(rule: str) -> list[Fault]:
    """Return the faults that break a rule before any other, in the order of the register."""
    return [one for one in FAULTS.values() if one.rule == rule]
