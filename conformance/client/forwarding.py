"""Requests passed on to the sandbox, and answers written for a client, as bytes."""

from __future__ import annotations

import http.client
import re
import socket
from dataclasses import replace
from urllib.parse import urlsplit

from orderproof.checks.contents import content_of
from orderproof.errors import CannotJudge
from orderproof.exchange import Request, Response

PATIENCE = 30.0
"""Seconds that the sandbox may take."""

_OF_ONE_HOP = frozenset(
    {"connection", "keep-alive", "content-length", "transfer-encoding", "expect", "te", "trailer", "upgrade"}
)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def forward(base_url: str, request: Request) -> Response:
    """Send a request to the sandbox and return its answer. Raises CannotJudge when there is none."""
    parts = urlsplit(base_url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), PATIENCE) as connection:
            connection.sendall(_request_bytes(request))
            answer = http.client.HTTPResponse(connection, method=request.method)
            answer.begin()
            body = answer.read()
            return Response(tuple(answer.getheaders()), body, answer.status)
    except (OSError, http.client.HTTPException) as error:
        raise CannotJudge(
            f"the sandbox did not answer {request.method} {request.target[:80]}: {error}"
        ) from None


def unpacked(request: Request) -> Request:
    """Return the request without a content coding, which the sandbox does not read."""
    content = content_of(request)
    if content == request.body:
        return request
    kept = tuple(pair for pair in request.headers if pair[0].lower() != "content-encoding")
    return replace(request, headers=kept, body=content)


def _request_bytes(request: Request) -> bytes:
    headers = [(name, value) for name, value in request.headers if name.lower() not in _OF_ONE_HOP]
    if request.body or request.method in ("POST", "PATCH", "PUT"):
        headers.append(("Content-Length", str(len(request.body))))
    if not any(name.lower() == "host" for name, _ in headers):
        headers.append(("Host", "localhost"))
    lines = [f"{request.method} {request.target} HTTP/1.1", *_lines(headers), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + request.body


def _lines(headers: list[tuple[str, str]]) -> list[str]:
    # What a client wrote over two lines is judged as that; the sandbox gets it in one.
    return [f"{name}: {' '.join(value.split())}" for name, value in headers if _NAME.fullmatch(name)]


def answer_bytes(answer: Response, method: str, *, close: bool) -> bytes:
    """Write an answer as the bytes of HTTP/1.1; without a body where none belongs."""
    headers = [(name, value) for name, value in answer.headers if name.lower() not in _OF_ONE_HOP]
    if answer.status not in (204, 304):
        headers.append(("Content-Length", str(len(answer.body))))
    if close:
        headers.append(("Connection", "close"))
    reason = http.client.responses.get(answer.status, "")
    lines = [f"HTTP/1.1 {answer.status} {reason}", *_lines(headers)]
    body = b"" if method == "HEAD" or answer.status in (204, 304) else answer.body
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def begun(answer: bytes) -> bytes:
    """The beginning of an answer: up to the middle of its body or, where it has none, of its first header.

    No part of a `Location` is in it: some HTTP libraries take for a whole header what came of one.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    if body:
        return answer[: len(answer) - len(body) // 2]
    first = head.find(b"\r\n") + 2
    return head[: first + len(head[first:].partition(b"\r\n")[0]) // 2]
