"""How a client conducts itself: each request in the context of those that it sent before.

Which request is a retry of which is inferred from content, order and time: the same call again, while its last try
had no answer, or one that says "not now" or "no".
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

from orderproof import operations
from orderproof.checks.contents import content_of, json_of
from orderproof.exchange import Exchange, Request
from orderproof.model.call import Call, call_of

API = "/ordermanagement/"
RETRY_SECONDS = 600.0
"""Within so long the same call again counts as a retry of one that failed."""

_REMEMBERED, _REMEMBERED_TRIES = 10_000, 100


@dataclass(frozen=True)
class Conduct:
    """A request of a client. `call` is None where method and path are no operation.

    `tries` are the earlier tries of the same call, `first_use` is the exchange in which the idempotency key was first
    used, `tidy` says whether the path has no doubled or trailing slash.
    """

    exchange: Exchange
    call: Call | None
    tidy: bool = True
    tries: tuple[Exchange, ...] = ()
    first_use: Exchange | None = None

    @cached_property
    def content(self) -> bytes:
        """The body without its content coding."""
        return content_of(self.exchange.request)

    @cached_property
    def body(self) -> Any:
        """The JSON value of the body, or ABSENT."""
        return json_of(self.content)

    @property
    def key(self) -> str | None:
        return _key(self.exchange)

    @property
    def schema(self) -> str | None:
        """The name of the request schema, where the operation takes a body."""
        return self.call.operation.request_schema if self.call is not None else None

    @property
    def is_retry(self) -> bool:
        return bool(self.tries)


def tidied(path: str) -> str:
    """The path without doubled and trailing slashes."""
    return re.sub(r"/{2,}", "/", path).rstrip("/")


def failed(exchange: Exchange) -> bool:
    """Say whether a client had cause to send the call again: no answer, "not now", a refusal or a fault."""
    return exchange.status is None or exchange.status >= 400


class Stream:
    """Reads the requests of one client in order. Memory is bounded: what was `remembered` requests ago is forgotten."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._tries: OrderedDict[tuple[str, str, bytes], list[Exchange]] = OrderedDict()
        self._keys: OrderedDict[str, Exchange] = OrderedDict()
        self._taken: OrderedDict[str, Exchange] = OrderedDict()

    def next(self, exchange: Exchange) -> Conduct:
        """Return the next request with what came before it."""
        call, tidy = _call(exchange)
        tries = self._tries_before(exchange) if call is not None and call.operation.writes else ()
        return Conduct(exchange, call, tidy, tries, self._first_use(exchange))

    def _tries_before(self, exchange: Exchange) -> tuple[Exchange, ...]:
        request = exchange.request
        identity, order = (request.method, tidied(request.path), request.body), _order_part(request)
        before = [entry for entry in self._tries.pop(identity, []) if not self._is_settled(entry, order)]
        tries = _open_tries(exchange, before)
        if tries and _answers_a_challenge(exchange, tries[-1]):
            before, tries = [entry for entry in before if entry is not tries[-1]], []
        self._tries[identity] = [*before, exchange][-_REMEMBERED_TRIES:]
        self._forget(self._tries)
        if exchange.status is not None and exchange.status < 300:
            self._taken.pop(order, None)
            self._taken[order] = exchange
            self._forget(self._taken)
        return tuple(tries)

    def _is_settled(self, earlier: Exchange, order: str) -> bool:
        """A write that was taken changes what a refused one may meet: trying that again is a new call."""
        taken = self._taken.get(order)
        return taken is not None and _refused(earlier) and earlier.sent_at <= taken.sent_at

    def _first_use(self, exchange: Exchange) -> Exchange | None:
        key = _key(exchange)
        # With a reading a key means nothing: some clients send one with all that they do for one purpose.
        if key is None or exchange.request.method == "GET":
            return None
        first = self._keys.setdefault(key, exchange)
        self._forget(self._keys)
        return None if first is exchange else first

    def _forget(self, memory: OrderedDict[Any, Any]) -> None:
        if len(memory) > self._remembered:
            memory.popitem(last=False)


def _open_tries(exchange: Exchange, before: Sequence[Exchange]) -> list[Exchange]:
    """The tries that a call may repeat: those that failed since one went well, with its own key where there are some.

    Two calls that are alike can be under way at once, each with its key.
    """
    key = _key(exchange)
    own = [entry for entry in before if key is not None and _key(entry) == key]
    tries = list(takewhile(failed, reversed(own or before)))[::-1]
    return tries if tries and _follows(exchange, tries[-1]) else []


def _follows(exchange: Exchange, before: Exchange) -> bool:
    """Say whether a call was sent because of how the other ended: not at the same time, and not long after."""
    pause = exchange.sent_at - before.answered_at
    return (pause >= 0 or "lost" in before.facts) and pause <= RETRY_SECONDS


def _answers_a_challenge(exchange: Exchange, before: Exchange) -> bool:
    """Say whether a call comes again with the credentials that a 401 asked for, which makes it no retry.

    That the first try had none is enough: how it was answered may have been lost.
    """
    sent, had = (entry.request.header("authorization") for entry in (exchange, before))
    return sent is not None and sent != had and (had is None or before.status == 401)


def _key(exchange: Exchange) -> str | None:
    return exchange.request.header("klarna-idempotency-key")


def _refused(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500 and exchange.status not in (409, 429)


def _order_part(request: Request) -> str:
    return "/".join(tidied(request.path).split("/")[:5])


def _call(exchange: Exchange) -> tuple[Call | None, bool]:
    path = exchange.request.path
    call = call_of(exchange)
    if call is not None:
        return call, True
    found = operations.match(exchange.request.method, tidied(path))
    if found is None or "order_id" not in found[1]:
        return None, tidied(path) == path
    return Call(exchange, found[0], **found[1]), False


def order_lines(body: Any) -> list[Mapping[str, Any]]:
    """The order lines of a body that are objects."""
    lines = body.get("order_lines") if isinstance(body, dict) else None
    return [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
