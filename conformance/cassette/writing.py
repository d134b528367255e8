"""Cassettes in vcrpy's format: readable by vcrpy, with what the bytes do not show beside them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from orderproof.cassette.entries import NOTE
from orderproof.errors import UsageError
from orderproof.exchange import Exchange, Headers, Message

FORMAT = 1
"""The version of the format that vcrpy writes."""


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes plain data in full: no anchors, which our reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def cassette_text(exchanges: Sequence[Exchange], header: Mapping[str, Any], origin: str) -> str:
    """Return a cassette as text. `header` becomes the block `metadata.orderproof`, `origin` is scheme and host."""
    data = {
        "version": FORMAT,
        "metadata": {"orderproof": dict(header)},
        "interactions": [_interaction(exchange, origin) for exchange in exchanges],
    }
    return str(yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000))


def _interaction(exchange: Exchange, origin: str) -> dict[str, Any]:
    request, response = exchange.request, exchange.response
    moment = datetime.fromtimestamp(exchange.sent_at, UTC).isoformat(timespec="microseconds")
    return {
        "recorded_at": moment.replace("+00:00", "Z"),
        NOTE: _note(exchange),
        "request": {
            "method": request.method,
            "uri": origin + request.target,
            "body": _body(request),
            "headers": _headers(request.headers),
        },
        "response": None
        if response is None
        else {
            "status": {"code": response.status, "message": _phrase(response.status)},
            "headers": _headers(response.headers),
            "body": {"string": _body(response)},
        },
    }


def _note(exchange: Exchange) -> dict[str, Any]:
    """What the bytes do not show, without what is as usual."""
    note: dict[str, Any] = {"took": round(exchange.answered_at - exchange.sent_at, 6)}
    for name, usual in (("clock", 0.0), ("advances", 0.0), ("credentials", "own")):
        value = getattr(exchange, name)
        if value != usual:
            note[name] = value
    if exchange.facts:
        note["facts"] = sorted(exchange.facts)
    if exchange.stands_for:
        note["stands_for"] = dict(exchange.stands_for)
    return note


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _headers(headers: Headers) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for name, value in headers:
        table.setdefault(name, []).append(value)
    return table


def _body(message: Message) -> str | bytes:
    try:
        return message.body.decode("utf-8")
    except UnicodeDecodeError:
        return message.body


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all. Raises UsageError where that is not possible."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
        temporary = ""
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
