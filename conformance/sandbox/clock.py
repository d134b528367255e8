"""The sandbox's own clock: the machine's, plus what it was moved ahead."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

from orderproof.sandbox.calls import INVALID, Refusal
from orderproof.sandbox.store import Store

FURTHEST_SECONDS = 100 * 366 * 24 * 60 * 60


class Clock:
    """Tells the time of a sandbox. How far it was moved is kept in the store, with the orders.

    It is read there once for each request, by `look`: another process may have moved it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._offset = store.clock_offset()
        self._date = (-1, b"")

    def now(self) -> int:
        """Return the time in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000 + self._offset

    def look(self) -> None:
        """See how far the clock was moved by now."""
        self._offset = self._store.clock_offset()

    def date(self, now: int) -> bytes:
        """Return a time in milliseconds as the value of a `Date` header."""
        second = now // 1000
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True).encode("ascii"))
        return self._date[1]

    def advance(self, body: Any) -> int:
        """Move the clock ahead by `advance_seconds` of a JSON body and return the new time.

        Raises Refusal (400).
        """
        seconds = body.get("advance_seconds") if isinstance(body, dict) else None
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds >= 0:
            raise Refusal(400, INVALID, "advance_seconds: a number of seconds, 0 or more, is required.")
        if seconds * 1000 + self._offset > FURTHEST_SECONDS * 1000:
            raise Refusal(400, INVALID, "advance_seconds: the clock moves by at most 100 years in all.")
        self._offset = self._store.move_clock(round(seconds * 1000))
        return self.now()
