"""Measure what calls cost in a sandbox that holds more and more orders, and its memory.

    python benchmarks/sandbox_growth.py [--orders 100000] [--database orders.db]

At each mark orders are made, and orders by chance are read and captured. What is printed is the processor time of the
sandbox for each call, and in brackets the median until its answer is there.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from orderproof.drivers.drafts import draft

MARKS = (100, 1_000, 10_000, 100_000, 1_000_000)
CALLS = 1_000
TICKS = os.sysconf("SC_CLK_TCK")


class Client:
    """One connection to a sandbox."""

    def __init__(self, base_url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base_url).netloc)
        token = base64.b64encode(b"sandbox:sandbox").decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._order = json.dumps(draft()).encode()

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request; returns the body of its answer, and ends the program when that is a refusal."""
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {content[:200]!r}")
        return content

    def order(self) -> str:
        """Make an order; returns the path that reads it."""
        made = json.loads(self.send("POST", "/customer-token/v1/tokens/sandbox/order", self._order))
        return f"/ordermanagement/v1/orders/{made['order_id']}"


def used(process: int) -> float:
    """The processor time that a process has used, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cost(process: int, call: Callable[[], object]) -> str:
    """What a call costs, seen in many: processor time of the sandbox, and the median until its answer is there."""
    taken, before = [], used(process)
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return f"{(used(process) - before) / CALLS * 1000:.2f} ({statistics.median(taken) * 1000:.2f}) ms"


def memory(process: int) -> float:
    """The memory that a process has in use, in MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def grow(client: Client, process: int, orders: int) -> None:
    """Make orders, and print at each mark what calls cost."""
    chance, paths = random.Random(1), list[str]()
    for mark in [mark for mark in MARKS if mark <= orders]:
        while len(paths) < mark:
            paths.append(client.order())
        made = cost(process, lambda: paths.append(client.order()))
        read = cost(process, lambda: client.send("GET", chance.choice(paths)))
        captured = cost(
            process,
            lambda: client.send("POST", f"{chance.choice(paths)}/captures", b'{"captured_amount": 1}'),
        )
        print(
            f"{mark:9,} orders: make {made}, read {read}, capture {captured}, {memory(process):.0f} MB",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--database", help="a new SQLite file; memory when left out")
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "orderproof", "sandbox", "--port", "0"]
    command += ["--database", chosen.database] if chosen.database else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        try:
            grow(Client(sandbox.stdout.readline().strip()), sandbox.pid, chosen.orders)
        finally:
            sandbox.terminate()


if __name__ == "__main__":
    main()
