"""Bodies that set a new order amount and new lines."""

from __future__ import annotations

from functools import cache
from typing import Literal, get_args

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.amounts import between
from orderproof.strategies.bodies import bodies, texts_of
from orderproof.strategies.records import Record, records

Direction = Literal["down", "up", "to_captured", "same", "below_captured"]

_COMPONENT = "AuthorizationUpdate"


def authorization_updates(
    *,
    captured: int,
    current: int,
    direction: Direction | None = None,
    with_lines: bool | None = None,
    country: str | None = None,
) -> SearchStrategy[Record]:
    """Return bodies that move the order amount from `current` (minor units), `captured` of it being captured.

    `direction` is "down" (but above what is captured), "up", "to_captured", "same", or "below_captured",
    which a server has to refuse; None is any of the others that the amounts allow. Lines, when there are
    any, sum to the amount and suit the country of the order; `with_lines` says whether there are, None
    leaves it open. Shrinks to the smallest amount of the first direction and nothing else. Raises
    InvalidArgument for amounts out of the bounds of the OpenAPI document and for a direction that they
    leave no room for.
    """
    highest = schema.largest(f"{_COMPONENT}.order_amount")
    arguments.integer("current", current, low=0, high=highest)
    arguments.integer("captured", captured, low=0, high=current)
    ranges: dict[Direction, tuple[int, int]] = {
        "down": (captured + 1, current - 1),
        "up": (current + 1, highest),
        "to_captured": (max(captured, 1), captured),
        "same": (max(current, 1), current),
        "below_captured": (schema.smallest(f"{_COMPONENT}.order_amount"), captured - 1),
    }
    amounts = _amounts(ranges, direction)
    return bodies(_COMPONENT, amounts, _details(), with_lines=with_lines, country=country)


def _amounts(ranges: dict[Direction, tuple[int, int]], direction: Direction | None) -> SearchStrategy[int]:
    if direction is not None:
        arguments.one_of("direction", direction, get_args(Direction))
        low, high = ranges[direction]
        if low > high:
            raise InvalidArgument(f"direction={direction!r} leaves no amount between {low} and {high}")
        return between(low, high)
    allowed = [ends for name, ends in ranges.items() if name != "below_captured" and ends[0] <= ends[1]]
    return st.one_of([between(low, high) for low, high in allowed])


@cache
def _details() -> SearchStrategy[Record]:
    return records({}, texts_of(_COMPONENT))
