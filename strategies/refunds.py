"""Bodies that refund some or all of what was captured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import DrawFn, SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.addresses import places
from orderproof.strategies.amounts import Size, amounts_within, between
from orderproof.strategies.bodies import bodies, texts_of
from orderproof.strategies.lines import drawn_lines
from orderproof.strategies.records import Record, records

_COMPONENT = "RefundRequest"


def refunds(
    *,
    refundable: int,
    size: Size = "any",
    captures: Sequence[int] = (),
    with_lines: bool | None = None,
    country: str | None = None,
) -> SearchStrategy[Record]:
    """Return bodies that refund 1 to `refundable` (minor units, what was captured and not refunded yet).

    `size` narrows that to a "part", to the "whole", or to too much ("over"), which a server has to refuse
    for the amount alone. `captures` tells what each capture has left: amounts beside those, and beside
    the sums of the first ones, are then preferred. Lines, when there are any, sum to the amount and suit
    the country of the order; `with_lines` says whether there are, None leaves it open. Shrinks to the
    smallest amount and nothing else. Raises InvalidArgument when there is no such amount.
    """
    amounts = amounts_within(limit=refundable, size=size)
    parts = [arguments.integer("captures", left, low=0) for left in captures]
    seams = {left + step for left in (*parts, *accumulate(parts)) for step in (0, -1, 1)}
    fitting = sorted(seam for seam in seams if 0 < seam < refundable + (size == "any"))
    if fitting and size in ("any", "part"):
        amounts = amounts | st.sampled_from([*fitting, fitting[-1]])
    return bodies(_COMPONENT, amounts, _details(), with_lines=with_lines, country=country)


def spanning_refunds(
    *, captures: Sequence[int], with_lines: bool | None = None, country: str | None = None
) -> SearchStrategy[Record]:
    """Return bodies that refund more than any single capture has left, and no more than all of them have.

    `captures` tells what each capture has left (minor units). Shrinks to one more than the largest of
    them. Raises InvalidArgument when no amount needs two captures.
    """
    largest = max((arguments.integer("captures", left, low=0) for left in captures), default=0)
    if largest >= sum(captures):
        raise InvalidArgument(f"captures={captures!r}: no refund needs more than one of them")
    amounts = between(largest + 1, sum(captures))
    return bodies(_COMPONENT, amounts, _details(), with_lines=with_lines, country=country)


def return_fee_refunds(*, refundable: int, country: str | None = None) -> SearchStrategy[Record]:
    """Return bodies that refund goods worth up to `refundable` (minor units) less a return fee.

    The lines, the fee among them, sum to the amount. Shrinks to goods of 2 and a fee of 1. Raises
    InvalidArgument when `refundable` is below 2.
    """
    arguments.integer("refundable", refundable, low=2, high=schema.largest(f"{_COMPONENT}.refunded_amount"))
    places(country=country)
    return _return_fee_refunds(refundable, country)


@st.composite
def _return_fee_refunds(draw: DrawFn, refundable: int, country: str | None) -> Record:
    goods = draw(between(2, refundable))
    fee = draw(st.integers(1, goods - 1))
    lines = drawn_lines(draw, goods - fee, country, fee)
    body = {"refunded_amount": goods - fee, "order_lines": lines, **draw(_details())}
    return schema.ordered(_COMPONENT, body)


@cache
def _details() -> SearchStrategy[Record]:
    return records({}, texts_of(_COMPONENT))
