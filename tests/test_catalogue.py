"""The catalogue has every rule of the contract, each well formed and resting on a source."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from orderproof.catalogue import AREAS, Source, UnknownRule, catalogue, select, source_title
from orderproof.spec import read, rule_files

# Every id, family by family: numbers alone are MUST, a number in brackets is SHOULD.
RULES = """
GEN-AUTH 1 2 (3)
GEN-ERR 1 (2) 3 4
GEN-404 1 (2)
GEN-ID 1
GEN-VAL 1 2 (3) 4
GEN-HTTP 1 2 (3) 4 5
GEN-RATE 1
ORD-GET 1 2 3 4
ORD-SUM 1 2 3 4 5 6
ORD-STA 1 2
ORD-FIX 1 2 3
ACK 1 2
AUT 1 2 3 4 5 6
EXT 1 2 3 (4) (5)
REL 1 2 3 4 5
CAN 1 2 3 4
EXP 1
CUS 1 2 3
REF 1 2
CAP 1 2 3 4 5 6 7 8 (9) 10 11
SHP 1 2 3 4
SND 1 2
DUE 1 2 3 4
RFD 1 2 3 4 5 6 7 8 (9) (10) 11
IDM 1 2 3 4 5 (6) 7 8
CON 1 2 3 4 5
CLI-HTTP 1
CLI-PATH 1 (2)
CLI-AUTH 1
CLI-BODY 1 2 (3) (4)
CLI-LINE 1 (2) (3)
CLI-IDM (1) (2) 3 4
CLI-RETRY 1 (2)
CLI-SIZE (1)
CLI-READ 1 2 3 4
CLI-DO 1
CLI-SAFE 1
"""


def _levels() -> dict[str, str]:
    levels = {}
    for line in RULES.split("\n"):
        family, _, numbers = line.partition(" ")
        for number in numbers.split():
            levels[f"{family}-{number.strip('()')}"] = "SHOULD" if number.startswith("(") else "MUST"
    return levels


def _files() -> dict[str, Any]:
    return {name.removeprefix("rules/").removesuffix(".yaml"): read(name) for name in rule_files()}


def test_every_rule_is_there_with_its_level() -> None:
    assert _levels() == {rule.id: rule.level for rule in catalogue().values()}


def test_every_file_keeps_the_schema() -> None:
    schema = json.loads((files("orderproof.spec") / "rules.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for area, content in _files().items():
        jsonschema.validate(content, schema)
        assert area == content["area"]
    assert set(AREAS) == set(_files())


def test_no_two_rules_say_the_same() -> None:
    entries = [entry for content in _files().values() for entry in content["rules"]]
    assert (
        len(entries) == len({entry["id"] for entry in entries}) == len({entry["title"] for entry in entries})
    )


def test_every_source_is_known_and_used() -> None:
    used = {source.document for rule in catalogue().values() for source in rule.sources}
    assert set(read("sources.yaml")) == used
    for key, document in read("sources.yaml").items():
        assert {"title", "seen"} <= set(document) <= {"title", "seen", "address"}, key
        assert document.get("address", "https://").startswith("https://"), key


def test_only_clients_are_judged_by_client_rules() -> None:
    for rule in catalogue().values():
        assert (rule.judges == "client") == rule.id.startswith("CLI-") == (rule.area == "clients")


def test_rules_that_need_a_capability_say_so() -> None:
    needs = {rule.id: rule.needs for rule in catalogue().values() if rule.needs}
    assert needs == {
        "DUE-2": ("pay-later",),
        "EXP-1": ("expired",),
        "EXT-5": ("clock",),
        "IDM-8": ("clock",),
    }


def test_open_points_are_listed_where_they_concern_a_rule() -> None:
    closed = {rule.id for rule in catalogue().values() if not rule.open}
    assert not closed & {"ACK-2", "AUT-5", "AUT-6", "REL-5", "CAN-1", "CAN-3", "CAP-10", "RFD-11", "IDM-1"}


def test_a_refund_may_reach_its_captures_late() -> None:
    assert any("lag" in outcome for outcome in catalogue()["ORD-SUM-6"].open)


def test_rules_come_area_by_area() -> None:
    areas = [rule.area for rule in catalogue().values()]
    assert list(AREAS) == list(dict.fromkeys(areas))
    assert areas == sorted(areas, key=AREAS.index)


def test_a_source_reads_as_title_and_section() -> None:
    assert str(catalogue()["CAP-5"].sources[0]) == (
        'Error codes and messages for Order Management, "403 - CAPTURE_NOT_ALLOWED"'
    )
    assert str(Source("tax", "")) == source_title("tax") == "Tax handling"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["CAP-5"], ["CAP-5"]),
        (["cap-5"], ["CAP-5"]),
        (["RFD-2", "CAP-2"], ["CAP-2", "RFD-2"]),
        (["ORD-STA-*", "ORD-STA-1"], ["ORD-STA-1", "ORD-STA-2"]),
        (["CAP-1?"], ["CAP-10", "CAP-11"]),
        (["GEN-AUTH-[12]"], ["GEN-AUTH-1", "GEN-AUTH-2"]),
    ],
)
def test_patterns_select_in_the_order_of_the_catalogue(patterns: list[str], expected: list[str]) -> None:
    assert expected == [rule.id for rule in select(patterns)]


def test_no_pattern_selects_everything() -> None:
    assert list(catalogue().values()) == select([])


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("CAP-55", "no rule is called 'CAP-55'; close to it are CAP-5, "),
        ("ORD-SUN-*", "no rule is called 'ORD-SUN-*'; close to it are ORD-SUM-"),
        ("captures", "no rule is called 'captures'; ids begin with GEN, ORD, "),
        ("", "no rule is called ''; ids begin with GEN, ORD, "),
    ],
)
def test_an_unknown_pattern_is_named_with_what_comes_close(pattern: str, said: str) -> None:
    with pytest.raises(UnknownRule) as caught:
        select(["CAP-1", pattern])
    assert str(caught.value).startswith(said)
