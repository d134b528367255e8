"""Valid bodies on the bounds of their schemas: full texts, long lists, each member of a list, text of every script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from random import Random
from typing import Any

from orderproof import operations
from orderproof.drivers.drafts import line
from orderproof.drivers.grounds import MOST_CALLS, STEP, Ground, component, lay, was_taken, with_bodies
from orderproof.drivers.stage import Stage
from orderproof.strategies.boundaries import Boundary, body_boundaries
from orderproof.strategies.specimens import full_body, plainest

Body = dict[str, Any]

WORDS = ("null", "true", "NaN", "-1", "0x1F", "1e9")
"""Text that is a value of another kind where it stands alone."""

PHRASES = (
    "O'Brien",
    'a "quote"',
    "back\\slash",
    "100 %s %d",
    "1=1 -- x",
    "'; DROP --",
    "{{7*7}}",
    "${x} $(y)",
    "../../etc",
    "a/b?c=d#e",
    "Ærø ß İ ı",
    "Привет",
    "Ελλάδα",
    "שלום",
    "مرحبا",
    "हिन्दी",
    "ภาษาไทย",
    "東京 字 한글",
    "e\u0301 n\u0303 o\u0308",
    "𝒳𝒴 🎉🍎",
)
"""Text that servers choke on and must not: at most ten characters each, so that it fits into any field of text."""

_CJK = "\N{CJK UNIFIED IDEOGRAPH-5B57}"
_TOGETHER = ("longest", "multibyte", "empty", "member")
_ENOUGH = 6
_HIGH_RATE = 20_000


@dataclass(frozen=True)
class Limit:
    """A valid body for a ground. `alone`: it changes the order so much that the next body needs another ground.

    `parts` gives what it is made of by operation: when it is not taken, they are tried one by one.
    """

    name: str
    body: Callable[[Ground], Body]
    alone: bool = False
    parts: Callable[[str], Sequence[Limit]] | None = None


def _text(ground: Ground, *, sign: str, full_length: bool = False) -> Body:
    return ground.body(sign=sign, full_length=full_length)


def _mixed(ground: Ground, *, phrases: Sequence[str]) -> Body:
    """Fill each text with as many phrases as it holds."""
    body: Body = _filled(ground.body(full_length=True), phrases)
    return body


def _filled(value: Any, phrases: Sequence[str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(item, phrases) for name, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, phrases) for item in value]
    return _joined(phrases, len(value)) if isinstance(value, str) and set(value) == {"B"} else value


def _joined(phrases: Sequence[str], length: int) -> str:
    """Join phrases until the next would be too much for `length` UTF-16 units."""
    text = phrases[0]
    for phrase in phrases[1:]:
        if len(f"{text} {phrase}".encode("utf-16-le")) > 2 * length:
            break
        text = f"{text} {phrase}"
    return text


def _place(ground: Ground, *, phrases: Sequence[str]) -> Body:
    """Fill what names a place, which a server need not take: it must not fail over it."""
    body = ground.body()
    names = {
        name: operations.schema("Address")["properties"][name]["maxLength"]
        for name in ("city", "region", "postal_code")
    }
    address = body["shipping_address"] | {name: _joined(phrases, most) for name, most in names.items()}
    return body | {"shipping_address": address}


def _plainest(ground: Ground) -> Body:
    """The required fields alone, and lines with theirs alone."""
    body = plainest(component(ground.operation))
    return body | {
        name: value for name, value in ground.body().items() if name in body and name != "shipping_info"
    }


def _alone(ground: Ground, *, name: str) -> Body:
    return {name: ground.body()[name]}


def _optional(operation: str) -> list[str]:
    """The fields of a body that requires none."""
    schema = operations.schema(component(operation))
    return [] if "required" in schema else list(schema["properties"])


def _plainest_lines(ground: Ground) -> Body:
    amount = next(iter(_plainest(ground).values()))
    bare = {"name": "B", "quantity": 1, "unit_price": amount, "total_amount": amount}
    return {**_plainest(ground), "order_lines": [bare]}


def _members(ground: Ground) -> Body:
    """One item for each member of each closed list; the lines sum to the amount all the same."""
    body = ground.body()
    if "order_lines" in body:
        body["order_lines"] = _lines_of_every_type(next(iter(body.values())))
    if "shipping_info" in body:
        body["shipping_info"] = [
            {"shipping_method": name} for name in _listed("ShippingInfo", "shipping_method")
        ]
    return body


def _lines_of_every_type(amount: int) -> list[Body]:
    rhythms = _listed("Subscription", "interval")
    # A return fee belongs to a refund, and whether it is taken depends on the order.
    types = [name for name in _listed("OrderLine", "type") if name != "return_fee"]
    negative = ("discount", "gift_card", "store_credit")
    lines = [line(-1 if name in negative else 1, type=name, name=name, tax_rate=0) for name in types]
    for number, item in enumerate(lines):
        item["subscription"] = {"name": "B", "interval": rhythms[number % len(rhythms)], "interval_count": 1}
    return [
        *lines,
        line(amount - sum(item["total_amount"] for item in lines), tax_rate=0, total_tax_amount=0),
    ]


def _taxed_beyond_measure(ground: Ground) -> Body:
    """A line of which two thirds are tax, at 200 %: no document sets a largest rate."""
    amount = next(iter(_plainest(ground).values()))
    tax = round(amount * _HIGH_RATE / (10_000 + _HIGH_RATE))
    return {**_plainest(ground), "order_lines": [line(amount, tax_rate=_HIGH_RATE, total_tax_amount=tax)]}


def _listed(schema: str, field: str) -> list[str]:
    found: list[str] = operations.schema(schema)["properties"][field]["enum"]
    return found


@cache
def _many_at_once(operation: str) -> tuple[Limit, ...]:
    """A few bodies that are on many bounds each, or have many kinds of text."""
    fields = operations.schema(component(operation))["properties"]
    if operation == "extendDueDate":
        return ()
    found = [
        Limit("full texts", partial(_text, sign="B", full_length=True), parts=_of_kind("longest")),
        Limit("full texts in CJK", partial(_text, sign=_CJK, full_length=True), parts=_of_kind("multibyte")),
        Limit("empty texts", partial(_text, sign=""), parts=_of_kind("empty")),
        Limit("texts of many scripts", partial(_mixed, phrases=PHRASES), parts=_phrases),
        Limit("texts of as many", partial(_mixed, phrases=PHRASES[::-1]), parts=_phrases),
        Limit("the required fields alone", _plainest),
        *(Limit(f"{name} alone", partial(_alone, name=name)) for name in _optional(operation)),
    ]
    if "shipping_address" in fields:
        kinds = {"in many scripts": PHRASES, "in as many": PHRASES[::-1], "of no letter": ("",)}
        found += [Limit(f"a place {kind}", partial(_place, phrases=texts)) for kind, texts in kinds.items()]
    if {"order_lines", "shipping_info"} & set(fields):
        found.append(Limit("each member of each list", _members, parts=_of_kind("member")))
    if "order_lines" in fields:
        found.append(Limit("lines with the required fields alone", _plainest_lines))
        found.append(Limit("a tax of 200 %", _taxed_beyond_measure))
    return tuple(found)


def _of_kind(kind: str) -> Callable[[str], Sequence[Limit]]:
    """The bodies on one bound of a kind each."""

    def found(operation: str) -> Sequence[Limit]:
        boundaries = enumerate(_boundaries(operation))
        return [_single(number, boundary) for number, boundary in boundaries if boundary.kind == kind]

    return found


def _phrases(operation: str) -> Sequence[Limit]:
    return [_spoken(phrase) for phrase in PHRASES]


def _boundaries(operation: str) -> Iterator[Boundary]:
    return body_boundaries(component(operation), full_body(component(operation), amount=STEP))


def _single(number: int, boundary: Boundary) -> Limit:
    def body(ground: Ground) -> Body:
        return next(islice(body_boundaries(component(ground.operation), ground.body()), number, None)).body

    moves_amount = len(boundary.path) == 1 and str(boundary.path[0]).endswith("_amount")
    return Limit(boundary.description, body, alone=moves_amount or boundary.kind in ("most", "fewest"))


@cache
def _singles(operation: str) -> Mapping[tuple[object, ...], Sequence[Limit]]:
    """Bodies on one bound each, by the field and the kind of the bound; those that `_many_at_once` has left out."""
    found: defaultdict[tuple[object, ...], list[Limit]] = defaultdict(list)
    for number, boundary in enumerate(_boundaries(operation)):
        if boundary.kind not in _TOGETHER:
            place = tuple("[]" if isinstance(step, int) else step for step in boundary.path)
            found[place, boundary.kind].append(_single(number, boundary))
    return found


def _spoken(phrase: str) -> Limit:
    return Limit(f"text {phrase!r}", partial(_text, sign=phrase))


def whole() -> Mapping[str, Sequence[Limit]]:
    """Everything, for each operation."""
    phrases = [_spoken(phrase) for phrase in (*PHRASES, *WORDS)]
    return {
        name: [
            *_many_at_once(name),
            *phrases,
            *(limit for group in _singles(name).values() for limit in group),
        ]
        for name in with_bodies()
        if _many_at_once(name)
    }


def part(chance: Random) -> Mapping[str, Sequence[Limit]]:
    """The bodies on many bounds for each operation; each word and each single bound for one, chosen by chance."""
    chosen = {name: [*_many_at_once(name)] for name in with_bodies() if _many_at_once(name)}
    for word in WORDS:
        chosen[chance.choice(list(chosen))].append(_spoken(word))
    families: defaultdict[tuple[object, ...], list[tuple[str, Limit]]] = defaultdict(list)
    for name in chosen:
        for family, limits in _singles(name).items():
            families[family] += [(name, limit) for limit in limits]
    for members in families.values():
        name, limit = chance.choice(members)
        chosen[name].append(limit)
    return chosen


def probe(stage: Stage, operation: str, limits: Sequence[Limit], *, read_every: int) -> None:
    """Try bodies, on as many orders as it takes, and read each after every few."""
    ground, taken = lay(stage, operation), 0
    for count, limit in enumerate(sorted(limits, key=lambda limit: limit.alone), 1):
        if taken >= MOST_CALLS:
            ground, taken = lay(stage, operation), 0
        due = limit.alone or count % read_every == 0 or count == len(limits)
        held = was_taken(ground.call(body=limit.body(ground), read=due))
        if not held and ground.proven and limit.parts:
            _one_by_one(stage, operation, limit.parts(operation))
        taken = MOST_CALLS if limit.alone else taken + held


def _one_by_one(stage: Stage, operation: str, limits: Sequence[Limit]) -> None:
    """Find out which of many bounds a server did not take."""
    refused = 0
    for number, limit in enumerate(limits):
        if number % MOST_CALLS == 0:
            ground = lay(stage, operation)
        refused += not was_taken(ground.call(body=limit.body(ground)))
        if refused >= _ENOUGH:
            return
