"""Servers that are none: each answers every request in one senseless way."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Reply = Callable[[socket.socket, bytes], None]


def _answer(status: str, body: bytes = b"", headers: str = "") -> Reply:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
    if status.startswith("204"):
        head = f"HTTP/1.1 {status}\r\n\r\n".encode()
    return lambda connection, request: connection.sendall(head + body)


def _echo(connection: socket.socket, request: bytes) -> None:
    body = request.partition(b"\r\n\r\n")[2]
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)


def _endless(connection: socket.socket, request: bytes) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    while True:
        connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


def _drip(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b" ")
        time.sleep(0.2)


def _garbage(connection: socket.socket, request: bytes) -> None:
    connection.sendall(bytes(range(256)) * 4)
    connection.close()


def _silence(connection: socket.socket, request: bytes) -> None:
    time.sleep(60)


_JSON = "Content-Type: application/json\r\n"
_ERROR = b'{"correlation_id": "c", "error_code": "NOT_ALLOWED", "error_messages": ["no"]}'
NULLS: dict[str, Reply] = {
    "always 200 {}": _answer("200 OK", b"{}", _JSON),
    "always 200 without a body": _answer("200 OK"),
    "always 204": _answer("204 No Content"),
    "always 403": _answer("403 Forbidden", _ERROR, _JSON),
    "always 404": _answer("404 Not Found", _ERROR, _JSON),
    "always 429": _answer("429 Too Many Requests", b"", "Retry-After: 0\r\n"),
    "always 500": _answer("500 Internal Server Error", b"{}", _JSON),
    "always 201 with an order id": _answer("201 Created", b'{"order_id": "same"}', _JSON),
    "always 200 with an order id": _answer("200 OK", b'{"order_id": "same", "order_amount": 1}', _JSON),
    "a redirect loop": _answer("302 Found", b"", "Location: /\r\n"),
    "an echo": _echo,
    "garbage": _garbage,
    "silence": _silence,
    "an endless body": _endless,
    "a body that drips": _drip,
}


@contextmanager
def serving(reply: Reply, wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[int]:
    """Answer every request on a free port of 127.0.0.1 with one reply, and yield the port."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_converse, args=(connection, reply, wrap), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def _converse(
    connection: socket.socket, reply: Reply, wrap: Callable[[socket.socket], socket.socket] | None
) -> None:
    with suppress(OSError, ssl.SSLError):
        connection = wrap(connection) if wrap else connection
        with connection:
            while request := _request(connection):
                reply(connection, request)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def certificate(folder: Path) -> ssl.SSLContext:
    """A TLS context with a certificate of its own making."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    command = ["openssl", "req", "-x509", *subject, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
