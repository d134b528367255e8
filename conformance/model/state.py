"""One possible state of one order: what reading it is expected to give, and what no reading shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from orderproof.model.values import Document, instant


class Phase(Enum):
    """Where an order stands in its life, as far as the contract treats it differently."""

    UNKNOWN = "unknown"
    OPEN = "open"
    FULL = "fully captured"
    RELEASED = "released"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Spent:
    """A call that an idempotency key was used for, and what it was answered; `status` None: the answer was lost."""

    operation: str
    child: str | None
    body: Any
    status: int | None
    location: str | None
    created: str | None
    at: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """A refund that was not seen booked on any capture yet: its amount, and when it was made."""

    amount: int
    at: float


@dataclass(frozen=True, slots=True)
class State:
    """A hypothesis about an order.

    `order` is the expected reading, normalised, with matchers where the server is free; None when nothing is known.
    `released`: the rest was released. `lowered`: the amount was lowered to exactly what was captured, after which it
    is OPEN whether the order counts as fully captured. `expired`: it has read EXPIRED. `extended` is when
    the authorization was last extended, `keys` what idempotency keys were spent on, `bookings` the refunds that no
    capture shows yet, `options` the days on offer for each capture.
    """

    order: Document | None = None
    released: bool = False
    lowered: bool = False
    acknowledged: bool = False
    expired: bool = False
    extended: float | None = None
    keys: Mapping[str, Spent] = field(default_factory=dict)
    bookings: tuple[Booking, ...] = ()
    options: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def amount(self, name: str) -> int:
        """An amount of the order in minor units; 0 when it is unknown or no integer."""
        value = (self.order or {}).get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    @property
    def remaining(self) -> int:
        return self.amount("remaining_authorized_amount")

    @property
    def captured(self) -> int:
        return self.amount("captured_amount")

    @property
    def refundable(self) -> int:
        return self.captured - self.amount("refunded_amount")

    @property
    def captures(self) -> list[Any]:
        return list((self.order or {}).get("captures", ()))

    @property
    def refunds(self) -> list[Any]:
        return list((self.order or {}).get("refunds", ()))

    @property
    def status(self) -> Any:
        return (self.order or {}).get("status")

    @property
    def has_only_zero_captures(self) -> bool:
        """It is OPEN whether an order whose captures are all of amount 0 has captures."""
        return bool(self.captures) and self.captured == 0

    @property
    def fully_captured(self) -> bool:
        return self.captured > 0 and self.captured == self.amount("order_amount")

    @property
    def phase(self) -> Phase:
        """The phase that the expected reading puts the order in."""
        if self.order is None or self.order.get("fraud_status", "ACCEPTED") != "ACCEPTED":
            return Phase.UNKNOWN
        named = {"CANCELLED": Phase.CANCELLED, "EXPIRED": Phase.EXPIRED}.get(self.status)
        if named or self.expired:
            return named or Phase.EXPIRED
        if self.released:
            return Phase.RELEASED
        if self.status == "CLOSED" or self.fully_captured:
            return Phase.FULL
        return Phase.OPEN

    def capture(self, capture_id: str | None) -> Any:
        """The expected reading of a capture of the order, or None when it has no such capture."""
        return _by_id(self.captures, "capture_id", capture_id)

    def refund(self, refund_id: str | None) -> Any:
        """The expected reading of a refund of the order, or None when it has no such refund."""
        return _by_id(self.refunds, "refund_id", refund_id)

    def may_have_expired(self, now: float) -> bool:
        """Say whether the expiry may have come by `now`, seconds since the epoch, though the order does not read so."""
        return self.remaining > 0 and self.is_past_expiry(now + 60)

    def is_past_expiry(self, now: float) -> bool:
        """Say whether `now`, seconds since the epoch, is past what the order reads as its expiry."""
        expiry = instant((self.order or {}).get("expires_at"))
        return expiry is not None and now >= expiry.timestamp()

    def with_order(self, **fields: Any) -> State:
        """The state with other fields of the order expected."""
        return replace(self, order={**(self.order or {}), **fields})

    @property
    def identity(self) -> str:
        """Equal for equal states; for remembering which were met."""
        order = sorted((self.order or {}).items(), key=lambda item: item[0])
        return repr(
            (order, self.released, self.lowered, self.expired, self.keys, self.bookings, self.options)
        )


def _by_id(items: list[Any], key: str, wanted: str | None) -> Any:
    return next((item for item in items if isinstance(item, dict) and item.get(key) == wanted), None)
