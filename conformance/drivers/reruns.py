"""Plays a sequence again as it was, for what cannot be cut down call by call: calls at once, and lost answers.

Whether calls that are under way together meet as they did before is up to chance, so a sequence is played several
times, on fresh orders each time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Sequence
from orderproof.drivers.reduction import Reduction
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script, Stage
from orderproof.errors import OutOfTime
from orderproof.judge import Judge
from orderproof.supply import OutOfOrders

_TRIES = 5


def repeated(
    session: Session, script: Script, finding: Finding, judges: Callable[[], Judge], tries: int = _TRIES
) -> Reduction:
    """Play what was performed again as it was, to see how often it breaks the rule of a finding.

    `judges` makes a judge for each of the `tries`. It ends early when the time or the orders of the session do.
    Raises CannotJudge when the target stops answering.
    """
    last = max(exchange.number for exchange in finding.trail)
    commands = tuple(command for number, command in script.performed if number <= last)
    sequence = Sequence(script.drafts, commands)
    before = session.requests
    failures = done = 1
    with suppress(OutOfTime, OutOfOrders):
        for number in range(1, tries + 1):
            failures += breaks(session, sequence, f"{finding.rule}, try {number}", finding.rule, judges())
            done += 1
    flaky = None if failures == done else (failures, done)
    return Reduction(replace(finding, flaky=flaky), sequence, session.requests - before)


def breaks(session: Session, sequence: Sequence, name: str, rule: str, judge: Judge) -> bool:
    """Play a sequence under a scenario name, and say whether it broke the rule; the judge is one of its own."""
    stage = Stage(session, name)
    with session.aside(judge.observe, judge.state, judge.observe_group):
        for wanted in sequence.orders:
            stage.obtain(wanted)
        stage.play(sequence.commands)
        stage.settle()
    return any(found.rule == rule and found.follows is None for found in judge.findings)
