"""The contract as data: the OpenAPI document, the rule catalogue and their sources. No logic lives here."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def read(name: str) -> Any:
    """Return a YAML file of this folder as plain data, parsed once; callers must not change it."""
    return yaml.load((files(__name__) / name).read_text(encoding="utf-8"), _Loader)


def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the Order Management API, with the published defects repaired."""
    document: dict[str, Any] = read("openapi.yaml")
    return document


def rule_files() -> list[str]:
    """Return the names of the rule files, one per area, for `read`."""
    return sorted(
        f"rules/{entry.name}"
        for entry in (files(__name__) / "rules").iterdir()
        if entry.name.endswith(".yaml")
    )
