"""One sandbox for the samples of this folder, and a way to run one of them in some weather."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orderproof.catalogue import select
from orderproof.client.flows import flow_named
from orderproof.client.judging import Settings, Watch, judge_client, sandbox
from orderproof.client.outing import Plan
from orderproof.client.stock import Stock
from orderproof.client.weather import chosen
from orderproof.outcome import RunResult

SAMPLES = Path(__file__).parent / "samples"
HOLD = 2.0

Judged = Callable[..., RunResult]


@pytest.fixture(scope="session")
def stock() -> Iterator[Stock]:
    with sandbox() as made:
        yield made


@pytest.fixture
def judged(stock: Stock) -> Judged:
    """Judge a command: `judged(command, "503-once", flow="refund", SLIP="new key")`."""

    def judge(
        command: list[str],
        *weathers: str,
        flow: str | None = "capture-part",
        timeout: float = 60.0,
        **variables: str,
    ) -> RunResult:
        plan = Plan(
            command, flow_named(flow) if flow else None, variables, timeout=timeout, hold=HOLD, show=False
        )
        return judge_client(Settings(plan, chosen(weathers), select(["CLI-*"])), Watch(), stock)

    return judge


def python(name: str = "tidy.py") -> list[str]:
    return [sys.executable, str(SAMPLES / name)]


def broken(result: RunResult) -> set[str]:
    """The root causes that a client was found to break."""
    return {block.rule.id for block in result.blocks}
