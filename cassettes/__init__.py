"""Recorded histories of the Order Management API, one folder for each area of the rules, in vcrpy's format.

They were recorded from the suite's own sandbox. `index.yaml` says of each when, with which version, and which rules
it witnesses.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml


@cache
def index() -> dict[str, dict[str, Any]]:
    """Return what is known of each cassette, by name; callers must not change it."""
    text = (files(__name__) / "index.yaml").read_text(encoding="utf-8")
    return {entry["name"]: entry for entry in yaml.safe_load(text)["cassettes"]}


def names() -> list[str]:
    """Return the names of the cassettes, such as `captures/full`."""
    return list(index())


def path(name: str) -> Path:
    """Return the file of a cassette. Raises ValueError for a name that is not on the shelf."""
    if name not in index():
        raise ValueError(f"no cassette is called {name!r}; there are {', '.join(names())}")
    return Path(str(files(__name__))) / f"{name}.yaml"
