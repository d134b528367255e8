"""Bodies with a value exactly on a bound of their schema, which a server has to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orderproof.strategies import schema
from orderproof.strategies.addresses import PLACE_FIELDS, places
from orderproof.strategies.arithmetic import (
    FIELDS,
    LARGEST_INTEGER,
    NEGATIVE_TYPES,
    RETURN_FEE,
    balanced,
    plain_line,
    settled,
)
from orderproof.strategies.formats import text_of
from orderproof.strategies.records import Record
from orderproof.strategies.sites import LINES, Path, Site, sites, with_lines, with_number
from orderproof.strategies.specimens import plainest

_MULTIBYTE = "\N{CJK UNIFIED IDEOGRAPH-5B57}"  # one character, one UTF-16 unit, three bytes

LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("CaptureRequest.captured_amount", "smallest"): "a capture of nothing may be refused",
    ("RefundRequest.refunded_amount", "smallest"): "a refund of nothing may be refused",
    ("OrderDraft.order_amount", "smallest"): "an order of nothing may be refused",
    ("OrderDraft.order_tax_amount", "smallest"): "the tax of an order follows from its lines",
    ("OrderDraft.order_tax_amount", "largest"): "the tax of an order follows from its lines",
    ("CaptureRequest.order_lines", "fewest"): "no lines do not sum to an amount above 0",
    ("RefundRequest.order_lines", "fewest"): "no lines do not sum to an amount above 0",
    ("Address.postal_code", "empty"): "an address without one does not fit its country",
    ("Address.city", "empty"): "an address without one does not fit its country",
    ("Address.region", "empty"): "an address without one does not fit its country, where it needs one",
    ("Address.region", "longest"): "no region has a name of that length",
    ("OrderDraft.purchase_country", "longest"): "a country is one of a few",
    ("OrderDraft.purchase_currency", "longest"): "a currency is one of a few",
    ("OrderDraft.locale", "longest"): "a locale is one of a few",
}
"""Bounds at which a conforming server may refuse a body, and why; `body_boundaries` passes over them."""

_Finding = tuple[str, str, Record]


@dataclass(frozen=True, slots=True)
class Boundary:
    """A body with one value on a bound: where, of which kind, and in a sentence. It shares parts with the first.

    The kinds are smallest, largest, exact, longest, multibyte, empty, member, fewest, one and most.
    """

    path: Path
    kind: str
    body: Record
    description: str


def body_boundaries(component: str, valid: Mapping[str, Any]) -> Iterator[Boundary]:
    """Yield `valid` with one value on each single bound that the schema of a request component sets.

    These are text exactly at its length, in characters of one byte and of three, and empty text; integers
    at their minimum and maximum, and at 2**53 where there is none; each member of each closed list; lists
    with the fewest, one and the most items. Other numbers move where they have to, so that lines hold and
    sum to the amount. Each body is valid; the state of an order may still speak against its amount.
    `LEFT_OUT` says what is not tried. Fields that `valid` does not have are tried as well, order lines
    apart; `full_body` makes a body that has them all. Of each list the first two items are visited.
    Raises InvalidArgument for a component that is no request and for a `valid` that is no object.
    """
    for site in sites(component, valid):
        for kind, state, body in _findings(component, valid, site):
            if (site.field, "longest" if kind == "multibyte" else kind) not in LEFT_OUT:
                yield Boundary(site.path, kind, body, f"{site.name} {state}")


def _findings(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    if site.type == "integer":
        yield from _numbers(component, valid, site)
    elif site.type == "array":
        yield from _lists(component, valid, site)
    elif site.field == "OrderLine.type":
        yield from _line_types(component, valid, site)
    elif "enum" in site.rules:
        for member in site.rules["enum"]:
            yield "member", f"is {member!r}", site.put(member)
    elif site.type == "string" and "maxLength" in site.rules:
        yield from _texts(site)


def _numbers(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    bounds = {"smallest": site.rules.get("minimum"), "largest": site.rules.get("maximum")}
    if site.field == "OrderLine.quantity":
        bounds["exact"] = LARGEST_INTEGER
    for kind, number in bounds.items():
        if number is not None:
            yield kind, f"is {number}", with_number(component, valid, site, number)


def _texts(site: Site) -> Iterator[_Finding]:
    length = site.rules["maxLength"]
    if site.field == "Address.postal_code":
        yield from _long_postal_codes(site)
        return
    text = text_of(site.field, length, "A")
    yield "longest", f"has {length} characters", site.put(text)
    wide = text_of(site.field, length, _MULTIBYTE)
    if wide != text:
        yield "multibyte", f"has {length} characters of three bytes each", site.put(wide)
    if site.rules.get("minLength") == 0:
        yield "empty", "is empty", site.put("")


def _long_postal_codes(site: Site) -> Iterator[_Finding]:
    """Move the address to the one country whose longest postal codes are as long as the field."""
    place = next(place for place in places(country="US"))
    code = place["postal_code"] + "-1234"
    if len(code) == site.rules["maxLength"]:
        town = {name: place[name] for name in PLACE_FIELDS}
        yield "longest", f"has {len(code)} characters", site.merge(town | {"postal_code": code})


def _lists(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    most, fewest = site.rules["maxItems"], site.rules.get("minItems", 0)
    if site.path == (LINES,):
        yield from _lists_of_lines(component, valid, site, most)
        return
    items = site.value or [plainest(schema.reference(site.field))]
    more = plainest(schema.reference(site.field))
    if fewest == 0:
        yield "fewest", "has no items", site.put([])
    yield "one", "has one item", site.put(items[:1])
    yield "most", f"has {most} items", site.put([*items, *[more] * (most - len(items))])


def _lists_of_lines(component: str, valid: Mapping[str, Any], site: Site, most: int) -> Iterator[_Finding]:
    field = schema.amount_field(component)
    lines = site.value or [plain_line(valid[field])]
    if site.rules.get("minItems", 0) == 0:
        yield "fewest", "has no items", {**site.put([]), field: 0}
    one = settled(lines[0], "total_amount", valid[field])
    yield "one", "has one item", with_lines(component, valid, [one])
    many = [*lines, *[plain_line(0)] * (most - len(lines))]
    yield "most", f"has {most} items", with_lines(component, valid, many)


def _line_types(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    """Try each type on a line with the sign that it needs, free of tax.

    A return fee is no part of it in a refund: whether that is taken depends on the order.
    """
    index = site.path[1]
    assert isinstance(index, int)
    for member in site.rules["enum"]:
        line = {key: value for key, value in valid[LINES][index].items() if key not in FIELDS}
        price = plain_line(-1 if member in NEGATIVE_TYPES else 1)
        lines = [*valid[LINES]]
        lines[index] = {**price, **line, "type": member}
        body = with_lines(
            component, valid, balanced(lines, valid[schema.amount_field(component)], keep=index)
        )
        if component != "RefundRequest" or member != RETURN_FEE:
            yield "member", f"is {member!r}", body
