"""The sandbox of our own that stands in for a target where none was named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from orderproof.errors import CannotJudge
from orderproof.sandbox.options import Settings, open_choices
from orderproof.sandbox.server import ServerError, background
from orderproof.target import Target

__all__ = ["NAME", "stand_in"]

NAME = "the embedded sandbox"


@contextmanager
def stand_in(target: Target, *choices: str) -> Iterator[Target]:
    """Run a sandbox while the block lasts; yields the target with its address, which takes the same credentials.

    The choices decide open points of it, as those of `orderproof sandbox --open`. Raises CannotJudge when it does not
    start.
    """
    settings = Settings(username=target.username, password=target.password, open=open_choices(choices))
    try:
        with background(settings) as base_url:
            yield replace(target, base_url=base_url, orders="customer-token:sandbox")
    except ServerError as error:
        raise CannotJudge(str(error)) from None
