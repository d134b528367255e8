"""What a call is answered with: the error body, the names of what was created, JSON."""

from __future__ import annotations

import json
from typing import Any

from orderproof.sandbox.calls import NO_CONTENT, Answer, Call, Context, Headers, Refusal, new_id
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Order

# Where a server that uses `Location` with a prefix says that it lives.
PREFIX = "/eu-west"

_JSON: Headers = (("content-type", "application/json"),)
_JSON_IN_UTF_8: Headers = (("content-type", "application/json; charset=utf-8"),)
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_BARE = frozenset({401, 405, 413, 415, 429})


def json_bytes(value: Any) -> bytes:
    """Return a JSON value as it goes out."""
    return _encoded(value).encode("utf-8")


def json_answer(status: int, value: Any, chosen: Open, headers: Headers = ()) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, json_headers(chosen) + headers, json_bytes(value))


def json_headers(chosen: Open) -> Headers:
    """Return the headers that say that a body is JSON."""
    return _JSON if chosen.charset == "none" else _JSON_IN_UTF_8


def refused(refusal: Refusal, chosen: Open) -> Answer:
    """Return the answer that tells a refusal, with a correlation id of its own."""
    if refusal.status in _BARE and chosen.bare_errors == "empty":
        return Answer(refusal.status, refusal.headers)
    if refusal.status in _BARE and chosen.bare_errors == "text":
        text = " ".join(refusal.messages).encode("utf-8")
        return Answer(refusal.status, (("content-type", "text/plain; charset=utf-8"), *refusal.headers), text)
    body: dict[str, Any] = {
        "correlation_id": new_id(),
        "error_code": refusal.code,
        "error_messages": refusal.messages,
    }
    if chosen.extra_fields == "some":
        body["service_version"] = "sandbox"
    return json_answer(refusal.status, body, chosen, refusal.headers)


def success(call: Call, order: Order, context: Context) -> Answer:
    """Return the answer to a call that took effect: 201 with the name of what it created, or 204."""
    match call.operation:
        case "captureOrder":
            return _created(call, "capture", order.captures[-1].capture_id, context)
        case "refundOrder":
            return _created(call, "refund", order.refunds[-1].refund_id, context)
        case _:
            return NO_CONTENT


def _created(call: Call, kind: str, made_id: str, context: Context) -> Answer:
    path = f"/ordermanagement/v1/orders/{call.order_id}/{kind}s/{made_id}"
    match context.open.location:
        case "absolute":
            location = call.origin + path
        case "path":
            location = path
        case "relative":
            # Resolved against …/captures, the request, this is a sibling of its last step.
            location = f"{kind}s/{made_id}"
        case "prefixed":
            location = call.origin + PREFIX + path
    headers = (("location", location), (f"{kind}-id", made_id))
    if context.open.created_body == "object":
        return json_answer(201, {f"{kind}_id": made_id}, context.open, headers)
    return Answer(201, headers)
