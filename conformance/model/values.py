"""JSON documents as the contract compares them: known fields only, without those that have no value.

A field without a value may be absent, null, "" or []; unknown fields are nobody's business; country, currency and
locale compare without regard to letter case; a time is the same time in another notation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

from orderproof import spec
from orderproof.exchange import ABSENT
from orderproof.model.validity import is_odd

Document = Mapping[str, Any]

_CODES = frozenset({"country", "purchase_country", "purchase_currency", "currency", "locale"})
_BY_ID = {"captures": "capture_id", "refunds": "refund_id"}
SEQUENCE_OF_CAPTURES = ("captures", "order")
"""The path of a difference in how the captures of an order follow each other."""


@dataclass(frozen=True)
class Shape:
    """Which fields a schema knows; `notation` is how text in it compares: as text, code or time."""

    fields: Mapping[str, Shape] | None = None
    items: Shape | None = None
    notation: str = "text"


@cache
def shape(component: str) -> Shape:
    """Return the shape of a component schema of the OpenAPI document."""
    return _shape_of(spec.openapi()["components"]["schemas"][component], component)


def _shape_of(schema: Mapping[str, Any], name: str) -> Shape:
    if "$ref" in schema:
        return shape(schema["$ref"].rpartition("/")[2])
    if "properties" in schema:
        return Shape(fields={key: _shape_of(value, key) for key, value in schema["properties"].items()})
    if "items" in schema:
        return Shape(items=_shape_of(schema["items"], name))
    if schema.get("format") == "date-time":
        return Shape(notation="time")
    return Shape(notation="code" if name in _CODES else "text")


def instant(text: object) -> datetime | None:
    """Return the time that an ISO 8601 text with a zone names, or None when it is none.

    What a zone puts before the year 1 or after 9999 counts as the first or last moment of them.
    """
    return _instant(text) if isinstance(text, str) else None


@lru_cache(maxsize=1024)
def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip().upper())  # t and z are as good (RFC 3339, 5.6)
    except ValueError:
        return None
    if moment.tzinfo is None or len(text) < 11:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if moment.year == 1 else datetime.max.replace(tzinfo=UTC)


def _plain(value: Any, notation: str) -> Any:
    if not isinstance(value, str):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if notation == "time":
        moment = instant(value)
        return moment.isoformat(timespec="milliseconds") if moment else value
    text = value if value.isascii() else unicodedata.normalize("NFC", value)
    return text.casefold() if notation == "code" else text


def is_empty(value: Any) -> bool:
    """Say whether a value counts as no value: absent, null, "", [] or an object without values."""
    return value is None or value is ABSENT or value == "" or (isinstance(value, (list, dict)) and not value)


def normalise(value: Any, form: Shape) -> Any:
    """Return the value as the contract compares it; a value of another JSON type than the shape's is kept."""
    if isinstance(value, dict) and form.fields is not None:
        found = {}
        for key, child in form.fields.items():
            item = normalise(value[key], child) if key in value else ABSENT
            if not is_empty(item):
                found[key] = item
        return found
    if isinstance(value, list) and form.items is not None:
        return [normalise(item, form.items) for item in value]
    return _plain(value, form.notation)


class Matcher:
    """An expectation that more than one value meets.

    It is asked of every value that is compared whether it is one, which of an abstract base class takes long.
    """

    def accepts(self, actual: Any) -> bool:
        """Say whether a normalised value, or ABSENT, meets the expectation."""
        raise NotImplementedError


@dataclass(frozen=True)
class Anything(Matcher):
    """Meets every value: for what the server is free to choose."""

    def accepts(self, actual: Any) -> bool:
        return True

    def __str__(self) -> str:
        return "any value"


ANYTHING = Anything()


@dataclass(frozen=True)
class AsSent(Matcher):
    """Meets a value that has every field that was sent, with the value that was sent.

    Defaults that a server fills in are its own affair, and so is a zero that it leaves out again.
    """

    value: Any

    def accepts(self, actual: Any) -> bool:
        return _holds(self.value, actual)

    def __str__(self) -> str:
        return f"{self.value!r} as sent"


def _holds(sent: Any, actual: Any) -> bool:
    if isinstance(sent, dict):
        return isinstance(actual, dict) and all(
            _holds(item, actual.get(key, ABSENT)) for key, item in sent.items()
        )
    if isinstance(sent, list):
        same_length = isinstance(actual, list) and len(actual) == len(sent)
        return same_length and all(map(_holds, sent, actual))
    if sent == 0 and not isinstance(sent, bool) and actual is ABSENT:
        return True
    if isinstance(sent, str):
        # Odd text a server may refuse, so it may as well take it and store it without what is odd.
        return bool(sent == actual) or is_odd(sent)
    return bool(sent == actual) and isinstance(sent, bool) == isinstance(actual, bool)


