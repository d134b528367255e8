"""A process of a load: Locust on its own, as the master of others, or as a worker.

It is told what to do in one line of JSON on standard input and goes on until the time is over, enough requests were
sent, or that input ends. On standard output it writes lines of JSON: how far it is, and at last what came of it.
"""

from __future__ import annotations

# First of all: importing it patches the standard library.
import locust  # isort: skip

import json
import logging
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import gevent
import gevent.os
import locust.runners
from locust.env import Environment
from locust.runners import STATE_STOPPED, MasterRunner, Runner, WorkerRunner
from locust.stats import StatsEntry

from orderproof.load.brief import Brief, Role
from orderproof.load.carrying import packed
from orderproof.load.figures import PERCENTILES, Figures, Latencies, percentile
from orderproof.load.users import Company
from orderproof.transport import Delivery

_SHARE = "orderproof"
_LOOKS_EVERY = 0.1
_TELLS_EVERY = 0.5
_STOPS_WITHIN_SECONDS = 15.0
_WORKERS_COME_WITHIN_SECONDS = 60.0
_USERS_OF_A_PROCESS = 1_000
_ALL = "all operations"


class Engine:
    """One process of a load under way."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.environment = Environment(user_classes=[], stop_timeout=_STOPS_WITHIN_SECONDS)
        self.environment.user_classes = [self._walker()]
        self.company: Company | None = None
        self.shares: dict[str, Mapping[str, Any]] = {}
        self.lateness: deque[float] = deque(maxlen=10_000)
        self.told_to_stop = False
        self.told_at = 0.0
        gevent.spawn(self._until_input_ends)
        gevent.spawn(self._watch_lateness)

    def _walker(self) -> type[locust.User]:
        engine = self

        class Walker(locust.User):
            def on_start(self) -> None:
                self.own = engine.members().join()

            @locust.task
            def turn(self) -> None:
                if not engine.members().turn_of(self.own):
                    raise locust.exception.StopUser

        return Walker

    def members(self) -> Company:
        """The users of this process, who know their numbers only when the process knows its own."""
        if self.company is None:
            index = getattr(self.environment.runner, "worker_index", 0)
            brief = self.brief
            self.company = Company(
                brief.target,
                self._measure,
                seed=brief.seed,
                only=list(brief.rules),
                first=max(index, 0) * _USERS_OF_A_PROCESS,
                rate=brief.rate,
            )
        return self.company

    def close(self) -> None:
        """Close the connections of the users of this process, once they are done."""
        if self.company is not None:
            self.company.close()

    def _measure(self, name: str, delivery: Delivery) -> None:
        self.environment.events.request.fire(  # type: ignore[no-untyped-call]  # Locust's events have no types
            request_type="",
            name=name,
            response_time=(delivery.answered_at - delivery.sent_at) * 1000,
            response_length=len(delivery.response.body) if delivery.response else 0,
            exception=None if delivery.response else ConnectionError(delivery.fault),
            context={},
        )

    def _until_input_ends(self) -> None:
        while gevent.os.tp_read(sys.stdin.fileno(), 4096):
            pass
        self.told_to_stop = True
        if isinstance(self.environment.runner, WorkerRunner):
            self.environment.runner.quit()

    def _watch_lateness(self) -> None:
        while True:
            before = time.monotonic()
            gevent.sleep(_LOOKS_EVERY / 2)
            self.lateness.append((time.monotonic() - before) * 1000 - _LOOKS_EVERY * 500)

    def share(self) -> dict[str, Any]:
        """What the users of this process saw so far."""
        late = percentile(self.lateness, PERCENTILES["p95"])
        return {**packed(self.members()), "late_ms": late}

    def work(self) -> None:
        """Be a worker until the master says that it is over."""
        environment = self.environment
        runner = environment.create_worker_runner(self.brief.master_host, self.brief.master_port)

        def add_share(client_id: str, data: dict[str, Any]) -> None:
            data[_SHARE] = {**self.share(), "final": runner.state == STATE_STOPPED}

        environment.events.report_to_master.add_listener(add_share)  # type: ignore[no-untyped-call]  # as above
        runner.greenlet.join()

    def lead(self) -> dict[str, Any]:
        """Spawn users here, or with the workers that come, until it is over; returns what came of it."""
        runner = self._runner()
        started = time.monotonic()
        runner.start(self.brief.users, self.brief.spawn_rate, wait=False)
        try:
            for _ in self._looks(runner, started):
                self._tell(runner, time.monotonic() - started)
        except KeyboardInterrupt:
            self.told_to_stop = True
        seconds = time.monotonic() - started
        self._end(runner)
        shares = list(self.shares.values()) or [self.share()]
        return {"seconds": seconds, "shares": shares, "figures": self._figures(seconds, shares).record()}

    def _end(self, runner: Runner) -> None:
        """Let the users finish what they are at, and wait for what workers have to say at last."""
        if isinstance(runner, MasterRunner):
            runner.send_message("quit")
            until = time.monotonic() + 2 * _STOPS_WITHIN_SECONDS
            while not all(share["final"] for share in self.shares.values()) and time.monotonic() < until:
                gevent.sleep(_LOOKS_EVERY)
        runner.quit()

    def _runner(self) -> Runner:
        environment = self.environment
        if self.brief.role is Role.ALONE:
            return environment.create_local_runner()

        def take_share(client_id: str, data: dict[str, Any]) -> None:
            if _SHARE in data:
                self.shares[client_id] = data[_SHARE]

        environment.events.worker_report.add_listener(take_share)  # type: ignore[no-untyped-call]  # as above
        runner = environment.create_master_runner(self.brief.master_host, self.brief.master_port)
        self._wait_for_workers(runner)
        return runner

    def _wait_for_workers(self, runner: MasterRunner) -> None:
        until = time.monotonic() + _WORKERS_COME_WITHIN_SECONDS
        while len(runner.clients.ready) < self.brief.workers and not self.told_to_stop:
            if time.monotonic() > until:
                raise TimeoutError(
                    f"only {len(runner.clients.ready)} of {self.brief.workers} workers came"
                    f" within {_WORKERS_COME_WITHIN_SECONDS:.0f} s"
                )
            gevent.sleep(_LOOKS_EVERY)

    def _looks(self, runner: Runner, started: float) -> Iterator[None]:
        """Yield now and then, as long as the load goes on."""
        most = self.brief.requests
        while not self.told_to_stop and time.monotonic() - started < self.brief.run_time:
            if most is not None and self.environment.stats.num_requests >= most:
                return
            if runner.user_count == 0 and self._is_given_up():
                return
            gevent.sleep(_LOOKS_EVERY)
            yield

    def _is_given_up(self) -> bool:
        """Say whether users ended by themselves, here or in a worker."""
        here = [] if self.company is None else [self.company.problem, self.company.note]
        elsewhere = [share[word] for share in self.shares.values() for word in ("problem", "note")]
        return any((*here, *elsewhere))

    def _tell(self, runner: Runner, elapsed: float) -> None:
        if elapsed - self.told_at < _TELLS_EVERY:
            return
        self.told_at = elapsed
        requests = self.environment.stats.num_requests
        say(
            {
                "elapsed": elapsed,
                "requests": requests,
                "found": len(self._broken()),
                "users": runner.user_count,
            }
        )

    def _broken(self) -> set[str]:
        """The rules that were seen broken so far, here or by workers."""
        shares = [judge["broken"] for share in self.shares.values() for judge in share["judges"]]
        here = [] if self.company is None else [judge.broken for judge, _ in self.company.judges()]
        return {rule for broken in (*shares, *here) for rule in broken}

    def _figures(self, seconds: float, shares: list[Mapping[str, Any]]) -> Figures:
        stats = self.environment.stats
        entries = sorted(stats.entries.values(), key=lambda entry: -entry.num_requests)
        return Figures(
            users=self.brief.users,
            processes=len(shares),
            seconds=round(seconds, 3),
            total=_latencies(_ALL, stats.total, seconds),
            operations=[_latencies(entry.name, entry, seconds) for entry in entries],
            calls_alone=sum(share["calls_alone"] for share in shares),
            calls_together=sum(share["calls_together"] for share in shares),
            groups=sum(share["groups"] for share in shares),
            late_ms=round(max(share["late_ms"] for share in shares), 1),
        )


def _latencies(name: str, entry: StatsEntry, seconds: float) -> Latencies:
    shares = {
        f"{word}_ms": float(entry.get_response_time_percentile(s) or 0) for word, s in PERCENTILES.items()
    }
    return Latencies(
        name=name,
        requests=entry.num_requests,
        per_second=round(entry.num_requests / seconds, 1),
        unanswered=entry.num_failures,
        mean_ms=round(entry.avg_response_time, 1),
        max_ms=round(entry.max_response_time or 0.0, 1),
        **shares,
    )


def say(message: Mapping[str, Any]) -> None:
    """Write one line for whoever started this process."""
    print(json.dumps(message), flush=True)


def main() -> None:
    """Do what standard input says."""
    logging.getLogger("locust").setLevel(logging.CRITICAL)
    logging.getLogger().addHandler(logging.NullHandler())
    locust.runners.WORKER_REPORT_INTERVAL = _TELLS_EVERY
    brief = Brief.from_text(sys.stdin.readline())
    engine = Engine(brief)
    try:
        if brief.role is Role.WORKER:
            engine.work()
        else:
            say({"result": engine.lead()})
    except (OSError, RuntimeError) as error:
        say({"problem": f"{type(error).__name__}: {error}"})
    finally:
        engine.close()


if __name__ == "__main__":
    main()
