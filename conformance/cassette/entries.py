"""One entry of a recording as an exchange, whichever of the formats it is written in.

vcrpy's and the Ruby library's interactions, HAR entries, lines of a history, and flat objects with a method, a `uri`
and a status are told apart by what they have.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from orderproof.cassette.source import LARGEST_BODY, Malformed
from orderproof.exchange import Exchange, Headers, Request, Response, from_record
from orderproof.model.values import instant
from orderproof.operations import OPERATIONS

NOTE = "orderproof"
"""The key beside request and response under which our cassettes keep what the bytes do not show."""

_GZIP = b"\x1f\x8b"
_NUMBER_NOTES = ("clock", "advances")


@dataclass(frozen=True)
class Entry:
    """An exchange as it was recorded, its target with whatever stands before the path of the API.

    `exchange.number` is its position in the file from 1, `exchange.scenario` the name of the file. `origin` is scheme
    and host, as far as they are known. `timed` says that the recording told when it was sent, `whole` that it
    has both bodies.
    """

    exchange: Exchange
    origin: str = ""
    timed: bool = True
    whole: bool = True


def entry_of(raw: Any, number: int, scenario: str, previous: float = 0.0) -> Entry:
    """Read an entry. `previous` is the time of the one before, for a recording that does not tell any.

    Raises Malformed for one without a request that can be read.
    """
    if not isinstance(raw, Mapping):
        raise Malformed(f"it is not an object but {_shown(raw)}")
    if "method" in raw:
        return _of_flat(raw, number, scenario, previous)
    request = raw.get("request")
    if not isinstance(request, Mapping):
        raise Malformed("it has no request")
    if "target" in request:
        return _of_history(raw, number, scenario)
    if "url" in request:
        return _of_har(raw, number, scenario, previous)
    return _of_interaction(raw, request, number, scenario, previous)


def _of_history(raw: Mapping[str, Any], number: int, scenario: str) -> Entry:
    try:
        found = from_record(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"it is no exchange of a history: {type(error).__name__} at {error}"[:160]) from None
    _check_note(found)
    return Entry(replace(found, number=number, scenario=scenario))


def _of_flat(raw: Mapping[str, Any], number: int, scenario: str, previous: float) -> Entry:
    """An object with everything at its top: method, uri, status, headers and bodies of request and response."""
    request, response = (
        {name: raw.get(f"{side}_{name}") for name in ("headers", "body")} for side in ("request", "response")
    )
    request |= {"method": raw["method"], "uri": raw.get("uri", raw.get("url"))}
    response |= {"status": raw.get("status")}
    interaction = {"response": response, "recorded_at": raw.get("recorded_at")}
    return _of_interaction(interaction, request, number, scenario, previous)


def _of_interaction(
    raw: Mapping[str, Any], request: Mapping[str, Any], number: int, scenario: str, previous: float
) -> Entry:
    origin, target = _address(request.get("uri"))
    sent = Request(
        headers=_headers(request.get("headers")),
        body=_body(request.get("body"), "request.body"),
        method=_text(request.get("method"), "request.method").upper(),
        target=target,
    )
    response = _response(raw.get("response"))
    note = _note(raw.get(NOTE))
    sent_at, timed = _time(_seconds(raw.get("recorded_at")), response, previous)
    exchange = Exchange(
        number=number,
        request=sent,
        response=response,
        sent_at=sent_at,
        answered_at=sent_at + note.pop("took"),
        scenario=scenario,
        **_with_credentials(note, response),
    )
    return Entry(exchange, origin, timed)


def _response(raw: Any) -> Response | None:
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise Malformed(f"response is {_shown(raw)}, not a mapping")
    status = raw.get("status")
    code = status.get("code") if isinstance(status, Mapping) else status
    headers = _headers(raw.get("headers"))
    body = _decoded(_body(raw.get("body"), "response.body"), headers)
    return Response(headers=headers, body=body, status=_status(code))


def _status(code: Any) -> int:
    if isinstance(code, bool) or not isinstance(code, int) or not 100 <= code <= 999:
        raise Malformed(f"response.status is {_shown(code)}, not a number from 100 to 999")
    return code


def _of_har(raw: Mapping[str, Any], number: int, scenario: str, previous: float) -> Entry:
    request, answer = raw["request"], raw.get("response")
    origin, target = _address(request.get("url"))
    posted = _mapping(request.get("postData"), "request.postData")
    sent = Request(
        headers=_pairs(request.get("headers")),
        body=_har_body(posted, "request.postData"),
        method=_text(request.get("method"), "request.method").upper(),
        target=target,
    )
    response, whole = _har_response(_mapping(answer, "response"))
    sent_at, timed = _time(_seconds(raw.get("startedDateTime")), response, previous)
    took = raw.get("time")
    duration = max(0.0, float(took)) / 1000 if isinstance(took, int | float) else 0.0
    exchange = Exchange(
        number=number,
        request=sent,
        response=response,
        sent_at=sent_at,
        answered_at=sent_at + duration,
        scenario=scenario,
        fault=None if response else "the recording has no answer",
        **_with_credentials({}, response),
    )
    lacks_body = _claims(request.get("bodySize")) > 0 and not sent.body
    return Entry(exchange, origin, timed, whole and not lacks_body)


def _har_response(answer: Mapping[str, Any]) -> tuple[Response | None, bool]:
    """Return the answer, if there is one, and whether its body was recorded."""
    status = answer.get("status", 0)
    if status == 0:
        return None, True
    content = _mapping(answer.get("content"), "response.content")
    headers = _pairs(answer.get("headers"))
    body = _decoded(_har_body(content, "response.content"), headers)
    lacks_body = _claims(content.get("size")) > 0 and "text" not in content
    return Response(headers=headers, body=body, status=_status(status)), not lacks_body


def _har_body(content: Mapping[str, Any], where: str) -> bytes:
    _claims(content.get("size"))
    text = content.get("text")
    if text is not None and not isinstance(text, str):
        raise Malformed(f"{where}.text is {_shown(text)}, not text")
    if content.get("encoding") == "base64":
        return _limited(_base64(text or "", where))
    return _limited((text or "").encode("utf-8", "surrogatepass"))


def _claims(size: Any) -> int:
    """Return the number of bytes that a recording says a body has. Raises Malformed for one that none has."""
    claimed = size if isinstance(size, int) and not isinstance(size, bool) else 0
    if claimed > LARGEST_BODY:
        raise Malformed(
            f"it claims a body of {claimed:,} bytes: no more than {LARGEST_BODY // 1_000_000} MB are read"
        )
    return claimed


def _pairs(raw: Any) -> Headers:
    """HAR headers; the pseudo-headers of HTTP/2, which browsers add to them, are none."""
    items = [] if raw is None else raw
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise Malformed(f"headers are {_shown(raw)}, not a list of names and values")
    pairs = ((item.get("name"), item.get("value")) for item in items)
    return _checked((name, value) for name, value in pairs if not str(name).startswith(":"))


def _headers(raw: Any) -> Headers:
    """Headers of an interaction: a mapping from names to a value or a list of values."""
    if not isinstance(raw, Mapping | None):
        raise Malformed(f"headers are {_shown(raw)}, not a mapping")
    pairs = []
    for name, values in (raw or {}).items():
        pairs += [(name, value) for value in (values if isinstance(values, list) else [values])]
    return _checked(iter(pairs))


def _checked(pairs: Iterator[tuple[Any, Any]]) -> Headers:
    checked = []
    for name, value in pairs:
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if not isinstance(name, str) or isinstance(value, dict | list):
            raise Malformed(f"the header {_shown(name)} has the value {_shown(value)}, not text")
        checked.append((name, "" if value is None else str(value)))
        if name.lower() == "content-length" and checked[-1][1].strip().isdecimal():
            _claims(int(checked[-1][1][:18]))
    return tuple(checked)


def _body(raw: Any, where: str) -> bytes:
    """A body in any of the ways that cassettes have: nothing, text, bytes, or a mapping around one of them."""
    if isinstance(raw, Mapping):
        if isinstance(encoded := raw.get("base64_string"), str):
            return _limited(_base64(encoded, where))
        raw = raw.get("string")
    if raw is None:
        return b""
    if not isinstance(raw, str | bytes):
        raise Malformed(f"{where} is {_shown(raw)}, not text")
    return _limited(raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogatepass"))


def _base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Malformed(f"{where} is not base64") from None


def _limited(body: bytes) -> bytes:
    _claims(len(body))
    return body


def _decoded(body: bytes, headers: Headers) -> bytes:
    """Undo a content coding that the recorder left in place."""
    coding = next(
        (value.strip().lower() for name, value in headers if name.lower() == "content-encoding"), ""
    )
    if coding not in ("gzip", "x-gzip") or not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, LARGEST_BODY)
    except zlib.error as error:
        raise Malformed(f"response.body is not gzip, though its headers say so: {error}") from None
    if not unpacker.eof and not unpacker.unconsumed_tail:
        raise Malformed("response.body is gzip that breaks off")
    if unpacker.unconsumed_tail:
        raise Malformed(
            f"response.body unpacks to more than the {LARGEST_BODY // 1_000_000} MB that are read"
        )
    return plain


def _address(uri: Any) -> tuple[str, str]:
    """Return scheme and host, and the target: path and query as they stand."""
    text = _text(uri, "request.uri")
    try:
        parts = urlsplit(text)
        host = f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")
    except ValueError:
        raise Malformed(f"request.uri {_shown(text)} is no address") from None
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return (host if parts.scheme else ""), target


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise Malformed(f"{where} is {_shown(value)}, not text")
    return value


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping | None):
        raise Malformed(f"{where} is {_shown(value)}, not an object")
    return value or {}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _seconds(stamp: Any) -> float | None:
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


def _time(recorded: float | None, response: Response | None, previous: float) -> tuple[float, bool]:
    """Return when the request was sent, and whether the recording says so.

    Where it does not, the server's own `Date` does, or what its answer shows as past; else it was not before the
    entry before it.
    """
    if recorded is not None:
        return recorded, True
    if response is None:
        return previous, False
    date = _seconds(response.header("date"))
    return (date, True) if date is not None else (max(previous, _past(response.json)), False)


def _past(body: Any) -> float:
    """The latest time that an answer shows as past."""
    if not isinstance(body, Mapping):
        return 0.0
    names = [
        "created_at",
        "captured_at",
        "refunded_at",
        *(["expires_at"] if body.get("status") == "EXPIRED" else []),
    ]
    parts = [body, *(part for name in ("captures", "refunds") for part in _list(body.get(name)))]
    moments = (instant(part.get(name)) for part in parts if isinstance(part, Mapping) for name in names)
    return max((moment.timestamp() for moment in moments if moment), default=0.0)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _note(raw: Any) -> dict[str, Any]:
    """What our cassettes say beside the bytes, as fields of an exchange, and `took` in seconds."""
    note = _mapping(raw, NOTE)
    found: dict[str, Any] = {"took": 0.0}
    for name in (*_NUMBER_NOTES, "took"):
        if name in note:
            value = note[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Malformed(f"{NOTE}.{name} is {_shown(value)}, not a number")
            found[name] = float(value)
    if "credentials" in note:
        found["credentials"] = _text(note["credentials"], f"{NOTE}.credentials")
    if "facts" in note:
        found["facts"] = frozenset(map(str, _list(note["facts"])))
    if "stands_for" in note:
        found["stands_for"] = _call_meant(note["stands_for"])
    return found


def _call_meant(raw: Any) -> dict[str, str]:
    """The operation and ids that a followed `Location` stands for."""
    meant = {str(name): str(value) for name, value in _mapping(raw, "stands_for").items()}
    operation = OPERATIONS.get(meant.get("operation", ""))
    if operation is None or set(meant) != {"operation", *operation.parameters}:
        raise Malformed(f"stands_for is {_shown(raw)}, not an operation with its ids")
    return meant


def _check_note(found: Exchange) -> None:
    """Raise Malformed where a line of a history has something of another type beside the bytes."""
    if found.stands_for is not None:
        _call_meant(found.stands_for)
    numbers = (found.clock, found.advances, found.group or 0)
    if not all(isinstance(value, int | float) for value in numbers) or not isinstance(found.credentials, str):
        raise Malformed(f"it has clock, advances, group or credentials of another type: {_shown(numbers)}")


def _with_credentials(note: dict[str, Any], response: Response | None) -> dict[str, Any]:
    """A 401 says that the credentials were not right, which the bytes of a scrubbed recording do not show."""
    refused = response is not None and response.status == 401
    return {"credentials": "unknown", **note} if refused and "credentials" not in note else note
