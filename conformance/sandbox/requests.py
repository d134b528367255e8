"""A request as it arrived: method, path, headers, and a body that is fetched when it is wanted."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderproof.sandbox.calls import Refusal

LARGEST_BODY = 1_000_000

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class Disconnected(Exception):
    """The client went away before its request was complete."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    `path` is still percent-encoded; the names of `headers` are in lower case, the first value counts.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    receive: Receive
    scheme: str = "http"

    @property
    def media_type(self) -> str:
        """The `Content-Type` without its parameters, in lower case; empty when there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def origin(self) -> str:
        """The scheme and host that the client used."""
        host = self.headers.get("host", "")
        return f"{self.scheme}://{host if _HOST.fullmatch(host) else 'localhost'}"

    async def body(self) -> bytes:
        """Return the whole body.

        Raises Refusal (413) as soon as it is over 1 MB, Disconnected when it never ends.
        """
        announced = self.headers.get("content-length", "")
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
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
    return Request(scope["method"], scope["raw_path"].decode("ascii"), headers, receive, scope["scheme"])
