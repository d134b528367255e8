"""Files of a report, each written whole or not at all."""

from __future__ import annotations

import os
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

TOOL = "orderproof"


def tool_version() -> str:
    """Return the version of this suite as installed."""
    return version(TOOL)


def asset(name: str) -> str:
    """Return a text file that is shipped beside this module."""
    return files("orderproof.report").joinpath(name).read_text(encoding="utf-8")


def write_whole(path: Path, text: str) -> Path:
    """Write a file in UTF-8 so that a reader sees the old or the new one, never a part. Returns the path.

    Halves of surrogate pairs, which UTF-8 does not have, are written as escapes (`\\ud800`).
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(text.encode("utf-8", "backslashreplace"))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
