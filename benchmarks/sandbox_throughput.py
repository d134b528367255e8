"""Measure how many GET-order requests a second the sandbox answers, against a bare route of the same server.

    python benchmarks/sandbox_throughput.py [--seconds 2] [--rounds 5] [--connections 8] [--database FILE]

Both servers run as processes of their own and are asked in turns, so that a busy machine slows both alike. The
client holds a few keep-alive connections: it sends one request on each, then reads one answer from each. It does
next to no work, so the servers set the pace. Printed are the medians over the rounds, and the ratio of the two.
"""

from __future__ import annotations

import argparse
import base64
import json
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background

HELLO = """
import socket, sys, uvicorn
async def hello(scope, receive, send):
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})
listener = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
config = uvicorn.Config(hello, lifespan="off", log_level="error", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
"""
DRAFT = {
    "purchase_country": "SE",
    "purchase_currency": "SEK",
    "locale": "sv-SE",
    "order_amount": 10000,
    "order_tax_amount": 2000,
    "order_lines": [
        {
            "name": "Lamp",
            "quantity": 1,
            "unit_price": 10000,
            "tax_rate": 2500,
            "total_amount": 10000,
            "total_tax_amount": 2000,
        }
    ],
}


@contextmanager
def hello_server() -> Generator[str]:
    """Run the bare route in a process of its own and yield its base URL."""
    # In a session of its own like the sandbox: schedulers share a busy machine out among sessions.
    with subprocess.Popen(
        [sys.executable, "-c", HELLO], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.terminate()


def new_order(base_url: str, authorization: str) -> str:
    """Create an order and return the path that reads it."""
    request = urllib.request.Request(
        f"{base_url}/customer-token/v1/tokens/sandbox/order",
        json.dumps(DRAFT).encode(),
        {"Authorization": authorization, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return f"/ordermanagement/v1/orders/{json.load(answer)['order_id']}"


def rate(base_url: str, path: str, authorization: str, connections: int, seconds: float) -> float:
    """Return the requests a second that a server answers with 200."""
    host = urlsplit(base_url).netloc
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\r\n".encode()
    address = (urlsplit(base_url).hostname or "", urlsplit(base_url).port or 80)
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(address)) for _ in range(connections)]
        started, answered = time.perf_counter(), 0
        while time.perf_counter() - started < seconds:
            for one in sockets:
                one.sendall(request)
            for one in sockets:
                read_answer(one)
            answered += connections
        return answered / (time.perf_counter() - started)


def read_answer(connection: socket.socket) -> None:
    """Read one answer to its end, and hold its status against 200."""
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"The server answered {head.splitlines()[0].decode('latin-1')}.")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    while len(body) < length:
        body += connection.recv(65536)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Throughput of the sandbox against a bare route.")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--database", default=None, help="SQLite file; memory when left out")
    options = parser.parse_args()
    authorization = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
    with hello_server() as hello, background(Settings(database=options.database)) as sandbox:
        order = new_order(sandbox, authorization)
        pairs = [
            tuple(
                rate(url, path, authorization, options.connections, options.seconds)
                for url, path in ((hello, "/"), (sandbox, order))
            )
            for _ in range(options.rounds)
        ]
    bare, read = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for other, one in pairs)
    print(f"bare route {bare:,.0f} requests a second, GET order {read:,.0f}, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
