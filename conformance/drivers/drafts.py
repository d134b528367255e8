"""Plain bodies that scenarios send: orders, order lines and addresses that a person would write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TAX_RATE = 2500
_PLACES: Mapping[str, Mapping[str, str]] = {
    "SE": {"purchase_currency": "SEK", "locale": "sv-SE"},
    "US": {"purchase_currency": "USD", "locale": "en-US"},
}
_ADDRESSES: Mapping[str, Mapping[str, str]] = {
    "SE": {"street_address": "Testgatan 1", "postal_code": "111 22", "city": "Stockholm", "country": "SE"},
    "US": {
        "street_address": "1 Main Street",
        "postal_code": "10001",
        "city": "New York",
        "region": "NY",
        "country": "US",
    },
}


def line(total: int, *, name: str = "Shirt", **fields: Any) -> dict[str, Any]:
    """An order line over `total` minor units, its tax inside."""
    tax = (total * TAX_RATE + (10_000 + TAX_RATE) // 2) // (10_000 + TAX_RATE)
    return {
        "type": "physical",
        "reference": "sku-1",
        "name": name,
        "quantity": 1,
        "quantity_unit": "pcs",
        "unit_price": total,
        "tax_rate": TAX_RATE,
        "total_amount": total,
        "total_discount_amount": 0,
        "total_tax_amount": tax,
        **fields,
    }


def lines(total: int) -> list[dict[str, Any]]:
    """One or two order lines that sum to `total`."""
    if total < 2:
        return [line(total)]
    half = total // 2
    return [line(half), line(total - half, name="Trousers", reference="sku-2")]


def address(country: str = "SE", **fields: Any) -> dict[str, Any]:
    """A whole address."""
    person = {
        "given_name": "Klara",
        "family_name": "Test",
        "email": "klara@example.com",
        "phone": "+46700000000",
    }
    return {**person, **_ADDRESSES[country], **fields}


def draft(amount: int = 10_000, *, country: str = "SE", **fields: Any) -> dict[str, Any]:
    """An order to be created, over `amount` minor units."""
    order_lines = lines(amount)
    return {
        "purchase_country": country,
        **_PLACES[country],
        "order_amount": amount,
        "order_tax_amount": sum(item["total_tax_amount"] for item in order_lines),
        "order_lines": order_lines,
        "billing_address": address(country),
        "shipping_address": address(country),
        "merchant_reference1": "order-1",
        "merchant_data": "basket 1",
        **fields,
    }
