"""The client's side of a recording: its requests, judged by the client rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from orderproof.cassette.continuity import sent
from orderproof.checks.conduct import Stream
from orderproof.checks.findings import Finding
from orderproof.checks.registry import Broken
from orderproof.exchange import Exchange
from orderproof.judge import registered

_REMEMBERED = 1_000


class ClientJudge:
    """Judges the requests of one recording, in order."""

    def __init__(self, only: Iterable[str]) -> None:
        chosen = frozenset(only)
        self._checks = [entry for entry in registered() if entry.view == "request" and entry.rule in chosen]
        self._stream = Stream(_REMEMBERED)
        self.exercised: Counter[str] = Counter()
        self.errors: dict[str, str] = {}

    def observe(self, exchange: Exchange) -> list[Finding]:
        """Judge the next request; returns what it breaks."""
        exchange = sent(exchange)
        conduct = self._stream.next(exchange)
        found = []
        for entry in self._checks:
            try:
                marks = list(entry.judge(conduct))
            except Exception as error:  # our own fault, which must not pass for the client's
                self.errors.setdefault(entry.rule, f"{type(error).__name__}: {error}")
                continue
            self.exercised[entry.rule] += len(marks)
            broken = next((mark for mark in marks if isinstance(mark, Broken)), None)
            if broken is not None:
                operation, order_id = (
                    (conduct.call.name, conduct.call.order_id) if conduct.call else (None, None)
                )
                trail = (*conduct.tries, exchange)
                found.append(
                    Finding(entry.rule, broken.expected, broken.actual, exchange, operation, order_id, trail)
                )
        return found
