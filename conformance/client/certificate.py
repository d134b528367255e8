"""A certificate of our own making, for clients that insist on TLS."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from orderproof.errors import CannotJudge

HOSTS = tuple(
    f"api{region}{stage}.klarna.com" for stage in (".playground", "") for region in ("", "-na", "-oc")
)
"""The hosts of the API, for clients that know no other: with the certificate the sandbox can stand in for them."""

_DAYS = 2
_NAMES = ",".join(f"DNS:{name}" for name in ("localhost", *HOSTS)) + ",IP:127.0.0.1"
_TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate for localhost, 127.0.0.1 and HOSTS, which is its own authority, and of its key.

    `trust` are variables by which runtimes are told whom to trust: files with this certificate beside all that they
    trusted before.
    """

    file: str
    key: str
    trust: Mapping[str, str] = field(default_factory=dict)


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
        command += ["-subj", "/CN=localhost", "-addext", f"subjectAltName={_NAMES}"]
        command += ["-days", str(_DAYS), "-keyout", made.key, "-out", made.file]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise CannotJudge(f"openssl did not make a certificate: {last}")
        yield replace(made, trust={name: _bundle(name, made.file, folder) for name in _TRUST})


def _bundle(name: str, own: str, folder: str) -> str:
    """Write the certificates that a variable names, or that are trusted without it, and our own, to one file."""
    before = os.environ.get(name) or ssl.get_default_verify_paths().cafile or ""
    known = Path(before).read_bytes() if os.path.isfile(before) else b""
    bundle = Path(folder, f"{name.lower()}.pem")
    bundle.write_bytes(known + b"\n" + Path(own).read_bytes())
    return str(bundle)
