"""Which order each capture and refund of a recording belongs to: what is read under another one gives itself away."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orderproof.checks.findings import Finding
from orderproof.exchange import ABSENT, Exchange
from orderproof.model.call import Call, call_of, created_id

_REMEMBERED = 5_000


@dataclass
class Belonging:
    """Remembers under which order an id was first seen."""

    _orders: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def observe(self, exchange: Exchange) -> list[Finding]:
        """Take note of the ids that an answer shows; returns what belongs to another order (rules CAP-8 and RFD-7)."""
        call = call_of(exchange)
        if call is None or exchange.status is None or exchange.status >= 300:
            return []
        found = []
        for name, value in _ids(call):
            owner = self._orders.setdefault(value, call.order_id)
            if len(self._orders) > _REMEMBERED:
                self._orders.popitem(last=False)
            if owner != call.order_id:
                rule = "CAP-8" if name == "capture_id" else "RFD-7"
                expected = f"{value} under order {owner} alone, where it was first seen"
                actual = f"{exchange.status} under order {call.order_id}"
                found.append(Finding(rule, expected, actual, exchange, call.name, call.order_id, (exchange,)))
        return found[:1]


def _ids(call: Call) -> Iterator[tuple[str, str]]:
    """The ids of captures and refunds in the path and in the answer of a call that was taken."""
    for name, value in (("capture_id", call.capture_id), ("refund_id", call.refund_id)):
        if value is not None:
            yield name, value
    made = created_id(call) if call.exchange.status == 201 else None
    if made is not None:
        yield ("capture_id" if call.name == "captureOrder" else "refund_id"), made
    body = call.exchange.response.json if call.exchange.response is not None else ABSENT
    if call.name == "getCaptures":
        yield from _listed(body, "capture_id")
    if call.name == "getOrder" and isinstance(body, Mapping):
        for name, key in (("captures", "capture_id"), ("refunds", "refund_id")):
            yield from _listed(body.get(name), key)


def _listed(items: Any, key: str) -> Iterator[tuple[str, str]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get(key), str):
            yield key, item[key]
