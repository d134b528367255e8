"""Requests as they arrive on a connection, with every byte that does not belong to one.

A server library drops or repairs what is badly framed. Here it is kept, and said.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass

from orderproof.exchange import Headers, Request

STRAY_SECONDS = 0.01
"""So long a request that announces no body is watched for bytes that follow it all the same."""

MOST_BYTES = 16_000_000
"""A head, or a body, beyond this is not read to its end."""

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) (HTTP/1\.[01])")
_BEGINS_A_REQUEST = re.compile(rb"[A-Z]{1,20}( |\Z)")
_ORIGIN = re.compile(r"\Ahttps?://[^/?#]*", re.IGNORECASE)
_SECRET = re.compile(rb"(authorization\s*:[ \t]*)[^\r\n]*", re.IGNORECASE)
_HTTP_2 = b"PRI * HTTP/2.0\r\n\r\n"
_SHOWN = 60


class OtherProtocol(OSError):
    """The client speaks something that is not HTTP/1; the text says what."""


@dataclass(frozen=True)
class Arrival:
    """A request as it arrived. `faults` say what is wrong with its framing, each a clause.

    A request that is not `whole` broke off, or cannot be read. After a `last` one the connection has to close.
    """

    request: Request
    faults: tuple[str, ...] = ()
    whole: bool = True
    last: bool = False


class Arrivals:
    """Reads the requests of one connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._waiting = b""

    def next(self) -> Arrival | None:
        """Return the next request, or None when the client is done.

        Raises OSError on a broken connection, OtherProtocol where it speaks HTTP/2 without having asked.
        """
        blank = self._skip_blank_lines()
        head = self._head()
        if not head:
            return _unreadable(blank, b"", "an empty line outside any message") if blank else None
        if head == _HTTP_2:
            raise OtherProtocol("HTTP/2 without asking for it, where only HTTP/1.1 is understood")
        if _END_OF_HEAD.search(head) is None:
            return _unreadable(head, head, "bytes that are no whole request")
        return self._read(head, ["an empty line before the request"] if blank else [])

    def _read(self, head: bytes, faults: list[str]) -> Arrival:
        lines = head.split(b"\n")[:-2]
        if any(not line.endswith(b"\r") for line in lines):
            faults.append("a line that ends with a bare line feed")
        first, *fields = (line.removesuffix(b"\r").decode("latin-1") for line in lines)
        found = _REQUEST_LINE.fullmatch(first)
        if found is None:
            return _unreadable(head, head, "bytes that are no request line")
        headers = _headers(fields, faults)
        method, target = found[1], _ORIGIN.sub("", found[2], count=1) or "/"
        if _first(headers, "expect").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, whole = self._body(headers, faults)
        if whole:
            self._look_for_strays(method, headers, faults)
        last = _is_last(headers, found[3]) or any("after" in fault for fault in faults)
        return Arrival(Request(headers, body, method, target), tuple(faults), whole, last)

    def has_hung_up(self, seconds: float) -> bool:
        """Wait so long for the client to close the connection, or to reset it; says whether it did."""
        if not self._is_readable(seconds):
            return False
        try:
            received = self._connection.recv(65_536)
        except OSError:
            return True
        self._waiting += received
        return not received

    def _skip_blank_lines(self) -> bytes:
        blank = b""
        while True:
            if not self._waiting and not self._more():
                return blank
            rest = self._waiting.lstrip(b"\r\n")
            blank += self._waiting[: len(self._waiting) - len(rest)]
            self._waiting = rest
            if rest:
                return blank

    def _head(self) -> bytes:
        """The bytes up to the empty line that ends a head; without one, all that came."""
        start = 0
        while True:
            found = _END_OF_HEAD.search(self._waiting, start)
            if found is not None:
                return self._take(found.end())
            start = max(len(self._waiting) - 3, 0)
            if len(self._waiting) > MOST_BYTES or not self._more():
                return self._take(len(self._waiting))

    def _body(self, headers: Headers, faults: list[str]) -> tuple[bytes, bool]:
        coding, length = _first(headers, "transfer-encoding").lower(), _length(headers, faults)
        if coding and any(name.lower() == "content-length" for name, _ in headers):
            faults.append("both a Content-Length and a Transfer-Encoding")
        if coding:
            return self._chunks(faults)
        while len(self._waiting) < length:
            if length > MOST_BYTES or not self._more():
                faults.append(f"a body that ends after {len(self._waiting)} of {length} bytes")
                return self._take(len(self._waiting)), False
        return self._take(length), True

    def _chunks(self, faults: list[str]) -> tuple[bytes, bool]:
        body = b""
        while True:
            size = self._line().partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size) or int(size, 16) + len(body) > MOST_BYTES:
                faults.append("a chunked body that is not whole")
                return body, False
            if int(size, 16) == 0:
                while self._line().strip():
                    continue
                return body, True
            while len(self._waiting) < int(size, 16) + 2 and self._more():
                continue
            body += self._take(int(size, 16) + 2)[:-2]

    def _line(self) -> bytes:
        while b"\n" not in self._waiting and self._more():
            continue
        return self._take(self._waiting.find(b"\n") + 1 or len(self._waiting))

    def _look_for_strays(self, method: str, headers: Headers, faults: list[str]) -> None:
        announced = any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers)
        if not self._waiting and self._is_readable(0 if announced else STRAY_SECONDS):
            self._more()
        if self._waiting and not _BEGINS_A_REQUEST.match(self._waiting):
            stray = self._take(len(self._waiting))
            after = "its announced body" if announced else f"a {method} that announces no body"
            faults.append(f"{len(stray)} bytes after {after}: {_shown(stray)}")

    def _is_readable(self, seconds: float) -> bool:
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        return bool(select.select([self._connection], [], [], seconds)[0])

    def _more(self) -> bool:
        received = self._connection.recv(65_536)
        self._waiting += received
        return bool(received)

    def _take(self, size: int) -> bytes:
        taken, self._waiting = self._waiting[:size], self._waiting[size:]
        return taken


def _unreadable(seen: bytes, body: bytes, fault: str) -> Arrival:
    # No header is found in it by whoever hides secrets later.
    request = Request((), _SECRET.sub(rb"\1REDACTED", body), "?", "")
    shown = _shown(_SECRET.sub(rb"\1REDACTED", seen))
    return Arrival(request, (f"{fault}: {shown}",), whole=False, last=True)


def _shown(content: bytes) -> str:
    text = content[:_SHOWN].decode("utf-8", "backslashreplace")
    return repr(text) + ("…" if len(content) > _SHOWN else "")


def _headers(lines: Iterable[str], faults: list[str]) -> Headers:
    headers: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[:1] in (" ", "\t") and headers:
            before = headers.pop()
            headers.append((before[0], f"{before[1]}\r\n{line}"))
        elif not colon or not _TOKEN.fullmatch(name):
            faults.append(f"a header line that is none: {_shown(name.encode('latin-1'))}")
        else:
            headers.append((name, value.strip(" \t")))
    return tuple(headers)


def _first(headers: Headers, wanted: str) -> str:
    return next((value for name, value in headers if name.lower() == wanted), "")


def _length(headers: Headers, faults: list[str]) -> int:
    values = {value for name, value in headers if name.lower() == "content-length"}
    if not values:
        return 0
    if len(values) > 1 or not all(re.fullmatch(r"\d{1,12}", value) for value in values):
        faults.append(f"a Content-Length that is none: {', '.join(sorted(values))[:_SHOWN]}")
        return 0
    return int(values.pop())


def _is_last(headers: Headers, version: str) -> bool:
    connection = _first(headers, "connection").lower()
    return "close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection)
