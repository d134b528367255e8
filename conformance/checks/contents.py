"""What a request body says: freed of its content coding, and read as JSON the way RFC 8259 has it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any, NoReturn

from orderproof import operations
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


def is_of_money(place: str) -> bool:
    """Say whether the field at a place of a request is an amount: no quantity, rate or number of days."""
    name = re.sub(r".*[.]", "", place)
    return name == "unit_price" or name.endswith("amount")


def decimals(schema: str, body: Any) -> Iterator[tuple[str, float]]:
    """Yield the place and value of each amount of a request schema that is written as a decimal, such as 12.0."""
    unknown = tuple(operations.unknown_fields(schema, body))
    integers = _integer_fields(schema)
    for place, value in _floats(body, ""):
        is_meant = re.sub(r".*[.]", "", place) in integers and not place.startswith(unknown)
        if value.is_integer() and is_meant and is_of_money(place):
            yield place, value


@cache
def _integer_fields(schema: str) -> frozenset[str]:
    whole = operations.schema(schema)
    parts = [whole, *whole.get("$defs", {}).values()]
    fields = [field for part in parts for field in part.get("properties", {}).items()]
    return frozenset(name for name, field in fields if field.get("type") == "integer")


def _floats(value: Any, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _floats(child, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from _floats(child, f"{place}[{number}]")
    elif isinstance(value, float):
        yield place, value
