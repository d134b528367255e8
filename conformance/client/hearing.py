"""The hearing: reads what a client sends, request by request, and finds what breaks the rules for clients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from orderproof.checks.conduct import Conduct, Stream
from orderproof.checks.findings import Finding
from orderproof.checks.registry import Broken, Mark, Registered
from orderproof.exchange import Exchange
from orderproof.judge import registered

_TRAIL = 40


class Hearing:
    """Judges the requests of one client in one run, in the order in which they were sent.

    `only` are the rules to judge. `exercised` and `broken` count by rule, `errors` are faults of our own checks.
    """

    def __init__(self, only: Collection[str]) -> None:
        self._only = only
        self._checks: list[Registered] = [
            entry for entry in registered() if entry.view == "request" and entry.rule in only
        ]
        self._stream = Stream()
        self._trail: list[Exchange] = []
        self.exercised: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.errors: dict[str, str] = {}
        self.retries: dict[int, tuple[int, ...]] = {}

    def hear(self, exchange: Exchange) -> list[Finding]:
        """Judge the next request; returns the findings that it brought, one for each rule at most."""
        self._trail = [*self._trail[-_TRAIL:], exchange]
        conduct = self._stream.next(exchange)
        if conduct.tries:
            self.retries[exchange.number] = tuple(earlier.number for earlier in conduct.tries)
        found: dict[str, Finding] = {}
        for entry in self._checks:
            for mark in self._marks(entry, conduct):
                finding = self.note(entry.rule, mark, exchange, conduct)
                if finding is not None:
                    found.setdefault(entry.rule, finding)
        return list(found.values())

    def note(
        self, rule: str, mark: Mark, exchange: Exchange, conduct: Conduct | None = None
    ) -> Finding | None:
        """Count a mark of a rule that is being judged, and return the finding where it is broken."""
        if rule not in self._only:
            return None
        self.exercised[rule] += 1
        if not isinstance(mark, Broken):
            return None
        self.broken[rule] += 1
        call = conduct.call if conduct is not None else None
        return Finding(
            rule=rule,
            expected=mark.expected,
            actual=mark.actual,
            exchange=exchange,
            operation=call.name if call is not None else None,
            order_id=call.order_id if call is not None else None,
            trail=self._of_order(call.order_id if call is not None else ""),
        )

    def take_back(self, rule: str) -> None:
        """Uncount a breach that turned out to be none."""
        self.exercised[rule] -= 1
        self.broken[rule] -= 1

    def _of_order(self, order_id: str) -> tuple[Exchange, ...]:
        return tuple(entry for entry in self._trail if order_id in entry.request.target)

    def _marks(self, entry: Registered, conduct: Conduct) -> list[Mark]:
        try:
            return list(entry.judge(conduct))
        except Exception as error:  # our own fault, which must not pass for the client's
            self.errors.setdefault(entry.rule, f"{type(error).__name__}: {error}")
            return []
