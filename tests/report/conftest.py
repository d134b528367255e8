"""Golden files: outputs that are compared whole, and how they are written anew.

A golden file in `tests/report/golden/` holds an output as a reader sees it. After a change that is meant,
write them anew with `ORDERPROOF_WRITE_GOLDEN=1 pytest tests/report`, and read the difference before
committing it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the golden file of a name, or write it."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("ORDERPROOF_WRITE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text

    return compare
