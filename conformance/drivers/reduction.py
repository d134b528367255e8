"""Cuts a sequence that breaks a rule down to the shortest that still does, with few requests.

It knows calls and orders: what is tried first is the last call alone, then the few before it that moved the order, and
amounts keep what they meant ("one more than remains") when the calls before them are dropped. Every candidate is sent
in full to fresh orders and judged anew; only what was seen to break the same rule counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Sequence
from orderproof.drivers.plans import (
    Plan,
    Step,
    amount_of,
    latest,
    plan_of,
    quiet,
    secluded,
    used,
    with_amount,
)
from orderproof.drivers.session import Session
from orderproof.drivers.simpler import plain, plain_draft, simpler, small, with_body
from orderproof.drivers.stage import Script
from orderproof.drivers.terms import fits
from orderproof.drivers.workshop import Workshop
from orderproof.errors import OutOfTime
from orderproof.judge import Judge
from orderproof.operations import OPERATIONS
from orderproof.supply import OutOfOrders

__all__ = ["MOST_REQUESTS", "Reduction", "is_reducible", "reduced"]

MOST_REQUESTS = 300
"""What a reduction may send, beyond the sequence that failed."""

_RETRIES = 3
_PAIRS = 4
_FEW = 5
_BODY_TRIES = 16
_SMALL_AMOUNTS = (10, 100)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The shortest sequence found, the finding as it was last seen with it, and what it took.

    `finding.flaky` says how often it failed in how many tries, where not each time. `requests` were sent.
    """

    finding: Finding
    sequence: Sequence
    requests: int


def is_reducible(finding: Finding) -> bool:
    """Say whether a sequence can be sent again one call after the other: no races, no answers held back."""
    unanswered_by_itself = "never-answered" in finding.exchange.facts
    return not any(
        e.group is not None or "lost" in e.facts or (e.response is None and not unanswered_by_itself)
        for e in finding.trail
    )


def reduced(
    session: Session, script: Script, finding: Finding, judges: Callable[[], Judge], most: int = MOST_REQUESTS
) -> Reduction:
    """Cut what was performed down to the shortest that breaks the same rule, or leave it when it does not again.

    `judges` makes a judge for each try. At most `most` requests are sent. It ends early when the time or the orders
    of the session do. Raises CannotJudge when the target stops answering.
    """
    whole = plan_of(script, finding)
    workshop = Workshop(session, finding, judges, most, settles=_was_waited_for(script, finding))
    with suppress(OutOfTime, OutOfOrders):
        _reduce(workshop, whole)
    spent = session.requests - workshop.start
    if workshop.best is None:
        commands = tuple(step.command for step in whole.steps)
        return Reduction(replace(finding, flaky=workshop.flaky), Sequence(whole.drafts, commands), spent)
    found = replace(workshop.best.finding, flaky=workshop.flaky)
    return Reduction(found, workshop.best.sequence, spent)


def _was_waited_for(script: Script, finding: Finding) -> bool:
    """Say whether it came to light while the sequence waited for refunds to be booked on captures."""
    numbers = [number for number, _ in script.performed if number <= finding.exchange.number]
    return bool(numbers) and sum(exchange.number > numbers[-1] for exchange in finding.trail) > 2


def _reduce(workshop: Workshop, whole: Plan) -> None:
    if not _find_base(workshop, whole):
        return
    _shorten(workshop)
    _confirm(workshop)
    if workshop.flaky is not None:
        _make_sure(workshop, whole)


def _make_sure(workshop: Workshop, whole: Plan) -> None:
    """Look for what fails each time: it may take another order, or calls that seemed to play no part."""
    best, flaky, workshop.times = workshop.best, workshop.flaky, 2
    if any(workshop.fails(plan) for plan in (secluded(workshop.plan), *_with_all_orders(whole))):
        _drop_steps(workshop)
        _simplify(workshop)
        _confirm(workshop)
    if workshop.flaky is not None:
        workshop.best, workshop.flaky = best, flaky


