"""The configuration: `[tool.orderproof]` in pyproject.toml, or orderproof.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from orderproof.errors import UsageError
from orderproof.target import ClockControl

_TYPES: Mapping[str, tuple[type, ...]] = {
    "base-url": (str,),
    "user": (str,),
    "password": (str,),
    "orders": (str,),
    "profile": (str,),
    "only": (str, list),
    "seed": (int,),
    "max-time": (int, float),
    "timeout": (int, float),
    "rate": (int, float),
    "workers": (int,),
    "shard": (str,),
    "example-database": (str,),
    "strict": (bool,),
    "report": (str,),
    "waivers": (str,),
    "quiet": (bool,),
    "clock": (dict,),
}
"""Every key of the configuration: the options of `check`, and the `clock` table."""

_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


def configuration(path: Path | None = None) -> dict[str, Any]:
    """Return the configuration as a mapping from option names to values; empty when there is none.

    Without a path, `orderproof.toml` of the working directory is read, or else the table `[tool.orderproof]` of its
    `pyproject.toml`. Raises UsageError for a file that cannot be read, an unknown key or a value of the wrong type.
    """
    if path is not None:
        return _checked(_table(path), path)
    for candidate in (Path("orderproof.toml"), Path("pyproject.toml")):
        if candidate.is_file():
            table = _checked(_table(candidate), candidate)
            if table or candidate.name == "orderproof.toml":
                return table
    return {}


def _table(path: Path) -> Any:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"the configuration {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"the configuration {path} is not TOML: {error}") from None
    if path.name == "pyproject.toml":
        tool = data.get("tool")
        return tool.get("orderproof", {}) if isinstance(tool, dict) else {}
    return data


def _checked(table: Any, path: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise UsageError(f"the configuration in {path} is not a table but {table!r}")
    checked = {name.replace("_", "-"): value for name, value in table.items()}
    for name, value in checked.items():
        if name not in _TYPES:
            near = get_close_matches(name, _TYPES, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_TYPES)}"
            raise UsageError(f"the configuration in {path} has an unknown key {name!r}: {hint}")
        if not isinstance(value, _TYPES[name]) or (isinstance(value, bool) and bool not in _TYPES[name]):
            wanted = " or ".join(_WORDS[kind] for kind in _TYPES[name])
            raise UsageError(f"the configuration in {path} has {name} = {value!r}, which is not {wanted}")
        if value == "" and name not in ("user", "password"):
            raise UsageError(f"the configuration in {path} has {name} = '': give a value, or leave it out")
    return checked


def clock_control(table: Mapping[str, Any] | None) -> ClockControl | None:
    """Return how the target's clock is moved, from the `clock` table. Raises UsageError for an incomplete one."""
    if table is None:
        return None
    method, path, body = table.get("method", "POST"), table.get("path"), table.get("body")
    named = isinstance(path, str) and path.startswith("/") and isinstance(method, str)
    if not named or not isinstance(body, dict) or "{seconds}" not in body.values():
        raise UsageError(
            'the clock of the configuration needs a path that begins with "/" and a body with "{seconds}" in it, as in '
            '[clock] method = "POST", path = "/_control/clock", body = {advance_seconds = "{seconds}"}'
        )
    return ClockControl(str(method), str(path), body)
