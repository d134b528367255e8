"""The schemas of bodies, read from the OpenAPI document, and what is wrong with a value that breaks one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from orderproof.spec import openapi

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/components/schemas/"
_ZONED_TIME = re.compile(r"\d{4}-?\d\d-?\d\dT\d\d.*(Z|[+-]\d\d(:?\d\d)?)")
_FORMATS = {"date-time": "an ISO 8601 time with a time zone", "date": "a date like 2026-11-30"}


@dataclass(frozen=True)
class Problem:
    """Where a value breaks its schema, by which keyword, and a sentence that says so and shows the value."""

    path: str
    message: str
    keyword: str

    def __str__(self) -> str:
        return self.message


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix(_REFERENCE)
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _rewritten(node: Any, lenient: bool) -> Any:
    """Copy a schema, its references turned to `$defs`; `lenient` requires only what always has a value."""
    if isinstance(node, list):
        return [_rewritten(value, lenient) for value in node]
    if not isinstance(node, dict):
        return node
    copy = {name: _rewritten(value, lenient) for name, value in node.items()}
    if isinstance(node.get("$ref"), str):
        copy["$ref"] = node["$ref"].replace(_REFERENCE, "#/$defs/")
    if lenient and isinstance(node.get("required"), list):
        copy["required"] = [name for name in node["required"] if _has_a_value(node["properties"][name])]
    return copy


def _has_a_value(field_schema: Mapping[str, Any]) -> bool:
    """Numbers are never empty, text may be; the prices of a shipping option are published as null."""
    return field_schema.get("type") == "integer" and not field_schema.get("x-optional-value", False)


def _bundle(name: str, lenient: bool) -> dict[str, Any]:
    components = openapi()["components"]["schemas"]
    if name not in components:
        raise ValueError(f"no schema is called {name!r}; there are {', '.join(components)}")
    reached: dict[str, Any] = {}
    waiting = list(_references(components[name]))
    while waiting:
        part = waiting.pop()
        if part not in reached:
            reached[part] = _rewritten(components[part], lenient)
            waiting.extend(_references(components[part]))
    bundle = {"$schema": _DIALECT, **_rewritten(components[name], lenient)}
    return {**bundle, "$defs": dict(sorted(reached.items()))} if reached else bundle


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a component as a JSON Schema 2020-12 that stands alone, the others that it uses in `$defs`.

    Callers must not change it. Raises ValueError for a name that is no component.
    """
    return _bundle(name, lenient=False)


def _is_zoned_time(text: str) -> bool:
    """ORD-GET-3 asks for ISO 8601 with a time zone, which is wider than the date-time of JSON Schema."""
    text = text.upper()  # t and z are as good (RFC 3339, 5.6)
    if not _ZONED_TIME.fullmatch(text):
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _compiled(bundle: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(bundle, validate_formats=True, formats={"date-time": _is_zoned_time})


@cache
def validator(name: str) -> Draft202012Validator:
    """Return the compiled validator of a component, for what is sent. Raises ValueError as `schema` does."""
    return _compiled(schema(name))


@cache
def reading_validator(name: str) -> Draft202012Validator:
    """Return the compiled validator of a component, for what is read once `with_values` has gone over it."""
    return _compiled(_bundle(name, lenient=True))


def with_values(value: Any) -> Any:
    """Return a JSON value without the fields that have none: null, "", [] and {} (GEN-HTTP-1)."""
    if isinstance(value, dict):
        kept = ((name, with_values(item)) for name, item in value.items())
        return {name: item for name, item in kept if item is not None and item not in ("", [], {})}
    if isinstance(value, list):
        return [with_values(item) for item in value]
    return value


def problems(name: str, value: Any) -> list[Problem]:
    """Return everything in which a JSON value that is sent breaks a component."""
    return _problems(validator(name), value, lenient=False)


def reading_problems(name: str, value: Any) -> list[Problem]:
    """Return everything in which a JSON value that was read breaks a component.

    A field without a value may be absent, null, "" or [] (GEN-HTTP-1).
    """
    return _problems(reading_validator(name), value, lenient=True)


def _problems(compiled: Draft202012Validator, value: Any, lenient: bool) -> list[Problem]:
    try:
        if compiled.is_valid(value):
            return []
        return [_problem(error) for error in compiled.iter_errors(with_values(value) if lenient else value)]
    except (ValueError, RecursionError):  # the validator gives up on values nested hundreds of levels deep
        return [Problem("", "the body: is nested too deeply to be validated", "depth")]


def _problem(error: ValidationError) -> Problem:
    path = _path_text(error.instance_path)
    limit = error.kind.as_dict()
    keyword = error.kind.name
    shown = _shown(error.instance)
    if keyword == "required":
        path = f"{path}.{limit['property']}".lstrip(".")
    said = {
        "required": "is missing",
        "type": f"{shown} is not {_articled(limit.get('types', ['']))}",
        "minimum": f"{shown} is below the minimum {limit.get('limit')}",
        "maximum": f"{shown} is above the maximum {limit.get('limit')}",
        "minLength": f"{shown} is shorter than {limit.get('limit')} characters",
        "maxLength": f"{_length(error.instance)} characters are more than {limit.get('limit')}",
        "minItems": f"{_length(error.instance)} items are fewer than {limit.get('limit')}",
        "maxItems": f"{_length(error.instance)} items are more than {limit.get('limit')}",
        "enum": f"{shown} is not one of {', '.join(map(str, limit.get('options', [])))}",
        "format": f"{shown} is not {_FORMATS.get(limit.get('format', ''), 'in the format wanted')}",
    }.get(keyword, error.message)
    return Problem(path, f"{path or 'the body'}: {said}", keyword)


def _articled(types: list[str]) -> str:
    names = " or ".join(types)
    return f"{'an' if names[:1] in tuple('aio') else 'a'} {names}"


def _path_text(parts: list[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (str, list)) else 0


def unknown_fields(name: str, value: Any) -> list[str]:
    """Return the paths of the fields in a JSON value that a component does not have (CLI-BODY-4)."""
    return list(_unknown(schema(name), schema(name).get("$defs", {}), value, ""))


def _unknown(node: Mapping[str, Any], parts: Mapping[str, Any], value: Any, path: str) -> Iterator[str]:
    if "$ref" in node:
        node = parts[node["$ref"].removeprefix("#/$defs/")]
    if isinstance(value, dict):
        known = node.get("properties", {})
        for name, item in value.items():
            place = f"{path}.{name}".lstrip(".")
            if name in known:
                yield from _unknown(known[name], parts, item, place)
            elif node.get("type") == "object":
                yield place
    elif isinstance(value, list) and "items" in node:
        for index, item in enumerate(value):
            yield from _unknown(node["items"], parts, item, f"{path}[{index}]")
