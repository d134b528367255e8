"""A request as it arrived: method, path, headers, and a body that is fetched when it is wanted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from orderproof.sandbox.calls import Refusal

LARGEST_BODY = 1_000_000

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Disconnected(Exception):
    """The client went away before its request was complete."""


class Request(NamedTuple):
    """A request.

    `path` is still percent-encoded; the names of `headers` are in lower case, the first value counts.
    """

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    receive: Receive
    scheme: str = "http"

    def header(self, name: bytes) -> str:
        """Return the value of a header, named in lower case; empty when it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def media_type(self) -> str:
        """The `Content-Type` without its parameters, in lower case; empty when there is none."""
        return self.header(b"content-type").partition(";")[0].strip().lower()

    @property
    def origin(self) -> str:
        """The scheme and host that the client used."""
        host = self.header(b"host")
        return f"{self.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"

    async def body(self) -> bytes:
        """Return the whole body.

        Raises Refusal (413) as soon as it is over 1 MB, Disconnected when it never ends.
        """
        announced = self.header(b"content-length")
        if announced.isdigit() and int(announced) > LARGEST_BODY:
            raise _too_large()
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > LARGEST_BODY:
                raise _too_large()
            if not message.get("more_body", False):
                return b"".join(parts)


def _too_large() -> Refusal:
    return Refusal(413, "REQUEST_TOO_LARGE", f"The body is over {LARGEST_BODY} bytes.")


def request_of(scope: Mapping[str, Any], receive: Receive) -> Request:
    """Return the request of an ASGI scope."""
    first = dict(reversed(scope["headers"]))
    return Request(scope["method"], scope["raw_path"].decode("ascii"), first, receive, scope["scheme"])
