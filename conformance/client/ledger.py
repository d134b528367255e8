"""What a sandbox that judges has heard lately: requests, answers, orders and findings, in bounded memory."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orderproof.catalogue import Rule
from orderproof.checks.findings import Finding
from orderproof.client.front import Heard, call_in
from orderproof.client.hearing import Hearing
from orderproof.client.repeats import may_be_by_hand
from orderproof.client.stock import Stock
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange

MOST_REQUESTS, MOST_ORDERS = 200, 12


@dataclass(frozen=True)
class Entry:
    """A request with what it was found to break."""

    exchange: Exchange
    findings: tuple[Finding, ...]


class Ledger:
    """Judges requests as they come, from any thread, and keeps the last of them."""

    def __init__(
        self, rules: Sequence[Rule], stock: Stock, told: Callable[[Entry], None] = lambda _: None
    ) -> None:
        self._hearing = Hearing([rule.id for rule in rules])
        self._stock = stock
        self._told = told
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, None] = OrderedDict()
        self._entries: deque[Entry] = deque(maxlen=MOST_REQUESTS)
        self.requests = 0

    def hear(self, heard: Heard) -> None:
        """Judge a request, and tell of it."""
        with self._lock:
            entry = Entry(heard.exchange, tuple(self._findings(heard.exchange)))
            self.requests += 1
            self._entries.append(entry)
            self._note_order(heard.exchange)
        self._told(entry)

    def entries(self) -> list[Entry]:
        """Return the last requests, the newest first."""
        with self._lock:
            return list(reversed(self._entries))

    def broken(self) -> Counter[str]:
        """Return how often each rule was broken, of those that were."""
        with self._lock:
            return +self._hearing.broken

    def orders(self) -> list[dict[str, Any]]:
        """Return the orders that were called last as the sandbox has them, the newest first."""
        with self._lock:
            known = list(reversed(self._orders))
        found = []
        for order_id in known:
            try:
                found.append(self._stock.read(order_id))
            except CannotJudge:  # an id that the client made up
                continue
        return found

    def _findings(self, exchange: Exchange) -> Iterator[Finding]:
        for finding in self._hearing.hear(exchange):
            numbers = self._hearing.retries.get(exchange.number, ())
            tries = [entry.exchange for entry in self._entries if entry.exchange.number in numbers]
            if may_be_by_hand(finding, tries):
                self._hearing.take_back(finding.rule)
            else:
                yield finding

    def _note_order(self, exchange: Exchange) -> None:
        call = call_in(exchange)
        made = exchange.response.json if exchange.response is not None else None
        created = made.get("order_id") if isinstance(made, dict) else None
        order_id = call.order_id if call is not None else created
        if isinstance(order_id, str) and order_id:
            self._orders[order_id] = None
            self._orders.move_to_end(order_id)
            if len(self._orders) > MOST_ORDERS:
                self._orders.popitem(last=False)
