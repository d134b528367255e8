"""The bounds of the contract, read from the OpenAPI document when they are asked for.

A field is named as the document names it: the component, a dot, the property
(`CaptureRequest.captured_amount`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis.errors import InvalidArgument

from orderproof import spec

Schema = Mapping[str, Any]

AMOUNT = "CaptureRequest.captured_amount"
PRICE = "OrderLine.unit_price"
_AMOUNTS = ("captured_amount", "refunded_amount", "order_amount")


def resolved(schema: Schema) -> Schema:
    """Return the schema that a `$ref` stands for, or the schema itself."""
    while "$ref" in schema:
        schema = component(schema["$ref"].rpartition("/")[2])
    return schema


@cache
def component(name: str) -> Schema:
    """Return a component schema by its name. Raises InvalidArgument for a name that it does not have."""
    schemas = spec.openapi()["components"]["schemas"]
    if name not in schemas:
        raise InvalidArgument(
            f"{name!r} is no component of the OpenAPI document; it has {', '.join(sorted(schemas))}"
        )
    return resolved(schemas[name])


@cache
def field(name: str) -> Schema:
    """Return the schema of `Component.property`. Raises InvalidArgument for one that it does not have."""
    owner, _, key = name.partition(".")
    properties = component(owner).get("properties", {})
    if key not in properties:
        raise InvalidArgument(
            f"{name!r} is no field of the OpenAPI document; {owner} has {', '.join(properties)}"
        )
    return resolved(properties[key])


def reference(field_name: str) -> str:
    """Return the name of the component that a field holds, or that the items of a list hold."""
    owner, _, key = field_name.partition(".")
    schema = component(owner)["properties"][key]
    target: str = schema.get("items", schema)["$ref"]
    return target.rpartition("/")[2]


@cache
def requests() -> tuple[str, ...]:
    """Return the names of the components that are bodies of requests."""
    operations = [
        call for path in spec.openapi()["paths"].values() for call in path.values() if "requestBody" in call
    ]
    contents = [call["requestBody"]["content"]["application/json"]["schema"]["$ref"] for call in operations]
    return tuple(dict.fromkeys(target.rpartition("/")[2] for target in contents))


def amount_field(component_name: str) -> str:
    """Return the name of the field that lines sum to. Raises InvalidArgument when there are no lines."""
    names: list[str] = [name for name in component(component_name)["properties"] if name in _AMOUNTS]
    if not names:
        raise InvalidArgument(f"{component_name!r} has no amount that lines sum to")
    return names[0]


def ordered(component_name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of a component with its fields in the sequence of the document."""
    return {name: record[name] for name in component(component_name)["properties"] if name in record}


def largest(name: str) -> int:
    """Return the maximum of an integer field. Raises InvalidArgument when the document sets none."""
    return _bound(name, "maximum")


def smallest(name: str) -> int:
    """Return the minimum of an integer field. Raises InvalidArgument when the document sets none."""
    return _bound(name, "minimum")


def longest(name: str) -> int:
    """Return the greatest length of a text field. Raises InvalidArgument when the document sets none."""
    return _bound(name, "maxLength")


def most(name: str) -> int:
    """Return how many items a list field takes at most. Raises InvalidArgument when there is no limit."""
    return _bound(name, "maxItems")


def fewest(name: str) -> int:
    """Return how many items a list field needs at least; none when the document does not say."""
    return int(field(name).get("minItems", 0))


def members(name: str) -> tuple[str, ...]:
    """Return the values of a closed list. Raises InvalidArgument when the field takes any value."""
    values = field(name).get("enum")
    if values is None:
        raise InvalidArgument(f"{name!r} is not a closed list")
    return tuple(values)


def _bound(name: str, keyword: str) -> int:
    value = field(name).get(keyword)
    if value is None:
        raise InvalidArgument(f"the OpenAPI document sets no {keyword} for {name!r}")
    return int(value)
