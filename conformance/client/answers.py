"""Answers as other servers would write them: each change leaves an answer that a client must be able to read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from orderproof import operations
from orderproof.exchange import ABSENT, Headers, Request, Response

UNKNOWN_LINE_TYPE, UNKNOWN_METHOD, UNKNOWN_FIELD = "carbon_offset", "Drone", "x_future_field"
_KNOWN = {UNKNOWN_LINE_TYPE: "physical", UNKNOWN_METHOD: "Home"}
_LISTED = {"type": UNKNOWN_LINE_TYPE, "shipping_method": UNKNOWN_METHOD}
"""The fields of an order line and of shipping info whose values come from a list, and a new value of each."""

_TOLD_APART_BY = {
    "type": ("name", "reference", "quantity", "unit_price", "total_amount"),
    "shipping_method": ("shipping_company", "tracking_number", "return_tracking_number"),
}
_ORDER_TEXTS = ("merchant_reference1", "merchant_reference2", "merchant_data")
_UNSET = (*_ORDER_TEXTS, "description", "reference", "customer", "selected_shipping_option")
SHIPMENT = {
    "shipping_company": "Post",
    "shipping_method": "Home",
    "tracking_number": "SE-1",
    "tracking_uri": "https://shipping.example/SE-1",
}


@dataclass(frozen=True)
class Place:
    """Where the client finds the API, and a URL on another host that listens too.

    `own` are the order lines and the shipping info that the client has sent: they read back as they were sent.
    """

    base_url: str
    elsewhere: str
    own: set[tuple[Any, ...]] = field(default_factory=set)


Rewrite = Callable[[Request, Response, Place], Response]


def with_unknowns(request: Request, answer: Response, place: Place) -> Response:
    """Fields, a line type, a shipping method and headers that no document has."""
    headers = (*answer.headers, ("X-Future-Header", "1"), ("Klarna-Future", 'yes, "quoted"'))
    return _with_json(replace(answer, headers=headers), lambda value: _unknown(value, place.own))


def without_unknowns(request: Request, own: set[tuple[Any, ...]]) -> Request:
    """Take back what `with_unknowns` put in and a client sends again: order lines as it read them, say.

    What the client has written itself is added to `own`.
    """

    def known(item: dict[str, Any]) -> dict[str, Any]:
        own.update(_identity(item, name) for name in _listed(item) if item[name] != _LISTED[name])
        swapped = {
            name: _KNOWN.get(value, value) if isinstance(value, str) else value
            for name, value in item.items()
        }
        swapped.pop(UNKNOWN_FIELD, None)
        return swapped

    if request.json is ABSENT:
        return request
    sent = _each(request.json, known)
    return request if sent == request.json else replace(request, body=json.dumps(sent).encode())


def _listed(item: Mapping[str, Any]) -> Iterator[str]:
    """The field of an order line, or of shipping info, whose value comes from a list."""
    if "type" in item and "total_amount" in item:
        yield "type"
    if "shipping_method" in item:
        yield "shipping_method"


def _identity(item: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    return (name, *(repr(item.get(other)) for other in _TOLD_APART_BY[name]))


def in_lower_case(request: Request, answer: Response, place: Place) -> Response:
    """Header names in lower case, as HTTP/2 gateways pass them on."""
    return replace(answer, headers=tuple((name.lower(), value) for name, value in answer.headers))


def with_charset(request: Request, answer: Response, place: Place) -> Response:
    """`application/json; charset=utf-8`."""
    value = answer.header("content-type")
    return _with_header(answer, "Content-Type", f"{value};charset=utf-8") if value and answer.body else answer


def with_body_on_created(request: Request, answer: Response, place: Place) -> Response:
    """A 201 that carries what was made."""
    if answer.status != 201:
        return answer
    sent = request.json if isinstance(request.json, dict) else {}
    made = answer.header("capture-id") or answer.header("refund-id")
    name = "capture_id" if answer.header("capture-id") else "refund_id"
    body = json.dumps({name: made, **sent}).encode()
    return replace(_with_header(answer, "Content-Type", "application/json"), body=body)


def bare_created(request: Request, answer: Response, place: Place) -> Response:
    """A 201 with its documented headers and nothing else."""
    wanted = ("location", "capture-id", "refund-id")
    headers = tuple(pair for pair in answer.headers if pair[0].lower() in wanted)
    return replace(answer, headers=headers, body=b"") if answer.status == 201 else answer


def bare_no_content(request: Request, answer: Response, place: Place) -> Response:
    """A 204 without any header."""
    return replace(answer, headers=(), body=b"") if answer.status == 204 else answer


def relative_location(request: Request, answer: Response, place: Place) -> Response:
    """`Location` as a path."""
    path = _location_path(answer)
    return _with_header(answer, "Location", path) if path else answer


def absolute_location(request: Request, answer: Response, place: Place) -> Response:
    """`Location` with scheme and host."""
    path = _location_path(answer)
    return _with_header(answer, "Location", place.base_url + path) if path else answer


def location_elsewhere(request: Request, answer: Response, place: Place) -> Response:
    """`Location` on another host, where credentials must not go."""
    path = _location_path(answer)
    return _with_header(answer, "Location", place.elsewhere + path) if path else answer


def with_nulls(request: Request, answer: Response, place: Place) -> Response:
    """Optional fields without a value as null."""
    return _with_json(answer, lambda value: _emptied(value, absent=False))


def without_empties(request: Request, answer: Response, place: Place) -> Response:
    """Optional fields without a value left out."""
    return _with_json(answer, lambda value: _emptied(value, absent=True))


def with_shipping_info(request: Request, answer: Response, place: Place) -> Response:
    """Captures that have been shipped."""
    return _with_json(answer, _shipped)


def _location_path(answer: Response) -> str:
    return urlsplit(answer.header("location") or "").path


def _with_header(answer: Response, name: str, value: str) -> Response:
    kept: Headers = tuple(pair for pair in answer.headers if pair[0].lower() != name.lower())
    return replace(answer, headers=(*kept, (name, value)))


def _with_json(answer: Response, change: Callable[[Any], Any]) -> Response:
    if answer.status != 200 or answer.json is ABSENT:
        return answer
    return replace(answer, body=json.dumps(change(answer.json)).encode())


def _each(value: Any, change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Any:
    """Change every object at any depth, the inner ones first."""
    if isinstance(value, list):
        return [_each(item, change) for item in value]
    if isinstance(value, dict):
        return dict(change({name: _each(item, change) for name, item in value.items()}))
    return value


def _unknown(value: Any, own: set[tuple[Any, ...]]) -> Any:
    def extended(item: dict[str, Any]) -> dict[str, Any]:
        swapped = {name: _LISTED[name] for name in _listed(item) if _identity(item, name) not in own}
        return {**item, **swapped, UNKNOWN_FIELD: {"since": 2031, "values": [1, None, "text"]}}

    return _each(value, extended)


def _shipped(value: Any) -> Any:
    def with_some(item: dict[str, Any]) -> dict[str, Any]:
        return {**item, "shipping_info": item.get("shipping_info") or [SHIPMENT]}

    return _each(value, lambda item: with_some(item) if "capture_id" in item else item)


def _emptied(value: Any, *, absent: bool) -> Any:
    def changed(item: dict[str, Any]) -> dict[str, Any]:
        kept = {name: part for name, part in item.items() if part not in (None, "", []) or name in _LISTS}
        return kept if absent else kept | dict.fromkeys(_unset(item))

    return _each(value, changed)


_LISTS = frozenset({"captures", "refunds", "order_lines"})


def _unset(item: dict[str, Any]) -> Iterator[str]:
    """Names of documented optional fields of an order, a capture or a refund that have no value."""
    kind = "Order" if "order_id" in item else "Capture" if "capture_id" in item else "Refund"
    if not {"order_id", "capture_id", "refunded_at"} & set(item):
        return
    documented = operations.schema(kind)["properties"]
    yield from (name for name in _UNSET if name in documented and item.get(name) in (None, "", []))
