"""The pieces of an entry, checked: addresses, headers, bodies, statuses and times as recorders write them."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from orderproof.cassette.source import LARGEST_BODY, Malformed
from orderproof.exchange import Headers
from orderproof.model.values import instant

_GZIP = b"\x1f\x8b"
_AROUND = frozenset({"string", "base64_string", "encoding"})
"""What stands around a body that is recorded as text."""


def shown(value: Any) -> str:
    """Return a value as a sentence shows it, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def text_at(value: Any, where: str) -> str:
    """Return text that is not empty. Raises Malformed for anything else, naming where it stands."""
    if not isinstance(value, str) or not value:
        raise Malformed(f"{where} is {shown(value)}, not text")
    return value


def mapping_at(value: Any, where: str) -> Mapping[str, Any]:
    """Return an object, an empty one for nothing. Raises Malformed for anything else."""
    if not isinstance(value, Mapping | None):
        raise Malformed(f"{where} is {shown(value)}, not an object")
    return value or {}


def status_at(code: Any) -> int:
    """Return a status code. Raises Malformed for what is none."""
    if isinstance(code, bool) or not isinstance(code, int) or not 100 <= code <= 999:
        raise Malformed(f"response.status is {shown(code)}, not a number from 100 to 999")
    return code


def target_of(uri: Any) -> str:
    """Return path and query of an address as they stand. Raises Malformed for what is none."""
    text = text_at(uri, "request.uri")
    try:
        parts = urlsplit(text)
        reachable = parts.port != 0
    except ValueError:
        reachable = False
    if not reachable:
        raise Malformed(f"request.uri {shown(text)} is no address")
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def header_table(raw: Any) -> Headers:
    """Headers of an interaction: a mapping from names to a value or a list of values."""
    if not isinstance(raw, Mapping | None):
        raise Malformed(f"headers are {shown(raw)}, not a mapping")
    pairs = []
    for name, values in (raw or {}).items():
        pairs += [(name, value) for value in (values if isinstance(values, list) else [values])]
    return header_pairs(pairs)


def header_pairs(pairs: Iterable[tuple[Any, Any]]) -> Headers:
    """Return names and values as text. Raises Malformed for other types, and for a `Content-Length` beyond reason."""
    checked = []
    for name, value in pairs:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if not isinstance(name, str) or isinstance(value, dict | list):
            raise Malformed(f"the header {shown(name)} has the value {shown(value)}, not text")
        checked.append((name, "" if value is None else str(value)))
        if name.lower() == "content-length" and checked[-1][1].strip().isdecimal():
            claimed(int(checked[-1][1][:18]))
    return tuple(checked)


def body_at(raw: Any, where: str) -> bytes:
    """A body in any of the ways that cassettes have: nothing, text, bytes, a mapping around one of them, or its value.

    Raises Malformed for anything else.
    """
    if is_value(raw) and (raw or where == "request.body"):
        return limited(_json_of(raw, where))
    if isinstance(raw, Mapping):
        if isinstance(encoded := raw.get("base64_string"), str):
            return limited(from_base64(encoded, where))
        raw = raw.get("string")
    if raw is None:
        return b""
    if not isinstance(raw, str | bytes):
        raise Malformed(f"{where} is {shown(raw)}, not text")
    return limited(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))


def is_value(raw: Any) -> bool:
    """Say whether a body was recorded as what it means instead of as text: vcrpy does so for clients with aiohttp."""
    return isinstance(raw, list) or (isinstance(raw, Mapping) and _AROUND.isdisjoint(raw))


def _json_of(value: Any, where: str) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError):
        raise Malformed(f"{where} is {shown(value)}, neither text nor JSON") from None


def claimed(size: Any) -> int:
    """Return the number of bytes that a recording says a body has. Raises Malformed for one that none has."""
    claimed = size if isinstance(size, int) and not isinstance(size, bool) else 0
    if claimed > LARGEST_BODY:
        raise Malformed(
            f"it claims a body of {claimed:,} bytes: no more than {LARGEST_BODY // 1_000_000} MB are read"
        )
    return claimed


def limited(body: bytes) -> bytes:
    """Return a body. Raises Malformed for one that is larger than those that are read."""
    claimed(len(body))
    return body


def from_base64(text: str, where: str) -> bytes:
    """Return the bytes that base64 stands for. Raises Malformed for what is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{where} is not base64") from None


def decoded(body: bytes, headers: Headers) -> bytes | None:
    """Undo the content codings that the recorder left in place; None for a body in one that cannot be undone here.

    Many recorders undo them and keep the header. Raises Malformed for one that breaks off, or has no end.
    """
    for coding in reversed(_codings(headers)):
        if not body or (is_text(body) and coding not in _CODINGS):
            continue
        if coding not in _CODINGS:
            return None
        body = _CODINGS[coding](body)
    return body


def _codings(headers: Headers) -> list[str]:
    named = (value for name, value in headers if name.lower() == "content-encoding")
    words = (word.strip().lower() for value in named for word in value.split(","))
    return [word for word in words if word not in ("", "identity")]


def is_text(body: bytes) -> bool:
    """Say whether bytes are text, without control characters other than those that lay text out."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\n\r\f" for character in text)


def _ungzipped(body: bytes) -> bytes:
    return _unpacked(body, 31) if body.startswith(_GZIP) else body


def _inflated(body: bytes) -> bytes:
    """Undo deflate, which some servers send without the frame that it should have."""
    if is_text(body):
        return body
    return _unpacked(body, 15 if body[0] & 0x0F == 8 and not int.from_bytes(body[:2]) % 31 else -15)


_CODINGS = {"gzip": _ungzipped, "x-gzip": _ungzipped, "deflate": _inflated}


def _unpacked(body: bytes, form: int) -> bytes:
    """Unpack what zlib packed. `form` is its number for the frame around it."""
    unpacker = zlib.decompressobj(wbits=form)
    try:
        plain = unpacker.decompress(body, LARGEST_BODY)
    except zlib.error as error:
        raise Malformed(f"response.body is not packed as its headers say: {error}") from None
    if unpacker.unconsumed_tail:
        raise Malformed(
            f"response.body unpacks to more than the {LARGEST_BODY // 1_000_000} MB that are read"
        )
    if not unpacker.eof:
        raise Malformed("response.body is packed, and breaks off")
    return plain


def seconds(stamp: Any) -> float | None:
    """Return a time in one of the notations of recordings as seconds since the epoch."""
    moment = instant(stamp)
    if moment is None and isinstance(stamp, str):
        moment = _http_date(stamp)
    if isinstance(stamp, int | float) and not isinstance(stamp, bool):
        return float(stamp) if 0 < stamp < 1e11 else None
    return moment.timestamp() if moment else None


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
