"""One entry of a recording as an exchange, whichever of the formats it is written in.

vcrpy's and the Ruby library's interactions, HAR entries, lines of a history, and flat objects with a method, a `uri`
and a status are told apart by what they have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orderproof.cassette.har import har_entry
from orderproof.cassette.pieces import (
    body_at,
    decoded,
    header_table,
    is_value,
    mapping_at,
    seconds,
    shown,
    status_at,
    target_of,
    text_at,
)
from orderproof.cassette.source import Malformed
from orderproof.exchange import Exchange, Headers, Request, Response, from_record
from orderproof.model.values import instant
from orderproof.operations import OPERATIONS

NOTE = "orderproof"
"""The key beside request and response under which our cassettes keep what the bytes do not show."""

FAR_OFF = 3600.0
"""Seconds between the time of a recording and the server's `Date` that are no mere inaccuracy."""

_NUMBER_NOTES = ("clock", "advances")


@dataclass(frozen=True)
class Entry:
    """An exchange as it was recorded, its target with whatever stands before the path of the API.

    `exchange.number` is its position in the file from 1, `exchange.scenario` the name of the file. `timed` says that
    the recording told when it was sent, `whole` that it has both bodies, and they can be read,
    `own` that our recorder wrote it.
    """

    exchange: Exchange
    timed: bool = True
    whole: bool = True
    own: bool = False


def entry_of(raw: Any, number: int, scenario: str, previous: float = 0.0) -> Entry:
    """Read an entry. `previous` is the time of the one before, for a recording that does not tell any.

    Raises Malformed for one without a request that can be read.
    """
    if not isinstance(raw, Mapping):
        raise Malformed(f"it is not an object but {shown(raw)}")
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
    sent = Request(
        headers=_with_media_type(header_table(request.get("headers")), request.get("body")),
        body=body_at(request.get("body"), "request.body"),
        method=text_at(request.get("method"), "request.method").upper(),
        target=target_of(request.get("uri")),
    )
    response, whole = _response(raw.get("response"))
    note = _note(raw.get(NOTE))
    sent_at, timed = _time(seconds(raw.get("recorded_at")), response, previous)
    exchange = Exchange(
        number=number,
        request=sent,
        response=response,
        sent_at=sent_at,
        answered_at=sent_at + note.pop("took"),
        scenario=scenario,
        **_inferred(note, response, sent_at),
    )
    return Entry(exchange, timed, whole, own=NOTE in raw)


def _of_har(raw: Mapping[str, Any], number: int, scenario: str, previous: float) -> Entry:
    found = har_entry(raw)
    sent_at, timed = _time(found.sent_at, found.response, previous)
    exchange = Exchange(
        number=number,
        request=found.request,
        response=found.response,
        sent_at=sent_at,
        answered_at=sent_at + found.took,
        scenario=scenario,
        fault=None if found.response else "the recording has no answer",
        **_inferred({}, found.response, sent_at),
    )
    return Entry(exchange, timed, found.whole)


def _with_media_type(headers: Headers, body: Any) -> Headers:
    """Add the media type of a body that was recorded as a value: the recorder saw it before the client named one."""
    named = any(name.lower() == "content-type" for name, _ in headers)
    return headers if named or not is_value(body) else (*headers, ("Content-Type", "application/json"))


def _response(raw: Any) -> tuple[Response | None, bool]:
    """Return the answer, if there is one, and whether its body can be read."""
    if raw is None:
        return None, True
    if not isinstance(raw, Mapping):
        raise Malformed(f"response is {shown(raw)}, not a mapping")
    status = raw.get("status")
    code = status.get("code") if isinstance(status, Mapping) else status
    headers = header_table(raw.get("headers"))
    packed = body_at(raw.get("body"), "response.body")
    body = decoded(packed, headers)
    answer = Response(headers=headers, body=packed if body is None else body, status=status_at(code))
    return answer, body is not None


def _time(recorded: float | None, response: Response | None, previous: float) -> tuple[float, bool]:
    """Return when the request was sent, and whether the recording says so.

    Where it does not, the server's own `Date` does, or what its answer shows as past; else it was not before the
    entry before it.
    """
    if recorded is not None:
        return recorded, True
    if response is None:
        return previous, False
    date = seconds(response.header("date"))
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
    note = mapping_at(raw, NOTE)
    found: dict[str, Any] = {"took": 0.0}
    for name in (*_NUMBER_NOTES, "took"):
        if name in note:
            value = note[name]
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise Malformed(f"{NOTE}.{name} is {shown(value)}, not a number")
            found[name] = float(value)
    if "credentials" in note:
        found["credentials"] = text_at(note["credentials"], f"{NOTE}.credentials")
    if "facts" in note:
        found["facts"] = frozenset(map(str, _list(note["facts"])))
    if "stands_for" in note:
        found["stands_for"] = _call_meant(note["stands_for"])
    return found


def _call_meant(raw: Any) -> dict[str, str]:
    """The operation and ids that a followed `Location` stands for."""
    meant = {str(name): str(value) for name, value in mapping_at(raw, "stands_for").items()}
    operation = OPERATIONS.get(meant.get("operation", ""))
    if operation is None or set(meant) != {"operation", *operation.parameters}:
        raise Malformed(f"stands_for is {shown(raw)}, not an operation with its ids")
    return meant


def _check_note(found: Exchange) -> None:
    """Raise Malformed where a line of a history has something of another type beside the bytes."""
    if found.stands_for is not None:
        _call_meant(found.stands_for)
    numbers = (found.clock, found.advances, found.group or 0)
    if not all(isinstance(value, int | float) for value in numbers) or not isinstance(found.credentials, str):
        raise Malformed(f"it has clock, advances, group or credentials of another type: {shown(numbers)}")


def _inferred(note: dict[str, Any], response: Response | None, sent_at: float) -> dict[str, Any]:
    """What an answer says beside the note: a 401 of wrong credentials, a `Date` far off of a clock that was moved."""
    found = dict(note)
    if response is not None and response.status == 401:
        found.setdefault("credentials", "unknown")
    date = seconds(response.header("date")) if response is not None else None
    if date is not None and abs(date - sent_at) > FAR_OFF:
        found.setdefault("clock", date - sent_at)
    return found
