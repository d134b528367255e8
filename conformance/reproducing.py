"""Sends a saved counterexample again, to fresh orders of any target, and says whether the rule is still broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from pathlib import Path

from orderproof.catalogue import UnknownRule, catalogue, select
from orderproof.checks.findings import Finding
from orderproof.counterexample import Counterexample, load
from orderproof.drivers.commands import Command
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.workshop import obtain_for
from orderproof.errors import UsageError
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.report.text import hanging, visible
from orderproof.shown import shown_answer, shown_request
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

__all__ = ["Again", "Reproduction", "play", "reproduce", "reproduction_lines", "send_again"]

_MOST_TRIES = 10
_WIDTH = 100


class Again(Enum):
    """What came of it; the value completes the sentence "the rule is ..."."""

    FAILS = "still broken"
    HOLDS = "not broken any more"
    UNCLEAR = "not put to the test"


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of sending a counterexample again.

    `finding` is set where the rule failed again, as a root or after another rule on the same order. `failures` of
    `tries` failed: one that is flaky, or a race, is sent until it fails, up to ten times. `why` says why nothing could
    be judged. `trail` are the exchanges of the last try.
    """

    example: Counterexample
    outcome: Again
    finding: Finding | None
    failures: int
    tries: int
    trail: tuple[Exchange, ...]
    why: str = ""

    @property
    def exit_code(self) -> int:
        """1: it fails again; 0: it does not; 3: it could not be judged."""
        return {Again.FAILS: 1, Again.HOLDS: 0, Again.UNCLEAR: 3}[self.outcome]


def reproduce(path: Path, target: Target) -> Reproduction:
    """Send the counterexample of a file to a target.

    Raises UsageError when the file is no counterexample or names a rule that there is not, CannotJudge when the target
    does not answer or gives no orders.
    """
    example = load(path)
    try:
        select([example.rule])
    except UnknownRule as error:
        raise UsageError(f"{path}: {error}") from None
    with Transport(target) as transport:
        return send_again(example, transport, target)


def send_again(example: Counterexample, transport: Transport, target: Target) -> Reproduction:
    """Send a counterexample over a transport that is open. Raises CannotJudge as `reproduce` does."""
    tries = _MOST_TRIES if _is_race(example) or example.flaky is not None else 1
    last = _once(example, transport, target, 1)
    for number in range(2, tries + 1):
        if last.outcome is Again.FAILS:
            break
        last = _once(example, transport, target, number)
    return last


def _is_race(example: Counterexample) -> bool:
    return any(command.group is not None for command in example.sequence.commands)


def _once(example: Counterexample, transport: Transport, target: Target, number: int) -> Reproduction:
    judge = Judge()
    trail: list[Exchange] = []
    session = Session(
        sender=transport,
        target=target,
        supply=supply_from(target.orders),
        observe=judge.observe,
        observe_group=judge.observe_group,
        state=judge.state,
        record=trail.extend,
        seed=example.seed,
    )
    left_out = play(example, Stage(session, f"again {number}", follow=True))
    found = [finding for finding in judge.findings if finding.rule == example.rule]
    finding = min(found, key=lambda each: each.follows is not None, default=None)
    outcome, why = Again.HOLDS, ""
    if finding is not None:
        outcome = Again.FAILS
    elif not judge.exercised[example.rule]:
        outcome, why = Again.UNCLEAR, left_out or "no call put the rule to the test"
    elif left_out and not _is_race(example):  # who wins a race decides which calls can follow it
        outcome, why = Again.UNCLEAR, left_out
    return Reproduction(example, outcome, finding, int(outcome is Again.FAILS), number, tuple(trail), why)


def play(example: Counterexample, stage: Stage) -> str:
    """Make the calls of a counterexample on a stage; returns what could not be made, if anything."""
    drafts = example.sequence.orders
    left_out = 0
    if drafts and not example.sequence.commands:
        stage.obtain(drafts[0])
    for group, together in groupby(example.sequence.commands, key=lambda command: command.group):
        commands = list(together)
        for command in commands:
            obtain_for(stage, drafts, command)
        left_out += _perform(stage, commands, at_once=group is not None)
    stage.settle()
    return f"{left_out} calls need a capture or refund that could not be made" if left_out else ""


def _perform(stage: Stage, commands: list[Command], *, at_once: bool) -> int:
    if at_once:
        return len(commands) - len(stage.perform_together(commands))
    return sum(stage.perform(command) is None for command in commands)


def reproduction_lines(result: Reproduction, target: str) -> Iterator[str]:
    """Yield the lines that a reader sees after `orderproof reproduce`."""
    rule = catalogue()[result.example.rule]
    yield visible(f"{rule.id}  {rule.title} ({rule.level}), sent again to {target}")
    yield ""
    for number, exchange in enumerate(result.trail, 1):
        deciding = result.finding is not None and exchange is result.finding.exchange
        sign = "×" if deciding else " "
        yield from hanging(f"{sign} {number:>3}  ", visible(shown_request(exchange)), _WIDTH, lines=3)
        yield from hanging("       ", visible(f"→ {shown_answer(exchange)}"), _WIDTH, lines=2)
    yield ""
    if result.finding is not None:
        yield from hanging("Expected   ", visible(result.finding.expected), _WIDTH)
        yield from hanging("Actual     ", visible(result.finding.actual), _WIDTH)
        yield from hanging("Contract   ", "; ".join(map(str, rule.sources)), _WIDTH)
    tries = f", in try {result.tries}" if result.tries > 1 else ""
    why = f": {result.why}" if result.outcome is Again.UNCLEAR else ""
    yield visible(f"{rule.id} is {result.outcome.value}{tries}{why}")
