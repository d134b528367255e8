"""Runs somebody's command: its output passes through, and it ends with all its children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from orderproof.errors import UsageError

GRACE_SECONDS = 2.0
_KEPT = 64_000


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it wrote last, and after how long.

    `words` are the end of its output, then the end of its errors: a line of one never breaks into a line of the other.
    The exit code is negative where a signal killed it, and None where it took too long and was stopped.
    """

    exit_code: int | None
    words: str
    seconds: float

    @property
    def succeeded(self) -> bool:
        return self.exit_code == 0

    def __str__(self) -> str:
        if self.exit_code is None:
            return f"stopped after {self.seconds:.0f} s"
        return f"exit code {self.exit_code}" if self.exit_code >= 0 else f"killed by signal {-self.exit_code}"


def run_command(
    command: Sequence[str], environment: Mapping[str, str], seconds: float, *, show: bool = True
) -> Ended:
    """Run a command to its end, or until `seconds` are over, in a process group of its own.

    What it writes goes to our own output as it comes. Raises UsageError when it cannot be started; any other
    exception, an interrupt among them, stops it first, and a signal that a KeyboardInterrupt names is passed on to it.
    """
    started = time.monotonic()
    try:
        child = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"the command {command[0]!r} cannot be started: {reason}") from None
    tails = (bytearray(), bytearray())
    readers = _readers(child, tails, show=show)
    code: int | None = None
    first = signal.SIGTERM
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = child.wait(seconds)
    except KeyboardInterrupt as interrupt:
        first = signal.Signals(interrupt.args[0]) if interrupt.args else signal.SIGINT
        raise
    finally:
        lasted = time.monotonic() - started
        _stop(child, first)
        for reader in readers:
            reader.join(GRACE_SECONDS)
    words = "\n".join(tail.decode("utf-8", "replace") for tail in tails if tail)
    return Ended(code, words, lasted)


def _readers(
    child: subprocess.Popen[bytes], tails: tuple[bytearray, bytearray], *, show: bool
) -> list[threading.Thread]:
    assert child.stdout is not None
    assert child.stderr is not None
    ways = ((child.stdout, sys.stdout), (child.stderr, sys.stderr))
    threads = [
        threading.Thread(
            target=_pass_through, args=[source, sink.buffer if show else None, tail], daemon=True
        )
        for (source, sink), tail in zip(ways, tails, strict=True)
    ]
    for thread in threads:
        thread.start()
    return threads


def _pass_through(source: IO[bytes], sink: IO[bytes] | None, tail: bytearray) -> None:
    with contextlib.suppress(OSError, ValueError):
        while content := os.read(source.fileno(), 65_536):
            tail += content
            del tail[:-_KEPT]
            if sink is not None:
                sink.write(content)
                sink.flush()


def _stop(child: subprocess.Popen[bytes], first: signal.Signals) -> None:
    """End whatever of the command's group is still there: with the signal that we got, kindly, then not."""
    for number in dict.fromkeys((first, signal.SIGTERM, signal.SIGKILL)):
        try:
            os.killpg(child.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        if _is_gone(child, GRACE_SECONDS):
            break
    child.wait(GRACE_SECONDS)


def _is_gone(child: subprocess.Popen[bytes], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        child.poll()
        try:
            os.killpg(child.pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        time.sleep(0.02)
    return False
