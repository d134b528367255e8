"""Order lines that hold, each by itself and all together: their totals sum to an amount exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.addresses import places
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
from orderproof.strategies.formats import urls
from orderproof.strategies.records import Record, records
from orderproof.strategies.texts import field_texts

SALES_TAX_COUNTRY = "US"
# Hundredths of a per cent: rates in use somewhere, and a few that no law has.
_RATES = (0, 2500, 2000, 1900, 2100, 2200, 2400, 1000, 1200, 700, 600, 550, 810, 1, 333, 1337, 9999, 10000)
_ROUNDINGS: tuple[Rounding, ...] = ("half up", "up", "down")
# One draw each, for speed, from lists that ascend from what is plain to what is odd.
_TAXES = st.sampled_from([*[None] * 12, *((rate, rounding) for rounding in _ROUNDINGS for rate in _RATES)])
_RATES_FOR_ALL = st.sampled_from([*[None] * len(_RATES), *_RATES])
_QUANTITIES = st.sampled_from([*[1] * 10, *range(2, 13), 25, 50, 99, 100, 144, 365, 500, 999, 1000])
_MARKUPS = st.sampled_from([*[0] * 10, 1, 2, 5, 10, 99, 100, 500, 1000, 4999, 10**4, 10**5, 10**6, 10**9])
_SALES_TAX_RATES = st.integers(0, 1100)
_SHARES = st.integers(1, 9999)
_DETAILED_LINES = 8
_MOST_LINES = 5

Tax = tuple[int, Rounding]


@dataclass(frozen=True, slots=True)
class _Good:
    """A line before the amounts are shared out: it takes `share` ten-thousandths, or what is left.

    Its price is raised by `markup` as far as the bounds allow, which the discount takes back.
    """

    share: int
    quantity: int
    markup: int
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

    Two ways keep the tax of it from falling below zero: what is taken off is free of tax, or `one_rate`
    holds for all lines, none of which is plain then, and every tax is rounded up.
    """

    goods: list[_Good]
    reductions: list[_Reduction]
    plain: int
    one_rate: int | None
    sales_tax_rate: int


def order_lines(
    *,
    total: int,
    min_size: int = 1,
    max_size: int = _MOST_LINES,
    country: str | None = None,
    return_fee: int = 0,
) -> SearchStrategy[list[Line]]:
    """Return lists of `min_size` to `max_size` order lines whose totals sum to `total` (minor units).

    In each line the total is quantity times unit price less the discount, and tax, where there is any, is
    within one unit of what the rate gives. Discounts, gift cards and store credit are negative. For the
    United States (`country="US"`) the lines carry no tax of their own and the last one is the sales tax.
    A `return_fee` above 0 is taken off in a line of that type. Lines beyond the eighth are plain. Shrinks
    to one line named "A" with the total as its unit price. Raises InvalidArgument for a total out of the
    bounds of the OpenAPI document, sizes that do not fit and a country without a known place.
    """
    places(country=country)
    limit = schema.largest(schema.PRICE)
    arguments.integer("total", total, low=0, high=limit)
    arguments.integer("return_fee", return_fee, low=0, high=limit - total)
    special = (country == SALES_TAX_COUNTRY) + (return_fee > 0)
    arguments.integer("max_size", max_size, low=1 + special, high=schema.most("CaptureRequest.order_lines"))
    arguments.integer("min_size", min_size, low=1, high=max_size)
    return _order_lines(total, country, return_fee, min_size, max_size)


def drawn_lines(
    draw: DrawFn, total: int, country: str | None, fee: int = 0, fewest: int = 1, most: int = _MOST_LINES
) -> list[Line]:
    """Draw what `order_lines` would, for a total that is drawn itself: a strategy for each total costs too much."""
    taxed_apart = country == SALES_TAX_COUNTRY
    special = taxed_apart + (fee > 0)
    basket = _drawn_basket(draw, total + fee, max(1, fewest - special), most - special)
    return _assembled(basket, total, fee, taxed_apart)


_order_lines = st.composite(drawn_lines)


