"""Scenarios: each brings defects to light, by the rule that names them best, at the first try."""

from __future__ import annotations

import pytest

from orderproof.drivers.plan import drivers_of  # noqa: F401  registers the scenarios
from orderproof.drivers.scenarios.registry import SCENARIOS
from tests.drivers.playing import judged


@pytest.mark.parametrize(
    ("server", "scenario", "rule"),
    [
        ("thrice-captured-is-cancelled", "several captures up to the exact rest", "CAN-2"),
        ("refunds-lower-the-floor", "refunds move nothing but the refunded amount", "AUT-3"),
        ("update-describes-capture", "updates of a part-captured order", "ORD-FIX-2"),
        ("address-email-lowered", "changes of the shipping address", "CUS-1"),
        ("address-phone-tidied", "changes of the shipping address", "CUS-1"),
    ],
)
def test_a_scenario_brings_a_defect_to_light(server: str, scenario: str, rule: str) -> None:
    judge, _ = judged(server, [one for one in SCENARIOS if one.name == scenario])
    assert [rule] == [finding.rule for finding in judge.findings if finding.follows is None]
