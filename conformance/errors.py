"""The ways in which a run cannot go on, each an exit code and one sentence for the user."""

from __future__ import annotations


class OrderproofError(Exception):
    """A sentence for the user; `exit_code` is what the process ends with."""

    exit_code = 3


class UsageError(OrderproofError):
    """The command, its options or its configuration are wrong."""

    exit_code = 2


class CannotJudge(OrderproofError):
    """The target cannot be judged: unreachable, credentials refused, no orders."""


class Stopped(Exception):
    """Whoever shares out the work wants no more of it."""


class OutOfTime(Exception):
    """The time that a run was given is over; what was found stands."""