def _drawn_basket(draw: DrawFn, amount: int, fewest: int, most: int) -> _Basket:
    """Draw lines to choose prices for, and what is taken off, as far as the goods may then come to more."""
    few = min(2, most - fewest)
    detailed = min(most - few, _DETAILED_LINES)
    spare = min((schema.largest(schema.PRICE) - amount) // 2, max(amount, 100))
    goods = draw(_lists_of_goods(min(fewest, detailed), detailed))
    reductions = draw(_reductions(few if spare else 0))
    return _Basket(
        goods=goods,
        reductions=[replace(one, amount=min(one.amount, spare)) for one in reductions],
        plain=draw(_counts(max(0, fewest - detailed), most - few - detailed)),
        one_rate=draw(_RATES_FOR_ALL),
        sales_tax_rate=draw(_SALES_TAX_RATES),
    )


@cache
def _lists_of_goods(fewest: int, most: int) -> SearchStrategy[list[_Good]]:
    return st.lists(_goods(_names(), _details()), min_size=fewest, max_size=most)


@st.composite
def _goods(draw: DrawFn, names: SearchStrategy[str], details: SearchStrategy[Record]) -> _Good:
    return _Good(
        share=draw(_SHARES),
        quantity=draw(_QUANTITIES),
        markup=draw(_MARKUPS),
        tax=draw(_TAXES),
        name=draw(names),
        details=draw(details),
    )


@cache
def _reductions(most: int) -> SearchStrategy[list[_Reduction]]:
    if not most:
        return st.just([])
    kinds = st.sampled_from([kind for kind in NEGATIVE_TYPES if kind != RETURN_FEE])
    amounts = st.integers(1, schema.largest(schema.PRICE))
    one = st.tuples(amounts, kinds, _names()).map(lambda drawn: _Reduction(*drawn))
    return st.just([]) | st.lists(one, min_size=1, max_size=most)


@cache
def _counts(fewest: int, most: int) -> SearchStrategy[int]:
    return st.integers(fewest, most)


def _assembled(basket: _Basket, total: int, fee: int, taxed_apart: bool) -> list[Line]:
    """Work out what the goods come to from what is taken off, and share it out among them."""
    amount = total + fee + sum(reduction.amount for reduction in basket.reductions)
    levy = tax_within(amount, basket.sales_tax_rate) if taxed_apart else 0
    lines = _lines_of_goods(basket, amount - levy, taxed_apart)
    relief = _tax(basket, (0, "half up")) if any("tax_rate" in line for line in lines) else None
    lines += [_line_less(item.kind, item.name, item.amount, relief) for item in basket.reductions]
    if fee:
        lines.append(_line_less(RETURN_FEE, "Return fee", fee, relief))
    if taxed_apart:
        lines.append({"type": SALES_TAX, **plain_line(levy), "name": "Sales tax"})
    return lines


def _lines_of_goods(basket: _Basket, amount: int, taxed_apart: bool) -> list[Line]:
    """Share an amount out: equal parts for the plain lines, the rest for the others, the last takes what is left."""
    plain = [plain_line(amount // (basket.plain + 1)) for _ in range(basket.plain)]
    goods = left = amount - total_of(plain)
    lines = []
    for number, good in enumerate(basket.goods, 1):
        share = left if number == len(basket.goods) else min(max(goods * good.share // 10**4, 1), left)
        left -= share
        lines.append(_line_of(good, share, None if taxed_apart else _tax(basket, good.tax)))
    return lines + plain


def _tax(basket: _Basket, own: Tax | None) -> Tax | None:
    return own if basket.one_rate is None or basket.plain else (basket.one_rate, "up")


def _line_of(good: _Good, total: int, tax: Tax | None) -> Line:
    """Price a good so that it comes to a total."""
    limit = schema.largest(schema.PRICE)
    price = -(-total // good.quantity)
    price += min(good.markup, limit - price, (limit - good.quantity * price + total) // good.quantity)
    discount = good.quantity * price - total
    named = {"total_discount_amount": discount} if discount or good.details else {}
    numbers = {"quantity": good.quantity, "unit_price": price, **named, "total_amount": total}
    return schema.ordered("OrderLine", {**good.details, "name": good.name, **numbers, **_taxed(total, tax)})


def _line_less(kind: str, name: str, amount: int, tax: Tax | None) -> Line:
    return {**plain_line(-amount), "type": kind, "name": name, **_taxed(-amount, tax)}


def _taxed(total: int, tax: Tax | None) -> Record:
    return {} if tax is None else {"tax_rate": tax[0], "total_tax_amount": tax_within(total, *tax)}


@cache
def _names() -> SearchStrategy[str]:
    return field_texts(field="OrderLine.name")


@cache
def _details() -> SearchStrategy[Record]:
    """Return the fields of a line that have nothing to do with money: none at all in two lines of three."""
    kinds = [kind for kind in schema.members("OrderLine.type") if kind not in (*NEGATIVE_TYPES, SALES_TAX)]
    texts = {
        name: field_texts(field=f"OrderLine.{name}")
        for name in ("reference", "quantity_unit", "merchant_data")
    }
    addresses = {
        name: urls(max_length=schema.longest(f"OrderLine.{name}")) for name in ("product_url", "image_url")
    }
    parts = {"product_identifiers": product_identifiers(), "subscription": subscriptions()}
    return (
        st.just({})
        | st.just({})
        | records({}, {"type": st.sampled_from(kinds), **texts, **addresses, **parts})
    )


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
