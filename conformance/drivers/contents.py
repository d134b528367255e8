"""The bodies of a walk's calls: plain, with order lines, or with everything that the strategies can think of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.drivers.drafts import address, draft, lines
from orderproof.drivers.terms import AMOUNT_FIELDS
from orderproof.exchange import ABSENT
from orderproof.strategies.addresses import address_updates
from orderproof.strategies.authorizations import authorization_updates
from orderproof.strategies.captures import captures
from orderproof.strategies.orders import order_drafts
from orderproof.strategies.references import merchant_references
from orderproof.strategies.refunds import refunds
from orderproof.strategies.shipping import shipping_info_appends

T = TypeVar("T")
Draw = Callable[[SearchStrategy[T]], T]

_STYLES = st.sampled_from(["plain"] * 6 + ["lines"] * 2 + ["rich"] * 2)
_AMOUNTS = st.sampled_from([10_000, 1_000, 12_345, 100, 99_999, 10, 3, 2, 1, 200_000_000])

_PLAIN: Mapping[str, tuple[Any, ...]] = {
    "updateConsumerDetails": (
        {"shipping_address": {"given_name": "Other"}},
        {"shipping_address": address(street_address="Elsewhere 2")},
        {"shipping_address": {"attention": "", "title": ""}},
        {"shipping_address": {}},
        {},
    ),
    "updateMerchantReferences": (
        {"merchant_reference1": "first"},
        {"merchant_reference2": "second"},
        {"merchant_reference1": ""},
        {"merchant_reference1": "one", "merchant_reference2": "two"},
        {},
    ),
    "appendOrderShippingInfo": (
        {"shipping_info": [{"shipping_company": "Post"}]},
        {"shipping_info": [{"tracking_number": "1"}, {"shipping_method": "Home"}]},
    ),
    "appendShippingInfo": (
        {"shipping_info": [{"shipping_company": "Post"}]},
        {"shipping_info": [{"tracking_number": "1"}, {"shipping_method": "Home"}]},
    ),
}

_RICH: Mapping[str, Callable[[str], SearchStrategy[Any]]] = {
    "updateConsumerDetails": lambda country: address_updates(country=country),
    "updateMerchantReferences": lambda country: merchant_references(),
    "appendOrderShippingInfo": lambda country: shipping_info_appends(),
    "appendShippingInfo": lambda country: shipping_info_appends(),
}

_RICH_AMOUNTS: Mapping[str, Callable[[int, str], SearchStrategy[Any]]] = {
    "captureOrder": lambda amount, country: captures(remaining=amount, size="whole", country=country),
    "refundOrder": lambda amount, country: refunds(refundable=amount, size="whole", country=country),
    "updateAuthorization": lambda amount, country: authorization_updates(
        captured=0, current=amount, direction="same", country=country
    ),
}


def drawn_draft(draw: Draw[Any]) -> Mapping[str, Any]:
    """Draw an order to be created: mostly a plain one over a round, an odd, a small or the largest amount."""
    if draw(_STYLES) == "rich":
        drawn: Mapping[str, Any] = draw(order_drafts())
        return drawn
    return draft(draw(_AMOUNTS))


def plain_body(operation: str, amount: int | None) -> Any:
    """The plainest body that an operation takes, over an amount where it names one; ABSENT for one that takes none."""
    if operation in AMOUNT_FIELDS:
        return {AMOUNT_FIELDS[operation]: amount}
    return _PLAIN.get(operation, (ABSENT,))[0]


def drawn_body(draw: Draw[Any], operation: str, country: str) -> Any:
    """Draw a body for an operation that names no amount; ABSENT for one that takes none."""
    plain = _PLAIN.get(operation)
    if plain is None:
        return ABSENT
    return draw(_RICH[operation](country) if draw(_STYLES) == "rich" else st.sampled_from(plain))


def body_over(draw: Draw[Any], operation: str, amount: int, country: str) -> Any:
    """Draw a body for an operation that names an amount, with that amount."""
    style = draw(_STYLES) if amount > 0 else "plain"
    if style == "rich":
        return draw(_RICH_AMOUNTS[operation](amount, country))
    extra = {"order_lines": lines(amount)} if style == "lines" else {}
    return {AMOUNT_FIELDS[operation]: amount, **extra}
