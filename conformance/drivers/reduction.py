"""Cuts a sequence that breaks a rule down to the shortest that still does, with few requests.

It knows calls and orders: what is tried first is the last call alone, then the few before it that moved the order, and
amounts keep what they meant ("one more than remains") when the calls before them are dropped. Every candidate is sent
in full to fresh orders and judged anew; only what was seen to break the same rule counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import NEW_KEY, Command, Sequence
from orderproof.drivers.contents import plain_body
from orderproof.drivers.drafts import draft, lines
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.terms import AMOUNT_FIELDS, Term, fits, hint_for, term_for
from orderproof.errors import CannotJudge, OutOfTime
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.model.call import call_of
from orderproof.model.state import State
from orderproof.operations import OPERATIONS
from orderproof.supply import OutOfOrders

__all__ = ["MOST_REQUESTS", "Reduction", "is_reducible", "reduced"]

MOST_REQUESTS = 300
"""What a reduction may send, beyond the sequence that failed."""

_RETRIES = 3
_REFUSALS = 2
_PAIRS = 4
_FEW = 5
_BODY_TRIES = 8
_SMALL_AMOUNTS = (10, 100)
_MOVING = frozenset(
    {"captureOrder", "refundOrder", "updateAuthorization", "releaseRemainingAuthorization", "cancelOrder"}
)


@dataclass(frozen=True, slots=True)
class Reduction:
    """The shortest sequence found, the finding as it was last seen with it, and what it took.

    `finding.flaky` says how often it failed in how many tries, where not each time. `requests` were sent.
    """

    finding: Finding
    sequence: Sequence
    requests: int


@dataclass(frozen=True, slots=True)
class _Step:
    """A call of a candidate; its amount is worked out anew where `term` says what it means.

    `hint` is what it may have to do with single captures, which counts once amounts are made smaller. `moved`: the
    call was taken, and is one of those that move amounts or the status of an order.
    """

    command: Command
    term: Term | None = None
    hint: Term | None = None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """A candidate: orders to obtain and calls to make."""

    drafts: tuple[Mapping[str, Any], ...]
    steps: tuple[_Step, ...]

    @property
    def cost(self) -> int:
        """The requests that it takes: each order is made and read, each write is followed by a reading."""
        return 2 * len(self.drafts) + sum(
            2 if OPERATIONS[s.command.operation].writes else 1 for s in self.steps
        )


def is_reducible(finding: Finding) -> bool:
    """Say whether a sequence can be sent again one call after the other: no races, no answers held back."""
    return not any(e.group is not None or "lost" in e.facts or e.response is None for e in finding.trail)


def reduced(
    session: Session, stage: Stage, finding: Finding, judges: Callable[[], Judge], most: int = MOST_REQUESTS
) -> Reduction:
    """Cut the sequence of a stage down to the shortest that breaks the same rule, or leave it when it does not again.

    `judges` makes a judge for each try. At most `most` requests are sent. It ends early when the time or the orders
    of the session do. Raises CannotJudge when the target stops answering.
    """
    whole = _plan_of(stage, finding)
    workshop = _Workshop(session, finding, judges, most, settles=_was_waited_for(stage, finding))
    with suppress(OutOfTime, OutOfOrders):
        _reduce(workshop, whole)
    spent = session.requests - workshop.start
    if workshop.best is None:
        commands = tuple(step.command for step in whole.steps)
        return Reduction(replace(finding, flaky=workshop.flaky), Sequence(whole.drafts, commands), spent)
    found = replace(workshop.best.finding, flaky=workshop.flaky)
    return Reduction(found, workshop.best.sequence, spent)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A candidate that broke the rule: the finding, and the plan as it was carried out, up to the call that did it."""

    finding: Finding
    sequence: Sequence
    plan: _Plan


