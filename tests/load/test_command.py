"""`orderproof load` as a command: Locust in processes of its own, one report, the documented exit codes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderproof.catalogue import select
from orderproof.checking import Settings
from orderproof.errors import UsageError
from orderproof.load import running
from orderproof.load.running import Size, load
from orderproof.report.result_json import result_schema
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import background
from orderproof.target import Target

COMMAND = (sys.executable, "-m", "orderproof", "load")


def ran(*words: str, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False, timeout=timeout)


def figures(report: Path) -> dict[str, Any]:
    """The figures of a report, which is as its schema says."""
    data = json.loads((report / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(data, result_schema())
    found: dict[str, Any] = data["coverage"]["load"]
    return found


@pytest.mark.load
def test_a_load_on_the_embedded_sandbox_conforms_and_is_reported(tmp_path: Path) -> None:
    done = ran("--users", "6", "--run-time", "5", "--processes", "2", "--report", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    found = figures(tmp_path)

    assert done.stderr == ""
    assert "CONFORMS  the embedded sandbox: nothing is broken" in done.stdout
    assert "Load: 6 users in 2 processes" in done.stdout
    assert (found["users"], found["processes"]) == (6, 2)
    assert found["total"]["requests"] == sum(row["requests"] for row in found["operations"]) > 50
    assert 0 < found["total"]["p50_ms"] <= found["total"]["p95_ms"] <= found["total"]["max_ms"] + 50
    assert found["groups"] > 0
    assert "Throughput and latencies" in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.load
def test_a_race_is_found_and_the_run_fails(tmp_path: Path) -> None:
    with background(SandboxSettings(), fault="last-capture-wins") as url:
        words = ("--base-url", url, "--users", "8", "--requests", "3000", "--run-time", "30", "--seed", "1")
        done = ran(*words, "--processes", "2", "--report", str(tmp_path))
    data = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))

    assert done.returncode == 1, done.stdout + done.stderr
    assert {"CON-1", "CON-3", "CON-4", "IDM-5"} & {one["rule"] for one in data["findings"]}
    assert list((tmp_path / "counterexamples").glob("*.json"))
    assert "c2FuZGJveDpzYW5kYm94" not in (tmp_path / "result.json").read_text(encoding="utf-8")
    assert "--seed 1" in data["command"]


@pytest.mark.load
def test_an_interrupt_ends_the_load_and_leaves_the_report(tmp_path: Path) -> None:
    words = ("--run-time", "60", "--users", "2", "--report", str(tmp_path))
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("load "):
                break
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=40)
    assert "Load: 2 users" in rest
    assert figures(tmp_path)["seconds"] < 40


@pytest.mark.load
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_target_that_dies_ends_the_load(processes: str) -> None:
    with background(SandboxSettings()) as url:
        words = ("--base-url", url, "--run-time", "300", "--users", "4", "--processes", processes)
        process = subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("load ") and " 0 requests" not in line:
                break
    rest, _ = process.communicate(timeout=90)
    assert process.returncode == 3
    assert "NOT JUDGED" in rest
    assert "interrupted: " in rest


@pytest.mark.load
def test_workers_of_other_machines_come_to_the_master(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    with background(SandboxSettings()) as url:
        common = ("--base-url", url, "--run-time", "4", "--users", "4")
        worker = subprocess.Popen([*COMMAND, *common, "--worker", address])
        done = ran(*common, "--master", address, "--report", str(tmp_path))
        assert worker.wait(30) == 0
    assert done.returncode == 0, done.stdout + done.stderr
    assert figures(tmp_path)["total"]["requests"] > 20


@pytest.mark.load
def test_nobody_at_the_address_is_one_sentence() -> None:
    done = ran("--base-url", "http://127.0.0.1:1", "--run-time", "2")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--run-time", "0"], "--run-time 0 is not above 0"),
        (["--spawn-rate", "-1"], "--spawn-rate -1 is not above 0"),
        (["--master", "nowhere"], "--master 'nowhere' is not of the form HOST:PORT"),
        (["--worker", "127.0.0.1:5557"], "--worker needs the --base-url"),
        (["--worker", "a:1", "--master", "a:1"], "two parts of one load"),
        (["--base-url", "https://api.klarna.com"], "is a live host"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(words: list[str], sentence: str) -> None:
    done = ran(*words)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def settings(**more: Any) -> Settings:
    return Settings(Target("http://127.0.0.1:1", "sandbox", "sandbox", **more), select(["CON-*"]))


def test_without_locust_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'orderproof\[load\]'"):
        load(settings(), Size())


def test_a_pool_of_orders_is_not_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "find_spec", lambda _: True)
    with pytest.raises(UsageError, match=r"--orders pool:… cannot be shared out"):
        load(settings(orders="pool:orders.txt"), Size(processes=2))


def test_the_command_line_does_not_patch_the_standard_library() -> None:
    program = (
        "import sys, orderproof.cli, orderproof.loading, orderproof.load.users\n"
        "print(sorted({'gevent', 'locust'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.strip() == "[]"
