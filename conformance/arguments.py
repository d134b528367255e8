"""What the options of the command line come to: the settings of a run, or one sentence that says what is wrong."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderproof.catalogue import Rule, UnknownRule, select
from orderproof.configuration import clock_control
from orderproof.errors import UsageError
from orderproof.sharding import shard_from
from orderproof.supply import supply_from
from orderproof.target import SANDBOX_CLOCK, Target, checked_base_url, checked_user, default_rate

if TYPE_CHECKING:
    from orderproof.checking import Settings

__all__ = ["report_folder", "selected", "served", "settings_from", "target_from"]

_FIXED_SEED = 0
_MOST_WORKERS = 64
_MOST_SECONDS = 1_000_000


@contextmanager
def served(chosen: Mapping[str, Any], *, limits_rate: bool = True) -> Iterator[Settings]:
    """The settings of a run from options by name, with a sandbox of our own where no base URL is given.

    That one limits the rate, if it may, so that a run of its own puts the suite's patience to the test as well. Raises
    UsageError for options that make no sense, CannotJudge when the sandbox does not start.
    """
    from orderproof.embedded import NAME, stand_in

    settings = settings_from(chosen)
    if chosen.get("base-url"):
        yield settings
        return
    with stand_in(settings.target, *(["rate_limit=every-40th"] if limits_rate else [])) as target:
        yield replace(settings, target=target, shown_target=NAME)


def settings_from(chosen: Mapping[str, Any]) -> Settings:
    """The settings of a run from options by name. Raises UsageError for options that make no sense."""
    # Late, for they take half a second that judging a recording or a client does not need.
    from orderproof.checking import Settings
    from orderproof.drivers.plan import PROFILES

    profile = chosen.get("profile", "quick")
    if profile not in PROFILES:
        raise UsageError(f"there is no profile {profile!r}: choose one of {', '.join(PROFILES)}")
    max_time = chosen.get("max-time")
    if max_time is not None and not max_time > 0:
        raise UsageError(f"--max-time {max_time:g} leaves no time: give a number of seconds above 0")
    _hold_below("max-time", max_time)
    workers = chosen.get("workers", 1)
    if not 1 <= workers <= _MOST_WORKERS:
        raise UsageError(f"--workers {workers} is not a number from 1 to {_MOST_WORKERS}")
    return Settings(
        target=target_from(chosen),
        rules=selected(chosen.get("only", ())),
        profile=profile,
        seed=chosen.get("seed", _default_seed()),
        max_time=max_time,
        strict=bool(chosen.get("strict")),
        report=report_folder(chosen.get("report")),
        workers=workers,
        shard=shard_from(chosen["shard"]) if chosen.get("shard") else None,
    )


def _default_seed() -> int:
    return _FIXED_SEED if os.environ.get("CI") else secrets.randbelow(2**32)


def target_from(chosen: Mapping[str, Any]) -> Target:
    """The target from options by name. Raises UsageError for one that makes no sense, or a live host."""
    given = chosen.get("base-url")
    allowed = bool(chosen.get("allow-production"))
    base_url = checked_base_url(given, allow_production=allowed) if given else "http://127.0.0.1"
    rate, timeout = chosen.get("rate", default_rate(base_url)), chosen.get("timeout", 10.0)
    for name, value in (("rate", rate), ("timeout", timeout)):
        if value is not None and not value > 0:
            raise UsageError(f"--{name} {value:g} is not above 0")
        _hold_below(name, value)
    clock = clock_control(chosen.get("clock"))
    orders = chosen.get("orders", "customer-token:sandbox")
    supply_from(orders)  # a source that makes no sense is refused here, before anything is sent
    return Target(
        base_url=base_url,
        username=checked_user(chosen.get("user", "sandbox")),
        password=chosen.get("password", "sandbox"),
        orders=orders,
        timeout=timeout,
        rate=rate,
        clock=clock if given else clock or SANDBOX_CLOCK,
    )


def _hold_below(name: str, value: float | None) -> None:
    """Raise UsageError for a number that no clock takes."""
    if value is not None and value > _MOST_SECONDS:
        raise UsageError(f"--{name} {value:g} is above {_MOST_SECONDS:,}")


def selected(only: str | Sequence[str], *, both_sides: bool = False) -> list[Rule]:
    """The rules that patterns select. Raises UsageError for an unknown rule, or where no server rule is among them."""
    patterns = [only] if isinstance(only, str) else list(only)
    try:
        rules = select(patterns)
    except UnknownRule as error:
        raise UsageError(str(error)) from None
    if not both_sides and not any(rule.judges == "server" for rule in rules):
        raise UsageError(f"nothing is selected: {', '.join(patterns)} judge a client, not a server")
    return rules


def report_folder(name: str | None) -> Path | None:
    """The folder of a report, which is made if need be. Raises UsageError where it cannot be."""
    if name is None:
        return None
    if not name:
        raise UsageError("--report '' names no folder: give one, or leave --report out")
    folder = Path(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the report folder {name} cannot be made: {error.strerror}") from None
    return folder