class _Workshop:
    """Tries candidates, within a budget of requests, and keeps the last one that failed.

    A candidate counts as failing when it failed `times` in a row.
    """

    def __init__(
        self, session: Session, finding: Finding, judges: Callable[[], Judge], most: int, *, settles: bool
    ) -> None:
        self.rule = finding.rule
        self.best: _Failure | None = None
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
    def plan(self) -> _Plan:
        """The plan of the best candidate so far."""
        assert self.best is not None
        return self.best.plan

    def fails(self, plan: _Plan) -> bool:
        """Send a candidate, unless it was tried before or is beyond the budget; keep it if it breaks the rule."""
        known = repr(plan), self.times
        if known not in self._tried and self.times * plan.cost <= self.left:
            failures = [self.try_out(plan)]
            while failures[-1] is not None and len(failures) < self.times:
                failures.append(self.try_out(plan))
            self._tried[known] = failures[-1] is not None
            self.best = failures[-1] or self.best
        return self._tried.get(known, False)

    def try_out(self, plan: _Plan) -> _Failure | None:
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
        return _Failure(found, Sequence(drafts, commands), _Plan(drafts, steps))

    def _performed(self, stage: Stage, plan: _Plan, judge: Judge) -> tuple[_Step, ...]:
        """Make the calls of a candidate until the rule is broken; returns those that were made, amounts filled in."""
        before: dict[int, int] = {}
        done: list[_Step] = []
        if not plan.steps:
            stage.obtain(plan.drafts[0])
        for step in plan.steps:
            obtain_for(stage, plan.drafts, step.command)
            if _root(judge, self.rule):
                break
            order = step.command.order
            state = self._state(stage, order)
            resolved = _resolved(step, state, before.get(order, state.remaining))
            if stage.perform(resolved.command) is not None:
                done.append(resolved)
            if self._state(stage, order).remaining != state.remaining:
                before[order] = state.remaining
            if _root(judge, self.rule):
                break
        if self._settles and not _root(judge, self.rule):
            stage.settle()
        return tuple(done)

    def _state(self, stage: Stage, order: int) -> State:
        return self._session.state(stage.seats[order].order_id)


def obtain_for(stage: Stage, drafts: tuple[Mapping[str, Any], ...], command: Command) -> None:
    """Obtain the orders that a call needs, and those that were there when it was made first."""
    most = max(command.order + 1, (command.donor or 0) + 1, command.opened)
    for wanted in drafts[len(stage.seats) : most]:
        stage.obtain(wanted)


def _root(judge: Judge, rule: str) -> Finding | None:
    return next((each for each in judge.findings if each.rule == rule and each.follows is None), None)


def _resolved(step: _Step, state: State, before: int) -> _Step:
    """The step with the amount that its term is for the order as it is now, or with the term that its amount now is."""
    command = step.command
    amount = _amount(command)
    if amount is None or state.order is None:
        return step
    meant = None if step.term is None else step.term.value(state, before)
    if meant is not None and fits(command.operation, meant):
        return replace(step, command=_with_amount(command, meant))
    term = term_for(command.operation, amount, state, before)
    return replace(step, term=term, hint=hint_for(command.operation, amount, state))


def _with_amount(command: Command, amount: int) -> Command:
    """The command with another amount; lines that would not sum to it any more are replaced by plain ones."""
    name = AMOUNT_FIELDS[command.operation]
    if not isinstance(command.body, dict) or command.body.get(name, amount) == amount:
        return command
    body = {**command.body, name: amount}
    if "order_lines" in body:
        body["order_lines"] = lines(amount)
    return replace(command, body=body)


