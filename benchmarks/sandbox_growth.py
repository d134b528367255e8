"""Measure what calls cost in a sandbox that holds more and more orders, and its memory.

    python benchmarks/sandbox_growth.py [--orders 100000] [--database orders.db]

At each mark orders are made until there are so many, and a hundred of them by chance are read, and then captured once
each. So the orders that are read and captured are alike at all marks, whatever their number. What is printed is the
processor time of the sandbox for each call, and in brackets the time until its answer is there: the medians over
groups of ten calls. On Linux.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from orderproof.drivers.drafts import draft

MARKS = (100, 1_000, 10_000, 100_000, 1_000_000)
SAMPLE = 100
READINGS = 10
GROUP = 10


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
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int(one.joinpath("schedstat").read_text(encoding="ascii").split()[0]) for one in threads) / 1e9


def cost(process: int, calls: Iterable[Callable[[], object]]) -> str:
    """What calls of one kind cost: processor time of the sandbox, and the time until the answer is there."""
    figures = []
    for group in batched(calls):
        started, before = time.perf_counter(), used(process)
        for call in group:
            call()
        spent = used(process) - before, time.perf_counter() - started
        figures.append([each / len(group) * 1000 for each in spent])
    busy, taken = map(statistics.median, zip(*figures, strict=True))
    return f"{busy:.3f} ({taken:.2f}) ms"


def batched(calls: Iterable[Callable[[], object]]) -> Iterable[list[Callable[[], object]]]:
    """Cut calls into groups."""
    remaining = iter(calls)
    while group := list(islice(remaining, GROUP)):
        yield group


def memory(process: int) -> float:
    """The memory that a process has in use, in MB."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def grow(client: Client, process: int, orders: int) -> None:
    """Make orders, and print at each mark what calls cost."""
    chance, paths = random.Random(1), list[str]()

    def reading(path: str) -> Callable[[], object]:
        return lambda: client.send("GET", path)

    def capturing(path: str) -> Callable[[], object]:
        return lambda: client.send("POST", f"{path}/captures", b'{"captured_amount": 1}')

    for mark in [mark for mark in MARKS if mark <= orders]:
        while len(paths) < mark - SAMPLE:
            paths.append(client.order())
        made = cost(process, [lambda: paths.append(client.order())] * SAMPLE)
        sample = chance.sample(paths, SAMPLE)
        read = cost(process, [reading(path) for path in sample] * READINGS)
        captured = cost(process, [capturing(path) for path in sample])
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
