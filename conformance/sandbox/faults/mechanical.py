"""Faults made by machine: a few operators, applied to every operation and field that they fit.

Each operator is a table of where it applies and a function that makes the behaviour. The rule of such a fault is the
one that speaks of the operation; rules that may rightly be named for it too come after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context
from orderproof.sandbox.faults.parts import answering, effect, less, mended, read_of
from orderproof.sandbox.faults.registry import Fault, When, enter
from orderproof.sandbox.orders import DAY, Order

Shown = dict[str, Any]

_NUMBER = re.compile("-?[0-9]{1,18}")


def _kebab(name: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).replace("_", "-")


def _enter(name: str, rules: tuple[str, ...], when: When, lie: str, make: Callable[[], Behaviour]) -> None:
    enter(Fault(name, rules, when, lie, make, mechanical=True))


def _in_list(value: Any, change: Callable[[Shown], Shown]) -> Any:
    return [change(one) for one in value] if isinstance(value, list | tuple) else change(value)


# a field of an answer: off by one, dropped, renamed.

_VIEWS = {
    "order": ("getOrder", None),
    "order-capture": ("getOrder", "captures"),
    "order-refund": ("getOrder", "refunds"),
    "capture-list": ("getCaptures", None),
    "capture": ("getCapture", None),
    "refund": ("getRefund", None),
    "due-date-options": ("getOptionsForExtendDueDate", None),
}


def _field(view: str, change: Callable[[Shown], Shown]) -> Behaviour:
    operation, inner = _VIEWS[view]

    def altered(value: Any, order: Order, context: Context) -> Any:
        if inner is None:
            return _in_list(value, change)
        return {**value, inner: [change(one) for one in value.get(inner, ())]}

    return read_of(altered, operation)


def _one_more(name: str, shown: Shown) -> Shown:
    return {**shown, name: shown[name] + 1} if shown.get(name) else shown


def _renamed(name: str, shown: Shown) -> Shown:
    return {**less(shown, name), f"the_{name}": shown[name]} if name in shown else shown


_OFF_BY_ONE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("order", "captured_amount", ("ORD-SUM-1", "CAP-4", "ORD-SUM-3")),
    ("order", "refunded_amount", ("ORD-SUM-2", "RFD-4")),
    ("order", "remaining_authorized_amount", ("ORD-SUM-3", "CAP-4")),
    ("order", "order_amount", ("ORD-SUM-3", "ORD-STA-1")),
    ("order-capture", "captured_amount", ("ORD-SUM-1", "CAP-3", "CAP-6")),
    ("order-capture", "refunded_amount", ("ORD-SUM-6", "CAP-6")),
    ("order-refund", "refunded_amount", ("ORD-SUM-2", "RFD-8", "RFD-3")),
    ("capture-list", "captured_amount", ("CAP-6", "CAP-3")),
    ("capture", "captured_amount", ("CAP-6", "CAP-3")),
    ("capture", "refunded_amount", ("CAP-6",)),
    ("refund", "refunded_amount", ("RFD-8", "RFD-3")),
)

_DROPPED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("order", "order_id", ("ORD-GET-1", "GEN-HTTP-1")),
    ("order", "status", ("ORD-STA-1", "ORD-GET-4", "GEN-HTTP-1", "ORD-GET-1")),
    ("order", "captures", ("ORD-SUM-1", "CAP-6", "CAP-4")),
    ("order", "refunds", ("ORD-SUM-2", "RFD-8", "RFD-4")),
    ("order", "merchant_reference1", ("REF-1", "ORD-FIX-3")),
    ("order", "shipping_address", ("CUS-1",)),
    ("order", "shipping_info", ("SHP-1",)),
    ("order-capture", "capture_id", ("CAP-6", "GEN-HTTP-1", "CAP-3", "ORD-FIX-2")),
    ("order-refund", "refund_id", ("RFD-8", "GEN-HTTP-1", "RFD-3", "ORD-FIX-2")),
    ("capture", "shipping_info", ("CAP-6", "SHP-2", "CAP-3")),
    ("capture-list", "description", ("CAP-6", "CAP-3")),
    ("capture", "order_lines", ("CAP-6", "CAP-3")),
    ("refund", "reference", ("RFD-8", "RFD-3")),
    ("due-date-options", "currency", ("DUE-1", "GEN-HTTP-1")),
)

_RENAMED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("order", "order_lines", ("AUT-2", "ORD-GET-1")),
    ("order", "refunds", ("ORD-SUM-2", "RFD-8", "RFD-4")),
    ("capture", "captured_amount", ("CAP-6", "CAP-3", "GEN-HTTP-1")),
    ("refund", "description", ("RFD-8", "RFD-3")),
)


def _fields() -> None:
    tables: tuple[tuple[str, Any, Any, str], ...] = (
        ("one-more", _OFF_BY_ONE, _one_more, "reads one more than it is"),
        ("dropped", _DROPPED, lambda name, shown: less(shown, name), "is not there"),
        ("renamed", _RENAMED, _renamed, "stands under another name"),
    )
    for word, table, change, lie in tables:
        for view, name, rules in table:
            place = view.replace("-", " of an ", 1) if view.startswith("order-") else view
            _enter(
                f"{word}-{view}-{_kebab(name)}",
                rules,
                "state",
                f"{name} of {place.replace('order of an', 'an order, in a')} {lie}."
                if view.startswith("order-")
                else f"{name} of a {view.replace('-', ' ')} {lie}.",
                partial(_field, view, partial(change, name)),
            )


# an answer: another status, another header.

_SUCCESS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("acknowledgeOrder", 204, 200, ("ACK-1", "GEN-HTTP-4", "GEN-HTTP-1")),
    ("updateAuthorization", 204, 200, ("AUT-1", "GEN-HTTP-4", "GEN-HTTP-1", "AUT-2")),
    ("updateConsumerDetails", 204, 201, ("CUS-1", "GEN-HTTP-4")),
    ("updateMerchantReferences", 204, 202, ("REF-1", "GEN-HTTP-4")),
    ("extendAuthorizationTime", 204, 201, ("EXT-1", "GEN-HTTP-4")),
    ("releaseRemainingAuthorization", 204, 200, ("REL-1", "GEN-HTTP-4", "GEN-HTTP-1")),
    ("cancelOrder", 204, 200, ("CAN-1", "GEN-HTTP-4", "GEN-HTTP-1")),
    ("appendOrderShippingInfo", 204, 201, ("SHP-1", "GEN-HTTP-4")),
    ("appendShippingInfo", 204, 200, ("SHP-2", "GEN-HTTP-4", "GEN-HTTP-1")),
    ("captureOrder", 201, 204, ("CAP-1", "CAP-2", "GEN-HTTP-4")),
    ("refundOrder", 201, 200, ("RFD-1", "RFD-2", "GEN-HTTP-4", "GEN-HTTP-1")),
    ("triggerSendOut", 204, 202, ("SND-1", "GEN-HTTP-4")),
    ("extendDueDate", 204, 200, ("DUE-2", "GEN-HTTP-4", "GEN-HTTP-1")),
)


def _status(operation: str, status: int, other: int) -> Behaviour:
    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == operation and answer.status == status
        return answer._replace(status=other) if wrong else answer

    return answering(change)


def _unknown_order(operation: str) -> Behaviour:
    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == operation and order is None and answer.status == 404
        return answer._replace(status=403) if wrong and b"NO_SUCH_ORDER" in answer.body else answer

    return answering(change)


def _statuses() -> None:
    for operation, status, other, rules in _SUCCESS:
        lie = f"A success of {operation} is answered {other} in place of {status}."
        _enter(
            f"{other}-for{_kebab(operation[0].upper() + operation[1:])}",
            rules,
            "always",
            lie,
            partial(_status, operation, status, other),
        )
    for operation in (*AS_AGREED.effects, *AS_AGREED.reads):
        lie = f"{operation} of an unknown order is answered 403."
        name = f"unknown-order-forbidden{_kebab(operation[0].upper() + operation[1:])}"
        _enter(name, ("GEN-404-1",), "always", lie, partial(_unknown_order, operation))


# what a call does: nothing, twice, more than it should.

_LOST: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("updateAuthorization", ("AUT-1", "AUT-2", "AUT-5")),
    ("updateConsumerDetails", ("CUS-1",)),
    ("updateMerchantReferences", ("REF-1",)),
    ("extendAuthorizationTime", ("EXT-4", "EXT-1")),
    ("appendOrderShippingInfo", ("SHP-1",)),
    ("appendShippingInfo", ("SHP-2",)),
)

_DOUBLED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("appendOrderShippingInfo", ("SHP-1",)),
    ("appendShippingInfo", ("SHP-2",)),
)

_SPILLS: tuple[tuple[str, str, Any], ...] = (
    ("acknowledgeOrder", "merchant_reference1", "spilled"),
    ("acknowledgeOrder", "expires_at", DAY),
    ("updateAuthorization", "merchant_reference2", "spilled"),
    ("updateAuthorization", "shipping_info", ()),
    ("updateConsumerDetails", "merchant_reference1", "spilled"),
    ("updateConsumerDetails", "expires_at", DAY),
    ("updateMerchantReferences", "order_lines", ()),
    ("updateMerchantReferences", "expires_at", DAY),
    ("extendAuthorizationTime", "merchant_reference1", "spilled"),
    ("releaseRemainingAuthorization", "order_lines", ()),
    ("releaseRemainingAuthorization", "merchant_reference2", "spilled"),
    ("cancelOrder", "merchant_reference1", "spilled"),
    ("cancelOrder", "order_lines", ()),
    ("appendOrderShippingInfo", "merchant_reference2", "spilled"),
    ("appendShippingInfo", "order_lines", ()),
    ("captureOrder", "merchant_reference1", "spilled"),
    ("captureOrder", "expires_at", DAY),
    ("refundOrder", "order_lines", ()),
    ("refundOrder", "merchant_reference2", "spilled"),
    ("triggerSendOut", "expires_at", DAY),
    ("extendDueDate", "merchant_reference1", "spilled"),
)


def _lost(operation: str) -> Behaviour:
    return effect(operation, lambda before, after, call, context: before)


def _doubled(operation: str) -> Behaviour:
    true = AS_AGREED.effects[operation]
    return effect(operation, lambda before, after, call, context: true(after, call, context))


def _spilling(operation: str, name: str, value: Any) -> Behaviour:
    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        spilled: dict[str, Any] = {name: getattr(after, name) + value if name == "expires_at" else value}
        return replace(after, **spilled)

    return effect(operation, change)


def _writes() -> None:
    for operation, rules in _LOST:
        lie = f"{operation} is answered as taken, and nothing is written."
        name = f"lost{_kebab(operation[0].upper() + operation[1:])}"
        _enter(name, rules, "always", lie, partial(_lost, operation))
    for operation, rules in _DOUBLED:
        lie = f"{operation} is written twice."
        _enter(
            f"doubled{_kebab(operation[0].upper() + operation[1:])}",
            rules,
            "always",
            lie,
            partial(_doubled, operation),
        )
    for operation, name, value in _SPILLS:
        rules = ("ORD-FIX-3", *(("SND-1",) if operation == "triggerSendOut" else ()))
        _enter(
            f"{_kebab(operation)}-touches-{_kebab(name)}",
            rules,
            "always",
            f"{operation} changes {name} too.",
            partial(_spilling, operation, name, value),
        )


# what reading shows: the order as it was before the last write.

_STALE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("captureOrder", ("CAP-4", "CAP-2", "CAP-3", "ORD-GET-2")),
    ("refundOrder", ("RFD-4", "RFD-2", "RFD-3", "ORD-GET-2")),
    ("updateMerchantReferences", ("REF-1", "ORD-GET-2")),
    ("updateConsumerDetails", ("CUS-1", "ORD-GET-2")),
)


def _stale(operation: str) -> Behaviour:
    """Show the order as it was before a call, until it has been read once."""
    before_it: dict[str, Order] = {}

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        before_it[before.order_id] = before
        return after

    def read(order: Order, call: Call, context: Context) -> Any:
        return AS_AGREED.reads["getOrder"](before_it.pop(order.order_id, order), call, context)

    return replace(effect(operation, change), reads={**AS_AGREED.reads, "getOrder": read})


def _reads() -> None:
    for operation, rules in _STALE:
        _enter(
            f"stale-after{_kebab(operation[0].upper() + operation[1:])}",
            rules,
            "sequence",
            f"The first read after {operation} shows the order as it was before.",
            partial(_stale, operation),
        )


# what a body may hold: repaired in place of refused.

_BODIES: tuple[tuple[str, str, str], ...] = (
    ("captureOrder", "captured_amount", "quoted"),
    ("captureOrder", "captured_amount", "fraction"),
    ("captureOrder", "captured_amount", "negative"),
    ("captureOrder", "captured_amount", "missing"),
    ("captureOrder", "description", "long"),
    ("captureOrder", "reference", "null"),
    ("refundOrder", "refunded_amount", "quoted"),
    ("refundOrder", "refunded_amount", "fraction"),
    ("refundOrder", "refunded_amount", "negative"),
    ("refundOrder", "refunded_amount", "null"),
    ("refundOrder", "description", "long"),
    ("updateAuthorization", "order_amount", "quoted"),
    ("updateAuthorization", "order_amount", "fraction"),
    ("updateAuthorization", "order_amount", "missing"),
    ("updateAuthorization", "description", "long"),
    ("updateMerchantReferences", "merchant_reference1", "long"),
    ("updateMerchantReferences", "merchant_reference1", "null"),
    ("updateMerchantReferences", "merchant_reference2", "number"),
    ("extendDueDate", "number_of_days", "quoted"),
    ("extendDueDate", "number_of_days", "fraction"),
)


def _repaired(name: str, kind: str, body: Any) -> Any:
    value = body.get(name)
    match kind:
        case "quoted" if isinstance(value, str) and _NUMBER.fullmatch(value):
            return {**body, name: int(value)}
        case "fraction" if isinstance(value, float) and isfinite(value) and not value.is_integer():
            return {**body, name: int(value)}
        case "negative" if isinstance(value, int) and value < 0:
            return {**body, name: 0}
        case "missing" if name not in body:
            return {**body, name: 1}
        case "null" if name in body and value is None:
            return {**less(body, name), **({name: 1} if name.endswith("amount") else {})}
        case "long" if isinstance(value, str):
            return {**body, name: value[:255]}
        case "number" if isinstance(value, int | float) and not isinstance(value, bool):
            return {**body, name: str(value)}
    return body


_BODY_LIES = {
    "quoted": "in quotes is taken as a number",
    "fraction": "with a fraction is rounded",
    "negative": "below zero is taken as 0",
    "missing": "may be missing and is 1 then",
    "null": "may be null",
    "long": "is cut to 255 characters",
    "number": "may be a number, which is taken as text",
}


def _bodies() -> None:
    for operation, name, kind in _BODIES:
        _enter(
            f"{_kebab(operation)}-{_kebab(name)}-{kind}",
            ("GEN-VAL-1", "CAP-5", "AUT-4", "AUT-3", "RFD-5"),
            "value",
            f"In {operation}, {name} {_BODY_LIES[kind]}.",
            partial(mended, operation, partial(_repaired, name, kind)),
        )


_fields()
_statuses()
_writes()
_reads()
_bodies()
