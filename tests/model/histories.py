"""Calls that are answered by a server without a network, at moments that a test chooses."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orderproof.exchange import Exchange, Request, Response
from orderproof.model.call import Call, call_of
from orderproof.model.oracle import possible
from orderproof.model.state import State
from tests.gallery.server import Fake
from tests.gallery.visitor import CREDENTIALS, Visit, Visitor
from tests.gallery.wire import Call as Incoming

START = 1_000_000.0


@dataclass(frozen=True)
class Wish:
    """A call that is to be made: method, path below the order, body, idempotency key."""

    method: str
    tail: str
    body: Any = None
    key: str | None = None


def capture(amount: int, key: str | None = None) -> Wish:
    return Wish("POST", "captures", {"captured_amount": amount}, key)


def refund(amount: int, key: str | None = None) -> Wish:
    return Wish("POST", "refunds", {"refunded_amount": amount}, key)


def update(amount: int) -> Wish:
    return Wish("PATCH", "authorization", {"order_amount": amount})


def references(**fields: str) -> Wish:
    return Wish("PATCH", "merchant-references", fields)


def shipping(number: str) -> Wish:
    return Wish("POST", "shipping-info", {"shipping_info": [{"tracking_number": number}]})


CANCEL = Wish("POST", "cancel")
RELEASE = Wish("POST", "release-remaining-authorization")
READ = Wish("GET", "")


class Account:
    """One order of a server in this process, and the exchanges with it."""

    def __init__(self, fake: Fake | None = None, amount: int = 10_000) -> None:
        self.order: Visit = Visitor(fake or Fake()).order(amount)
        self.number = 0

    def states(self) -> tuple[State, ...]:
        """The states that reading the order leaves possible."""
        return possible((State(),), self.exchange(READ, at=START - 10))

    def exchange(self, wish: Wish, at: float, *, lost: bool = False) -> Exchange:
        """Make a call now, and record it as if it had been made at another moment."""
        headers = {"content-type": "application/json"} | (
            {"klarna-idempotency-key": wish.key} if wish.key else {}
        )
        content = b"" if wish.body is None else json.dumps(wish.body).encode()
        target = self.order.path(wish.tail)
        known = {**headers, "host": "127.0.0.1:80", "authorization": CREDENTIALS}
        answer = self.order.visitor.fake.answer(Incoming(wish.method, target, known, content))
        self.number += 1
        return Exchange(
            number=self.number,
            request=Request(
                headers=tuple(headers.items()),
                body=content,
                method=wish.method,
                target=target,
            ),
            response=None if lost else Response(answer.headers, answer.body, answer.status),
            sent_at=at,
            answered_at=at,
            group=1,
        )

    def call(self, wish: Wish, sent: float = 0.0, answered: float = 1.0) -> Call:
        """Make a call now, recorded as sent and answered at other moments, in seconds."""
        exchange = self.exchange(wish, START + sent)
        return as_call(replace(exchange, answered_at=START + answered))

    def at_once(self, wishes: Sequence[Wish], chance: random.Random, lose: float = 0.0) -> list[Call]:
        """Make calls one after the other, recorded as if they had been under way at the same time, in any order."""
        calls = []
        for number, wish in enumerate(wishes):
            moment = number / 10
            exchange = self.exchange(wish, START + moment, lost=chance.random() < lose)
            sent, answered = moment - chance.random() / 3, moment + chance.random() / 3
            calls.append(as_call(replace(exchange, sent_at=START + sent, answered_at=START + answered)))
        chance.shuffle(calls)
        return calls


def as_call(exchange: Exchange) -> Call:
    """The exchange as a call of the API."""
    call = call_of(exchange)
    assert call is not None
    return call


def answered(call: Call, status: int, body: Any = None, **headers: str) -> Call:
    """The call as if it had been answered otherwise; a status of 0 loses the answer."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    content = b"" if body is None else json.dumps(body).encode()
    response = Response(named, content, status) if status else None
    return as_call(replace(call.exchange, response=response))


def refused(call: Call, code: str) -> Call:
    """The call as if it had been refused with 403."""
    body = {"error_code": code, "error_messages": [], "correlation_id": "1"}
    return answered(call, 403, body, Content_Type="application/json")