@dataclass(frozen=True)
class OrAbsent(Matcher):
    """Meets one value, or no value at all."""

    value: Any

    def accepts(self, actual: Any) -> bool:
        return actual is ABSENT or not any(differences(self.value, actual))

    def __str__(self) -> str:
        return f"{self.value!r} or absent"


@dataclass(frozen=True)
class Between(Matcher):
    """Meets a time from `low` to `high`, both included; without `high`, any later one."""

    low: datetime
    high: datetime | None = None

    def accepts(self, actual: Any) -> bool:
        moment = instant(actual)
        return moment is not None and self.low <= moment and (self.high is None or moment <= self.high)

    def __str__(self) -> str:
        low = self.low.isoformat(timespec="milliseconds")
        return f"from {low}" + (f" to {self.high.isoformat(timespec='milliseconds')}" if self.high else "")


@dataclass(frozen=True)
class Difference:
    """Where a document reads otherwise than expected.

    `path` has field names, positions in lists, and for captures and refunds their ids.
    """

    path: tuple[str | int, ...]
    expected: Any
    actual: Any

    @property
    def place(self) -> str:
        """The path as people write it: `order_lines[0].name`, `captures[4ba29b50-...].description`."""
        parents = (None, *self.path)
        return "".join(map(_step, parents, self.path)).lstrip(".")


def _step(parent: str | int | None, part: str | int) -> str:
    is_id = parent in _BY_ID and part != "refunded_amount"  # which is said of all the captures together
    return f"[{part}]" if isinstance(part, int) or is_id else f".{part}"


_SIMPLE = frozenset({str, int, bool})


def differences(expected: Any, actual: Any, path: tuple[str | int, ...] = ()) -> Iterator[Difference]:
    """Compare a normalised document with what was expected, which may have matchers in it."""
    if expected is actual:
        return  # what a reading did not show is still as expected
    if isinstance(expected, Matcher):
        if not expected.accepts(actual):
            yield Difference(path, expected, actual)
    elif isinstance(expected, dict) and isinstance(actual, dict):
        for key in dict.fromkeys((*expected, *actual)):
            wanted, found = expected.get(key, ABSENT), actual.get(key, ABSENT)
            if type(wanted) not in _SIMPLE or type(wanted) is not type(found) or wanted != found:
                yield from differences(wanted, found, (*path, key))
    elif path and path[-1] in _BY_ID and (_is_list(expected) and _is_list(actual)):
        yield from _differences_by_id(expected, actual, path, _BY_ID[str(path[-1])])
    elif _is_list(expected) and _is_list(actual) and expected is not ABSENT and actual is not ABSENT:
        for index in range(max(len(expected), len(actual))):
            yield from differences(_at(expected, index), _at(actual, index), (*path, index))
    elif expected != actual or isinstance(expected, bool) != isinstance(actual, bool):
        yield Difference(path, expected, actual)


def _is_list(value: Any) -> bool:
    return value is ABSENT or isinstance(value, list)


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT


def _identity(item: Any, key: str) -> Any:
    return item.get(key, ABSENT) if isinstance(item, dict) else ABSENT


def pair_by_id(expected: list[Any], actual: list[Any], key: str) -> list[tuple[Any, Any]]:
    """Pair expected and actual entries by id; an expected one whose id is open takes one that is left over."""
    known = {_identity(item, key): item for item in expected if isinstance(_identity(item, key), str)}
    nameless = [item for item in expected if not isinstance(_identity(item, key), str)]
    pairs: list[tuple[Any, Any]] = []
    for item in actual:
        partner = known.pop(_identity(item, key), ABSENT)
        if partner is ABSENT and nameless:
            partner = nameless.pop(_first_that_fits(nameless, item))
        pairs.append((partner, item))
    return pairs + [(item, ABSENT) for item in (*known.values(), *nameless)]


def _first_that_fits(candidates: list[Any], actual: Any) -> int:
    fits = (i for i, item in enumerate(candidates) if not any(differences(item, actual)))
    return next(fits, 0)


def _name(wanted: Any, found: Any, key: str) -> str:
    names = (_identity(item, key) for item in (found, wanted))
    return next((name for name in names if isinstance(name, str)), "?")


def _was_read(item: Any, key: str) -> bool:
    """Say whether an expected entry stems from a reading: where a new one stands among them is up to the server."""
    return isinstance(_identity(item, key), str) and not isinstance(item.get("captured_at"), Matcher)


def _differences_by_id(
    expected: Any, actual: Any, path: tuple[str | int, ...], key: str
) -> Iterator[Difference]:
    pairs = pair_by_id(expected or [], actual or [], key)
    for wanted, found in pairs:
        yield from differences(wanted, found, (*path, _name(wanted, found, key)))
    wanted_order = [_identity(item, key) for item in expected or [] if _was_read(item, key)]
    found_order = [_identity(item, key) for item in actual or [] if _identity(item, key) in wanted_order]
    if path[-1] == "captures" and sorted(wanted_order) == sorted(found_order) and wanted_order != found_order:
        yield Difference(SEQUENCE_OF_CAPTURES, wanted_order, found_order)
