"""Several workers find what one finds, with one supply of orders, one rate and one report; and may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from orderproof.checking import Watch
from orderproof.drivers.drafts import draft
from orderproof.outcome import RunResult
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, TOKEN, serve
from tests.workers.running import causes, checked, history, sent

FAULTY = "third-unchecked"
COMMAND = [sys.executable, "-m", "orderproof", "check"]


@dataclass(frozen=True)
class Ran:
    """A run and the folder of its report."""

    result: RunResult
    report: Path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Ran]:
    """One run of each number of workers, against a server with a fault that takes several calls to show."""
    found = []
    for workers in (1, 3):
        report = tmp_path_factory.mktemp(f"workers-{workers}")
        with serve(FAULTY) as url:
            found.append(Ran(checked(url, report, workers=workers), report))
    return found


def test_findings_do_not_depend_on_the_number_of_workers(runs: list[Ran]) -> None:
    one, *others = (causes(run.result) for run in runs)
    assert one
    assert [one] == others


def test_requests_do_not_depend_on_the_number_of_workers(runs: list[Ran]) -> None:
    one, *others = (sent(run.report) for run in runs)
    assert [Counter()] == [one - other for other in others]
    assert [Counter()] == [other - one for other in others]


def test_verdicts_do_not_depend_on_the_number_of_workers(runs: list[Ran]) -> None:
    one, *others = ({entry.rule.id: entry.verdict for entry in run.result.rules} for run in runs)
    assert [one] == others


def test_one_history_has_every_request_once(runs: list[Ran]) -> None:
    for run in runs:
        numbers = [exchange.number for exchange in history(run.report)]
        assert run.result.requests == len(numbers) == len(set(numbers))


def test_calls_at_once_stay_together_in_the_history(runs: list[Ran]) -> None:
    groups = [exchange.group for exchange in history(runs[1].report)]
    begins = [
        group for before, group in zip([None, *groups], groups, strict=False) if group not in (None, before)
    ]
    assert begins
    assert len(begins) == len(set(begins))


@pytest.fixture
def server() -> Iterator[str]:
    with serve("core") as url:
        yield url


def _ordered(url: str) -> str:
    answer = httpx.post(f"{url}/customer-token/v1/tokens/{TOKEN}/order", json=draft(), auth=CREDENTIALS)
    return str(answer.json()["order_id"])


def test_a_pool_hands_out_each_order_once(server: str, tmp_path: Path) -> None:
    ids = [_ordered(server) for _ in range(40)]
    pool = tmp_path / "pool.txt"
    pool.write_text("\n".join(ids), encoding="utf-8")
    result = checked(server, tmp_path / "report", workers=2, orders=f"pool:{pool}")
    users: dict[str, set[str]] = {order_id: set() for order_id in ids}
    for exchange in history(tmp_path / "report"):
        for order_id in ids:
            if order_id in exchange.request.target:
                users[order_id].add(exchange.scenario)
    assert {1} == {len(scenarios) for scenarios in users.values()}
    assert [f"the pool {pool} has no unused order left: its 40 ids were not enough"] == list(result.notes[:1])


def test_the_rate_is_that_of_the_run(server: str) -> None:
    started = time.monotonic()
    result = checked(server, workers=3, rate=60.0, max_time=4.0)
    assert result.requests <= 60 * (time.monotonic() - started) + 1
    assert "the time was over while" in " ".join(result.notes)


def test_progress_counts_the_requests_of_all(server: str) -> None:
    counts: list[int] = []
    shown: list[object] = []
    watch = Watch(
        progress=lambda progress: counts.append(progress.requests), exchange=shown.append, shows=True
    )
    result = checked(server, watch=watch, workers=2, max_time=10.0)
    assert counts == sorted(counts)
    assert 0 < counts[-1] <= result.requests
    assert result.requests == len(shown)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def _workers(pid: int) -> list[int]:
    """The processes that a fork server of a process has forked, or else the process itself."""
    known: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                known[int(entry.name)] = _parent(int(entry.name))
            except OSError:
                continue
    by_server = sorted(child for child, parent in known.items() if known.get(parent) == pid)
    return by_server or sorted(child for child, parent in known.items() if parent == pid)


def _lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n") if path.exists() else 0


def _wait_for(path: Path, count: int) -> None:
    until = time.monotonic() + 60
    while _lines(path) < count:
        assert time.monotonic() < until, f"{path.name} has {_lines(path)} lines"
        time.sleep(0.02)


def _words(url: str, report: Path, *more: str) -> list[str]:
    user, password = CREDENTIALS
    target = ["--base-url", url, "--user", user, "--password", password, "--orders", ORDERS_SOURCE]
    return [*COMMAND, *target, "--seed", "5", "--workers", "2", "--report", str(report), *more]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
@pytest.mark.parametrize(("name", "code"), [("core", 3), ("one-too-much", 1)])
def test_a_worker_that_dies_is_told_in_a_sentence(name: str, code: int, tmp_path: Path) -> None:
    with serve(name) as url:
        pipe = subprocess.PIPE
        with subprocess.Popen(_words(url, tmp_path), stdout=pipe, stderr=pipe, text=True) as process:
            _wait_for(tmp_path / "history.ndjson", 400)
            os.kill(_workers(process.pid)[0], signal.SIGKILL)
            out, err = process.communicate(timeout=200)
    assert (code, "") == (process.returncode, err)
    assert "of the run was ended by SIGKILL while it ran" in " ".join(out.split())


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
def test_no_worker_outlives_the_run(tmp_path: Path) -> None:
    with serve("core") as url:
        with subprocess.Popen(_words(url, tmp_path), stdout=subprocess.DEVNULL) as process:
            _wait_for(tmp_path / "history.ndjson", 400)
            workers = _workers(process.pid)
            process.kill()
        until = time.monotonic() + 10
        while any(_is_running(worker) for worker in workers):
            assert time.monotonic() < until, f"{workers} go on"
            time.sleep(0.05)
    assert 2 == len(workers)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the workers in /proc")
def test_when_all_workers_die_the_run_ends(tmp_path: Path) -> None:
    with serve("unhurried") as url:
        pipe = subprocess.PIPE
        with subprocess.Popen(_words(url, tmp_path), stdout=pipe, stderr=pipe, text=True) as process:
            _wait_for(tmp_path / "history.ndjson", 100)
            for worker in _workers(process.pid):
                os.kill(worker, signal.SIGKILL)
            _, err = process.communicate(timeout=30)
    assert (3, "") == (process.returncode, err)


def test_an_interrupt_leaves_what_was_found(tmp_path: Path) -> None:
    with serve("unhurried") as url:
        pipe = subprocess.PIPE
        with subprocess.Popen(_words(url, tmp_path), stdout=pipe, stderr=pipe, text=True) as process:
            _wait_for(tmp_path / "history.ndjson", 200)
            workers = _workers(process.pid) if Path("/proc/self/stat").exists() else []
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert (3, "") == (process.returncode, err)
    assert "stopped by Ctrl-C or a signal" in out
    assert 200 <= len(history(tmp_path))
    assert [] == [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def test_an_interrupt_loses_no_finding(server: str) -> None:
    """A finding that was announced is in the result, whatever the worker that made it was at."""
    with serve("one-too-much") as url:
        timer: list[threading.Timer] = []

        def stop(_: object) -> None:
            if not timer:
                timer.append(threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]))
                timer[0].start()

        announced: list[str] = []

        def found(finding: object) -> None:
            announced.append(finding.rule)  # type: ignore[attr-defined]
            stop(finding)

        result = checked(url, watch=Watch(finding=found), workers=2)
    assert announced
    assert set(announced) <= {finding for block in result.blocks for finding in _rules(block)}
    assert "stopped by Ctrl-C or a signal" == result.interrupted


def _rules(block: object) -> set[str]:
    from orderproof.outcome import Block

    assert isinstance(block, Block)
    return {block.rule.id, *(rule.id for rule, *_ in block.follows)}


def test_more_workers_than_there_are_is_refused() -> None:
    done = subprocess.run([*COMMAND, "--workers", "0"], capture_output=True, text=True, check=False)
    assert (2, "orderproof: --workers 0 is not a number from 1 to 64\n") == (done.returncode, done.stderr)
