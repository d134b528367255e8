"""Every rule has a fault that turns it, and no other, red as a root cause; with no fault everything is green.

The faults, and the scenarios that bring them to light, are those of the published data. Only the scenario is played.
"""

from __future__ import annotations

import pytest

from orderproof.catalogue import catalogue, select
from orderproof.checking import Settings, Watch, check
from orderproof.outcome import Verdict
from orderproof.sandbox.faults import FAULTS
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.options import open_choices
from tests.kill.data import conformities, exactness, rows
from tests.kill.scripts import only
from tests.kill.serving import sandbox
from tests.kill.survivors import REASONS
from tests.kill.trial import judged, red_in, target_at

SERVER_RULES = [rule.id for rule in catalogue().values() if rule.judges == "server"]
OF_THE_MOMENT = ("CON-1", "CON-2", "CON-3", "CON-4", "CON-5", "IDM-5", "IDM-7")
"""Rules whose faults show when two things happen at one moment, which on a busy machine they do not every time."""

KNOWN = {one.rule: one for one in exactness() if one.fault in FAULTS}


def test_every_rule_has_a_fault_of_its_own() -> None:
    assert [] == [rule for rule in SERVER_RULES if rule not in KNOWN or not KNOWN[rule].exact]


def test_every_survivor_is_explained() -> None:
    assert {row.fault for row in rows() if not row.found} == set(REASONS)


@pytest.mark.parametrize("rule", SERVER_RULES)
def test_a_fault_turns_its_rule_red_and_no_other(rule: str) -> None:
    roots: list[str] = []
    for _ in range(4 if rule in OF_THE_MOMENT else 1):
        roots = roots or _roots(KNOWN[rule].fault, KNOWN[rule].scenario)
    assert [rule] == roots, KNOWN[rule].fault


@pytest.mark.parametrize(
    ("fault", "scenarios", "roots"),
    [
        (
            "equal-bodies-are-one-call",
            ["captures of the same amount", "refunds that span captures"],
            ["IDM-4"],
        ),
        ("200-for-refund-order", ["a whole refund", "a release"], ["RFD-1"]),
        ("refused-capture-releases", ["a capture of one less than remains", "a cancelled order"], ["CAP-5"]),
        ("send-out-of-nothing", ["sending out", "captures and refunds of another order"], ["SND-2"]),
        ("expiry-moves-with-each-read", ["reading twice", "sending out"], ["ORD-GET-2"]),
        (
            "doubled-append-order-shipping-info",
            ["shipping info of an order", "equal calls with keys of their own or none"],
            ["SHP-1"],
        ),
        (
            "two-captures-at-most",
            ["several captures up to the exact rest", "headers that a server need not know"],
            ["CAP-1"],
        ),
        ("messages-as-text", ["no release without captures", "malformed order ids"], ["GEN-ERR-1"]),
        (
            "keys-ignored",
            ["every call again with its key", "refused calls again with their keys"],
            ["IDM-2"],
        ),
    ],
)
def test_one_root_cause_is_one_block(fault: str, scenarios: list[str], roots: list[str]) -> None:
    assert roots == _roots(fault, *scenarios)
    for scenario in scenarios:
        assert _roots(fault, scenario) != [], "it shows in each of them by itself"


def _roots(fault: str, *scenarios: str) -> list[str]:
    with only(*scenarios), sandbox(SandboxSettings(), fault) as url:
        result = check(Settings(target_at(url), select([]), profile="quick", max_time=60), Watch())
    return [block.rule.id for block in result.blocks]


def test_with_no_fault_everything_is_green() -> None:
    with sandbox(SandboxSettings()) as url:
        result = check(Settings(target_at(url), select([]), profile="quick", max_time=120), Watch())
    assert ((), [], "", 0) == (red_in(result), result.blocks, result.interrupted, result.exit_code)
    missing = {one.rule.id for one in result.rules if one.verdict is Verdict.NOT_EXERCISED}
    assert {"GEN-RATE-1"} == missing & set(SERVER_RULES)


@pytest.mark.parametrize("flavour", ["recorded", "strict", "closed"])
def test_a_correct_variant_is_not_accused(flavour: str) -> None:
    assert () == judged(flavour, open_choices(flavour=flavour)).accused


def test_no_correct_variant_was_ever_accused() -> None:
    assert [] == [(one.variant, one.profile, one.seed) for one in conformities() if one.accused]
