"""Bodies that create an order on a customer token."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.addresses import Place, addresses, places
from orderproof.strategies.amounts import amounts
from orderproof.strategies.arithmetic import LARGEST_INTEGER, NEGATIVE_TYPES, RETURN_FEE, Line, plain_line
from orderproof.strategies.bodies import texts_of
from orderproof.strategies.lines import SALES_TAX_COUNTRY, drawn_lines
from orderproof.strategies.records import Record, records
from orderproof.strategies.specimens import draft_of, full_body

_COMPONENT = "OrderDraft"
_OF_PLACE = ("purchase_country", "purchase_currency", "locale")
_SIGNS = "A\N{LATIN SMALL LETTER E WITH ACUTE}\N{CJK UNIFIED IDEOGRAPH-5B57}"


def order_drafts(
    *, min_amount: int = 1, max_amount: int | None = None, country: str | None = None
) -> SearchStrategy[Record]:
    """Return orders of `min_amount` to `max_amount` (minor units), in one country or in any that is known.

    Currency, locale and addresses suit the country. The lines sum to the amount and carry the tax of the
    order, in the United States as a line of its own. Shrinks to one line named "A" and no address. Raises
    InvalidArgument for amounts out of the bounds of the OpenAPI document and for a country without a
    known place.
    """
    highest = schema.largest(f"{_COMPONENT}.order_amount")
    high = highest if max_amount is None else arguments.integer("max_amount", max_amount, high=highest)
    low = arguments.integer(
        "min_amount", min_amount, low=schema.smallest(f"{_COMPONENT}.order_amount"), high=high
    )
    return _order_drafts(amounts(min_value=low, max_value=high), st.sampled_from(places(country=country)))


def edge_order_drafts() -> SearchStrategy[Record]:
    """Return valid orders that strain a server: extreme amounts, many lines, every type, full-length text.

    Shrinks to an order of 1.
    """
    return st.sampled_from(_edges()).map(deepcopy)


@cache
def _extras(country: str) -> SearchStrategy[Record]:
    texts = {name: field for name, field in texts_of(_COMPONENT).items() if name not in _OF_PLACE}
    whole = {name: addresses(country=country) for name in ("billing_address", "shipping_address")}
    return records({}, {**whole, **texts, "auto_capture": st.just(False)})


@st.composite
def _order_drafts(draw: DrawFn, amounts: SearchStrategy[int], towns: SearchStrategy[Place]) -> Record:
    place = draw(towns)
    country = place["country"]
    lines = drawn_lines(draw, draw(amounts), country)
    return draft_of(lines, place) | draw(_extras(country))


@cache
def _edges() -> tuple[Record, ...]:
    """Return the strained orders, the smallest first."""
    highest, most = schema.largest(f"{_COMPONENT}.order_amount"), schema.most(f"{_COMPONENT}.order_lines")
    home, states = places()[0], places(country=SALES_TAX_COUNTRY)[0]
    return (
        draft_of([plain_line(1)], home),
        draft_of([plain_line(highest)], home),
        draft_of([plain_line(1)] * most, home),
        draft_of([plain_line(0), plain_line(highest), plain_line(1 - highest)], home),
        draft_of([plain_line(100), {**plain_line(0), "quantity": LARGEST_INTEGER}], home),
        draft_of(_every_type(), states),
        *(full_body(_COMPONENT, full_length=True, sign=sign) for sign in _SIGNS),
    )


def _every_type() -> list[Line]:
    kinds = [kind for kind in schema.members("OrderLine.type") if kind != RETURN_FEE]
    return [
        {"type": kind} | plain_line(-1 if kind in NEGATIVE_TYPES else 100) | {"type": kind} for kind in kinds
    ]
