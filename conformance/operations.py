"""The operations of the API, read from the OpenAPI document: what goes where, and what may come back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

from orderproof.schemas import (
    Problem,
    problems,
    reading_problems,
    reading_validator,
    schema,
    unknown_fields,
    validator,
    with_values,
)
from orderproof.spec import openapi

__all__ = [
    "ALL_OPERATIONS",
    "GENERAL_STATUSES",
    "OPERATIONS",
    "Operation",
    "Problem",
    "allowed_methods",
    "match",
    "path_of",
    "problems",
    "reading_problems",
    "reading_validator",
    "schema",
    "unknown_fields",
    "validator",
    "with_values",
]

_METHODS = ("get", "put", "post", "delete", "patch")
_REFERENCE = "#/components/schemas/"


@dataclass(frozen=True)
class Operation:
    """One operation: where it is sent, what it takes, and what is documented as its answer.

    `template` is the path with its `parameters` in braces. `request_schema` names a component, or is None for
    a call that takes no body; `body_required` says whether the body may be left out. `response_schemas` and
    `error_codes` go by status: the component of the body (None: no body), and the codes documented for a
    refusal (none: any). `headers` are those that a success carries. `writes` is false for reading.
    A `supporting` operation is not a part of the Order Management API.
    """

    id: str
    method: str
    template: str
    parameters: tuple[str, ...]
    request_schema: str | None
    body_required: bool
    statuses: tuple[int, ...]
    response_schemas: Mapping[int, str | None] = field(hash=False)
    error_codes: Mapping[int, tuple[str, ...]] = field(hash=False)
    headers: tuple[str, ...] = ()
    writes: bool = False
    supporting: bool = False

    @property
    def success(self) -> int:
        """The one documented status below 300."""
        return next(status for status in self.statuses if status < 300)


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = openapi()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return _resolved(found)


def _component(holder: Mapping[str, Any]) -> str | None:
    schema = holder.get("content", {}).get("application/json", {}).get("schema", {})
    return schema["$ref"].removeprefix(_REFERENCE) if "$ref" in schema else None


def _operation(template: str, method: str, item: Mapping[str, Any]) -> Operation:
    body = item.get("requestBody", {})
    answers = {int(status): _resolved(answer) for status, answer in item["responses"].items()}
    return Operation(
        id=item["operationId"],
        method=method.upper(),
        template=template,
        parameters=tuple(re.findall(r"{([^}]+)}", template)),
        request_schema=_component(body),
        body_required=bool(body.get("required", False)),
        statuses=tuple(sorted(answers)),
        response_schemas=MappingProxyType({status: _component(answer) for status, answer in answers.items()}),
        error_codes=MappingProxyType(
            {status: tuple(a["x-error-codes"]) for status, a in answers.items() if "x-error-codes" in a}
        ),
        headers=tuple(name for status, a in answers.items() if status < 300 for name in a.get("headers", {})),
        writes=method != "get",
        supporting=bool(item.get("x-supporting", False)),
    )


def _all_operations() -> Iterator[Operation]:
    for template, item in openapi()["paths"].items():
        for method in _METHODS:
            if method in item:
                yield _operation(template, method, item[method])


ALL_OPERATIONS: Mapping[str, Operation] = MappingProxyType({found.id: found for found in _all_operations()})
"""The 18 operations and the supporting one, by id, in the order of the document."""

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {name: operation for name, operation in ALL_OPERATIONS.items() if not operation.supporting}
)
"""The 18 operations of the Order Management API, by id, in the order of the document."""

GENERAL_STATUSES: frozenset[int] = frozenset(int(status) for status in openapi()["x-general-responses"])
"""Statuses that any operation may answer with beside its documented ones (GEN-HTTP-4)."""


@cache
def _templates() -> Mapping[int, tuple[tuple[tuple[str, ...], Mapping[str, Operation]], ...]]:
    """Templates cut at their slashes, by number of segments, each with its operations by method."""
    methods: dict[str, dict[str, Operation]] = {}
    for operation in ALL_OPERATIONS.values():
        methods.setdefault(operation.template, {})[operation.method] = operation
    table: dict[int, tuple[tuple[tuple[str, ...], Mapping[str, Operation]], ...]] = {}
    for template, operations in methods.items():
        segments = tuple(template.split("/"))
        table[len(segments)] = (*table.get(len(segments), ()), (segments, operations))
    return table


def _fitted(template: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    found = {}
    for wanted, segment in zip(template, segments, strict=True):
        if wanted.startswith("{"):
            if not segment:
                return None
            found[wanted[1:-1]] = unquote(segment)
        elif wanted != segment:
            return None
    return found


def _located(path: str) -> tuple[Mapping[str, Operation], dict[str, str]] | None:
    segments = path.split("/")
    for template, operations in _templates().get(len(segments), ()):
        found = _fitted(template, segments)
        if found is not None:
            return operations, found
    return None


def match(method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Return the operation that a request goes to, with its ids percent-decoded, or None if there is none.

    The path is the one sent, still percent-encoded and without a query. Nothing is forgiven: a doubled or
    trailing slash, another letter case or an empty id fits no operation.
    """
    located = _located(path)
    if located is None or method not in located[0]:
        return None
    return located[0][method], located[1]


def allowed_methods(path: str) -> tuple[str, ...]:
    """Return the methods that a path takes, sorted; none if no operation has this path."""
    located = _located(path)
    return () if located is None else tuple(sorted(located[0]))


def path_of(operation_id: str, **ids: str) -> str:
    """Return the path of an operation with its ids filled in, percent-encoded.

    Raises ValueError for an unknown operation, and for an id that is missing, empty or not one of its own.
    """
    operation = ALL_OPERATIONS.get(operation_id)
    if operation is None:
        raise ValueError(f"no operation is called {operation_id!r}; there are {', '.join(ALL_OPERATIONS)}")
    if set(ids) != set(operation.parameters) or not all(ids.values()):
        wanted = ", ".join(operation.parameters)
        raise ValueError(f"{operation_id} takes {wanted}, each not empty, and was given {ids}")
    return operation.template.format_map({name: _quoted(value) for name, value in ids.items()})


def _quoted(value: str) -> str:
    """Percent-encode an id; one made of dots too, which clients would take for a step up the path."""
    return value.replace(".", "%2E") if value in (".", "..") else quote(value, safe="")
