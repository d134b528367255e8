"""The Authorization header of a call: the target's own, one that is wrong in a known way, or none."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from orderproof.target import Target, basic

Header = Callable[[Target], str | None]


def _pair(user: str, password: str) -> Header:
    def written(target: Target) -> str:
        names = {
            "user": target.username,
            "password": target.password,
            "shorter": target.password[:-1],
            "other_case": target.password.swapcase(),
            "other_case_user": target.username.swapcase(),
        }
        return basic(user.format(**names), password.format(**names))

    return written


KINDS: Mapping[str, Header] = {
    "none": lambda target: None,
    "wrong-password": _pair("{user}", "not-{password}"),
    "wrong-user": _pair("nobody-{user}", "{password}"),
    "longer-user": _pair("{user}x", "{password}"),
    "user-in-other-case": _pair("{other_case_user}", "{password}"),
    "empty": _pair("", ""),
    "empty-password": _pair("{user}", ""),
    "shorter-password": _pair("{user}", "{shorter}"),
    "longer-password": _pair("{user}", "{password}x"),
    "password-in-other-case": _pair("{user}", "{other_case}"),
    "bearer": lambda target: f"Bearer {secrets.token_hex(16)}",
    "garbled": lambda target: "Basic %%%",
}
"""What `Command.credentials` may name beside "own", with the header that it stands for."""


def authorization(kind: str, target: Target) -> str | None:
    """Return the value of the header, or None for no header. Raises KeyError for a kind that there is not."""
    if kind == "own":
        return target.authorization
    header = KINDS[kind](target)
    # A password without letters has no other case: what comes out right by accident is no wrong password.
    return KINDS["wrong-password"](target) if header == target.authorization else header
