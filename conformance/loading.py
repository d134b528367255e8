"""Runs a load for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orderproof.checking import Settings
from orderproof.errors import CannotJudge, UsageError
from orderproof.load.running import Size, load, work_for
from orderproof.report.load import load_lines
from orderproof.report.terminal import Terminal
from orderproof.report.writer import write_report
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import ServerError, background


def run_load(settings: Settings, chosen: Mapping[str, Any], *, embedded: bool) -> int:
    """Put a load on a target, or on a sandbox of our own, as the options by name say; returns the exit code.

    Raises UsageError for options that make no sense, CannotJudge when there is nothing to judge.
    """
    size = _size(chosen)
    if chosen.get("worker"):
        if embedded:
            raise UsageError("--worker needs the --base-url that its master was given")
        work_for(settings, *_address("--worker", chosen["worker"]))
        return 0
    with Terminal(quiet=bool(chosen.get("quiet"))) as terminal, _target(settings, embedded) as ready:
        terminal.say(f"Loading {ready.shown_target or ready.target.base_url} (seed {ready.seed})")
        result = load(ready, size, terminal.progress)
        if ready.report is not None:
            write_report(ready.report, result)
        terminal.summary(result, ready.report)
        for line in ("", *load_lines(result.coverage)):
            terminal.say(line)
    return result.exit_code


@contextmanager
def _target(settings: Settings, embedded: bool) -> Iterator[Settings]:
    """The settings, with a sandbox of our own as the target where there is no other."""
    if not embedded:
        yield settings
        return
    user, password = settings.target.username, settings.target.password
    try:
        with background(SandboxSettings(username=user, password=password)) as base_url:
            target = replace(settings.target, base_url=base_url, orders="customer-token:sandbox")
            yield replace(settings, target=target, shown_target="the embedded sandbox")
    except ServerError as error:
        raise CannotJudge(str(error)) from None


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
