"""The suite inside a user's own pytest run."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve

OWN_TEST = "def test_of_my_own():\n    assert True\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one test of the user's own."""
    (tmp_path / "test_own.py").write_text(OWN_TEST, encoding="utf-8")
    return tmp_path


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a user does, with the plugin whether it is installed as such or not."""
    installed = any(point.value == "orderproof.pytest_plugin" for point in entry_points(group="pytest11"))
    plugins = ["-p", "no:schemathesis", "-p", "no:cacheprovider"]
    plugins += [] if installed else ["-p", "orderproof.pytest_plugin"]
    command = [sys.executable, "-m", "pytest", *plugins, "--strict-markers", *words]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=120, check=False)


def target(base_url: str) -> list[str]:
    user, password = CREDENTIALS
    options = {"base-url": base_url, "user": user, "password": password, "orders": ORDERS_SOURCE, "seed": "1"}
    return [f"--orderproof-{name}={value}" for name, value in options.items()]


def test_nothing_happens_unless_it_is_asked_for(project: Path) -> None:
    done = run(project, "-q")
    assert 0 == done.returncode
    assert "1 passed" in done.stdout


def test_the_plugin_itself_loads_nothing_heavy() -> None:
    program = (
        "import orderproof.pytest_plugin, sys; print({'httpx', 'hypothesis', 'yaml'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "set()" == done.stdout.strip()


def test_a_broken_rule_fails_its_item_with_the_failure_block(project: Path) -> None:
    with serve("amounts-as-text") as url:
        chosen = ["--orderproof-only=GEN-HTTP-1", "--orderproof-only=GEN-HTTP-4", "--orderproof-max-time=5"]
        done = run(project, "-v", *target(url), *chosen)
    assert 1 == done.returncode
    assert "1 failed, 2 passed" in done.stdout
    assert "orderproof::GEN-HTTP-4 PASSED" in done.stdout
    assert "× GEN-HTTP-1  " in done.stdout
    assert "Expected   valid against Order" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_items_are_chosen_like_any_other(project: Path) -> None:
    with serve("core") as url:
        done = run(project, "-q", *target(url), "-k", "CAP-1", "--orderproof-only=CAP-1*", "--collect-only")
    found = [line for line in done.stdout.splitlines() if "::" in line]
    assert ["orderproof::CAP-1", "orderproof::CAP-10", "orderproof::CAP-11"] == [
        line.lstrip(":") for line in found
    ]


def test_what_was_not_put_to_the_test_is_skipped(project: Path) -> None:
    with serve("core") as url:
        done = run(project, "-q", "-rs", *target(url), "--orderproof-only=EXT-5", "--orderproof-max-time=2")
    assert 0 == done.returncode
    assert "1 passed, 1 skipped" in done.stdout
    assert "needs the capability clock" in done.stdout


def test_a_server_that_cannot_be_reached_fails_with_one_sentence(project: Path) -> None:
    done = run(project, "-q", *target("http://127.0.0.1:1"), "--orderproof-only=CAP-5")
    assert 1 == done.returncode
    assert "http://127.0.0.1:1 cannot be reached" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_unknown_rule_is_wrong_usage(project: Path) -> None:
    done = run(project, "-q", *target("http://127.0.0.1:1"), "--orderproof-only=CAP-999")
    assert pytest.ExitCode.USAGE_ERROR == done.returncode
    assert "CAP-999" in done.stdout + done.stderr
