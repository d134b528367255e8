"""Which operation a method and a path mean, read from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from urllib.parse import unquote

from orderproof import spec
from orderproof.sandbox.calls import Refusal

CREATE = "createOrder"
LONGEST_KNOWN = 200
_TOKEN_PATHS = ("/payments/v1/authorizations/{authorizationToken}/order",)


@dataclass(slots=True)
class _Node:
    """One step of the paths: what may follow, and the operations that end here, by method."""

    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    operations: dict[str, str] = field(default_factory=dict)


def resolve(method: str, path: str) -> tuple[str, tuple[str, str]]:
    """Return the operation id of a request and the two ids in its path, decoded, empty where there is none.

    More slashes than one at the start count as one, as the real service takes them. HEAD is GET. Raises
    Refusal: 404 for a path that is unknown, 405 with `Allow` for a method that the path does not have.
    """
    return _resolved(method, path) if len(path) <= LONGEST_KNOWN else _resolved.__wrapped__(method, path)


@lru_cache(maxsize=4096)
def _resolved(method: str, path: str) -> tuple[str, tuple[str, str]]:
    node, values = _tree(), list[str]()
    for encoded in path.lstrip("/").split("/"):
        step = unquote(encoded) if "%" in encoded else encoded
        found = node.literal.get(step)
        if found is None:
            found = node.parameter
            values.append(step)
        if found is None:
            raise Refusal(404, "NOT_FOUND", f"There is nothing at {path[:200]}.")
        node = found
    if not node.operations:
        raise Refusal(404, "NOT_FOUND", f"There is nothing at {path[:200]}.")
    operation = node.operations.get("GET" if method == "HEAD" else method)
    if operation is None:
        raise method_not_allowed(method, node.operations)
    first, second = (*values, "")[:2]
    return operation, (first, second)


def method_not_allowed(method: str, allowed: Mapping[str, str]) -> Refusal:
    """Return the refusal of a method, with those that a path has."""
    methods = [*allowed, *(["HEAD"] if "GET" in allowed else [])]
    message = f"{method} is not possible here, {', '.join(methods)} is."
    return Refusal(405, "METHOD_NOT_ALLOWED", message, headers=(("allow", ", ".join(methods)),))


@cache
def _tree() -> _Node:
    root = _Node()
    for path, item in spec.openapi()["paths"].items():
        operations = {
            method.upper(): one["operationId"] for method, one in item.items() if "operationId" in one
        }
        _plant(root, path, operations)
    for path in _TOKEN_PATHS:
        _plant(root, path, {"POST": CREATE})
    return root


def _plant(root: _Node, path: str, operations: Mapping[str, str]) -> None:
    node = root
    for step in path.lstrip("/").split("/"):
        if step.startswith("{"):
            node.parameter = node.parameter or _Node()
            node = node.parameter
        else:
            node = node.literal.setdefault(step, _Node())
    node.operations.update(operations)
