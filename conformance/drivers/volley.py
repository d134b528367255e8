"""Requests that are released together: each waits on a connection of its own, all but its last byte sent.

What is under way at the same time at a server is decided by when requests are complete, not by when they begin. So
everything slow (connecting, TLS, most of the bytes) is done before, and then one last byte each goes out.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from orderproof.drivers.wire import READING_FAULTS, dial, reason, received, written
from orderproof.exchange import Request, Response
from orderproof.target import Target
from orderproof.transport import Delivery

_READYING_SECONDS = 5.0
_SETTLING_SECONDS = 0.002


@dataclass
class _Shot:
    """One request on its connection; times are readings of the monotonic clock."""

    request: Request
    last_byte: bytes
    connection: socket.socket
    reader: threading.Thread | None = None
    response: Response | None = None
    fault: str | None = None
    sent_at: float = 0.0
    answered_at: float = 0.0

    def release(self) -> None:
        self.sent_at = time.monotonic()
        with suppress(OSError):  # the reader will say what became of the connection
            self.connection.sendall(self.last_byte)

    def read(self) -> None:
        """Wait for the answer; runs in a thread, so that each answer has its own time."""
        try:
            self.response = received(self.connection, self.request.method)
        except READING_FAULTS as error:
            self.fault = reason(error)
        self.answered_at = time.monotonic()


def volley(target: Target, requests: Sequence[Request], delays: Sequence[float]) -> list[Delivery]:
    """Send requests so that they are under way together; returns what became of each, in the same order.

    `delays` are the seconds after the first at which each is completed. A request whose connection was refused was
    not sent at all (`Delivery.sent`). Waits for each answer up to the target's timeout.
    """
    until = time.monotonic() + min(_READYING_SECONDS, target.timeout)
    loaded = [_loaded(target, request, until) for request in requests]
    shots = [(shot, delay) for shot, delay in zip(loaded, delays, strict=True) if isinstance(shot, _Shot)]
    time.sleep(_SETTLING_SECONDS)
    _fire(sorted(shots, key=lambda pair: pair[1]))
    _collect([shot for shot, _ in shots], target.timeout)
    epoch = time.time() - time.monotonic()
    return [_delivery(shot, epoch) for shot in loaded]


def _loaded(target: Target, request: Request, until: float) -> _Shot | str:
    """Send all of a request but its last byte; returns why that did not work where it did not."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        return "no connection in time"
    content = written(target, request)
    try:
        connection = dial(target, seconds)
    except OSError as error:
        return f"cannot connect ({error})"
    try:
        connection.sendall(content[:-1])
    except OSError as error:
        connection.close()
        return reason(error)
    connection.settimeout(target.timeout)
    shot = _Shot(request, content[-1:], connection)
    shot.reader = threading.Thread(target=shot.read, daemon=True)
    shot.reader.start()
    return shot


def _fire(shots: Sequence[tuple[_Shot, float]]) -> None:
    start = time.monotonic()
    for shot, delay in shots:
        rest = start + delay - time.monotonic()
        if rest > 0:
            time.sleep(rest)
        shot.release()


def _collect(shots: Sequence[_Shot], seconds: float) -> None:
    until = time.monotonic() + seconds
    for shot in shots:
        if shot.reader is not None:
            shot.reader.join(max(0.0, until - time.monotonic()))
    for shot in shots:
        if shot.answered_at == 0.0:
            shot.fault = "no answer in time"
            with suppress(OSError):
                shot.connection.shutdown(socket.SHUT_RDWR)
        shot.connection.close()


def _delivery(shot: _Shot | str, epoch: float) -> Delivery:
    if isinstance(shot, str):
        return Delivery(None, shot, time.time(), time.time(), sent=False)
    answered_at = shot.answered_at or time.monotonic()
    response = None if shot.fault else shot.response
    return Delivery(response, shot.fault, epoch + shot.sent_at, epoch + answered_at)
