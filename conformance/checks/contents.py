"""What a request body says: freed of its content coding, and read as JSON the way RFC 8259 has it."""

from __future__ import annotations

import json
import zlib
from typing import Any, NoReturn

from orderproof.exchange import ABSENT, Request

MOST_BYTES = 16_000_000
"""What unpacks to more than this is left packed."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def content_of(request: Request) -> bytes:
    """Return the body of a request without its content coding (RFC 9110, 8.4); as it is where that is not known."""
    window = _WINDOWS.get((request.header("content-encoding") or "").strip().lower())
    if window is None or not request.body:
        return request.body
    unpacking = zlib.decompressobj(window)
    try:
        content = unpacking.decompress(request.body, MOST_BYTES)
    except zlib.error:
        return request.body
    return content if unpacking.eof else request.body


def json_of(content: bytes) -> Any:
    """Return the JSON value of a body, or ABSENT.

    RFC 8259 wants UTF-8 (section 8.1) without a byte order mark, and knows no NaN.
    """
    try:
        return json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return ABSENT


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
