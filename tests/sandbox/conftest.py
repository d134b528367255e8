"""Sandboxes for the tests."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack, closing

import pytest

from orderproof.sandbox.options import Settings, open_from
from tests.sandbox.client import Client


@pytest.fixture
def sandbox() -> Generator[Client]:
    """A sandbox with every option at its default."""
    with closing(Client()) as client:
        yield client


@pytest.fixture
def sandbox_with() -> Generator[Callable[..., Client]]:
    """Make sandboxes with choices given as keywords."""
    with ExitStack() as stack:

        def make(**choices: str) -> Client:
            return stack.enter_context(closing(Client(Settings(open=open_from(choices)))))

        yield make
