"""An order as a value: what was agreed, captured and refunded, and what follows from that by arithmetic.

Amounts are integers in minor units, times are milliseconds since the epoch. Nothing here is ever changed in
place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Fields = Mapping[str, Any]
Items = tuple[Fields, ...]

DAY = 24 * 60 * 60 * 1000
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture and what of it was refunded. `due_dates_used` are the extensions that it has had, in days."""

    capture_id: str
    klarna_reference: str
    captured_amount: int
    captured_at: int
    description: str | None
    reference: str | None
    order_lines: Items
    shipping_info: Items
    billing_address: Fields
    shipping_address: Fields
    refunded_amount: int = 0
    due_dates_used: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund. On which captures it is booked stands on the captures."""

    refund_id: str
    refunded_amount: int
    refunded_at: int
    description: str | None
    reference: str | None
    order_lines: Items


@dataclass(frozen=True, slots=True)
class Order:
    """An order with its captures and refunds, each oldest first."""

    order_id: str
    klarna_reference: str
    purchase_country: str
    purchase_currency: str
    locale: str
    order_amount: int
    original_order_amount: int
    created_at: int
    expires_at: int
    order_lines: Items
    billing_address: Fields
    shipping_address: Fields
    merchant_reference1: str | None = None
    merchant_reference2: str | None = None
    merchant_data: str | None = None
    shipping_info: Items = ()
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    acknowledged: bool = False
    cancelled: bool = False
    released: bool = False
    decreased_to_captured: bool = False


def captured_amount(order: Order) -> int:
    """Return the sum of the captures."""
    return sum(capture.captured_amount for capture in order.captures)


def refunded_amount(order: Order) -> int:
    """Return the sum of the refunds."""
    return sum(refund.refunded_amount for refund in order.refunds)


def remaining_amount(order: Order) -> int:
    """Return what can still be captured as far as amounts go: nothing after a release."""
    return 0 if order.released else order.order_amount - captured_amount(order)


def is_fully_captured(order: Order) -> bool:
    """Tell whether something was captured and it is the whole order amount."""
    return bool(order.captures) and 0 < captured_amount(order) == order.order_amount


def is_expired(order: Order, now: int) -> bool:
    """Tell whether the order ran out; only one with something left to capture can."""
    return now >= order.expires_at and not order.cancelled and remaining_amount(order) > 0


def find_capture(order: Order, capture_id: str) -> Capture | None:
    """Return the capture of this order with this id, or None."""
    return next((one for one in order.captures if one.capture_id == capture_id), None)


def find_refund(order: Order, refund_id: str) -> Refund | None:
    """Return the refund of this order with this id, or None."""
    return next((one for one in order.refunds if one.refund_id == refund_id), None)


def expiry(now: int, days: int) -> int:
    """Return the midnight (UTC) that is so many days after the day of `now`."""
    return now - now % DAY + days * DAY


def short_reference(order_id: str) -> str:
    """Return the eight letters and digits under which customers know the order, the same for the same id."""
    number, letters = UUID(order_id).int, ""
    for _ in range(8):
        number, digit = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[digit]
    return letters


_POSTAL_CODES = {
    **dict.fromkeys(("AT", "AU", "BE", "CH", "DK", "NO", "NZ"), "1010"),
    "CA": "K1A 0B1",
    "GB": "N1 9GU",
    "NL": "1012 AB",
    "PL": "00-001",
    "PT": "1000-001",
    "US": "10001",
}


def _default_address(country: str) -> Fields:
    address = {
        "given_name": "Sandy",
        "family_name": "Box",
        "street_address": "1 Example Street",
        "postal_code": _POSTAL_CODES.get(country, "12345"),
        "city": "Exampleton",
        "country": country,
        "email": "sandy.box@example.com",
        "phone": "+1555010000",
    }
    return {**address, "region": "NY"} if country == "US" else address


def place(draft: Fields, order_id: str, now: int, authorization_days: int) -> Order:
    """Return a new order from a valid draft. Its customer gets a made-up address where the draft has none."""
    billing = draft.get("billing_address") or _default_address(draft["purchase_country"].upper())
    return Order(
        order_id=order_id,
        klarna_reference=short_reference(order_id),
        purchase_country=draft["purchase_country"],
        purchase_currency=draft["purchase_currency"],
        locale=draft["locale"],
        order_amount=draft["order_amount"],
        original_order_amount=draft["order_amount"],
        created_at=now - now % 1000,
        expires_at=expiry(now, authorization_days),
        order_lines=tuple(draft["order_lines"]),
        billing_address=billing,
        shipping_address=draft.get("shipping_address") or billing,
        merchant_reference1=draft.get("merchant_reference1") or None,
        merchant_reference2=draft.get("merchant_reference2") or None,
        merchant_data=draft.get("merchant_data") or None,
    )
