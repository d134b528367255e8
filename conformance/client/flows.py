"""The flows: what a command is told to do to which order, and how the order has to read afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

from orderproof.errors import UsageError

Books = Mapping[str, Any]
"""What of an order matters to an intent: see `books_of`."""

ORDER_AMOUNT = 10_000
CITY, REFERENCE, TRACKING, DAYS = "Göteborg", "proof-4711", "PROOF-4711", 14


MONEY = ("order_amount", "captured_amount", "refunded_amount", "remaining", "cancelled")
"""What no flow may touch that is not about it."""


def books_of(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an order an intent can be about."""
    captures = order.get("captures") or ()
    shipments = list(order.get("shipping_info") or ())
    shipments += [entry for capture in captures for entry in capture.get("shipping_info") or ()]
    cancelled = order.get("status") == "CANCELLED"
    return {
        "order_amount": order.get("order_amount"),
        "captured_amount": order.get("captured_amount"),
        "refunded_amount": order.get("refunded_amount"),
        # What a cancelled order has left is open.
        "remaining": None if cancelled else order.get("remaining_authorized_amount"),
        "cancelled": cancelled,
        "captures": len(captures),
        "city": (order.get("shipping_address") or {}).get("city"),
        "reference": order.get("merchant_reference1"),
        "tracking": sorted(str(entry.get("tracking_number")) for entry in shipments),
    }


@dataclass(frozen=True)
class Flow:
    """A thing to do. `wanted` returns the books after it from those before it.

    `prepared` is what is captured of the order before the command runs. `answered` names an operation that has to be
    taken, where the books do not show the intent. `part` returns the books half-way through a flow of two calls.
    `also` names what it is about beside the money. `values` are told to the command, each as ORDERPROOF_NAME. A flow
    that `reads` makes no write.
    """

    name: str
    says: str
    wanted: Callable[[Books], Books]
    prepared: int = 0
    answered: str = ""
    part: Callable[[Books], Books] | None = None
    also: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    reads: bool = False


def _captured(amount: int) -> Callable[[Books], Books]:
    return lambda books: {
        **books,
        "captured_amount": books["captured_amount"] + amount,
        "remaining": (books["remaining"] or 0) - amount,
    }


def _parcels(number: int, amount: int) -> Callable[[Books], Books]:
    return lambda books: {**_captured(number * amount)(books), "captures": books["captures"] + number}


def _refunded(amount: int) -> Callable[[Books], Books]:
    return lambda books: {**books, "refunded_amount": books["refunded_amount"] + amount}


def _same(books: Books) -> Books:
    return books


def _set(**values: Any) -> Callable[[Books], Books]:
    return lambda books: {**books, **values}


def _updated(amount: int) -> Callable[[Books], Books]:
    return lambda books: {**books, "order_amount": amount, "remaining": amount - books["captured_amount"]}


_AMOUNT = "AMOUNT"
_FLOWS = (
    Flow("read", "read the order", _same, answered="getOrder", reads=True),
    Flow("acknowledge", "acknowledge the order", _same, answered="acknowledgeOrder"),
    Flow(
        "capture-all", "capture the whole order", _captured(ORDER_AMOUNT), values={_AMOUNT: str(ORDER_AMOUNT)}
    ),
    Flow(
        "capture-part", "capture ORDERPROOF_AMOUNT of the order", _captured(4_000), values={_AMOUNT: "4000"}
    ),
    Flow(
        "capture-twice",
        "capture ORDERPROOF_AMOUNT two times, as two parcels",
        _parcels(2, 2_500),
        part=_parcels(1, 2_500),
        also=("captures",),
        values={_AMOUNT: "2500"},
    ),
    Flow(
        "refund",
        "refund ORDERPROOF_AMOUNT of the order, which is captured",
        _refunded(3_000),
        prepared=ORDER_AMOUNT,
        values={_AMOUNT: "3000"},
    ),
    Flow(
        "refund-all",
        "refund the whole order, which is captured",
        _refunded(ORDER_AMOUNT),
        prepared=ORDER_AMOUNT,
        values={_AMOUNT: str(ORDER_AMOUNT)},
    ),
    Flow("cancel", "cancel the order", _set(cancelled=True, remaining=None)),
    Flow("extend", "extend the authorization", _same, answered="extendAuthorizationTime"),
    Flow(
        "release",
        "release what is left of the order, of which a part is captured",
        _set(remaining=0),
        prepared=4_000,
    ),
    Flow("update", "set the order amount to ORDERPROOF_AMOUNT", _updated(8_000), values={_AMOUNT: "8000"}),
    Flow(
        "address",
        "set the city of the shipping address to ORDERPROOF_CITY",
        _set(city=CITY),
        also=("city",),
        values={"CITY": CITY},
    ),
    Flow(
        "references",
        "set merchant_reference1 to ORDERPROOF_REFERENCE",
        _set(reference=REFERENCE),
        also=("reference",),
        values={"REFERENCE": REFERENCE},
    ),
    Flow(
        "ship",
        "add shipping info with ORDERPROOF_TRACKING to the capture ORDERPROOF_CAPTURE_ID",
        lambda books: {**books, "tracking": sorted([*books["tracking"], TRACKING])},
        prepared=ORDER_AMOUNT,
        also=("tracking",),
        values={"TRACKING": TRACKING},
    ),
    Flow(
        "send-out",
        "send the communication about the capture ORDERPROOF_CAPTURE_ID again",
        _same,
        prepared=ORDER_AMOUNT,
        answered="triggerSendOut",
    ),
    Flow(
        "extend-due-date",
        "extend the due date of the capture ORDERPROOF_CAPTURE_ID by ORDERPROOF_DAYS",
        _same,
        prepared=ORDER_AMOUNT,
        answered="extendDueDate",
        values={"DAYS": str(DAYS)},
    ),
)

FLOWS: Mapping[str, Flow] = MappingProxyType({flow.name: flow for flow in _FLOWS})
"""Every flow, by name."""


def flow_named(name: str) -> Flow:
    """Return a flow. Raises UsageError for an unknown name."""
    if name in FLOWS:
        return FLOWS[name]
    near = get_close_matches(name, FLOWS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FLOWS)}"
    raise UsageError(f"there is no flow {name!r}: {hint}")
