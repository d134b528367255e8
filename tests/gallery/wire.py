"""HTTP as the gallery's servers speak it: calls in, answers out, one write a reply."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.gallery.server import Fake

MOST_BODY = 32_000_000
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in: header names in lower case, the path still percent-encoded, who sent it."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    def header(self, name: str) -> str | None:
        return self.headers.get(name.lower())


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, before the headers that frame it."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def plus(self, *headers: tuple[str, str]) -> Answer:
        return replace(self, headers=self.headers + headers)

    def without(self, *names: str) -> Answer:
        dropped = {name.lower() for name in names}
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() not in dropped))

    def having(self, name: str, value: str) -> Answer:
        return self.without(name).plus((name, value))


class BadMessage(Exception):
    """What came in is not an HTTP request."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def head_of(protocol: str, status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    lines = [
        f"{protocol} {status} {_phrase(status)}",
        *(f"{name}: {value}" for name, value in headers),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1", "replace")


def chunks_of(body: bytes, size: int = 700) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Conversation(StreamRequestHandler):
    """One connection: requests read and answered until either side has had enough."""

    disable_nagle_algorithm = True
    rbufsize = 65536
    server: Gateway

    def handle(self) -> None:
        try:
            while self.exchange():
                pass
        except (ConnectionError, TimeoutError):
            pass

    def exchange(self) -> bool:
        """Answer one request, and say whether the connection stays."""
        fake = self.server.fake
        try:
            request = self.incoming()
        except BadMessage as error:
            self.wfile.write(head_of("HTTP/1.1", 400, [("Content-Length", "0"), ("Connection", "close")]))
            print(f"bad message: {error}", file=sys.stderr)
            return False
        if request is None:
            return False
        version, call = request
        answer = fake.answer(call)
        lingers = self.lingers(version, call, answer)
        self.wfile.write(self.framed(call, answer, lingers))
        return lingers

    def lingers(self, version: str, call: Call, answer: Answer) -> bool:
        if self.server.fake.closes or "close" in (answer.header("Connection") or ""):
            return False
        wish = (call.header("connection") or "").lower()
        return "close" not in wish and (version != "HTTP/1.0" or "keep-alive" in wish)

    def framed(self, call: Call, answer: Answer, lingers: bool) -> bytes:
        fake = self.server.fake
        headers = list(answer.headers)
        if fake.sends_date and answer.header("Date") is None:
            headers.append(("Date", formatdate(fake.now(), usegmt=True)))
        body = answer.body
        if fake.chunked and body and answer.status != 204 and fake.protocol == "HTTP/1.1":
            headers.append(("Transfer-Encoding", "chunked"))
            body = chunks_of(body)
        elif answer.status != 204 or body:
            headers.append(("Content-Length", str(len(body))))
        if not lingers and answer.header("Connection") is None:
            headers.append(("Connection", "close"))
        if fake.lower_case_headers:
            headers = [(name.lower(), value) for name, value in headers]
        head = head_of(fake.protocol, answer.status, headers)
        return head if call.method == "HEAD" else head + body

    def incoming(self) -> tuple[str, Call] | None:
        line = self.rfile.readline(65537)
        while line in (b"\r\n", b"\n"):
            line = self.rfile.readline(65537)
        if not line:
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            raise BadMessage(repr(line[:80]))
        method, target, version = words
        headers = self.fields()
        return version, Call(method, self.path_of(target), headers, self.content(headers), self.peer())

    def peer(self) -> str:
        return f"{self.client_address[0]}:{self.client_address[1]}"

    @staticmethod
    def path_of(target: str) -> str:
        if "://" in target.partition("?")[0]:
            target = "/" + target.split("://", 1)[1].partition("/")[2]
        return target.partition("?")[0].partition("#")[0]

    def fields(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while True:
            line = self.rfile.readline(65537)
            if line in (b"\r\n", b"\n", b""):
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadMessage(repr(line[:80]))
            headers[name.strip().lower()] = value.strip()

    def content(self, headers: dict[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self.chunked_content()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY:
            raise BadMessage(f"Content-Length {length[:40]}")
        return self.exactly(int(length))

    def exactly(self, length: int) -> bytes:
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ConnectionResetError("the body ended early")
        return body

    def chunked_content(self) -> bytes:
        parts: list[bytes] = []
        while True:
            try:
                size = int(self.rfile.readline(1000).partition(b";")[0], 16)
            except ValueError as error:
                raise BadMessage("chunk size") from error
            if not size:
                self.fields()
                return b"".join(parts)
            parts.append(self.exactly(size))
            self.rfile.readline(10)


class Gateway(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and hands every call to one fake."""

    request_queue_size = 256
    daemon_threads = True
    block_on_close = False

    def __init__(self, fake: Fake, port: int = 0) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", port), Conversation)

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of the standard server."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        kind, error, _ = sys.exc_info()
        if kind is not None and not issubclass(kind, ConnectionError):
            print(f"{time.strftime('%H:%M:%S')} {kind.__name__}: {error}", file=sys.stderr)
