"""Plays a sequence again as it was: for what cannot be cut down call by call, and for saved counterexamples.

Whether calls that are under way together meet as they did before is up to chance, so a sequence is played several
times, on fresh orders each time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Sequence
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import OutOfTime
from orderproof.judge import Judge
from orderproof.supply import OutOfOrders

MOST_TRIES = 20
"""How often a sequence with calls at once is played before it counts as not broken any more."""

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Rerun:
    """What playing a sequence again showed: the first finding of the rule, and how often it broke in how many tries."""

    finding: Finding | None
    failures: int
    tries: int


def rerun(
    session: Session,
    sequence: Sequence,
    rule: str,
    judges: Callable[[], Judge],
    *,
    tries: int = MOST_TRIES,
    until_seen: bool = True,
) -> Rerun:
    """Play a sequence until it breaks the rule, or `tries` times; `judges` makes a judge for each time.

    Without `until_seen` it is played `tries` times whatever it shows. Raises what performing raises.
    """
    first: Finding | None = None
    failures = done = 0
    while done < tries and not (until_seen and first):
        done += 1
        found = _played(session, sequence, f"{rule}, try {done}", judges())
        matching = next((each for each in found if each.rule == rule and each.follows is None), None)
        failures += matching is not None
        first = first or matching
    return Rerun(first, failures, done)


def _played(session: Session, sequence: Sequence, name: str, judge: Judge) -> list[Finding]:
    stage = Stage(session, name)
    with session.aside(judge.observe, judge.state, judge.observe_group):
        for wanted in sequence.orders:
            stage.obtain(wanted)
        stage.play(sequence.commands)
        stage.settle()
    return judge.findings


def repeated(
    session: Session, stage: Stage, finding: Finding, judges: Callable[[], Judge], tries: int = _TRIES
) -> Reduction:
    """Play what a stage performed again as it was, to see how often it breaks the rule of a finding.

    Ends early when the time or the orders of the session do.
    """
    last = max(exchange.number for exchange in finding.trail)
    commands = tuple(command for number, command in stage.performed if number <= last)
    sequence = Sequence(tuple(stage.drafts), commands)
    before = session.requests
    found = Rerun(None, 0, 0)
    with suppress(OutOfTime, OutOfOrders):
        found = rerun(session, sequence, finding.rule, judges, tries=tries, until_seen=False)
    counts = (found.failures + 1, found.tries + 1)
    flaky = None if counts[0] == counts[1] else counts
    return Reduction(replace(finding, flaky=flaky), sequence, session.requests - before)
