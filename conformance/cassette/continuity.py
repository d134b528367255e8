"""What a recording leaves untold: what of it is the API's traffic, and where an order may have changed unseen."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from orderproof.exchange import Exchange
from orderproof.model.call import Call, call_of
from orderproof.operations import match

API = "/ordermanagement/"
LONGEST_GAP = 3600.0
"""Seconds without a call on an order after which a recording is not taken to tell everything that happened to it."""

_START = re.compile(r"/+(?:ordermanagement|customer-token)/")
_PREFIX = re.compile(r"[^?]*?(?=/+ordermanagement/)")
_SLASHES = re.compile(r"/{2,}")
_CLOCK_JITTER = 2.0
_ROUNDING = 0.002
_ORDERS = 500
_NOT_TAKEN = frozenset({301, 302, 307, 308, 400, 404, 405})


def addressed(exchange: Exchange) -> Exchange | None:
    """Return an exchange with the path of the API alone as its target; None when it is other traffic.

    What stands before the path goes. Doubled slashes count as one where the server took them so: a server need not.
    """
    target = exchange.request.target
    path, question, query = target.partition("?")
    start = _START.search(path)
    if start is None or exchange.request.header("access-control-request-method"):
        return None
    found = path[start.start() :]
    if exchange.status not in _NOT_TAKEN or match(exchange.request.method, found):
        found = _SLASHES.sub("/", found)
    if found == target:
        return exchange
    return replace(exchange, request=replace(exchange.request, target=found + question + query))


def sent(exchange: Exchange) -> Exchange:
    """Return an exchange as its client sent it: without what stands before the path of the API, slashes as they are.

    The body of the answer, which says nothing about the client, is left out.
    """
    target = exchange.request.target
    found = _PREFIX.match(target)
    request = replace(exchange.request, target=target[found.end() :]) if found else exchange.request
    response = exchange.response
    return replace(exchange, request=request, response=replace(response, body=b"") if response else None)


@dataclass
class _Seen:
    """When an order's last call was sent and answered, and whether it was a write."""

    sent_at: float
    answered_at: float
    wrote: bool


@dataclass
class Continuity:
    """Follows the calls on each order, and says where what was known of it no longer holds.

    That is so after a gap, where entries are out of order in time, and where calls were under way at the same time.
    `breaks` counts how often it was so.
    """

    breaks: int = 0
    _seen: OrderedDict[str, _Seen] = field(default_factory=OrderedDict)

    def breaks_before(self, exchange: Exchange, *, timed: bool = True) -> tuple[bool, bool]:
        """Say whether an order is to be forgotten before an exchange is judged, and again after it."""
        call = call_of(exchange)
        if call is None or not timed:
            return False, False
        seen = self._seen.pop(call.order_id, None)
        self._note(call, seen)
        if seen is None:
            return False, False
        at_once = exchange.sent_at < seen.answered_at - _ROUNDING and (call.operation.writes or seen.wrote)
        untold = not -_CLOCK_JITTER <= exchange.sent_at - seen.sent_at <= LONGEST_GAP
        self.breaks += at_once or untold
        return at_once or untold, at_once

    def _note(self, call: Call, seen: _Seen | None) -> None:
        exchange = call.exchange
        under_way = seen is not None and exchange.sent_at < seen.answered_at - _ROUNDING
        self._seen[call.order_id] = _Seen(
            sent_at=exchange.sent_at,
            answered_at=max(exchange.answered_at, seen.answered_at if seen and under_way else 0.0),
            wrote=call.operation.writes or bool(seen and under_way and seen.wrote),
        )
        if len(self._seen) > _ORDERS:
            self._seen.popitem(last=False)
