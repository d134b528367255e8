"""Clients that we know: the tidy one passes in every weather, and each slip is named by its own rule."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from orderproof.catalogue import select
from orderproof.client.weather import SCENARIOS
from orderproof.outcome import Verdict
from tests.client.conftest import SAMPLES, Judged, broken, python

SLIPS = [
    # A slip, the flow and the weather in which it shows, and the rules that it breaks.
    ("stray bytes", "capture-part", "fair", {"CLI-HTTP-1"}),
    ("bad media type", "capture-part", "fair", {"CLI-HTTP-1", "CLI-BODY-1"}),
    ("wrong path", "capture-part", "fair", {"CLI-PATH-1"}),
    ("trailing slash", "capture-part", "fair", {"CLI-PATH-2"}),
    ("no credentials", "capture-part", "fair", {"CLI-AUTH-1"}),
    ("no media type", "capture-part", "fair", {"CLI-BODY-1"}),
    ("broken schema", "capture-part", "fair", {"CLI-BODY-1"}),
    ("decimals", "capture-part", "fair", {"CLI-BODY-2"}),
    ("strings", "capture-part", "fair", {"CLI-BODY-2"}),
    ("major units", "capture-part", "fair", {"CLI-BODY-2"}),
    ("body on get", "capture-part", "fair", {"CLI-BODY-3"}),
    ("body for nothing", "cancel", "fair", {"CLI-BODY-3"}),
    ("unknown field", "capture-part", "fair", {"CLI-BODY-4"}),
    ("bad line", "capture-part", "fair", {"CLI-LINE-1"}),
    ("tax on net", "capture-part", "fair", {"CLI-LINE-2"}),
    ("wrong sum", "capture-part", "fair", {"CLI-LINE-3"}),
    ("no key", "capture-part", "fair", {"CLI-IDM-1"}),
    ("plain key", "capture-part", "fair", {"CLI-IDM-2"}),
    ("shared key", "capture-twice", "fair", {"CLI-IDM-3"}),
    ("shared key", "capture-twice", "cut-after", {"CLI-IDM-3"}),
    ("one key for parcels", "capture-twice", "fair", {"CLI-IDM-3"}),
    ("new key", "capture-part", "503-once", {"CLI-IDM-4"}),
    ("new key", "capture-part", "cut-after", {"CLI-IDM-4"}),
    ("new key", "refund", "slow", {"CLI-IDM-4"}),
    ("blind retry", "capture-part", "503-once", {"CLI-IDM-1", "CLI-RETRY-1"}),
    ("blind retry", "refund", "cut-middle", {"CLI-IDM-1", "CLI-RETRY-1"}),
    ("stubborn", "capture-part", "403", {"CLI-RETRY-1"}),
    ("hasty retry", "capture-part", "503-thrice", {"CLI-RETRY-2"}),
    ("many retries", "capture-part", "503-often", {"CLI-RETRY-2"}),
    ("large header", "capture-part", "fair", {"CLI-SIZE-1"}),
    ("crash on news", "capture-part", "unknown", {"CLI-READ-1"}),
    ("crash on refusal", "capture-part", "403", {"CLI-READ-2"}),
    ("wants a body", "capture-part", "fair", {"CLI-READ-2"}),
    ("letter case", "capture-part", "lower-case", {"CLI-READ-3"}),
    ("absolute alone", "capture-part", "location-relative", {"CLI-READ-3"}),
    ("blind to refusals", "capture-part", "403", {"CLI-READ-4"}),
    ("blind to refusals", "cancel", "403-text", {"CLI-READ-4"}),
    ("wrong call", "extend", "fair", {"CLI-DO-1"}),
    ("wrong call", "cancel", "fair", {"CLI-DO-1"}),
    ("leak", "capture-part", "location-elsewhere", {"CLI-SAFE-1"}),
]
ALONE = {next(iter(rules)) for _, _, _, rules in SLIPS if len(rules) == 1}
MONEY = [("new key", "cut-after", "CLI-IDM-4"), ("blind retry", "cut-after", "CLI-RETRY-1")]
MAIN_WEATHERS = (
    "503-thrice",
    "refused",
    "cut-after",
    "cut-middle",
    "slow",
    "403-text",
    "unknown",
    "location-elsewhere",
)
OTHERS = {
    "node": ["node", str(SAMPLES / "tidy.mjs")],
    "shell": ["sh", str(SAMPLES / "tidy.sh")],
    "php": ["php", str(SAMPLES / "tidy.php")],
    "ruby": ["ruby", str(SAMPLES / "tidy.rb")],
    "java": ["java"],
}


def command_of(kind: str, folder: Path) -> list[str]:
    """The command of a sample, compiled into a folder if need be; skips the test where its language is missing."""
    command = OTHERS[kind]
    program = {"shell": "curl", "java": "javac"}.get(kind, command[0])
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if kind == "php" and subprocess.run(["php", "-r", "exit((int) !extension_loaded('curl'));"]).returncode:
        pytest.skip("PHP has no curl")
    if kind == "java":
        subprocess.run(["javac", "-d", str(folder), str(SAMPLES / "Tidy.java")], check=True)
        return [*command[:1], "-cp", str(folder), "Tidy"]
    return command


def test_the_tidy_client_passes_in_every_weather(judged: Judged) -> None:
    result = judged(python(), *SCENARIOS)
    assert (set(), 0) == (broken(result), result.exit_code)
    assert {Verdict.PASSED} == {entry.verdict for entry in result.rules}


@pytest.mark.parametrize("flow", ["read", "cancel", "extend", "refund", "references", "capture-twice"])
def test_the_tidy_client_keeps_its_intent(judged: Judged, flow: str) -> None:
    result = judged(python(), "cut-after", "403", flow=flow)
    assert (set(), 0) == (broken(result), result.exit_code)


def test_every_rule_for_clients_is_broken_alone_by_some_slip() -> None:
    assert {rule.id for rule in select(["CLI-*"])} == ALONE


@pytest.mark.parametrize(("slip", "flow", "weather", "rules"), SLIPS)
def test_a_slip_is_named_by_its_rule(
    judged: Judged, slip: str, flow: str, weather: str, rules: set[str]
) -> None:
    result = judged(python(), weather, flow=flow, SLIP=slip)
    assert rules == broken(result)


@pytest.mark.parametrize(("slip", "weather", "rule"), MONEY)
def test_money_that_moves_twice_comes_first(judged: Judged, slip: str, weather: str, rule: str) -> None:
    first = judged(python(), weather, SLIP=slip).blocks[0]
    assert rule == first.rule.id
    assert "money moved twice" in first.note
    assert "retry of request" in first.note
    assert ["CLI-DO-1"] == [follower.id for follower, _, _ in first.follows]


@pytest.mark.parametrize("kind", OTHERS)
def test_tidy_clients_in_other_languages_pass(judged: Judged, kind: str, tmp_path: Path) -> None:
    result = judged(command_of(kind, tmp_path), *MAIN_WEATHERS)
    assert (set(), 0) == (broken(result), result.exit_code)


@pytest.mark.parametrize(
    ("kind", "slip", "weather", "rules"),
    [
        ("node", "new key", "503-once", {"CLI-IDM-4"}),
        ("node", "hasty retry", "503-once", {"CLI-RETRY-2"}),
        ("node", "strings", "fair", {"CLI-BODY-2"}),
        ("node", "crash on refusal", "403", {"CLI-READ-2"}),
        ("shell", "new key", "503-once", {"CLI-IDM-4"}),
        ("shell", "blind to refusals", "403", {"CLI-READ-4"}),
    ],
)
def test_slips_in_other_languages_are_named(
    judged: Judged, tmp_path: Path, kind: str, slip: str, weather: str, rules: set[str]
) -> None:
    assert rules == broken(judged(command_of(kind, tmp_path), weather, SLIP=slip))
