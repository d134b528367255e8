"""A proxy between client and target that loses one answer: the connection ends before, while or after it is given."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from enum import Enum
from types import TracebackType
from typing import Self

from orderproof.drivers.wire import READING_FAULTS, dial, host_of, received, written
from orderproof.exchange import Request, Response
from orderproof.target import Target
from orderproof.transport import Delivery


class Fate(Enum):
    """Where an answer is lost; the value completes the sentence "the connection was cut ..."."""

    BEFORE = "before the server had the request"
    HANG_UP = "while the server was at work"
    AFTER = "after the server had answered"
    MIDDLE = "in the middle of the answer"


class Proxy:
    """Listens on a free port of 127.0.0.1, and passes one request on to a target as its fate wants it.

    The client speaks plain HTTP to it; towards the target it speaks TLS where the target does, under the target's own
    `Host`. As a context manager it is there until the block ends.
    """

    def __init__(self, target: Target, fate: Fate) -> None:
        self._target = target
        self._fate = fate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(target.timeout)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self._listener.getsockname()
        return str(host), int(port)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.join(4 * self._target.timeout)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(*READING_FAULTS):
            client, _ = self._listener.accept()
            with client:
                client.settimeout(self._target.timeout)
                content = _request(client)
                if self._fate is not Fate.BEFORE:
                    self._pass_on(client, content)

    def _pass_on(self, client: socket.socket, content: bytes) -> None:
        with dial(self._target, self._target.timeout) as server:
            server.sendall(_addressed(content, host_of(self._target)))
            if self._fate is Fate.HANG_UP:
                return
            answer = _written(received(server, content.partition(b" ")[0].decode("ascii")))
            if self._fate is Fate.MIDDLE:
                client.sendall(answer[: len(answer) // 2])


def _request(client: socket.socket) -> bytes:
    """Read one request with a `Content-Length`, or none. Raises ConnectionError when it breaks off."""
    content = b""
    while b"\r\n\r\n" not in content:
        content += _some(client)
    head, _, body = content.partition(b"\r\n\r\n")
    fields = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    length = next((int(value) for name, _, value in fields if name == b"content-length"), 0)
    while len(body) < length:
        body += _some(client)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the connection ended early")
    return data


def _addressed(content: bytes, host: str) -> bytes:
    """Put the target's own name into the `Host` header."""
    head, _, body = content.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"host:")]
    return b"\r\n".join([lines[0], b"Host: " + host.encode("ascii"), *lines[1:], b"", body])


def _written(response: Response) -> bytes:
    framing = ("content-length", "transfer-encoding", "content-encoding")
    headers = [f"{name}: {value}" for name, value in response.headers if name.lower() not in framing]
    length = [f"Content-Length: {len(response.body)}"] if response.body else []
    head = [f"HTTP/1.1 {response.status} Answer", *headers, *length, "", ""]
    return "\r\n".join(head).encode("latin-1", "replace") + response.body


def lose(target: Target, request: Request, fate: Fate) -> Delivery:
    """Send a request through a proxy that loses the answer in one way; the delivery has none."""
    sent_at = time.time()
    with Proxy(target, fate) as proxy, socket.create_connection(proxy.address) as client:
        client.settimeout(2 * target.timeout)
        with suppress(OSError):
            client.sendall(written(target, request))
            while client.recv(65536):
                pass
    fault = f"lost on purpose: the connection was cut {fate.value}"
    return Delivery(None, fault, sent_at, time.time(), sent=fate is not Fate.BEFORE)
