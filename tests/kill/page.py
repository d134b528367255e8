"""The results of the kill matrix as a page."""

from __future__ import annotations

from collections.abc import Sequence

from tests.kill.trial import Conformity, Row


def page(rows: Sequence[Row], variants: Sequence[Conformity]) -> str:
    """Return the page in Markdown."""
    return ""
