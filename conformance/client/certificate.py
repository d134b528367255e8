"""A certificate of our own making, for clients that insist on TLS."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orderproof.errors import CannotJudge

_DAYS = 2


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate for localhost and 127.0.0.1, which is its own authority, and of its key."""

    file: str
    key: str


@contextmanager
def certificate() -> Iterator[Certificate]:
    """Make a certificate that is gone with the block. Raises CannotJudge without the `openssl` command."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise CannotJudge("--tls makes its certificate with the command openssl, which is not installed")
    with tempfile.TemporaryDirectory(prefix="orderproof-") as folder:
        made = Certificate(str(Path(folder, "localhost.pem")), str(Path(folder, "localhost.key")))
        command = [
            openssl,
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        command += ["-days", str(_DAYS), "-keyout", made.key, "-out", made.file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CannotJudge(f"openssl did not make a certificate: {last}")
        yield made
