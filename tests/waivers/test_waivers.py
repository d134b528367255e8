"""Waivers: what they let pass, and when they are the failure themselves."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from orderproof.catalogue import catalogue
from orderproof.errors import UsageError
from orderproof.outcome import Block, RuleResult, RunResult, Verdict
from orderproof.waivers import Waiver, applied, drafted, load

TODAY = date(2026, 11, 23)
URL = "http://127.0.0.1:8080"


def outcome(*failing: str, operation: str = "captureOrder") -> RunResult:
    """A run in which some rules fail, and CAP-1 holds."""
    rules = [RuleResult(catalogue()[rule], Verdict.FAILED, 3) for rule in failing]
    rules.append(RuleResult(catalogue()["CAP-1"], Verdict.PASSED, 3))
    blocks = [
        Block(catalogue()[rule], "403", '201 "Created"', operation, "id", "a scenario", "POST")
        for rule in failing
    ]
    code = 1 if failing else 0
    verdict = "broken" if failing else "conforms"
    return RunResult("check", URL, "quick", 0, "2026-11-23T00:00:00", 1.0, 9, verdict, code, rules, blocks)


def waiver(rule: str = "CAP-5", **fields: object) -> Waiver:
    values = {"rule": rule, "reason": "ticket 12", "expires": date(2026, 12, 31), "message": "201", **fields}
    return Waiver(**values)  # type: ignore[arg-type]


def test_a_known_failure_passes() -> None:
    result = applied(outcome("CAP-5"), [waiver()], TODAY)
    assert (0, "conforms") == (result.exit_code, result.verdict)
    assert Verdict.WAIVED is result.rules[0].verdict
    assert "ticket 12 (until 2026-12-31)" == result.rules[0].reason


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"rule": "CAP-1"}, "is stale"),
        ({"expires": date(2026, 11, 22)}, "expired on 2026-11-22"),
        ({"message": "500"}, "fails in another way"),
        ({"operation": "refundOrder"}, "fails in another way"),
    ],
)
def test_a_waiver_that_does_not_fit_fails_the_run(fields: dict[str, object], note: str) -> None:
    result = applied(outcome(*([] if "rule" in fields else ["CAP-5"])), [waiver(**fields)], TODAY)  # type: ignore[arg-type]
    assert 4 == result.exit_code
    assert note in " ".join(result.notes)


def test_another_failure_is_still_a_failure() -> None:
    result = applied(outcome("CAP-5", "RFD-5"), [waiver(), waiver("CAP-1")], TODAY)
    assert 1 == result.exit_code


def test_a_waiver_of_another_target_says_nothing() -> None:
    result = applied(outcome("CAP-5"), [waiver(target="http://other/*")], TODAY)
    assert 1 == result.exit_code


def test_the_day_of_expiry_still_counts() -> None:
    assert 0 == applied(outcome("CAP-5"), [waiver(expires=TODAY)], TODAY).exit_code


def test_a_draft_can_be_read_and_fits(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(drafted(outcome("CAP-5"), TODAY), encoding="utf-8")
    assert 0 == applied(outcome("CAP-5"), load(path), TODAY).exit_code
    assert "to be written" == tomllib.loads(path.read_text(encoding="utf-8"))["waiver"][0]["reason"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = ", "are not TOML"),
        ("x = 1", "no [[waiver]] tables"),
        ('[[waiver]]\nrule = "CAP-5"\nexpires = 2026-12-31', "reason = None, where a text belongs"),
        ('[[waiver]]\nrule = "CAP-5"\nreason = "r"\nexpires = "soon"', "a day, as in"),
        ('[[waiver]]\nrule = "CAP-99"\nreason = "r"\nexpires = 2026-12-31', "not in the catalogue"),
        ('[[waiver]]\nrule = "CAP-5"\nreason = "r"\nexpires = 2026-12-31\nuntil = 1', "unknown key 'until'"),
    ],
)
def test_a_bad_file_gets_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load(path)
    assert sentence in str(raised.value)
