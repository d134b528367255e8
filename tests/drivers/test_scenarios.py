"""Scenarios: each brings defects to light, by the rule that names them best, at the first try."""

from __future__ import annotations

import pytest

from orderproof.drivers.scenarios.registry import SCENARIOS
from tests.drivers.playing import judged


@pytest.mark.parametrize(
    ("server", "scenario", "rule"),
    [
        ("thrice-captured-is-cancelled", "several captures up to the exact rest", "CAN-2"),
        ("refunds-lower-the-floor", "refunds move nothing but the refunded amount", "AUT-3"),
        ("update-describes-capture", "updates of a part-captured order", "ORD-FIX-2"),
        ("lines-held-against-rest", "a capture of one less than remains", "CAP-5"),
        ("refund-with-lines-unchecked", "refunds that span captures", "RFD-5"),
        ("no-days-at-all", "due dates", "DUE-3"),
        ("original-amount-is-whole", "captures after an increase", "ORD-STA-1"),
        ("fully-captured-expires", "an order that expires", "ORD-STA-1"),
        ("released-expires", "an order that expires", "EXP-1"),
        ("address-email-lowered", "changes of the shipping address", "CUS-1"),
        ("captures-by-what-is-left", "an order over the largest amount", "CAP-6"),
        ("increased-is-not-released", "a release after an increase", "ORD-SUM-4"),
        ("refund-takes-lines-of-captures", "a whole refund", "ORD-FIX-3"),
        ("quantity-overflows", "updates replace the order lines", "AUT-2"),
        ("list-forgets-refunds", "no cancelling after a capture", "CAP-6"),
        ("parcels-once", "shipping info of an order", "SHP-1"),
        ("released-takes-no-parcels", "a release", "SHP-1"),
        ("references-trimmed", "merchant references one by one", "REF-1"),
        ("address-title-cut", "changes of the shipping address", "CUS-1"),
        ("hundred-lines-kept", "updates replace the order lines", "AUT-2"),
        ("amount-from-lines", "captures with and without lines, texts and shipping info", "CAP-3"),
        ("release-describes-captures", "a release", "REL-1"),
        ("address-phone-tidied", "changes of the shipping address", "CUS-1"),
    ],
)
def test_a_scenario_brings_a_defect_to_light(server: str, scenario: str, rule: str) -> None:
    judge, _ = judged(server, [one for one in SCENARIOS if one.name == scenario])
    assert [rule] == [finding.rule for finding in judge.findings if finding.follows is None]


@pytest.mark.parametrize(
    ("server", "scenario"),
    [
        ("released-stays-expired", "an order that expires"),
        ("small-letter-times", "an order that expires"),
        ("location-with-fragment", "reading twice"),
        ("small-letter-times", "the same again after a while"),
    ],
)
def test_a_scenario_accuses_no_correct_server(server: str, scenario: str) -> None:
    judge, _ = judged(server, [one for one in SCENARIOS if one.name == scenario])
    assert [] == judge.findings