def _shorten(workshop: Workshop) -> None:
    _merge_calls(workshop)
    _drop_operations(workshop)
    _drop_steps(workshop)
    _drop_orders(workshop)
    _simplify(workshop)


def _find_base(workshop: Workshop, whole: Plan) -> bool:
    """Find a first candidate that fails, the shorter ones first; at worst the whole, a few times if need be."""
    if any(workshop.fails(plan) for plan in _bases(whole)):
        return True
    failure, tries = None, 1
    while failure is None and tries <= _RETRIES and whole.cost <= workshop.left:
        failure = workshop.try_out(whole)
        tries += 1
    if tries > 1:
        workshop.flaky = (1 + (failure is not None), tries)
    workshop.best = failure
    return failure is not None


def _bases(whole: Plan) -> Iterator[Plan]:
    """Candidates to start from, from the last call alone to all that was sent."""
    if not whole.steps:
        yield used(whole)
        return
    for plan in (*_slices(whole), *_across(whole)):
        yield quiet(used(plan))
    yield from _with_all_orders(whole)


def _slices(whole: Plan) -> Iterator[Plan]:
    last = whole.steps[-1]
    own = [
        step for step in whole.steps[:-1] if step.command.order in (last.command.order, last.command.donor)
    ]
    moving = [step for step in own if step.moved]
    pairs = [[step] for step in latest(moving, 1)[: -_PAIRS - 1 : -1]]
    for some in ([], *pairs, latest(moving, 1), latest(moving, 2), moving[-4:], moving, own):
        yield replace(whole, steps=(*some, last))


def _across(whole: Plan) -> Iterator[Plan]:
    """Candidates in which one write to another order comes before the last call, all orders being there by then."""
    last = whole.steps[-1]
    others = [
        step
        for step in whole.steps[:-1]
        if OPERATIONS[step.command.operation].writes
        and step.command.order not in (last.command.order, last.command.donor)
    ]
    for step in latest(others, 1)[: -_PAIRS - 1 : -1]:
        opened = max(step.command.opened, last.command.order + 1)
        yield replace(whole, steps=(replace(step, command=replace(step.command, opened=opened)), last))


def _with_all_orders(whole: Plan) -> Iterator[Plan]:
    """Candidates in which every order is there, whether calls are made on it or not."""
    last = whole.steps[-1]
    if len(whole.drafts) > 1:
        last = replace(last, command=replace(last.command, opened=len(whole.drafts)))
        moving = [step for step in whole.steps[:-1] if step.moved]
        for some in ([], latest(moving, 1), latest(moving, 2)):
            yield quiet(replace(whole, steps=(*some, last)))
    yield quiet(whole)
    yield whole


def _merge_calls(workshop: Workshop) -> None:
    """Make one capture of many, and one refund of many."""
    for operation in ("captureOrder", "refundOrder"):
        plan = workshop.plan
        places = [n for n, step in enumerate(plan.steps[:-1]) if step.command.operation == operation]
        total = sum(amount_of(plan.steps[n].command) or 0 for n in places)
        if len(places) > _FEW and fits(operation, total):
            one = plan.steps[places[0]]
            merged = Step(with_amount(one.command, total), moved=one.moved)
            steps = [step for n, step in enumerate(plan.steps) if n not in places[1:]]
            steps[places[0]] = merged
            workshop.fails(replace(plan, steps=tuple(steps)))


def _drop_operations(workshop: Workshop) -> None:
    """Drop all calls of an operation at once, the most frequent first, where operations recur."""
    names = [step.command.operation for step in workshop.plan.steps[:-1]]
    if len(names) < 2 * len(set(names)) + 2:
        return
    for name in sorted(set(names), key=lambda each: (-names.count(each), each)):
        plan = workshop.plan
        kept = tuple(step for step in plan.steps[:-1] if step.command.operation != name)
        if len(kept) < len(plan.steps) - 1:
            workshop.fails(replace(plan, steps=(*kept, plan.steps[-1])))


