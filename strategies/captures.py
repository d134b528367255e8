"""Bodies that capture some or all of what an order has left."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.strategies.amounts import Size, amounts_within
from orderproof.strategies.bodies import bodies, texts_of
from orderproof.strategies.records import Record, records
from orderproof.strategies.shipping import shipping_infos


def captures(
    *, remaining: int, size: Size = "any", with_lines: bool | None = None, country: str | None = None
) -> SearchStrategy[Record]:
    """Return bodies that capture 1 to `remaining` (minor units, the remaining authorization of the order).

    `size` narrows that to a "part", to the "whole", or to too much ("over"), which a server has to refuse
    for the amount alone. Lines, when there are any, sum to the amount and suit the country of the order
    (two capital letters); `with_lines` says whether there are, None leaves it open. Shrinks to the
    smallest amount and nothing else. Raises InvalidArgument when there is no such amount.
    """
    amounts = amounts_within(limit=remaining, size=size)
    return bodies("CaptureRequest", amounts, _details(), with_lines=with_lines, country=country)


@cache
def _details() -> SearchStrategy[Record]:
    shipments = st.lists(shipping_infos(), max_size=3)
    # A delay above 0 needs an account for which it is enabled.
    return records(
        {}, {**texts_of("CaptureRequest"), "shipping_info": shipments, "shipping_delay": st.just(0)}
    )
