"""Idempotency keys."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


def idempotency_keys() -> SearchStrategy[str]:
    """Return UUIDs of version 4, which Hypothesis draws again when it replays or shrinks a test case.

    Keys of one test case differ from each other. Those of two test cases may be equal: a driver that must
    never use a key twice has to make it depend on its run as well.
    """
    return st.uuids(version=4).map(str)
