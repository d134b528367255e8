"""Order lines that hold, each by itself and all together: their totals sum to an amount exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from orderproof.strategies import arguments, schema
from orderproof.strategies.arithmetic import (
    NEGATIVE_TYPES,
    RETURN_FEE,
    SALES_TAX,
    Line,
    Rounding,
    plain_line,
    tax_within,
    total_of,
)
from orderproof.strategies.records import Record, records
from orderproof.strategies.texts import field_texts, urls

SALES_TAX_COUNTRY = "US"
# Rates in use somewhere, in hundredths of a per cent; others are drawn as well, up to 100 %.
_RATES = st.one_of(
    st.sampled_from([0, 2500, 2000, 1900, 2100, 2200, 2300, 2400, 1000, 1200, 700, 600, 550, 810]),
    st.integers(0, 10000),
)
_SALES_TAX_RATES = st.integers(0, 1100)
_TAXES = st.none() | st.tuples(_RATES, st.sampled_from(["half up", "up", "down"]))
_QUANTITIES = st.one_of(st.just(1), st.integers(1, 12), st.integers(1, 1000))
_DETAILED_LINES = 8

Tax = tuple[int, Rounding]


@dataclass(frozen=True, slots=True)
class _Good:
    """A line before the amounts are shared out: it takes `share` or what is left, and its price is `extra` too high."""

    share: int
    quantity: int
    extra: int
    names_discount: bool
    tax: Tax | None
    name: str
    details: Record


@dataclass(frozen=True, slots=True)
class _Reduction:
    """A line that takes something off."""

    amount: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class _Basket:
    """Everything that is drawn for a list of lines, from which the lines follow.

    Two ways keep the tax of it from falling below zero: what is taken off is free of tax, or `one_rate` holds for all
    lines and every tax is rounded up.
    """

    goods: list[_Good]
    reductions: list[_Reduction]
    plain: int
    one_rate: int | None
    sales_tax_rate: int


def order_lines(
    *, total: int, min_size: int = 1, max_size: int = 6, country: str | None = None, return_fee: int = 0
) -> SearchStrategy[list[Line]]:
    """Return lists of `min_size` to `max_size` order lines whose totals sum to `total` (minor units).

    In each line the total is quantity times unit price less the discount, and tax, where there is any, is within
    one unit of what the rate gives. Discounts, gift cards and store credit are negative. For the United States
    (`country="US"`) the lines carry no tax of their own and the last one is the sales tax. A `return_fee` above 0
    is taken off in a line of that type. Lines beyond the eighth are plain. Shrinks to one line named "A" with the
    total as its unit price. Raises InvalidArgument for a total out of the bounds of the OpenAPI document and for
    sizes that do not fit.
    """
    limit = schema.largest(schema.PRICE)
    arguments.integer("total", total, low=0, high=limit)
    arguments.integer("return_fee", return_fee, low=0, high=limit - total)
    taxed_apart = country is not None and country.upper() == SALES_TAX_COUNTRY
    special = taxed_apart + (return_fee > 0)
    arguments.integer("max_size", max_size, low=1 + special, high=schema.most("CaptureRequest.order_lines"))
    arguments.integer("min_size", min_size, low=1, high=max_size)
    baskets = _baskets(total + return_fee, max(1, min_size - special), max_size - special)
    return baskets.map(lambda basket: _assembled(basket, total, return_fee, taxed_apart))


def _baskets(amount: int, fewest: int, most: int) -> SearchStrategy[_Basket]:
    reductions = min(2, most - fewest)
    detailed = min(most - reductions, _DETAILED_LINES)
    spare = min((schema.largest(schema.PRICE) - amount) // 2, max(amount, 100))
    return st.builds(
        _Basket,
        goods=st.lists(_goods(amount), min_size=min(fewest, detailed), max_size=detailed),
        reductions=_some_reductions(spare, reductions if spare else 0),
        plain=st.integers(max(0, fewest - detailed), most - reductions - detailed),
        one_rate=st.none() | _RATES,
        sales_tax_rate=_SALES_TAX_RATES,
    )


def _goods(amount: int) -> SearchStrategy[_Good]:
    return st.builds(
        _Good,
        share=st.integers(1, max(amount, 1)) | st.just(0),
        quantity=_QUANTITIES,
        extra=st.just(0) | st.integers(0, schema.largest(schema.PRICE)),
        names_discount=st.booleans(),
        tax=_TAXES,
        name=_names(),
        details=_details(),
    )


def _some_reductions(largest: int, most: int) -> SearchStrategy[list[_Reduction]]:
    kinds = [kind for kind in NEGATIVE_TYPES if kind != RETURN_FEE]
    if not most:
        return st.just([])
    one = st.builds(_Reduction, amount=st.integers(1, largest), kind=st.sampled_from(kinds), name=_names())
    return st.just([]) | st.lists(one, min_size=1, max_size=most)


def _assembled(basket: _Basket, total: int, fee: int, taxed_apart: bool) -> list[Line]:
    """Work out what the goods come to from what is taken off, and share it out among them."""
    left = total + fee + sum(reduction.amount for reduction in basket.reductions)
    levy = tax_within(left, basket.sales_tax_rate) if taxed_apart else 0
    left -= levy
    plain = [plain_line(left // (basket.plain + 1))] * basket.plain if basket.plain else []
    left -= total_of(plain)
    lines = []
    for number, good in enumerate(basket.goods, 1):
        share = left if number == len(basket.goods) else min(good.share, left)
        left -= share
        lines.append(_line_of(good, share, None if taxed_apart else _tax(basket, good.tax)))
    no_tax = taxed_apart or not any("tax_rate" in line for line in lines)
    relief = None if no_tax else _tax(basket, (0, "half up"))
    lines += [*plain, *(_line_less(item.kind, item.name, item.amount, relief) for item in basket.reductions)]
    if fee:
        lines.append(_line_less(RETURN_FEE, "Return fee", fee, relief))
    if taxed_apart:
        lines.append({**plain_line(levy), "type": SALES_TAX, "name": "Sales tax"})
    return lines


def _tax(basket: _Basket, own: Tax | None) -> Tax | None:
    return own if basket.one_rate is None else (basket.one_rate, "up")


def _line_of(good: _Good, total: int, tax: Tax | None) -> Line:
    """Price a good so that it comes to a total; without a discount the field may be left out."""
    limit = schema.largest(schema.PRICE)
    price = -(-total // good.quantity)
    price += min(good.extra, limit - price, (limit - good.quantity * price + total) // good.quantity)
    discount = good.quantity * price - total
    named = {"total_discount_amount": discount} if discount or good.names_discount else {}
    numbers = {"quantity": good.quantity, "unit_price": price, **named, "total_amount": total}
    return {**good.details, "name": good.name, **numbers, **_taxed(total, tax)}


def _line_less(kind: str, name: str, amount: int, tax: Tax | None) -> Line:
    return {**plain_line(-amount), "type": kind, "name": name, **_taxed(-amount, tax)}


def _taxed(total: int, tax: Tax | None) -> Record:
    return {} if tax is None else {"tax_rate": tax[0], "total_tax_amount": tax_within(total, *tax)}


@cache
def _names() -> SearchStrategy[str]:
    return field_texts(field="OrderLine.name")


@cache
def _details() -> SearchStrategy[Record]:
    """Return the fields of a line that have nothing to do with money: none at all in half of the lines."""
    kinds = [kind for kind in schema.members("OrderLine.type") if kind not in (*NEGATIVE_TYPES, SALES_TAX)]
    texts = {
        name: field_texts(field=f"OrderLine.{name}") for name in ("reference", "quantity_unit", "merchant_data")
    }
    addresses = {
        name: urls(max_length=schema.longest(f"OrderLine.{name}")) for name in ("product_url", "image_url")
    }
    parts = {"product_identifiers": product_identifiers(), "subscription": subscriptions()}
    return st.just({}) | records({}, {"type": st.sampled_from(kinds), **texts, **addresses, **parts})


@cache
def product_identifiers() -> SearchStrategy[Record]:
    """Return identifiers of a product, any of those that the OpenAPI document has; shrinks to none."""
    names = schema.component("ProductIdentifiers")["properties"]
    return records({}, {name: field_texts(field=f"ProductIdentifiers.{name}") for name in names})


@cache
def subscriptions() -> SearchStrategy[Record]:
    """Return subscriptions with a name, an interval and its count. Shrinks to one named "A", every day."""
    counts = st.integers(schema.smallest("Subscription.interval_count"), 36)
    intervals = st.sampled_from(schema.members("Subscription.interval"))
    return records(
        {"name": field_texts(field="Subscription.name"), "interval": intervals, "interval_count": counts}, {}
    )
