"""Where the server under test is, with which credentials, and what it can do."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orderproof.errors import UsageError

PRODUCTION_HOSTS = frozenset({"api.klarna.com", "api-na.klarna.com", "api-oc.klarna.com"})
REMOTE_RATE = 40.0
"""Requests a second for a target that is not on this machine, unless told otherwise."""


@dataclass(frozen=True)
class ClockControl:
    """How the target's clock is moved: a request in whose body `{seconds}` stands for the number of seconds."""

    method: str
    path: str
    body: Mapping[str, Any]


SANDBOX_CLOCK = ClockControl("POST", "/_control/clock", {"advance_seconds": "{seconds}"})


@dataclass(frozen=True)
class Target:
    """A server under test.

    `base_url` has scheme and host, and a path prefix if the API is mounted below one. `timeout` is in seconds, for
    one answer; `rate` in requests a second, None for no limit.
    """

    base_url: str
    username: str
    password: str = field(repr=False)
    orders: str = field(default="customer-token:sandbox", repr=False)
    timeout: float = 10.0
    rate: float | None = None
    clock: ClockControl | None = None

    @property
    def authorization(self) -> str:
        """The value of the `Authorization` header."""
        return basic(self.username, self.password)


def basic(username: str, password: str) -> str:
    """Return the HTTP Basic credentials of a user (RFC 7617)."""
    token = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    return f"Basic {token}"


def checked_base_url(text: str, *, allow_production: bool = False) -> str:
    """Return a base URL without a trailing slash. Raises UsageError for one that cannot or must not be judged."""
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise UsageError(f"the port of the base URL {text!r} is not a number from 1 to 65535") from None
    odd = any(character.isspace() or not character.isprintable() for character in text)
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or odd:
        raise UsageError(f"the base URL {text!r} is not of the form http://host:port or https://host")
    if parts.username or parts.password:
        raise UsageError(
            "the base URL has credentials in it: give them with --user and --password, or in the environment"
        )
    if parts.query or parts.fragment:
        raise UsageError(
            f"the base URL {text!r} has a query or fragment: give scheme, host and path prefix alone"
        )
    if parts.hostname.lower().rstrip(".") in PRODUCTION_HOSTS:
        refuse_production(parts.hostname, allowed=allow_production)
    return text.rstrip("/")


def checked_user(name: str) -> str:
    """Return a user of HTTP Basic authentication. Raises UsageError for one with a colon, which it cannot carry."""
    if ":" in name:
        raise UsageError(f"the user {name!r} has a colon, which HTTP Basic authentication cannot carry")
    return name


def refuse_production(host: str, *, allowed: bool) -> None:
    """Raise UsageError: nothing that writes is ever sent to a live host, with or without `--allow-production`."""
    if allowed:
        raise UsageError(
            f"{host} is a live host: even with --allow-production only `orderproof audit` and reading work on it"
        )
    raise UsageError(
        f"{host} is a live host, where real money moves: use a playground, or `orderproof audit` on recordings"
    )


def is_loopback(base_url: str) -> bool:
    """Say whether a base URL points to this machine."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def default_rate(base_url: str) -> float | None:
    """The rate limit where none is given: none on this machine, 40 requests a second elsewhere."""
    return None if is_loopback(base_url) else REMOTE_RATE
