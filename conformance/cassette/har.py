"""Entries of HAR files (HTTP Archive 1.2), as browsers and proxies export them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orderproof.cassette.pieces import (
    claimed,
    decoded,
    from_base64,
    header_pairs,
    limited,
    mapping_at,
    seconds,
    shown,
    status_at,
    target_of,
    text_at,
)
from orderproof.cassette.source import Malformed
from orderproof.exchange import Headers, Request, Response


@dataclass(frozen=True, slots=True)
class HarEntry:
    """What an entry of a HAR file has. Times are in seconds; `whole` says that both bodies were recorded and can be
    read."""

    request: Request
    response: Response | None
    sent_at: float | None
    took: float
    whole: bool


def har_entry(raw: Mapping[str, Any]) -> HarEntry:
    """Read an entry. Raises Malformed for wrong types and for bodies beyond reason."""
    request = mapping_at(raw.get("request"), "request")
    sent = Request(
        headers=_pairs(request.get("headers")),
        body=_body(mapping_at(request.get("postData"), "request.postData"), "request.postData"),
        method=text_at(request.get("method"), "request.method").upper(),
        target=target_of(request.get("url")),
    )
    response, whole = _response(mapping_at(raw.get("response"), "response"))
    took = raw.get("time")
    duration = max(0.0, float(took)) / 1000 if isinstance(took, int | float) else 0.0
    lacks_body = claimed(request.get("bodySize")) > 0 and not sent.body
    return HarEntry(sent, response, seconds(raw.get("startedDateTime")), duration, whole and not lacks_body)


def _response(answer: Mapping[str, Any]) -> tuple[Response | None, bool]:
    """Return the answer, if there is one, and whether its body was recorded and can be read."""
    status = answer.get("status", 0)
    if status == 0:
        return None, True
    content = mapping_at(answer.get("content"), "response.content")
    headers = _pairs(answer.get("headers"))
    packed = _body(content, "response.content")
    body = decoded(packed, headers)
    lacks_body = body is None or (claimed(content.get("size")) > 0 and "text" not in content)
    response = Response(headers=headers, body=packed if body is None else body, status=status_at(status))
    return response, not lacks_body


def _body(content: Mapping[str, Any], where: str) -> bytes:
    claimed(content.get("size"))
    text = content.get("text")
    if text is not None and not isinstance(text, str):
        raise Malformed(f"{where}.text is {shown(text)}, not text")
    if content.get("encoding") == "base64":
        return limited(from_base64(text or "", where))
    return limited((text or "").encode("utf-8", "surrogatepass"))


def _pairs(raw: Any) -> Headers:
    """HAR headers; the pseudo-headers of HTTP/2, which browsers add to them, are none."""
    items = [] if raw is None else raw
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise Malformed(f"headers are {shown(raw)}, not a list of names and values")
    pairs = ((item.get("name"), item.get("value")) for item in items)
    return header_pairs((name, value) for name, value in pairs if not str(name).startswith(":"))
