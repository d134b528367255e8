"""Requests and answers as bytes on a socket, for where it matters when a byte goes out or a connection ends."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

import httpx

from orderproof.exchange import Request, Response
from orderproof.target import Target
from orderproof.transport import LARGEST_ANSWER, tls_context

READING_FAULTS = (OSError, http.client.HTTPException, httpx.DecodingError, ValueError)
"""What `received` raises when there is no whole answer."""


def dial(target: Target, seconds: float) -> socket.socket:
    """Connect to a target, over TLS for https, its certificate checked. Raises OSError.

    `seconds` is how long the connection, and later each read from it, may take.
    """
    parts = urlsplit(target.base_url)
    secure = parts.scheme == "https"
    host = parts.hostname or ""
    connection = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout=seconds)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not secure:
        return connection
    try:
        return tls_context().wrap_socket(connection, server_hostname=host)
    except OSError:
        connection.close()
        raise


def host_of(target: Target) -> str:
    """The value of the `Host` header: host and port as the base URL has them."""
    return urlsplit(target.base_url).netloc.rpartition("@")[2]


def written(target: Target, request: Request) -> bytes:
    """Write a request as the bytes that go out, on a connection that is closed after the answer."""
    prefix = urlsplit(target.base_url).path.rstrip("/")
    headers = [("Host", host_of(target)), *request.headers, ("Connection", "close")]
    if request.body or request.method in ("POST", "PATCH", "PUT"):
        headers.append(("Content-Length", str(len(request.body))))
    lines = [
        f"{request.method} {prefix}{request.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + request.body


def received(connection: socket.socket, method: str) -> Response:
    """Read one answer. Raises one of `READING_FAULTS` when it does not come, breaks off, or is no HTTP."""
    answer = http.client.HTTPResponse(connection, method=method)
    answer.begin()
    while 100 <= answer.status < 200:
        # An interim answer (RFC 9110, 15.2), such as 103 Early Hints; http.client skips 100 alone.
        answer.headers = None  # type: ignore[assignment]
        answer.begin()
    body = answer.read(LARGEST_ANSWER + 1)
    if answer.length or len(body) > LARGEST_ANSWER:
        raise http.client.HTTPException("the answer breaks off, or never ends")
    headers = tuple(answer.getheaders())
    plain = httpx.Response(answer.status, headers=list(headers), content=body).content
    return Response(headers=headers, body=plain, status=answer.status)


def reason(error: Exception) -> str:
    """Say in a few words why there is no answer."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, http.client.RemoteDisconnected) or not isinstance(error, http.client.HTTPException):
        return f"the connection was lost ({str(error).strip() or type(error).__name__})"
    return f"the answer is no HTTP, or breaks off ({type(error).__name__})"
