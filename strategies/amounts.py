"""Amounts of money in minor units, anywhere in their range or beside a boundary."""

from __future__ import annotations

from typing import Literal, get_args

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import arguments, schema

Size = Literal["any", "part", "whole", "over"]


def amounts(*, min_value: int | None = None, max_value: int | None = None) -> SearchStrategy[int]:
    """Return amounts from `min_value` to `max_value`, both included and often one of them.

    The defaults are the bounds of a capture's amount in the OpenAPI document. Shrinks to `min_value`.
    Raises InvalidArgument when the range is empty.
    """
    low = schema.smallest(schema.AMOUNT) if min_value is None else arguments.integer("min_value", min_value)
    high = schema.largest(schema.AMOUNT) if max_value is None else max_value
    arguments.integer("max_value", high, low=low)
    return between(low, high)


def boundary_amounts(
    *, near: int, min_value: int | None = None, max_value: int | None = None
) -> SearchStrategy[int]:
    """Return `near` itself, one less and one more, as far as they lie within the bounds.

    These are the values that money code gets wrong: with `near` the remaining authorization, they capture
    all of it, leave one, and ask for one too many. The defaults are the bounds of a capture's amount in
    the OpenAPI document. Shrinks to `near`. Raises InvalidArgument when none of the three lies within the
    bounds.
    """
    low = schema.smallest(schema.AMOUNT) if min_value is None else arguments.integer("min_value", min_value)
    high = schema.largest(schema.AMOUNT) if max_value is None else max_value
    arguments.integer("max_value", high, low=low)
    arguments.integer("near", near, low=low - 1, high=high + 1)
    return st.sampled_from([value for value in (near, near - 1, near + 1) if low <= value <= high])


def amounts_within(*, limit: int, size: Size = "any") -> SearchStrategy[int]:
    """Return amounts from 1 to `limit`, often at its ends; or a part of it, or the whole, or more ("over").

    More is one too many more often than not. Shrinks to the smallest. Raises InvalidArgument when there
    is no such amount between 1 and the largest that the OpenAPI document allows.
    """
    arguments.one_of("size", size, get_args(Size))
    highest = schema.largest(schema.AMOUNT)
    arguments.integer("limit", limit, low=0, high=highest)
    low, high = {
        "any": (1, limit),
        "part": (1, limit - 1),
        "whole": (limit, limit),
        "over": (limit + 1, highest),
    }[size]
    if not 1 <= low <= high:
        raise InvalidArgument(f"no amount is size={size!r} of limit={limit!r}")
    return between(low, high, low if size == "over" else max(low, high - 1))


def between(low: int, high: int, *likely: int) -> SearchStrategy[int]:
    """Return integers from `low` to `high`, half of the time one of these two or of the likely ones.

    Every draw takes the same number of choices, so that shrinking ends at `low` and not at the cheapest
    choice.
    """
    if low == high:
        return st.sampled_from([low, low])
    return st.integers(low, high) | st.sampled_from([*likely, low, high])
