"""Plans made simpler: plain orders and bodies, small amounts, bodies with less in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from orderproof.drivers.commands import NEW_KEY, Command
from orderproof.drivers.contents import plain_body
from orderproof.drivers.drafts import draft
from orderproof.drivers.plans import Plan, Step, amount_of, with_amount
from orderproof.drivers.terms import AMOUNT_FIELDS


def plain(plan: Plan) -> Plan:
    """The same orders and calls with the plainest bodies, and keys of their own."""
    drafts = tuple(plain_draft(wanted) for wanted in plan.drafts)
    names = [_root_of(step.command.key) for step in plan.steps]
    return Plan(
        drafts, tuple(replace(step, command=_plain_command(step.command, names)) for step in plan.steps)
    )


def _root_of(key: str | None) -> str | None:
    """The name of a key without its variation."""
    return None if key is None else key.partition("~")[0]


def plain_draft(wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    amount = wanted.get("order_amount")
    return draft(amount) if isinstance(amount, int) else wanted


def _plain_command(command: Command, keys: list[str | None]) -> Command:
    key = command.key if command.key is None or keys.count(_root_of(command.key)) > 1 else NEW_KEY
    if command.content is not None or command.body is plain_body(command.operation, None):
        return replace(command, key=key)
    amount = amount_of(command)
    named = command.operation in AMOUNT_FIELDS
    body = command.body if named and amount is None else plain_body(command.operation, amount)
    if command.operation == "extendDueDate":
        body = command.body
    return replace(command, key=key, body=body, headers=())


def small(plan: Plan, order_amount: int) -> Plan:
    """The same orders and calls with small amounts in about the same proportion."""
    shares = {order: _share(wanted, order_amount) for order, wanted in enumerate(plan.drafts)}
    drafts = (draft(order_amount) if shares[n] < 1 else wanted for n, wanted in enumerate(plan.drafts))
    steps = (_scaled(step, shares.get(step.command.order, 1.0)) for step in plan.steps)
    return Plan(tuple(drafts), tuple(steps))


def _share(wanted: Mapping[str, Any], order_amount: int) -> float:
    size = wanted.get("order_amount")
    return order_amount / size if isinstance(size, int) and size > order_amount else 1.0


def _scaled(step: Step, share: float) -> Step:
    amount = amount_of(step.command)
    if not amount or share >= 1:
        return step
    scaled = with_amount(step.command, max(1, round(amount * share)))
    return replace(step, command=scaled, term=step.term or step.hint)


def with_body(plan: Plan, position: int, body: Any) -> Plan:
    """The plan with another body in one of its calls."""
    step = plan.steps[position]
    changed = replace(step, command=replace(step.command, body=body))
    return replace(plan, steps=(*plan.steps[:position], changed, *plan.steps[position + 1 :]))


def simpler(body: Any) -> Iterator[Any]:
    """Bodies that have less in them: without a field, with one entry of a list, the same inside a field."""
    if isinstance(body, dict):
        for name in body:
            yield {key: value for key, value in body.items() if key != name}
        for name, value in body.items():
            yield from ({**body, name: less} for less in simpler(value))
    elif isinstance(body, list) and body:
        if len(body) > 1:
            yield body[:1]
            yield body[-1:]
        yield from ([less, *body[1:]] for less in simpler(body[0]))
    elif isinstance(body, str) and len(body) > 1:
        yield body[: len(body) // 2]
        yield body[len(body) // 2 :]
