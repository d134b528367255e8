"""Start a server of the gallery: in a process of its own, or in a thread of this one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gallery.catalogue import find
from tests.gallery.server import PASSWORD, TOKEN, USERNAME, Fake
from tests.gallery.wire import Gateway

__all__ = ["CREDENTIALS", "ORDERS_SOURCE", "PASSWORD", "TOKEN", "USERNAME", "serve", "serve_here"]

CREDENTIALS = (USERNAME, PASSWORD)
ORDERS_SOURCE = f"customer-token:{TOKEN}"
CLOCK_CONFIG = {"method": "POST", "path": "/_control/clock", "body": {"advance_seconds": "{seconds}"}}
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serve(name: str, port: int = 0) -> Iterator[str]:
    """Run a server in a subprocess, yield its base URL, and end it. Raises KeyError for an unknown name."""
    find(name)
    command = [sys.executable, "-m", "tests.gallery", name, "--port", str(port), "--until-eof"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    try:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        if not base_url:
            raise RuntimeError(f"the server {name} did not start")
        yield base_url
    finally:
        process.terminate()
        process.communicate(timeout=10)


@contextmanager
def serve_here(server: type[Fake]) -> Iterator[str]:
    """Run a server in a thread and yield its base URL."""
    with Gateway(server()) as gateway:
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield gateway.base_url
        finally:
            gateway.shutdown()
            thread.join(timeout=5)