def _amount(command: Command) -> int | None:
    """The amount that a command names; None when it names none that is an integer."""
    name = AMOUNT_FIELDS.get(command.operation)
    value = command.body.get(name) if name and isinstance(command.body, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- from what was performed to a plan --------------------------------------------------------------------------


def _was_waited_for(stage: Stage, finding: Finding) -> bool:
    """Say whether it came to light while the sequence waited for refunds to be booked on captures."""
    numbers = [number for number, _ in stage.performed if number <= finding.exchange.number]
    return bool(numbers) and finding.exchange.number > numbers[-1] + 2


def _plan_of(stage: Stage, finding: Finding) -> _Plan:
    """The plan of what was performed up to the exchange that broke the rule."""
    circumstances = _circumstances(finding.trail)
    unknown = _Circumstances(State(), 0, taken=True)
    steps = []
    for number, command in stage.performed:
        if number <= finding.exchange.number:
            then = circumstances.get(number, unknown)
            amount = _amount(command)
            term = None if amount is None else term_for(command.operation, amount, then.state, then.before)
            steps.append(_Step(command, term, moved=then.taken and command.operation in _MOVING))
    return _Plan(tuple(stage.drafts), tuple(steps))


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


# --- the order in which candidates are tried --------------------------------------------------------------------


def _reduce(workshop: _Workshop, whole: _Plan) -> None:
    if not _find_base(workshop, whole):
        return
    _shorten(workshop)
    _confirm(workshop)
    if workshop.flaky is not None:
        _make_sure(workshop, whole)


def _make_sure(workshop: _Workshop, whole: _Plan) -> None:
    """Look for what fails each time: it may take another order, or calls that seemed to play no part."""
    best, flaky, workshop.times = workshop.best, workshop.flaky, 2
    if any(workshop.fails(plan) for plan in (_secluded(workshop.plan), *_with_all_orders(whole))):
        _drop_steps(workshop)
        _simplify(workshop)
        _confirm(workshop)
    if workshop.flaky is not None:
        workshop.best, workshop.flaky = best, flaky


def _shorten(workshop: _Workshop) -> None:
    _merge_calls(workshop)
    _drop_operations(workshop)
    _drop_steps(workshop)
    _drop_orders(workshop)
    _simplify(workshop)


def _find_base(workshop: _Workshop, whole: _Plan) -> bool:
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


def _bases(whole: _Plan) -> Iterator[_Plan]:
    """Candidates to start from, from the last call alone to all that was sent."""
    if not whole.steps:
        yield _used(whole)
        return
    for plan in _slices(whole):
        yield _quiet(_used(plan))
    yield from _with_all_orders(whole)


def _slices(whole: _Plan) -> Iterator[_Plan]:
    last = whole.steps[-1]
    own = [
        step for step in whole.steps[:-1] if step.command.order in (last.command.order, last.command.donor)
    ]
    moving = [step for step in own if step.moved]
    pairs = [[step] for step in _latest(moving, 1)[: -_PAIRS - 1 : -1]]
    for some in ([], *pairs, _latest(moving, 1), _latest(moving, 2), moving[-4:], moving, own):
        yield replace(whole, steps=(*some, last))


def _with_all_orders(whole: _Plan) -> Iterator[_Plan]:
    """Candidates in which every order is there, whether calls are made on it or not."""
    last = whole.steps[-1]
    if len(whole.drafts) > 1:
        last = replace(last, command=replace(last.command, opened=len(whole.drafts)))
        moving = [step for step in whole.steps[:-1] if step.moved]
        for some in ([], _latest(moving, 1), _latest(moving, 2)):
            yield _quiet(replace(whole, steps=(*some, last)))
    yield _quiet(whole)
    yield whole


def _quiet(plan: _Plan) -> _Plan:
    """The plan with a reading after the last call alone."""
    silent = tuple(replace(step, command=replace(step.command, read=False)) for step in plan.steps[:-1])
    return replace(plan, steps=(*silent, *plan.steps[-1:]))


def _latest(moving: list[_Step], count: int) -> list[_Step]:
    """The latest calls of each operation, so many of each, in the order in which they were made."""
    names = [step.command.operation for step in moving]
    return [step for n, step in enumerate(moving) if names[n:].count(names[n]) <= count]


def _used(plan: _Plan) -> _Plan:
    """The plan with only the orders that its calls are about."""
    named = {order for step in plan.steps for order in (step.command.order, step.command.donor)}
    return _with_orders(
        plan, sorted(order for order in named if order is not None and order < len(plan.drafts))
    )


def _with_orders(plan: _Plan, kept: list[int]) -> _Plan:
    """The plan with some of its orders, renumbered; calls on others must not be in it."""
    kept = kept or [0]
    numbers = {old: new for new, old in enumerate(kept)}
    steps = tuple(replace(step, command=_renumbered(step.command, numbers)) for step in plan.steps)
    return _Plan(tuple(plan.drafts[order] for order in kept), steps)


def _renumbered(command: Command, numbers: Mapping[int, int]) -> Command:
    return replace(
        command,
        order=numbers.get(command.order, 0),
        donor=None if command.donor is None else numbers[command.donor],
        opened=sum(old < command.opened for old in numbers),
    )


def _secluded(plan: _Plan) -> _Plan:
    """The plan carried out twice, on orders of its own each time, after an order to which nothing happens.

    So orders of earlier candidates play no part, where what happens to one order depends on the one made before it.
    """
    count = len(plan.drafts)
    steps = [
        replace(step, command=_moved_up(step.command, first))
        for first in (1, 1 + count)
        for step in plan.steps
    ]
    return _Plan((plan.drafts[0], *plan.drafts, *plan.drafts), tuple(steps))


def _moved_up(command: Command, by: int) -> Command:
    donor = None if command.donor is None else command.donor + by
    return replace(
        command, order=command.order + by, donor=donor, opened=command.opened and command.opened + by
    )


def _merge_calls(workshop: _Workshop) -> None:
    """Make one capture of many, and one refund of many."""
    for operation in ("captureOrder", "refundOrder"):
        plan = workshop.plan
        places = [n for n, step in enumerate(plan.steps[:-1]) if step.command.operation == operation]
        total = sum(_amount(plan.steps[n].command) or 0 for n in places)
        if len(places) > _FEW and fits(operation, total):
            one = plan.steps[places[0]]
            merged = _Step(_with_amount(one.command, total), moved=one.moved)
            steps = [step for n, step in enumerate(plan.steps) if n not in places[1:]]
            steps[places[0]] = merged
            workshop.fails(replace(plan, steps=tuple(steps)))


def _drop_operations(workshop: _Workshop) -> None:
    """Drop all calls of an operation at once, the most frequent first, where operations recur."""
    names = [step.command.operation for step in workshop.plan.steps[:-1]]
    if len(names) < 2 * len(set(names)) + 2:
        return
    for name in sorted(set(names), key=lambda each: (-names.count(each), each)):
        plan = workshop.plan
        kept = tuple(step for step in plan.steps[:-1] if step.command.operation != name)
        if len(kept) < len(plan.steps) - 1:
            workshop.fails(replace(plan, steps=(*kept, plan.steps[-1])))


def _drop_steps(workshop: _Workshop) -> None:
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


def _drop_orders(workshop: _Workshop) -> None:
    """Leave out the orders that no call is about; then make all calls on one order."""
    plan = workshop.plan
    if len(plan.drafts) > 1:
        workshop.fails(_used(plan))
    plan = workshop.plan
    if len(plan.drafts) > 1 and not any(step.command.donor is not None for step in plan.steps):
        merged = (replace(step.command, order=0, opened=0) for step in plan.steps)
        steps = tuple(
            replace(step, command=command) for step, command in zip(plan.steps, merged, strict=True)
        )
        workshop.fails(_Plan(plan.drafts[:1], steps))


# --- simpler orders, bodies and amounts -------------------------------------------------------------------------


def _simplify(workshop: _Workshop) -> None:
    """Make everything plain and small: at once if that will do, else one thing after the other."""
    plan = workshop.plan
    if any(workshop.fails(_small(_plain(plan), amount)) for amount in _SMALL_AMOUNTS):
        return
    if not workshop.fails(_plain(plan)):
        _simplify_apart(workshop)
    plan = workshop.plan
    if not any(workshop.fails(_small(plan, amount)) for amount in _SMALL_AMOUNTS):
        _lower_last_amount(workshop)


def _plain(plan: _Plan) -> _Plan:
    """The same orders and calls with the plainest bodies, and keys of their own."""
    drafts = tuple(_plain_draft(wanted) for wanted in plan.drafts)
    names = [_root_of(step.command.key) for step in plan.steps]
    return _Plan(
        drafts, tuple(replace(step, command=_plain_command(step.command, names)) for step in plan.steps)
    )


def _root_of(key: str | None) -> str | None:
    """The name of a key without its variation."""
    return None if key is None else key.partition("~")[0]


def _plain_draft(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    amount = wanted.get("order_amount")
    return draft(amount) if isinstance(amount, int) else wanted


def _plain_command(command: Command, keys: list[str | None]) -> Command:
    key = command.key if command.key is None or keys.count(_root_of(command.key)) > 1 else NEW_KEY
    if command.content is not None or command.body is plain_body(command.operation, None):
        return replace(command, key=key)
    amount = _amount(command)
    named = command.operation in AMOUNT_FIELDS
    body = command.body if named and amount is None else plain_body(command.operation, amount)
    if command.operation == "extendDueDate":
        body = command.body
    return replace(command, key=key, body=body, headers=())


def _small(plan: _Plan, order_amount: int) -> _Plan:
    """The same orders and calls with small amounts in about the same proportion."""
    sizes = [each.get("order_amount") for each in plan.drafts]
    shares = [order_amount / size if isinstance(size, int) and size > order_amount else 1.0 for size in sizes]
    drafts = tuple(
        draft(order_amount, country=wanted.get("purchase_country", "SE")) if share < 1 else wanted
        for wanted, share in zip(plan.drafts, shares, strict=True)
    )
    return _Plan(drafts, tuple(_scaled(step, shares[step.command.order]) for step in plan.steps))


def _scaled(step: _Step, share: float) -> _Step:
    amount = _amount(step.command)
    if not amount or share >= 1:
        return step
    scaled = _with_amount(step.command, max(1, round(amount * share)))
    return replace(step, command=scaled, term=step.term or step.hint)


def _simplify_apart(workshop: _Workshop) -> None:
    """Make plain what can be: the orders, then each body, then its parts."""
    plan = workshop.plan
    workshop.fails(replace(plan, drafts=tuple(map(_plain_draft, plan.drafts))))
    for position in range(len(workshop.plan.steps)):
        _simplify_body(workshop, position)


def _simplify_body(workshop: _Workshop, position: int) -> None:
    tries = 0
    progress = True
    while progress and tries < _BODY_TRIES:
        progress = False
        plan = workshop.plan
        if position >= len(plan.steps):
            return
        for body in _simpler(plan.steps[position].command.body):
            tries += 1
            if workshop.fails(_with_body(plan, position, body)):
                progress = True
                break
            if tries >= _BODY_TRIES:
                break


def _with_body(plan: _Plan, position: int, body: Any) -> _Plan:
    step = plan.steps[position]
    changed = replace(step, command=replace(step.command, body=body))
    return replace(plan, steps=(*plan.steps[:position], changed, *plan.steps[position + 1 :]))


def _simpler(body: Any) -> Iterator[Any]:
    """Bodies that have less in them: without a field, with one entry of a list, the same inside a field."""
    if isinstance(body, dict):
        for name in body:
            yield {key: value for key, value in body.items() if key != name}
        for name, value in body.items():
            yield from ({**body, name: simpler} for simpler in _simpler(value))
    elif isinstance(body, list) and body:
        if len(body) > 1:
            yield body[:1]
            yield body[-1:]
        yield from ([simpler, *body[1:]] for simpler in _simpler(body[0]))
    elif isinstance(body, str) and len(body) > 1:
        yield body[: len(body) // 2]
        yield body[len(body) // 2 :]


def _lower_last_amount(workshop: _Workshop) -> None:
    """Find the smallest amount of the last call that still breaks the rule, halving the distance each time."""
    plan = workshop.plan
    step = plan.steps[-1] if plan.steps else None
    amount = None if step is None or step.term is not None else _amount(step.command)
    if step is None or amount is None or amount < 2:
        return
    low, high = 0, amount
    while high - low > 1 and workshop.left > _reserve(plan):
        middle = 1 if low == 0 and high == amount else (low + high) // 2
        changed = replace(step, command=_with_amount(step.command, middle))
        if workshop.fails(replace(plan, steps=(*plan.steps[:-1], changed))):
            high = middle
        else:
            low = middle


def _reserve(plan: _Plan) -> int:
    """What must be left over to see the last candidate fail once more."""
    return 2 * plan.cost


def _confirm(workshop: _Workshop) -> None:
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
