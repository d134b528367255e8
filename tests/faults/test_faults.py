"""The register of faults: complete, named after known rules, and wrong only where it says so."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing

import pytest

from orderproof.catalogue import catalogue
from orderproof.sandbox.behaviour import AS_AGREED
from orderproof.sandbox.faults import FAULTS, FAULTS_ACROSS, behaviour_of, faults_of
from orderproof.sandbox.options import OptionError
from tests.sandbox.client import Client

SERVER_RULES = [rule.id for rule in catalogue().values() if rule.judges == "server"]


def test_there_are_enough() -> None:
    assert len(FAULTS) >= 150
    assert sum(one.mechanical for one in FAULTS.values()) >= 50


@pytest.mark.parametrize("rule", SERVER_RULES)
def test_every_server_rule_has_a_fault(rule: str) -> None:
    assert faults_of(rule)


def test_faults_name_server_rules() -> None:
    assert set() == {rule for one in FAULTS.values() for rule in one.rules} - set(SERVER_RULES)


@pytest.mark.parametrize("name", [*FAULTS, *FAULTS_ACROSS])
def test_a_fault_is_another_behaviour_that_still_serves(name: str) -> None:
    fault = {**FAULTS, **FAULTS_ACROSS}[name]
    behaviour = fault.make()
    assert behaviour != AS_AGREED
    with closing(Client(behaviour=behaviour)) as client:
        order = client.order(1000)
        assert client.send("GET", order).status == 200
        assert fault.lie.endswith(".")


def test_each_sandbox_gets_a_fault_of_its_own() -> None:
    assert behaviour_of("keys-race") is not behaviour_of("keys-race")


def test_an_unknown_fault_is_told_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="did you mean 'keys-ignored'"):
        behaviour_of("key-ignored")


def test_the_command_line_lists_and_explains_faults() -> None:
    listed = _run("sandbox", "--list-faults")
    assert len(listed.splitlines()) == len(FAULTS) + len(FAULTS_ACROSS) + 1
    assert "one-above-remaining (value): A capture of exactly one more" in _run("rules", "CAP-5")


def test_an_unknown_fault_ends_the_sandbox() -> None:
    done = _completed("sandbox", "--port", "0", "--fault", "nonesuch")
    assert 2 == done.returncode
    assert "There is no fault 'nonesuch'" in done.stderr


def _run(*words: str) -> str:
    done = _completed(*words)
    assert (0, "") == (done.returncode, done.stderr)
    return done.stdout


def _completed(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orderproof", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
