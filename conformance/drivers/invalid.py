"""Bodies with a single defect, at every place of every body; all of them, or a slice that the seed chooses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, NamedTuple

from orderproof.drivers.grounds import STEP, Ground, component, lay, was_taken, with_bodies
from orderproof.drivers.terms import AMOUNT_FIELDS
from orderproof.strategies.defects import Defect, body_defects
from orderproof.strategies.sites import LINES
from orderproof.strategies.specimens import full_body

TWIN_TAKEN = frozenset({"twin-taken"})
_ENOUGH = 6
_LIKELY = (
    '", where an integer belongs',
    " 1, where a string belongs",
    '"A", where an array belongs',
    '"A", where an object belongs',
)


@cache
def whole() -> Mapping[str, Sequence[int]]:
    """The numbers of all defects by operation, as `defects` counts them from 0."""
    return {name: range(sum(1 for _ in _of(name))) for name in with_bodies()}


def part(chance: Random) -> Mapping[str, Sequence[int]]:
    """The numbers of one defect of each family, chosen by chance.

    A family is what can be wrong in one way with a field, in the bodies that share its schema, or all that can be wrong
    with the second item of a list. Amounts and closed lists are tried with every value.
    """
    chosen: dict[str, list[int]] = {name: [] for name in with_bodies()}
    for members in _families():
        member = chance.choice(members)
        chosen[member.operation].append(member.number)
    return chosen


class _Member(NamedTuple):
    operation: str
    number: int


@cache
def _families() -> Sequence[Sequence[_Member]]:
    found: defaultdict[tuple[object, ...], list[_Member]] = defaultdict(list)
    for name in with_bodies():
        for number, defect in enumerate(_of(name)):
            member = _Member(name, number)
            found[_family(name, defect)].append(member)
            if _is_in_second_item(defect):
                # Who writes item by item has the first one written by then.
                found[name, "second item", defect.path[0]].append(member)
    return list(found.values())


def _of(operation: str) -> Iterator[Defect]:
    return defects(operation, full_body(component(operation), amount=STEP))


def defects(operation: str, valid: Mapping[str, Any]) -> Iterator[Defect]:
    """Yield a valid body of an operation with each single defect, those of its amount without order lines as well.

    With lines, a server that takes an amount for zero may refuse it all the same, for what the lines sum to.
    """
    yield from body_defects(component(operation), valid)
    if operation in AMOUNT_FIELDS and LINES in valid:
        bare = {name: value for name, value in valid.items() if name != LINES}
        for defect in body_defects(component(operation), bare):
            if defect.path == (AMOUNT_FIELDS[operation],):
                yield replace(defect, description=f"{defect.description}, without order lines")


def _family(operation: str, defect: Defect) -> tuple[object, ...]:
    place = tuple("[]" if isinstance(step, int) else step for step in defect.path)
    if defect.kind == "not_listed" or _is_amount(defect) or place == ("number_of_days",):
        return place, defect.description.partition(" is ")[2]
    # Servers are lax about digits in quotes, numbers for text, and text for parts, more often than about other types.
    kind = "likely type" if defect.description.endswith(_LIKELY) else defect.kind
    return (operation, place, kind) if len(place) == 1 else (place, kind)


def _is_in_second_item(defect: Defect) -> bool:
    return len(defect.path) > 1 and defect.path[1] == 1


def _is_amount(defect: Defect) -> bool:
    return len(defect.path) == 1 and str(defect.path[0]).endswith("_amount")


def probe(ground: Ground, numbers: Sequence[int], *, read_every: int) -> Ground:
    """Try defects, and read the order after every few; returns the ground that is left.

    A server that takes one moves its order, so it gets a new one for the rest. One that takes many has shown enough.
    """
    left = _until_one_is_taken(ground, list(numbers), read_every)
    for _ in range(_ENOUGH):
        if left:
            ground = lay(ground.order.stage, ground.operation)
            left = _until_one_is_taken(ground, left, read_every)
    return ground


def _until_one_is_taken(ground: Ground, numbers: list[int], read_every: int) -> list[int]:
    """Try defects until one of them is taken; returns those that are left to try."""
    known_defects = list(defects(ground.operation, ground.body()))
    for count, number in enumerate(numbers, 1):
        defect = known_defects[number]
        # The twin of an amount above all bounds is the largest amount, which is more than the order holds.
        known = ground.proven and not (_is_amount(defect) and defect.kind == "above")
        due = count % read_every == 0 or count == len(numbers)
        facts = TWIN_TAKEN if known else frozenset()
        if was_taken(ground.call(body=defect.body, facts=facts, read=due)):
            ground.order.read()
            return numbers[count:]
    return []
