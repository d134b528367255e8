"""Request bodies, read against the schemas of the OpenAPI document.

What comes out is valid, has integers where integers belong, and only the fields that the contract knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from sys import intern
from typing import Any, NoReturn

import jsonschema_rs

from orderproof import spec
from orderproof.sandbox.calls import INVALID, Call, Refusal
from orderproof.sandbox.options import Open

MOST_MESSAGES = 5
LARGEST_INTEGER = 2**63 - 1
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_MARKUP = re.compile(r"[\x00-\x1f\x7f-\x9f]|<[A-Za-z/!?][^<>]*>")

_REASONS = {
    "AdditionalProperties": "has fields that are not known",
    "Enum": "must be one of {options}",
    "MaxItems": "must have at most {limit} items",
    "MaxLength": "must have at most {limit} characters",
    "Maximum": "must be at most {limit}",
    "MinItems": "must have at least {limit} items",
    "MinLength": "must have at least {limit} characters",
    "Minimum": "must be at least {limit}",
}


@dataclass(frozen=True, slots=True)
class BodyRule:
    """What an operation wants as its body: the schema, its compiled form, and whether it can be left out."""

    schema: Mapping[str, Any]
    validator: jsonschema_rs.Draft202012Validator
    required: bool


def read_body(call: Call, chosen: Open) -> Call:
    """Return the call with its body read. Raises Refusal (400, 415 or 422) for a body that is not valid.

    A body sent to an operation that takes none is ignored, and so is its content type.
    """
    rule = body_rules().get(call.operation)
    if rule is None or (not call.raw and not rule.required):
        return call
    if call.raw and call.media_type != "application/json":
        sent = f"{call.media_type[:100]!r} was sent" if call.media_type else "none was sent"
        raise Refusal(int(chosen.media_type), INVALID, f"Content-Type must be application/json, {sent}.")
    value = _parsed(call.raw, chosen)
    _hold_against(rule, value, chosen)
    walk = _Walk(chosen)
    body = walk.known(rule.schema, value, "")
    walk.refuse_problems()
    return call._replace(body=body, unknown=tuple(name for name in value if name not in body))


@cache
def body_rules() -> Mapping[str, BodyRule]:
    """Return the rule for the body of every operation that takes one, compiled from the OpenAPI document."""
    return {
        operation["operationId"]: _rule(operation["requestBody"]) for operation in _operations_with_body()
    }


def _operations_with_body() -> Iterator[Mapping[str, Any]]:
    for path in spec.openapi()["paths"].values():
        for method in ("patch", "post", "put"):
            if "requestBody" in path.get(method, {}):
                yield path[method]


def _rule(request_body: Mapping[str, Any]) -> BodyRule:
    schema = request_body["content"]["application/json"]["schema"]
    components = {"schemas": spec.openapi()["components"]["schemas"]}
    validator = jsonschema_rs.Draft202012Validator({**schema, "components": components})
    return BodyRule(schema, validator, bool(request_body.get("required", False)))


def _parsed(raw: bytes, chosen: Open) -> Any:
    try:
        value = json.loads(raw.decode("utf-8"), parse_constant=_no_such_number)
        if _SURROGATE.search(raw):
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair is not text
        return value
    except (ValueError, RecursionError) as problem:
        status = int(chosen.not_json)
        raise Refusal(
            status, INVALID, "The body is not JSON." if raw else "A JSON body is required."
        ) from problem


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(word)


def _hold_against(rule: BodyRule, value: Any, chosen: Open) -> None:
    try:
        messages = [_sentence(error) for error in islice(rule.validator.iter_errors(value), MOST_MESSAGES)]
    except (ValueError, RecursionError):
        messages = ["The body is nested too deeply."]
    if messages:
        raise Refusal(int(chosen.invalid_status), INVALID, *messages)


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    where, kind = _dotted(error.instance_path), error.kind
    match kind:
        case jsonschema_rs.ValidationErrorKind.Required():
            return f"{where + '.' if where else ''}{kind.property}: is required."
        case jsonschema_rs.ValidationErrorKind.Type():
            return f"{where or 'The body'}: must be of type {' or '.join(kind.types)}."
        case _:
            wanted = _REASONS.get(type(kind).__name__, "is not valid")
            limit, options = getattr(kind, "limit", ""), getattr(kind, "options", ())
            return f"{where}: {wanted.format(limit=limit, options=', '.join(map(str, options)))}."


def _dotted(path: list[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


@dataclass(slots=True)
class _Walk:
    """A pass over a valid value along its schema, which collects what the choices of the sandbox refuse."""

    chosen: Open
    problems: list[str] = field(default_factory=list)
    markup: list[str] = field(default_factory=list)

    def refuse_problems(self) -> None:
        """Raise the Refusal for what was collected, if anything was."""
        if self.problems:
            raise Refusal(int(self.chosen.invalid_status), INVALID, *self.problems[:MOST_MESSAGES])
        if self.markup:
            raise Refusal(int(self.chosen.markup), INVALID, *self.markup[:MOST_MESSAGES])

    def known(self, schema: Mapping[str, Any], value: Any, where: str) -> Any:
        """Return the value without what the schema does not know, integers as such."""
        schema = _resolved(schema)
        match value:
            case dict():
                return self._known_fields(schema.get("properties", {}), value, where)
            case list():
                return [
                    self.known(schema.get("items", {}), item, f"{where}[{i}]") for i, item in enumerate(value)
                ]
            case str():
                self._text(schema, value, where)
            case int() | float() if schema.get("type") == "integer":
                return self._integer(value, where)
        return value

    def _known_fields(
        self, properties: Mapping[str, Any], value: dict[str, Any], where: str
    ) -> dict[str, Any]:
        prefix = f"{where}." if where else ""
        unknown = [name for name in value if name not in properties]
        if unknown and self.chosen.unknown_fields == "refused":
            self.problems.extend(f"{prefix}{name[:100]}: is not known." for name in unknown)
        # Interned, the names of fields take no memory in each order anew.
        return {
            intern(name): self.known(properties[name], item, f"{prefix}{name}")
            for name, item in value.items()
            if name in properties
        }

    def _text(self, schema: Mapping[str, Any], value: str, where: str) -> None:
        units = len(value.encode("utf-16-le")) // 2
        if self.chosen.length_unit == "utf-16" and units > schema.get("maxLength", units):
            self.problems.append(f"{where}: must have at most {schema['maxLength']} characters.")
        if self.chosen.markup != "taken" and _MARKUP.search(value):
            self.markup.append(f"{where}: must not have markup or control characters.")

    def _integer(self, value: int | float, where: str) -> int:
        if isinstance(value, float) and self.chosen.integer_floats == "refused":
            self.problems.append(f"{where}: must be of type integer.")
        if abs(value) > LARGEST_INTEGER:
            self.problems.append(f"{where}: must fit into 64 bits.")
        return int(value)


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        schema = spec.openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
