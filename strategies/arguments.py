"""Refusals of arguments that make no sense, at the call and with the value in the sentence."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis.errors import InvalidArgument


def integer(name: str, value: object, *, low: int | None = None, high: int | None = None) -> int:
    """Return the value if it is an integer from `low` to `high`. Raises InvalidArgument otherwise."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidArgument(f"{name}={value!r} is not an integer")
    if low is not None and value < low:
        raise InvalidArgument(f"{name}={value!r} is below {low}")
    if high is not None and value > high:
        raise InvalidArgument(f"{name}={value!r} is above {high}")
    return value


def one_of(name: str, value: object, allowed: Collection[str]) -> str:
    """Return the value if it is one of the words. Raises InvalidArgument otherwise."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidArgument(f"{name}={value!r} is none of {', '.join(sorted(allowed))}")
    return value
