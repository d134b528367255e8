"""Plans: sequences of calls with their amounts by meaning, so that they can be cut and still make sense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import lines
from orderproof.drivers.stage import Script
from orderproof.drivers.terms import AMOUNT_FIELDS, Term, fits, hint_for, term_for
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.model.call import call_of
from orderproof.model.state import State
from orderproof.operations import OPERATIONS

_MOVING = frozenset(
    {"captureOrder", "refundOrder", "updateAuthorization", "releaseRemainingAuthorization", "cancelOrder"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a plan; its amount is worked out anew where `term` says what it means.

    `hint` is what it may have to do with single captures, which counts once amounts are made smaller. `moved`: the
    call was taken, and is one of those that move amounts or the status of an order.
    """

    command: Command
    term: Term | None = None
    hint: Term | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders to obtain and calls to make."""

    drafts: tuple[Mapping[str, Any], ...]
    steps: tuple[Step, ...]

    @property
    def cost(self) -> int:
        """The requests that it takes: each order is made and read, and a write may be followed by a reading."""
        read = [step.command.read and OPERATIONS[step.command.operation].writes for step in self.steps]
        return 2 * len(self.drafts) + len(self.steps) + sum(read)


def resolved(step: Step, state: State, before: int) -> Step:
    """The step with the amount that its term is for the order as it is now, or with the term that its amount now is."""
    command = step.command
    amount = amount_of(command)
    if amount is None or state.order is None:
        return step
    meant = None if step.term is None else step.term.value(state, before)
    if meant is not None and fits(command.operation, meant):
        return replace(step, command=with_amount(command, meant))
    term = term_for(command.operation, amount, state, before)
    return replace(step, term=term, hint=hint_for(command.operation, amount, state))


def with_amount(command: Command, amount: int) -> Command:
    """The command with another amount; lines that would not sum to it any more are replaced by plain ones."""
    name = AMOUNT_FIELDS[command.operation]
    if not isinstance(command.body, dict) or command.body.get(name, amount) == amount:
        return command
    body = {**command.body, name: amount}
    if "order_lines" in body:
        body["order_lines"] = lines(amount)
    return replace(command, body=body)


def amount_of(command: Command) -> int | None:
    """The amount that a command names; None when it names none that is an integer."""
    name = AMOUNT_FIELDS.get(command.operation)
    value = command.body.get(name) if name and isinstance(command.body, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def plan_of(script: Script, finding: Finding) -> Plan:
    """The plan of what was performed up to the exchange that broke the rule."""
    circumstances = _circumstances(finding.trail)
    unknown = _Circumstances(State(), 0, taken=True)
    steps = []
    for number, command in script.performed:
        if number <= finding.exchange.number:
            then = circumstances.get(number, unknown)
            amount = amount_of(command)
            term = None if amount is None else term_for(command.operation, amount, then.state, then.before)
            steps.append(Step(command, term, moved=then.taken and command.operation in _MOVING))
    return Plan(script.drafts, tuple(steps))


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """What a call met: the state of its order, what remained before that last changed; and whether it was taken."""

    state: State
    before: int
    taken: bool


def _circumstances(trail: tuple[Exchange, ...]) -> dict[int, _Circumstances]:
    """What each call of a trail met, by number of the exchange."""
    judge = Judge(only=())
    found: dict[int, _Circumstances] = {}
    before: dict[str, int] = {}
    for exchange in trail:
        call = call_of(exchange)
        if call is None:
            continue
        state = judge.state(call.order_id)
        taken = (exchange.status or 500) < 300
        found[exchange.number] = _Circumstances(state, before.get(call.order_id, state.remaining), taken)
        judge.observe(exchange)
        if judge.state(call.order_id).remaining != state.remaining:
            before[call.order_id] = state.remaining
    return found


def quiet(plan: Plan) -> Plan:
    """The plan with a reading after the last call alone."""
    silent = tuple(replace(step, command=replace(step.command, read=False)) for step in plan.steps[:-1])
    return replace(plan, steps=(*silent, *plan.steps[-1:]))


def latest(steps: Sequence[Step], count: int) -> list[Step]:
    """The latest calls of each operation, so many of each, in the order in which they were made."""
    names = [step.command.operation for step in steps]
    return [step for n, step in enumerate(steps) if names[n:].count(names[n]) <= count]


def used(plan: Plan) -> Plan:
    """The plan with only the orders that its calls are about."""
    named = {order for step in plan.steps for order in (step.command.order, step.command.donor)}
    return _with_orders(
        plan, sorted(order for order in named if order is not None and order < len(plan.drafts))
    )


def _with_orders(plan: Plan, kept: list[int]) -> Plan:
    """The plan with some of its orders, renumbered; calls on others must not be in it."""
    kept = kept or [0][: len(plan.drafts)]
    numbers = {old: new for new, old in enumerate(kept)}
    steps = tuple(replace(step, command=_renumbered(step.command, numbers)) for step in plan.steps)
    return Plan(tuple(plan.drafts[order] for order in kept), steps)


def _renumbered(command: Command, numbers: Mapping[int, int]) -> Command:
    return replace(
        command,
        order=numbers.get(command.order, 0),
        donor=None if command.donor is None else numbers[command.donor],
        opened=sum(old < command.opened for old in numbers),
    )


def secluded(plan: Plan) -> Plan:
    """The plan carried out twice, on orders of its own each time, after an order to which nothing happens.

    So orders of earlier candidates play no part, where what happens to one order depends on the one made before it.
    """
    if not plan.drafts:
        return plan
    count = len(plan.drafts)
    steps = [
        replace(step, command=_moved_up(step.command, first))
        for first in (1, 1 + count)
        for step in plan.steps
    ]
    return Plan((plan.drafts[0], *plan.drafts, *plan.drafts), tuple(steps))


def _moved_up(command: Command, by: int) -> Command:
    donor = None if command.donor is None else command.donor + by
    return replace(
        command, order=command.order + by, donor=donor, opened=command.opened and command.opened + by
    )
