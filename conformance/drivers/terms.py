"""Amounts by what they mean on an order: one more than remains, what a capture took, all that can be refunded.

An amount that is named this way keeps its meaning when the calls before it change, which a number does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from orderproof import operations
from orderproof.model.state import State
from orderproof.model.validity import AMOUNT_FIELDS

__all__ = ["AMOUNT_FIELDS", "TERMS", "Term", "fits", "hint_for", "term_for"]


@dataclass(frozen=True, slots=True)
class Term:
    """A quantity of the order by name, and what is added to it."""

    base: str
    more: int = 0

    def value(self, state: State, before: int) -> int:
        """The amount in minor units that it is for an order in a state.

        `before` is what the remaining authorization was before it last changed, which no state shows.
        """
        return _BASES[self.base](state, before) + self.more

    def __str__(self) -> str:
        return self.base if not self.more else f"{self.base} {self.more:+}"


def _captured_by(state: State, position: int) -> int:
    """What a capture took; 0 when there is none."""
    captures = state.captures
    there = -len(captures) <= position < len(captures)
    taken = captures[position].get("captured_amount") if there and isinstance(captures[position], dict) else 0
    return taken if isinstance(taken, int) else 0


_BASES: Mapping[str, Callable[[State, int], int]] = {
    "nothing": lambda state, before: 0,
    "remaining": lambda state, before: state.remaining,
    "half of remaining": lambda state, before: state.remaining // 2,
    "remaining before": lambda state, before: before,
    "refundable": lambda state, before: state.refundable,
    "half of refundable": lambda state, before: state.refundable // 2,
    "captured": lambda state, before: state.captured,
    "refunded": lambda state, before: state.captured - state.refundable,
    "order amount": lambda state, before: state.amount("order_amount"),
    "original amount": lambda state, before: state.amount("original_order_amount"),
    "between captured and order amount": lambda state, before: (
        (state.captured + state.amount("order_amount")) // 2
    ),
    "first capture": lambda state, before: _captured_by(state, 0),
    "largest capture": lambda state, before: max(
        (_captured_by(state, position) for position in range(len(state.captures))), default=0
    ),
    "last capture": lambda state, before: _captured_by(state, -1),
    "first two captures": lambda state, before: _captured_by(state, 0) + _captured_by(state, 1),
}

TERMS: Mapping[str, Mapping[Term, float]] = {
    "captureOrder": {
        Term("nothing"): 0.1,
        Term("remaining"): 1,
        Term("remaining", 1): 3,
        Term("remaining", -1): 1.5,
        Term("half of remaining"): 4,
        Term("nothing", 1): 3,
        Term("remaining before"): 1.5,
        Term("original amount"): 1,
        Term("last capture"): 1,
    },
    "refundOrder": {
        Term("nothing"): 0.1,
        Term("refundable"): 1,
        Term("refundable", 1): 3,
        Term("refundable", -1): 1,
        Term("half of refundable"): 3,
        Term("nothing", 1): 2,
        Term("largest capture", 1): 10,
        Term("first capture"): 1,
        Term("first capture", 1): 1,
        Term("last capture"): 1,
        Term("first two captures"): 1,
        Term("captured"): 1,
        Term("order amount"): 1,
    },
    "updateAuthorization": {
        Term("nothing"): 0.1,
        Term("captured"): 0.7,
        Term("captured", -1): 1,
        Term("order amount"): 0.3,
        Term("between captured and order amount"): 1.5,
        Term("captured", 1): 0.7,
        Term("order amount", 1): 0.6,
        Term("order amount", -1): 0.6,
        Term("original amount"): 0.6,
        Term("original amount", 1): 0.3,
        Term("remaining"): 0.4,
    },
}
"""By operation that names an amount: the amounts worth trying, each with how much."""


_LIMITS = {"captureOrder": "remaining", "refundOrder": "refundable", "updateAuthorization": "captured"}
_VAGUE = ("nothing", "half of", "between")
_OF_CAPTURES = ("first", "last", "largest")


def term_for(operation: str, amount: int, state: State, before: int) -> Term | None:
    """Say what an amount means to an order in a state; None when it is just a number that the order has room for.

    `before` is what the remaining authorization was before it last changed.
    """
    if state.order is None or operation not in TERMS:
        return None
    for term in TERMS[operation]:
        if not term.base.startswith((*_VAGUE, *_OF_CAPTURES)) and term.value(state, before) == amount:
            return term
    limit = Term(_LIMITS[operation])
    beyond = amount - limit.value(state, before)
    refused = beyond < 0 if operation == "updateAuthorization" else beyond > 0
    return Term(limit.base, beyond) if refused else None


def hint_for(operation: str, amount: int, state: State) -> Term | None:
    """Say what an amount may have to do with single captures: what one or two of them took, or one more."""
    terms = (term for term in TERMS.get(operation, ()) if term.base.startswith(_OF_CAPTURES))
    return next((term for term in terms if term.value(state, 0) == amount), None)


@cache
def _bounds(operation: str) -> tuple[int, int]:
    component = operations.OPERATIONS[operation].request_schema
    field: dict[str, Any] = operations.schema(component or "")["properties"][AMOUNT_FIELDS[operation]]
    return int(field["minimum"]), int(field["maximum"])


def fits(operation: str, amount: int) -> bool:
    """Say whether an amount is within the bounds of the request schema."""
    low, high = _bounds(operation)
    return low <= amount <= high
