"""What faults are made of: a step of the sandbox taken out, or wrapped, with all others as agreed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from orderproof.sandbox.answers import json_bytes
from orderproof.sandbox.behaviour import AS_AGREED, Answering, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context, Refusal
from orderproof.sandbox.guards import Guard
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Capture, Order, captured_amount, refunded_amount, remaining_amount
from orderproof.sandbox.requests import Request

Shown = dict[str, Any]
ChangeOrder = Callable[[Order, Order, Call, Context], Order]
ChangeView = Callable[[Shown, Order, Context], Shown]
ChangeAnswer = Callable[[Call, Order | None, Answer], Answer]
Condition = Callable[[Order, Call, Context], bool]

INVALID = "BAD_VALUE"
NOT_ALLOWED = "NOT_ALLOWED"
CAPTURE = "CAPTURE_NOT_ALLOWED"
REFUND = "REFUND_NOT_ALLOWED"

__all__ = [
    "CAPTURE",
    "INVALID",
    "NOT_ALLOWED",
    "REFUND",
    "answering",
    "asking",
    "captured_amount",
    "captures_read",
    "effect",
    "less",
    "mended",
    "orders_read",
    "read_of",
    "refunded_amount",
    "refunds_read",
    "refusing",
    "remaining_amount",
    "requesting",
    "with_body",
    "without",
    "written_in_place_of",
]


def without(operation: str, *names: str) -> Behaviour:
    """Take guards of an operation out."""
    left = tuple(guard for guard in AS_AGREED.guards[operation] if guard.name not in names)
    assert len(left) == len(AS_AGREED.guards[operation]) - len(names), (operation, names)
    return replace(AS_AGREED, guards={**AS_AGREED.guards, operation: left})


def asking(
    operation: str, name: str, alter: Callable[[Refusal | None, Order, Call], Refusal | None]
) -> Behaviour:
    """Let a guard of an operation come to another answer than it should."""

    def altered(guard: Guard) -> Guard:
        def check(order: Order, call: Call, context: Context) -> Refusal | None:
            return alter(guard.check(order, call, context), order, call)

        return replace(guard, check=check)

    guards = tuple(altered(one) if one.name == name else one for one in AS_AGREED.guards[operation])
    assert guards != AS_AGREED.guards[operation], (operation, name)
    return replace(AS_AGREED, guards={**AS_AGREED.guards, operation: guards})


def refusing(
    operation: str, condition: Condition, *, status: int = 403, code: str = NOT_ALLOWED, first: bool = False
) -> Behaviour:
    """Refuse calls that meet a condition, after all other reasons to refuse, or before them."""

    def check(order: Order, call: Call, context: Context) -> Refusal | None:
        return Refusal(status, code, "This is a fault.") if condition(order, call, context) else None

    guard = Guard("fault", check, reads_body=not first)
    guards = AS_AGREED.guards[operation]
    changed = (guard, *guards) if first else (*guards, guard)
    return replace(AS_AGREED, guards={**AS_AGREED.guards, operation: changed})


def effect(operation: str, change: ChangeOrder) -> Behaviour:
    """Change what a call does: `change` gets the order before and after, and returns the one to save."""
    true = AS_AGREED.effects[operation]

    def altered(order: Order, call: Call, context: Context) -> Order:
        return change(order, true(order, call, context), call, context)

    return replace(AS_AGREED, effects={**AS_AGREED.effects, operation: altered})


def read_of(change: Callable[[Any, Order, Context], Any], *operations: str) -> Behaviour:
    """Change what some operations read, as a JSON value."""

    def altered(operation: str) -> Callable[[Order, Call, Context], Any]:
        true = AS_AGREED.reads[operation]
        return lambda order, call, context: change(true(order, call, context), order, context)

    return replace(AS_AGREED, reads={**AS_AGREED.reads, **{one: altered(one) for one in operations}})


def orders_read(change: ChangeView) -> Behaviour:
    """Change how an order reads."""
    return read_of(change, "getOrder")


def captures_read(change: ChangeView) -> Behaviour:
    """Change how every capture reads, in all three places."""

    def altered(value: Any, order: Order, context: Context) -> Any:
        if isinstance(value, dict) and "captures" in value:
            return {**value, "captures": [change(one, order, context) for one in value["captures"]]}
        if isinstance(value, dict):
            return change(value, order, context)
        return [change(one, order, context) for one in value]

    return read_of(altered, "getOrder", "getCaptures", "getCapture")


def refunds_read(change: ChangeView) -> Behaviour:
    """Change how every refund reads, in both places."""

    def altered(value: Any, order: Order, context: Context) -> Any:
        if "refunds" in value:
            return {**value, "refunds": [change(one, order, context) for one in value["refunds"]]}
        return change(value, order, context)

    return read_of(altered, "getOrder", "getRefund")


def answering(change: ChangeAnswer) -> Behaviour:
    """Have a last look at every answer of an operation."""
    return replace(AS_AGREED, finish=change)


def requesting(around: Callable[[Request, Answering], Awaitable[Answer]]) -> Behaviour:
    """Stand around the whole of a request."""
    return replace(AS_AGREED, around=around)


def mended(operation: str, mend: Callable[[Any], Any]) -> Behaviour:
    """Make something valid of the JSON value that an operation is sent, before it is validated."""

    def read(call: Call, chosen: Open) -> Call:
        if call.operation == operation:
            call = _mended(call, mend)
        return AS_AGREED.read_body(call, chosen)

    return replace(AS_AGREED, read_body=read)


def _mended(call: Call, mend: Callable[[Any], Any]) -> Call:
    try:
        value = json.loads(call.raw)
    except (ValueError, RecursionError):
        return call
    changed = mend(value) if isinstance(value, dict) else value
    return call if changed == value else call._replace(raw=json.dumps(changed).encode())


def with_body(answer: Answer, value: Any) -> Answer:
    """Give an answer another JSON body."""
    return answer._replace(body=json_bytes(value))


def written_in_place_of(order: Order, capture: Capture) -> Order:
    """Return the order with one capture replaced by another with the same id."""
    changed = tuple(capture if one.capture_id == capture.capture_id else one for one in order.captures)
    return replace(order, captures=changed)


def less(mapping: Mapping[str, Any], *names: str) -> Shown:
    """Return a mapping without some of its names."""
    return {name: value for name, value in mapping.items() if name not in names}
