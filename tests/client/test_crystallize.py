"""A client that nobody here wrote: the npm package @crystallize/node-klarna, in the version that the docs tell of."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orderproof.catalogue import select
from orderproof.client.certificate import certificate
from orderproof.client.flows import flow_named
from orderproof.client.judging import Settings, Watch, judge_client
from orderproof.client.outing import Plan
from orderproof.client.stock import Stock
from orderproof.client.weather import chosen
from orderproof.outcome import RunResult
from tests.client.conftest import SAMPLES, broken

PACKAGE = "@crystallize/node-klarna@4.9.1"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "clients.md"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder in which npm has installed the package, its install scripts not run."""
    if shutil.which("npm") is None or shutil.which("openssl") is None:
        pytest.skip("npm and openssl are needed")
    folder = tmp_path_factory.mktemp("npm")
    command = [
        "npm",
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefix",
        str(folder),
        PACKAGE,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, cwd=folder)
    if done.returncode != 0:
        pytest.skip(f"npm could not install {PACKAGE}")
    return str(folder)


@pytest.fixture(scope="module")
def plan(package: str) -> Iterator[Plan]:
    with certificate() as made:
        command = ["node", str(SAMPLES / "crystallize.cjs")]
        yield Plan(command, None, {"NODE_KLARNA": package}, hold=2.0, certificate=made, show=False)


def judged(plan: Plan, stock: Stock, flow: str, *weathers: str) -> RunResult:
    settings = Settings(replace(plan, flow=flow_named(flow)), chosen(weathers), select(["CLI-*"]))
    return judge_client(settings, Watch(), stock)


def test_its_reading_sends_bytes_that_nothing_announces(plan: Plan, stock: Stock) -> None:
    result = judged(plan, stock, "read")
    assert {"CLI-HTTP-1"} == broken(result)
    assert "2 bytes after a GET that announces no body: '{}'" == result.blocks[0].actual
    assert result.blocks[0].actual in DOCS.read_text(encoding="utf-8")


def test_its_reading_that_breaks_off_never_ends(plan: Plan, stock: Stock) -> None:
    result = judged(plan, stock, "read", "cut-middle")
    assert {"CLI-HTTP-1", "CLI-DO-1"} == broken(result)
    found = next(block for block in result.blocks if block.rule.id == "CLI-DO-1")
    assert ("cut-middle", "no getOrder answered (exit code 0)") == (found.scenario, found.actual)
    assert found.actual in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("flow", ["acknowledge", "capture-part", "refund", "cancel", "release"])
def test_its_writes_lack_a_key_and_nothing_else(plan: Plan, stock: Stock, flow: str) -> None:
    result = judged(plan, stock, flow, "403", "unknown", "cut-after")
    assert (0, {"CLI-IDM-1"}) == (result.exit_code, broken(result))
