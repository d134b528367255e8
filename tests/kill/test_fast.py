"""Every rule has a fault that turns it, and it alone, red; with no fault everything is green.

The faults are those of the published matrix, for each rule the one that was found with the fewest requests. Only the
driver that finds it is run.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection

import pytest

from orderproof import checking
from orderproof.catalogue import catalogue, select
from orderproof.checking import Settings, Watch, check
from orderproof.checks.findings import Finding
from orderproof.drivers.plan import Driver, drivers_of
from orderproof.outcome import Verdict
from orderproof.sandbox.faults import FAULTS, behaviour_of
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.options import open_choices
from orderproof.sandbox.server import run
from tests.kill.data import conformities, rows
from tests.kill.survivors import WITHOUT
from tests.kill.trial import Row, judged, target_at

SERVER_RULES = [rule.id for rule in catalogue().values() if rule.judges == "server"]

DRIVERS = {
    "GEN-AUTH": "credentials",
    "GEN-404": "ids",
    "GEN-ID": "ids",
    "CAP-8": "ids",
    "IDM-5": "races",
    "IDM-7": "lost answers",
    "IDM-8": "scenarios over time",
    "IDM": "repeats",
    "GEN-HTTP-3": "protocol",
    "GEN-HTTP-5": "protocol",
    "GEN-VAL-3": "protocol",
    "GEN-VAL": "bodies",
    "CON": "races",
    "EXP": "scenarios over time",
    "EXT-5": "scenarios over time",
}
"""The driver that puts the rules of a prefix to the test; the others are looked at by the scenarios."""


def exact() -> dict[str, Row]:
    """For each rule the quickest found fault for which the rule was the only root cause."""
    found: dict[str, Row] = {}
    for row in sorted(rows(), key=lambda row: row.requests, reverse=True):
        if row.profile == "quick" and row.by == (row.rule,) and row.fault in FAULTS:
            found[row.rule] = row
    return found


def _driver(rule: str) -> str:
    return next((name for prefix, name in DRIVERS.items() if rule.startswith(prefix)), "scenarios")


def _serve(name: str, told: Connection) -> None:
    run(SandboxSettings(), behaviour=behaviour_of(name), announce=told.send)


@contextmanager
def _sandbox(name: str) -> Generator[str]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["orderproof.sandbox.faults", "orderproof.sandbox.server"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(name, there), daemon=True)
    process.start()
    try:
        assert here.poll(30)
        yield here.recv()
    finally:
        process.terminate()
        process.join(5)


def _only(name: str, profile: str, seed: int, *, clock: bool) -> list[Driver]:
    return [driver for driver in drivers_of(profile, seed, clock=clock) if driver.name == name]


def test_every_rule_has_a_fault_of_its_own() -> None:
    assert sorted(WITHOUT) == sorted(rule for rule in SERVER_RULES if rule not in exact())


@pytest.mark.parametrize("rule", [rule for rule in SERVER_RULES if rule not in WITHOUT])
def test_a_fault_turns_its_rule_red(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = exact()[rule]
    monkeypatch.setattr(checking, "drivers_of", partial(_only, _driver(rule)))
    found: list[Finding] = []
    watch = Watch(finding=found.append, enough=lambda: any(finding.rule == rule for finding in found))
    with _sandbox(row.fault) as url:
        result = check(Settings(target_at(url), select([]), profile="quick", max_time=60), watch)
    red = {entry.rule.id for entry in result.rules if entry.verdict in (Verdict.FAILED, Verdict.WARNED)}
    assert rule in red, row.fault


@pytest.mark.parametrize("flavour", ["recorded", "strict", "closed"])
def test_a_correct_variant_is_not_accused(flavour: str) -> None:
    assert () == judged(flavour, open_choices(flavour=flavour)).accused


def test_no_correct_variant_was_ever_accused() -> None:
    assert [] == [(one.variant, one.seed) for one in conformities() if one.accused]
