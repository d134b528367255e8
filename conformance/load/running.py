"""Starts the processes that a load takes, and comes to one outcome of what they saw."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from orderproof.checking import Settings
from orderproof.counterexample import clear
from orderproof.drivers.session import Session
from orderproof.errors import CannotJudge, UsageError
from orderproof.judge import Judge
from orderproof.ledger import Ledger
from orderproof.load.brief import DEFAULT_PORT, Brief, Role
from orderproof.load.carrying import outcomes
from orderproof.outcome import Progress, RunResult
from orderproof.sanity import look_at
from orderproof.supply import is_shared, supply_from
from orderproof.transport import Transport
from orderproof.verdicts import conclude

__all__ = ["Size", "load", "work_for"]

_ENDS_WITHIN_SECONDS = 30.0
_ENGINE = (sys.executable, "-P", "-m", "orderproof.load.engine")

Watch = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class Size:
    """How much load: `users` in all, of whom `spawn_rate` begin each second, for `run_time` seconds.

    It ends before that after so many `requests`, if that is given. The users are shared out over `processes` of this
    machine, or as many workers that come to `master`, a host and port to listen on.
    """

    users: int = 8
    spawn_rate: float = 8.0
    run_time: float = 60.0
    requests: int | None = None
    processes: int = 1
    master: tuple[str, int] | None = None


def load(settings: Settings, size: Size, watch: Watch = lambda _: None) -> RunResult:
    """Put a load on a target and judge every answer. The figures stand in the coverage of the outcome, under `load`.

    Raises UsageError when Locust is not installed or the orders cannot be shared out, CannotJudge when the target does
    not answer as one should, or the load cannot be run.
    """
    _check(settings, size)
    if settings.report is not None:
        clear(settings.report / "counterexamples")
    started_at, started = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    _look(settings)
    found = _run(settings, size, watch)
    ledger = _ledger(found)
    requests = sum(share["requests"] for share in found["shares"])
    duration = time.monotonic() - started
    result = conclude(settings, ledger, requests=requests, duration=duration, started_at=started_at)
    return replace(result, profile="", coverage={"load": found["figures"]})


def work_for(settings: Settings, host: str, port: int) -> None:
    """Be a worker for the master on another machine until that says that it is over. Raises as `load` does."""
    _check(settings, Size(processes=2))
    brief = Brief(settings.target, _rules(settings), Role.WORKER, master_host=host, master_port=port)
    with _engine(replace(brief, seed=settings.seed, rate=settings.target.rate)) as process:
        code = process.wait()
    if code:
        raise CannotJudge(f"the worker ended with code {code}: is there a master at {host}:{port}?")


def _check(settings: Settings, size: Size) -> None:
    if find_spec("locust") is None:
        raise UsageError("a load takes Locust: pip install 'orderproof[load]'")
    several = size.processes > 1 or size.master is not None
    if several and is_shared(settings.target.orders):
        kind = settings.target.orders.partition(":")[0]
        raise UsageError(
            f"--orders {kind}:… cannot be shared out over processes: use one, or customer-token:TOKEN"
        )


def _rules(settings: Settings) -> tuple[str, ...]:
    return tuple(rule.id for rule in settings.rules)


def _look(settings: Settings) -> None:
    """See whether the target answers as one should, before there is a load on it."""
    judge = Judge()
    with Transport(settings.target) as transport:
        supply = supply_from(settings.target.orders)
        look_at(Session(transport, settings.target, supply, judge.observe, judge.state))


def _run(settings: Settings, size: Size, watch: Watch) -> dict[str, Any]:
    briefs = _briefs(settings, size)
    with ExitStack() as stack:
        leader, *_ = [stack.enter_context(_engine(brief)) for brief in briefs]
        try:
            return _result(leader, size, watch)
        except KeyboardInterrupt:
            _end_input(leader)
            return _result(leader, size, watch)


def _briefs(settings: Settings, size: Size) -> list[Brief]:
    """What each process is told; the one that leads comes first."""
    whole = Brief(
        settings.target,
        _rules(settings),
        users=size.users,
        spawn_rate=size.spawn_rate,
        run_time=size.run_time,
        requests=size.requests,
        workers=size.processes,
        seed=settings.seed,
        rate=settings.target.rate and settings.target.rate / size.processes,
    )
    if size.master is not None:
        host, port = size.master
        return [replace(whole, role=Role.MASTER, master_host=host, master_port=port or DEFAULT_PORT)]
    if size.processes == 1:
        return [whole]
    port = _free_port()
    worker = replace(whole, role=Role.WORKER, master_port=port)
    return [replace(whole, role=Role.MASTER, master_port=port), *[worker] * size.processes]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _engine(brief: Brief) -> Iterator[subprocess.Popen[str]]:
    """Start a process of a load, and end it with the block."""
    # In a session of its own, an interrupt from the terminal reaches this process alone, which ends the other in time.
    with subprocess.Popen(
        _ENGINE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdin is not None
        try:
            process.stdin.write(brief.to_text() + "\n")
            process.stdin.flush()
            yield process
        finally:
            _end_input(process)
            try:
                process.wait(_ENDS_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _end_input(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def _result(leader: subprocess.Popen[str], size: Size, watch: Watch) -> dict[str, Any]:
    """Read what the leading process writes until it comes to its result. Raises CannotJudge when it does not."""
    assert leader.stdout is not None
    for line in leader.stdout:
        message = json.loads(line)
        if "result" in message:
            result: dict[str, Any] = message["result"]
            return result
        if "problem" in message:
            raise CannotJudge(f"the load could not be run: {message['problem']}")
        watch(_progress(message, size))
    raise CannotJudge(f"the load ended before it came to a result (exit code {leader.wait()})")


def _progress(message: Mapping[str, Any], size: Size) -> Progress:
    return Progress(
        phase="load",
        detail=f"{message['users']} users",
        requests=message["requests"],
        findings=message["found"],
        elapsed_s=message["elapsed"],
        budget_s=size.run_time,
    )


def _ledger(found: Mapping[str, Any]) -> Ledger:
    """What all processes saw, in one."""
    ledger = Ledger()
    for process, share in enumerate(found["shares"]):
        for outcome in outcomes(share, process):
            ledger.absorb(outcome)
        ledger.interrupted = ledger.interrupted or share["problem"]
        ledger.notes += [share["note"]] if share["note"] else []
    return ledger
