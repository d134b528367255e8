"""Bodies that break their schema at exactly one place, and are valid in every other way."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import schema
from orderproof.strategies.arithmetic import plain_line
from orderproof.strategies.formats import lengthened
from orderproof.strategies.records import Record
from orderproof.strategies.sites import LINES, Path, Site, sites, with_number
from orderproof.strategies.specimens import plainest

_SHOWN = 60
_Finding = tuple[str, str, Record]
_ARTICLES = {
    "integer": "an integer",
    "boolean": "a boolean",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Defect:
    """A body with one defect: where, of which kind, and in a sentence. It shares parts with the valid one.

    The kinds are missing, null, type, fraction, below, above, too_long, too_short, too_few, too_many and
    not_listed.
    """

    path: Path
    kind: str
    body: Record
    description: str


def invalid_bodies(*, component: str, valid: Mapping[str, Any]) -> SearchStrategy[tuple[str, Record]]:
    """Return pairs of a description and a body, which is `valid` with exactly one defect somewhere.

    Shrinks to the first field of the component. Raises InvalidArgument for a component that is no request
    and for a `valid` that is no object.
    """
    return st.sampled_from([(defect.description, defect.body) for defect in body_defects(component, valid)])


def body_defects(component: str, valid: Mapping[str, Any]) -> Iterator[Defect]:
    """Yield `valid` with each single defect that the schema of a request component lets it have.

    Where a number has to move for a bound, the other numbers move with it, so that lines still hold and
    sum to the amount: a server that takes the body is not saved by another rule. Fields that `valid` does
    not have are tried as well, order lines apart; `full_body` makes a body that has them all. Of each
    list the first two items are visited. Raises InvalidArgument for a component that is no request and
    for a `valid` that is no object.
    """
    for site in sites(component, valid):
        for kind, state, body in _findings(component, valid, site):
            yield Defect(site.path, kind, body, f"{site.name} {state}")


def _findings(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    if site.required and site.value is not None:
        yield "missing", "is missing", site.drop()
    yield "null", "is null", site.put(None)
    for value in _wrong_types(site):
        kind = "fraction" if isinstance(value, float) else "type"
        yield kind, f"is {_shown(value)}, where {_ARTICLES[site.type]} belongs", site.put(value)
    if site.type == "integer":
        yield from _numbers_out_of_bounds(component, valid, site)
    elif site.type == "array":
        yield from _lists_out_of_bounds(site)
    elif "enum" in site.rules:
        yield from _near_misses(site)
    elif site.type == "string":
        yield from _texts_out_of_bounds(site)


def _wrong_types(site: Site) -> list[Any]:
    """Return a value of every JSON type but the right one, made of the right value where that can be."""
    match site.type:
        case "integer":
            number = site.value or 0
            return [str(number), number + 0.5, True, [number], {}]
        case "boolean":
            return ["true", 1, [True], {}]
        case "string":
            return [1, True, [site.value or "A"], {}]
        case "array":
            return ["A", 1, True, {}, *(site.value or [])[:1]]
    return ["A", 1, True, []]


def _numbers_out_of_bounds(component: str, valid: Mapping[str, Any], site: Site) -> Iterator[_Finding]:
    for kind, keyword, step in (("below", "minimum", -1), ("above", "maximum", 1)):
        if keyword in site.rules:
            number = site.rules[keyword] + step
            yield kind, f"is {number}", with_number(component, valid, site, number)


def _lists_out_of_bounds(site: Site) -> Iterator[_Finding]:
    items = site.value or []
    if site.rules.get("minItems", 0) > 0:
        yield "too_few", "has no items", site.put([])
    if items or site.path[-1] != LINES:
        most = site.rules["maxItems"]
        more = plain_line(0) if site.path[-1] == LINES else plainest(schema.reference(site.field))
        yield "too_many", f"has {most + 1} items", site.put([*items, *[more] * (most + 1 - len(items))])


def _near_misses(site: Site) -> Iterator[_Finding]:
    members = site.rules["enum"]
    member = site.value if site.value in members else members[0]
    misses = [member.swapcase(), member[:-1], f"x{member}x", "|".join(members), ""]
    for miss in dict.fromkeys(miss for miss in misses if miss not in members):
        yield "not_listed", f"is {_shown(miss)}, which the list does not have", site.put(miss)


def _shown(value: Any) -> str:
    """Return a value as JSON, its middle left out when it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 4 :]}"


def _texts_out_of_bounds(site: Site) -> Iterator[_Finding]:
    text = site.value or ""
    if site.rules.get("minLength", 0) > 0:
        short = site.rules["minLength"] - 1
        yield "too_short", f"has {short} characters", site.put(lengthened(site.field, text, short))
    if "maxLength" in site.rules:
        long = site.rules["maxLength"] + 1
        yield "too_long", f"has {long} characters", site.put(lengthened(site.field, text, long))
