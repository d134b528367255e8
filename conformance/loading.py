"""Runs a load for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orderproof.checking import Settings
from orderproof.errors import UsageError
from orderproof.load.running import Size, load, work_for
from orderproof.report.load import load_lines
from orderproof.report.terminal import Terminal
from orderproof.report.writer import write_report


def run_load(settings: Settings, chosen: Mapping[str, Any]) -> int:
    """Put a load on a target, of the size that options by name say; returns the exit code.

    Raises UsageError for options that make no sense, CannotJudge when there is nothing to judge.
    """
    size = _size(chosen)
    with Terminal(quiet=bool(chosen.get("quiet"))) as terminal:
        terminal.say(f"Loading {settings.shown} (seed {settings.seed})")
        result = load(settings, size, terminal.progress)
        if settings.report is not None:
            write_report(settings.report, result)
        terminal.summary(result, settings.report)
        for line in ("", *load_lines(result.coverage)):
            terminal.say(line)
    return result.exit_code


def work(settings: Settings, chosen: Mapping[str, Any]) -> None:
    """Be the worker that options by name say until its master is done. Raises as `run_load` does."""
    _size(chosen)
    if not chosen.get("base-url"):
        raise UsageError("--worker needs the --base-url that its master was given")
    work_for(settings, *_address("--worker", chosen["worker"]))


def _size(chosen: Mapping[str, Any]) -> Size:
    for name in ("spawn-rate", "run-time"):
        if not chosen[name] > 0:
            raise UsageError(f"--{name} {chosen[name]:g} is not above 0")
    if chosen.get("master") and chosen.get("worker"):
        raise UsageError("--master and --worker are two parts of one load: give one of them")
    master = chosen.get("master")
    return Size(
        users=chosen["users"],
        spawn_rate=chosen["spawn-rate"],
        run_time=chosen["run-time"],
        requests=chosen.get("requests"),
        processes=chosen["processes"],
        master=_address("--master", master) if master else None,
    )


def _address(option: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise UsageError(f"{option} {text!r} is not of the form HOST:PORT")
    return host.strip("[]"), int(port)
