"""A server of the gallery behind TLS, with a certificate of its own making."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orderproof.target import Target
from tests.gallery.server import Fake
from tests.gallery.serving import CREDENTIALS
from tests.gallery.wire import Gateway


@dataclass(frozen=True)
class Certificate:
    """The files of a key and of a certificate that it signed itself, for localhost."""

    key: Path
    chain: Path


def made_certificate(folder: Path) -> Certificate:
    """Make a certificate with openssl; skips the test where there is none."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here to make a certificate with")
    made = Certificate(folder / "key.pem", folder / "chain.pem")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    files = ["-keyout", str(made.key), "-out", str(made.chain)]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return made


@contextmanager
def serve_over_tls(fake: Fake, certificate: Certificate) -> Iterator[Target]:
    """Run a server in a thread of this process and yield it as a target."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    with Gateway(fake) as gateway:
        gateway.socket = context.wrap_socket(gateway.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Target(f"https://localhost:{gateway.server_address[1]}", *CREDENTIALS, timeout=3.0)
        gateway.shutdown()
        thread.join(5)