def _drop_steps(workshop: Workshop) -> None:
    """Drop calls, one after the other, halves of them first where there are many; the last stays."""
    count = len(workshop.plan.steps) - 1
    size = count // 2 if count > _FEW else 1
    while size:
        start = 0
        while start < len(workshop.plan.steps) - 1:
            plan = workshop.plan
            end = min(start + size, len(plan.steps) - 1)
            if not workshop.fails(replace(plan, steps=plan.steps[:start] + plan.steps[end:])):
                start += size
        size //= 2


def _drop_orders(workshop: Workshop) -> None:
    """Leave out the orders that no call is about; then make all calls on one order."""
    plan = workshop.plan
    if len(plan.drafts) > 1:
        workshop.fails(used(plan))
    plan = workshop.plan
    if len(plan.drafts) > 1 and not any(step.command.donor is not None for step in plan.steps):
        merged = (replace(step.command, order=0, opened=0) for step in plan.steps)
        steps = tuple(
            replace(step, command=command) for step, command in zip(plan.steps, merged, strict=True)
        )
        workshop.fails(Plan(plan.drafts[:1], steps))


def _simplify(workshop: Workshop) -> None:
    """Make everything plain and small: at once if that will do, else one thing after the other."""
    plan = workshop.plan
    if any(workshop.fails(small(plain(plan), amount)) for amount in _SMALL_AMOUNTS):
        return
    if not workshop.fails(plain(plan)):
        _simplify_apart(workshop)
    plan = workshop.plan
    if not any(workshop.fails(small(plan, amount)) for amount in _SMALL_AMOUNTS):
        _lower_last_amount(workshop)


def _simplify_apart(workshop: Workshop) -> None:
    """Make plain what can be: the orders, then each body, then its parts."""
    plan = workshop.plan
    workshop.fails(replace(plan, drafts=tuple(map(plain_draft, plan.drafts))))
    for position in range(len(workshop.plan.steps)):
        _simplify_body(workshop, position)


def _simplify_body(workshop: Workshop, position: int) -> None:
    tries = 0
    progress = True
    while progress and tries < _BODY_TRIES:
        progress = False
        plan = workshop.plan
        if position >= len(plan.steps):
            return
        for body in simpler(plan.steps[position].command.body):
            tries += 1
            if workshop.fails(with_body(plan, position, body)):
                progress = True
                break
            if tries >= _BODY_TRIES:
                break


def _lower_last_amount(workshop: Workshop) -> None:
    """Find the smallest amount of the last call that still breaks the rule, halving the distance each time."""
    plan = workshop.plan
    step = plan.steps[-1] if plan.steps else None
    amount = None if step is None or step.term is not None else amount_of(step.command)
    if step is None or amount is None or amount < 2:
        return
    low, high = 0, amount
    while high - low > 1 and workshop.left > _reserve(plan):
        middle = 1 if low == 0 and high == amount else (low + high) // 2
        changed = replace(step, command=with_amount(step.command, middle))
        if workshop.fails(replace(plan, steps=(*plan.steps[:-1], changed))):
            high = middle
        else:
            low = middle


def _reserve(plan: Plan) -> int:
    """What must be left over to see the last candidate fail once more."""
    return 2 * plan.cost


def _confirm(workshop: Workshop) -> None:
    """Send what was found once more; if it does not fail again, say how often it does."""
    plan = workshop.plan
    failures = tries = 1
    while (tries == 1 or failures < tries) and tries <= _RETRIES and plan.cost <= workshop.left:
        failures += workshop.try_out(plan) is not None
        tries += 1
    if failures < tries:
        workshop.flaky = (failures, tries)
    elif tries > 1:
        workshop.flaky = None
