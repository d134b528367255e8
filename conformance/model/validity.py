"""What the contract says of a request body: valid, invalid, or OPEN (a server may take or refuse it).

Valid is what no conforming server refuses as malformed; invalid is what every one refuses; between them lies what
the contract leaves open: odd text, lines that do not add up, unknown fields, a place that does not exist.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Any

from orderproof import operations, spec
from orderproof.exchange import ABSENT, Request, read_json

LARGE_BODY = 1_000_000
"""Bytes up to which a valid body must be taken (rule GEN-VAL-4); above it a server may answer 413."""

_LARGEST_INTEGER = 2**53
_MARKUP = frozenset("<>&")
AMOUNT_FIELDS = {
    "captureOrder": "captured_amount",
    "refundOrder": "refunded_amount",
    "updateAuthorization": "order_amount",
}


class Standing(Enum):
    """What the contract says of a body."""

    VALID = "valid"
    OPEN = "open"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Validity:
    """The standing of a body, why, and the statuses with which it may be refused for that reason."""

    standing: Standing
    reasons: tuple[str, ...] = ()
    refusals: frozenset[int] = frozenset()


VALID = Validity(Standing.VALID)
_MALFORMED = frozenset({400, 415, 422})
_REJECTED = frozenset({400, 422})
_DISPUTED = frozenset({400, 403, 422})


def validity(operation: operations.Operation, request: Request) -> Validity:
    """Judge the body of a request to an operation, on its own: the state of the order plays no part."""
    if not operation.writes:
        return VALID
    if operation.request_schema is None:
        harmless = request.body in (b"", b"{}")
        return (
            VALID if harmless else Validity(Standing.OPEN, ("a body where none belongs",), _MALFORMED | {413})
        )
    return _with_schema(operation.id, operation.request_schema, request.body, request.media_type)


@lru_cache(maxsize=512)
def _with_schema(operation: str, name: str, content: bytes, media_type: str) -> Validity:
    if len(content) > LARGE_BODY:
        return Validity(Standing.OPEN, ("more than 1 MB",), _MALFORMED | {413})
    body, doubts = _parse(content)
    if body is ABSENT and doubts:
        return Validity(Standing.OPEN, tuple(doubts), _MALFORMED)
    if body is ABSENT:
        return _unreadable(name, content)
    problems = operations.problems(name, body)
    if problems:
        return _broken(body, problems, doubts)
    if media_type != "application/json":
        return Validity(Standing.OPEN, (f"content type {media_type or 'missing'}",), _MALFORMED)
    return _doubtful(operation, name, body, doubts)


def _broken(body: Any, problems: list[operations.Problem], doubts: list[str]) -> Validity:
    """Judge a body that breaks its schema, as we read it."""
    reasons = tuple(problem.message for problem in problems)
    if not isinstance(body, dict):
        return Validity(Standing.INVALID, reasons, _MALFORMED)
    if any(problem.keyword == "depth" for problem in problems):
        return Validity(Standing.OPEN, reasons, _MALFORMED)
    if any(abs(number) > _LARGEST_INTEGER for number in _numbers(body)):
        # Not every reader can hold it: to some it is no JSON.
        return Validity(Standing.OPEN, ("a number beyond 2^53",), _DISPUTED | _MALFORMED)
    if doubts:
        return Validity(Standing.OPEN, tuple(doubts), _MALFORMED)
    return Validity(Standing.INVALID, reasons, _REJECTED)


def _unreadable(name: str, content: bytes) -> Validity:
    if content:
        return Validity(Standing.INVALID, ("not JSON",), _MALFORMED)
    required = spec.openapi()["components"]["schemas"][name].get("required")
    standing = Standing.INVALID if required else Standing.OPEN
    return Validity(standing, ("no body",), _MALFORMED)


def _parse(content: bytes) -> tuple[Any, list[str]]:
    """Return the JSON value, ABSENT if it is none, and what is doubtful about the notation."""
    doubts: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) < len(items):
            doubts.append("a field given twice")
        return dict(items)

    def refuse(constant: str) -> Any:
        raise ValueError(constant)

    plain = not content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) and b"\x00" not in content[:4]
    notation = [] if plain else ["JSON in another notation than plain UTF-8"]
    try:
        value = read_json(content, doubts.append, object_pairs_hook=pairs, parse_constant=refuse)
    except ValueError:
        return ABSENT, notation
    return value, notation + doubts


def _doubtful(operation: str, name: str, body: Any, doubts: list[str]) -> Validity:
    reasons = [(doubt, _MALFORMED | {413}) for doubt in doubts]
    reasons += [(reason, _REJECTED) for reason in _text_doubts(name, body)]
    reasons += _number_doubts(body)
    reasons += _meaning_doubts(operation, body)
    reasons += [(f"unknown field {f}", _unknown_refusals(f)) for f in operations.unknown_fields(name, body)]
    if not reasons:
        return VALID
    refusals = frozenset().union(*(statuses for _, statuses in reasons))
    return Validity(Standing.OPEN, tuple(dict.fromkeys(reason for reason, _ in reasons)), refusals)


def _unknown_refusals(field: str) -> frozenset[int]:
    return _DISPUTED if field == "billing_address" else _REJECTED


def _walk(value: Any) -> Iterator[Any]:
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _walk(child)


def _text_doubts(name: str, body: Any) -> Iterator[str]:
    texts = [value for value in _walk(body) if isinstance(value, str)]
    if any(is_odd(text) for text in texts):
        yield "text with control characters or markup"
    if any(ord(max(text, default=" ")) > 0xFFFF for text in texts) and operations.problems(
        name, _in_utf16(body)
    ):
        yield "text whose length depends on how characters outside the BMP are counted"


def is_odd(text: str) -> bool:
    """Say whether a text has control characters, lone surrogates or markup, which a server need not take."""
    if text.isascii():
        return not (text.isprintable() and _MARKUP.isdisjoint(text))
    odd_categories = ("C", "Zl", "Zp")
    return any(char in _MARKUP or unicodedata.category(char).startswith(odd_categories) for char in text)


def _in_utf16(value: Any) -> Any:
    """Replace each character outside the BMP by two, which is how some servers count them."""
    if isinstance(value, dict):
        return {key: _in_utf16(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_utf16(item) for item in value]
    if isinstance(value, str):
        return "".join(char if ord(char) <= 0xFFFF else "\ufffd\ufffd" for char in value)
    return value


def _numbers(body: Any) -> list[int | float]:
    return [value for value in _walk(body) if isinstance(value, int | float) and not isinstance(value, bool)]


def _number_doubts(body: Any) -> Iterator[tuple[str, frozenset[int]]]:
    numbers = _numbers(body)
    if any(isinstance(number, float) for number in numbers):
        yield "an integer written with a fraction of zero", _REJECTED
    if any(abs(number) > _LARGEST_INTEGER for number in numbers):
        yield "an integer above 2^53", _MALFORMED


def _meaning_doubts(operation: str, body: Mapping[str, Any]) -> list[tuple[str, frozenset[int]]]:
    found: list[tuple[str, frozenset[int]]] = []
    if body.get("shipping_delay", 0) > 0:
        found.append(("a shipping delay, which needs enabling", _DISPUTED))
    lines = body.get("order_lines") or []
    amount = body.get(AMOUNT_FIELDS.get(operation, ""), None)
    if lines and not all(map(line_adds_up, lines)):
        found.append(("an order line that does not add up", _DISPUTED))
    if lines and amount is not None and sum(line["total_amount"] for line in lines) != amount:
        found.append(("order lines that do not sum to the amount", _DISPUTED))
    address = body.get("shipping_address")
    if address and not place_fits(address):
        found.append(("an address whose parts may not fit together", _REJECTED))
    return found


def line_adds_up(line: Mapping[str, Any]) -> bool:
    """Say whether a line keeps its arithmetic: the total (rule CLI-LINE-1) and its tax (rule CLI-LINE-2)."""
    total: int = line["total_amount"]
    if total != line["quantity"] * line["unit_price"] - line.get("total_discount_amount", 0):
        return False
    return tax_fits(total, line.get("tax_rate", 0), line.get("total_tax_amount", 0))


def tax_fits(total: int, rate: int, tax: int) -> bool:
    """Say whether a tax is within one minor unit of the one inside a total; the rate 2500 is 25 % (rule CLI-LINE-2)."""
    # Multiplied out, so that no fraction is rounded: |tax - (total - total * 10000 / (10000 + rate))| <= 1.
    return abs(tax * (10_000 + rate) - total * rate) <= 10_000 + rate


def has_return_fee(body: Any) -> bool:
    """Say whether a refund has a `return_fee` line (rules RFD-9 and RFD-10)."""
    lines = body.get("order_lines") if isinstance(body, dict) else None
    return isinstance(lines, list) and any(
        isinstance(x, dict) and x.get("type") == "return_fee" for x in lines
    )


@cache
def _places() -> frozenset[tuple[str, str, str]]:
    return frozenset(_place(entry) for entry in spec.read("places.yaml"))


def _place(address: Mapping[str, Any]) -> tuple[str, str, str]:
    names = ("country", "postal_code", "region")
    country, postal_code, region = (str(address.get(name) or "").casefold() for name in names)
    return country, postal_code, region


def place_fits(address: Mapping[str, Any]) -> bool:
    """Say whether country, postal code and region are known to fit together, or are not given at all."""
    place = _place(address)
    return place == ("", "", "") or place in _places()
