"""What can be called next on an order: the moves that a walk chooses from, those that must be refused among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from orderproof.drivers.commands import Command
from orderproof.drivers.contents import Draw, body_over, drawn_body, plain_body
from orderproof.drivers.stage import Stage
from orderproof.drivers.terms import TERMS, Term, fits
from orderproof.exchange import ABSENT
from orderproof.model.lifecycle import outlook
from orderproof.model.state import State

__all__ = ["Move", "command_for", "moves", "prospects"]

_NOBODY = "33333333-3333-4333-8333-333333333333"
_NOTHING: Mapping[str, Any] = {}
_OTHER_ORDER = frozenset({"other-order"})


@dataclass(frozen=True, slots=True)
class Move:
    """A call that could be next: the operation, what is special about it, and how much it is worth.

    `term` is the amount that it names; `which` fills in the capture or refund that it is about.
    """

    operation: str
    kind: str = ""
    worth: float = 1.0
    term: Term | None = None
    which: Mapping[str, Any] = field(default_factory=dict, hash=False)


_PLAIN_CALLS = {
    "acknowledgeOrder": 0.7,
    "extendAuthorizationTime": 0.7,
    "releaseRemainingAuthorization": 1.5,
    "cancelOrder": 1.0,
    "updateMerchantReferences": 1.0,
    "updateConsumerDetails": 1.0,
    "appendOrderShippingInfo": 0.8,
    "getCaptures": 0.5,
    "getOrder": 0.1,
}
_CAPTURE_CALLS = {
    "getCapture": 0.5,
    "triggerSendOut": 0.5,
    "appendShippingInfo": 0.8,
    "getOptionsForExtendDueDate": 0.5,
    "extendDueDate": 0.4,
}


def moves(state: State, *, captures: int, refunds: int, stranger: int | None) -> tuple[Move, ...]:
    """Return the moves on an order in a state, with so many captures and refunds.

    `stranger` is the position of another order that has captures, whose ids can be tried on this one.
    """
    return _moves(min(captures, 2), min(refunds, 2), stranger, any(state.options.values()))


@cache
def _moves(captures: int, refunds: int, stranger: int | None, offered: bool) -> tuple[Move, ...]:
    found = [Move(operation, worth=worth) for operation, worth in _PLAIN_CALLS.items()]
    for operation, terms in TERMS.items():
        found += [Move(operation, str(term), worth, term) for term, worth in terms.items()]
    for which in _known("capture", captures, stranger):
        found += [Move(name, *which.labelled(worth)) for name, worth in _CAPTURE_CALLS.items()]
    found += [Move("getRefund", *which.labelled(0.5)) for which in _known("refund", refunds, None)]
    if offered:
        found.append(Move("extendDueDate", "days on offer", 0.8, which={"capture": 0}))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Which:
    """A capture or refund to be called upon: what to say of it, its fields in a command, its share of the worth."""

    kind: str
    fields: Mapping[str, Any]
    share: float = 1.0

    def labelled(self, worth: float) -> tuple[str, float, None, Mapping[str, Any]]:
        return self.kind, worth * self.share, None, self.fields


def _known(kind: str, count: int, stranger: int | None) -> Iterator[_Which]:
    yield _Which(f"unknown {kind}", _NOTHING, 0.3 if count else 1.0)
    if count:
        yield _Which(f"last {kind}", {kind: -1})
    if count > 1:
        yield _Which(f"first {kind}", {kind: 0})
    if stranger is not None:
        theirs = {kind: 0, "donor": stranger, "facts": _OTHER_ORDER}
        yield _Which(f"{kind} of another order", theirs, 0.5)


def command_for(move: Move, draw: Draw[Any], stage: Stage, order: int, *, before: int) -> Command | None:
    """Fill in a move: amounts, body, ids. None when its amount is out of the bounds of any request.

    `before` is what the remaining authorization was before it last changed.
    """
    state = stage.session.state(stage.seats[order].order_id)
    country = str(stage.drafts[order].get("purchase_country", "SE"))
    fields = dict(move.which)
    if move.kind.startswith("unknown "):
        fields[move.kind.removeprefix("unknown ")] = stage.new_id()
    body: Any = ABSENT
    if move.term is not None:
        amount = move.term.value(state, before)
        if not fits(move.operation, amount):
            return None
        body = body_over(draw, move.operation, amount, country)
    elif move.operation == "extendDueDate":
        body = {"number_of_days": _days(state, offered=move.kind == "days on offer")}
    else:
        body = drawn_body(draw, move.operation, country)
    return Command(move.operation, order, body=body, **fields)


def prospects(move: Move, stage: Stage, order: int, *, before: int) -> set[tuple[bool, str]]:
    """Return what the model has to say of a move before it is made: whether it is taken, and the stage after it."""
    state = stage.session.state(stage.seats[order].order_id)
    amount = move.term.value(state, before) if move.term is not None else None
    if amount is not None and not fits(move.operation, amount):
        return set()
    body = plain_body(move.operation, amount)
    if move.operation == "extendDueDate":
        body = {"number_of_days": _days(state, offered=move.kind == "days on offer")}
    fields = dict(move.which)
    if move.kind.startswith("unknown "):
        fields[move.kind.removeprefix("unknown ")] = _NOBODY
    call = stage.imagined(Command(move.operation, order, body=body, key=None, **fields))
    return set() if call is None else outlook(state, call)


def _days(state: State, *, offered: bool) -> int:
    """A number of days that the first capture with any has on offer, or one that none has."""
    known = [days for options in state.options.values() for days in options]
    return known[0] if offered else max(known, default=30) + 1
