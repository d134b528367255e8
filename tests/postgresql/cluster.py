"""A PostgreSQL of the tests' own: an empty data directory, a free port of loopback, an unprivileged user."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

PASSWORD = "s3cret-of-the-tests"
STARTS_WITHIN_SECONDS = 30.0
_DEBIAN = "/usr/lib/postgresql/*/bin/initdb"


def programs() -> Path | None:
    """The folder with initdb and postgres, or None when PostgreSQL is not installed."""
    found = shutil.which("initdb")
    known = [found] if found else sorted(glob.glob(_DEBIAN))
    return Path(os.path.realpath(known[-1])).parent if known else None


def _user() -> str | None:
    """Whom PostgreSQL runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def cluster(folder: Path) -> Generator[str]:
    """Run a server with the programs of a folder, and yield the URL of its database."""
    user = _user()
    with tempfile.TemporaryDirectory(prefix="orderproof-postgresql-") as root:
        secret, data = Path(root, "password"), Path(root, "data")
        secret.write_text(PASSWORD)
        for path in (root, secret):
            if user is not None:
                shutil.chown(path, user)
        make = [folder / "initdb", "-D", data, "-U", "sandbox", "--auth=scram-sha-256", f"--pwfile={secret}"]
        subprocess.run(make, user=user, check=True, capture_output=True, cwd=root)
        port = _free_port()
        told = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", f"port={port}")
        command = [folder / "postgres", "-D", data, *(word for each in told for word in ("-c", each))]
        with subprocess.Popen(
            command, user=user, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                _wait_until_it_listens(server, port)
                yield f"postgresql://sandbox:{PASSWORD}@127.0.0.1:{port}/postgres"
            finally:
                server.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_it_listens(server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert server.poll() is None, "PostgreSQL did not start"
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL does not listen")
