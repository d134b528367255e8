"""A request read as a call: which operation, on which order, with what body and key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orderproof import operations
from orderproof.exchange import ABSENT, Exchange
from orderproof.model.validity import AMOUNT_FIELDS, Validity, validity

_CUTTING = frozenset("/\\;?#%")
_LONGEST_ROUTABLE = 1_000
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_uuid(text: str | None) -> bool:
    """Say whether an id is well formed."""
    return text is not None and _UUID.fullmatch(text) is not None


def _is_routable(text: str) -> bool:
    """Say whether an id reaches the application in one piece, whatever HTTP server is in front of it."""
    return (
        len(text) <= _LONGEST_ROUTABLE
        and text.isprintable()
        and _CUTTING.isdisjoint(text)
        and text.strip(".") != ""
    )


@dataclass(frozen=True)
class Call:
    """An exchange, seen as a call of one of the 18 operations."""

    exchange: Exchange
    operation: operations.Operation
    order_id: str
    capture_id: str | None = None
    refund_id: str | None = None

    @property
    def name(self) -> str:
        """The operation id."""
        return self.operation.id

    @property
    def child(self) -> str | None:
        """The capture or refund id in the path."""
        return self.capture_id or self.refund_id

    @property
    def body(self) -> Any:
        """The JSON value of the request body, or ABSENT."""
        return self.exchange.request.json

    @cached_property
    def key(self) -> str | None:
        """The idempotency key of a call that may have an effect."""
        return self.exchange.request.header("klarna-idempotency-key") if self.operation.writes else None

    @cached_property
    def validity(self) -> Validity:
        return validity(self.operation, self.exchange.request)

    @property
    def amount(self) -> int:
        """The amount that the body names, in minor units; -1 when it names none."""
        name = AMOUNT_FIELDS.get(self.name)
        value = self.body.get(name) if name and isinstance(self.body, dict) else None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else -1

    @property
    def now(self) -> float:
        """The time of the call by the target's clock as far as it was moved, in seconds since the epoch."""
        return self.exchange.sent_at + self.exchange.clock

    @property
    def target_now(self) -> float:
        """The same, with how far the target's clock is off ours: for holding against times that the target gave."""
        return self.now + self.exchange.skew


def call_of(exchange: Exchange) -> Call | None:
    """Read an exchange as a call; None when its path and method are no operation on an order.

    A path with an id that servers, gateways and routers may each take for something else names no operation either.
    """
    if exchange.stands_for is not None:
        ids = {name: value for name, value in exchange.stands_for.items() if name != "operation"}
        return Call(exchange, operations.OPERATIONS[exchange.stands_for["operation"]], **ids)
    found = operations.match(exchange.request.method, exchange.request.path)
    if found is None or "order_id" not in found[1] or not all(map(_is_routable, found[1].values())):
        return None
    return Call(exchange, found[0], **found[1])


def created_id(call: Call) -> str | None:
    """The id of the capture or refund that an answer says it made."""
    name = {"captureOrder": "capture-id", "refundOrder": "refund-id"}.get(call.name)
    response = call.exchange.response
    if name is None or response is None:
        return None
    location = response.header("location") or ""
    return response.header(name) or location.rstrip("/").rpartition("/")[2] or None


def error_code(call: Call) -> str:
    """The `error_code` of an answer; empty when it has none."""
    body = ABSENT if call.exchange.response is None else call.exchange.response.json
    code = body.get("error_code") if isinstance(body, dict) else None
    return code if isinstance(code, str) else ""
