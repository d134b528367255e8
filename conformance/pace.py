"""The pace of a run: when the next requests may go out, so that a rate is kept."""

from __future__ import annotations

import time

__all__ = ["Pace"]


class Pace:
    """Gives turns, at most `rate` requests a second; None: without a limit."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next_at = 0.0

    def delay(self, requests: int) -> float:
        """Give a turn to so many requests; returns the seconds after which they may go out."""
        if not self._rate:
            return 0.0
        now = time.monotonic()
        begin = max(now, self._next_at)
        self._next_at = begin + requests / self._rate
        return begin - now

    def wait(self, requests: int) -> None:
        """Wait for a turn for so many requests."""
        seconds = self.delay(requests)
        if seconds > 0:
            time.sleep(seconds)
