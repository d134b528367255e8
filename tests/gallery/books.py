"""What the gallery's servers keep: orders, captures, refunds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from tests.gallery.wire import Call

Json = dict[str, Any]


class Refusal(Exception):
    """A call that is answered with an error."""

    def __init__(self, status: int, code: str, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


@dataclass(slots=True)
class Capture:
    id: str
    number: int
    amount: int
    at: float
    description: str = ""
    reference: str = ""
    lines: list[Json] = field(default_factory=list)
    shipping_info: list[Json] = field(default_factory=list)
    billing: Json = field(default_factory=dict)
    shipping: Json = field(default_factory=dict)
    bookings: list[tuple[float, int]] = field(default_factory=list)
    due_options: dict[int, int] = field(default_factory=dict)

    @property
    def refunded(self) -> int:
        return sum(amount for _, amount in self.bookings)


@dataclass(slots=True)
class Refund:
    id: str
    amount: int
    at: float
    description: str = ""
    reference: str = ""
    lines: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    id: str
    amount: int
    original: int
    country: str
    currency: str
    locale: str
    created: float
    expires: float
    klarna_reference: str
    lines: list[Json] = field(default_factory=list)
    billing: Json = field(default_factory=dict)
    shipping: Json = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    merchant_data: str = ""
    shipping_info: list[Json] = field(default_factory=list)
    captures: list[Capture] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    acknowledged: bool = False
    cancelled: bool = False
    released: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)
    notes: Json = field(default_factory=dict)


@dataclass(slots=True)
class Task:
    """A routed call: which operation, on which order, capture or refund, with which body."""

    op: str
    call: Call
    order_id: str
    part_id: str = ""
    known: Order | None = None
    body: Json = field(default_factory=dict)

    @property
    def order(self) -> Order:
        assert self.known is not None
        return self.known
