"""Sandboxes by the hundred: each in a process of its own, forked from one that has read the code once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection

from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import behaviour_named, run

STARTS_WITHIN_SECONDS = 30

_READ_ONCE = ["orderproof.sandbox.faults", "orderproof.sandbox.server", "tests.kill.trial"]
"""What a child would read again, itself or with the main module of its parent."""


def _serve(settings: Settings, fault: str | None, told: Connection) -> None:
    run(settings, behaviour=behaviour_named(fault), announce=told.send)


@contextmanager
def sandbox(settings: Settings, fault: str | None = None) -> Generator[str]:
    """Run a sandbox, with a fault if one is named, and yield its base URL."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_READ_ONCE)
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(settings, fault, there), daemon=True)
    process.start()
    try:
        assert here.poll(STARTS_WITHIN_SECONDS)
        yield here.recv()
    finally:
        process.terminate()
        process.join(5)
