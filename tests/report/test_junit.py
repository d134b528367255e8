"""`junit.xml` is read by a strict reader, which takes only what the common schema of CI servers has."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from orderproof.outcome import RunResult, Verdict
from orderproof.report.junit import junit
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED, rule_results

RUNS = [CONFORMS, BROKEN, NOT_JUDGED, HOSTILE_RUN, replace(BROKEN, strict=True)]
IDS = ["conforms", "broken", "not judged", "hostile", "strict"]


@dataclass(frozen=True)
class _Shape:
    """What an element must have: its attributes by pattern, and its children in order."""

    required: dict[str, str]
    children: str = ""
    text: bool = False


_NUMBER, _TIME, _WORD, _ANY = r"\d+", r"\d+\.\d{3}", r"\S(.*\S)?", r"[\s\S]*"
_COUNTS = dict.fromkeys(("tests", "failures", "errors", "skipped"), _NUMBER)
_OUTCOME = {"message": _ANY, "type": _WORD}

SHAPES = {
    "testsuites": _Shape({"name": _WORD}, "(testsuite )*"),
    "testsuite": _Shape(
        {"name": _WORD, **_COUNTS, "time": _TIME, "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"},
        "(properties )?(testcase )*(system-out )?(system-err )?",
    ),
    "properties": _Shape({}, "(property )*"),
    "property": _Shape({"name": _WORD, "value": _ANY}),
    "testcase": _Shape(
        {"name": _WORD, "classname": r"\w+(\.\w+)*", "time": _TIME},
        "(skipped |error |failure )?(system-out )?(system-err )?",
    ),
    "skipped": _Shape({"message": _ANY}, text=True),
    "failure": _Shape(_OUTCOME, text=True),
    "error": _Shape(_OUTCOME, text=True),
    "system-out": _Shape({}, text=True),
}


def check(element: Element) -> None:
    shape = SHAPES[element.tag]
    assert set(element.attrib) == set(shape.required), element.tag
    for name, pattern in shape.required.items():
        assert re.fullmatch(pattern, element.attrib[name]), (element.tag, name, element.attrib[name])
    assert re.fullmatch(shape.children, "".join(f"{child.tag} " for child in element)), element.tag
    assert shape.text or not (element.text or "").strip(), element.tag
    assert not (element.tail or "").strip(), element.tag
    for child in element:
        check(child)


def cases(result: RunResult) -> dict[str, Element]:
    found = ElementTree.fromstring(junit(result)).iter("testcase")
    return {case.attrib["name"].split()[0]: case for case in found}


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_a_strict_reader_takes_it(result: RunResult) -> None:
    text = junit(result)
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    check(root)
    text.encode("utf-8")


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_the_counts_are_those_of_the_cases(result: RunResult) -> None:
    (suite,) = ElementTree.fromstring(junit(result))
    outcomes = Counter(child.tag for case in suite.iter("testcase") for child in case)
    assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
    assert int(suite.attrib["failures"]) == outcomes["failure"]
    assert int(suite.attrib["errors"]) == outcomes["error"]
    assert int(suite.attrib["skipped"]) == outcomes["skipped"]


def test_each_rule_is_one_case() -> None:
    assert list(cases(BROKEN)) == [entry.rule.id for entry in BROKEN.rules]


def test_a_failed_rule_shows_its_block() -> None:
    failure = cases(BROKEN)["CAP-5"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == (
        "expected 403 CAPTURE_NOT_ALLOWED, order unchanged, got 201 Created, captured_amount 10001"
    )
    assert failure.attrib["type"] == "MUST"
    assert '\n  Sent       POST …/captures {"captured_amount": 10001}' in (failure.text or "")


def test_what_follows_points_to_its_root() -> None:
    failure = cases(BROKEN)["ORD-SUM-3"].find("failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("follows from CAP-5: ")


@pytest.mark.parametrize(
    ("rule", "strict", "outcome"),
    [
        ("GEN-404-2", False, "system-out"),
        ("GEN-404-2", True, "failure"),
        ("EXT-4", False, "skipped"),
        ("IDM-8", True, "skipped"),
        ("RFD-10", False, "error"),
    ],
)
def test_the_outcome_of_a_case_is_that_of_its_rule(rule: str, strict: bool, outcome: str) -> None:
    assert [child.tag for child in cases(replace(BROKEN, strict=strict))[rule]] == [outcome]


def test_what_was_not_exercised_says_why() -> None:
    skipped = cases(BROKEN)["IDM-8"].find("skipped")
    assert skipped is not None
    assert skipped.attrib["message"] == "the target has no clock that can be moved (--config, [clock])"


def test_a_passed_rule_has_no_outcome() -> None:
    assert [list(case) for case in cases(CONFORMS).values() if case.attrib["name"].startswith("CAP-1 ")] == [
        []
    ]


def test_a_run_that_could_not_be_judged_is_no_success() -> None:
    error = cases(NOT_JUDGED)["the"].find("error")
    assert error is not None
    assert error.attrib["message"] == "http://127.0.0.1:1 cannot be reached: connection refused"


def test_a_failed_rule_without_a_block_shows_its_reason() -> None:
    result = replace(
        BROKEN, blocks=(), rules=rule_results(CAP_1=(Verdict.FAILED, 1, "expected 201, got 500"))
    )
    failure = cases(result)["CAP-1"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == failure.text == "expected 201, got 500"
