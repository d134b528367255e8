"""`findings.sarif` keeps to the part of SARIF 2.1.0 that it uses, told here strictly: nothing else may be in it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderproof.catalogue import Source, source_address
from orderproof.outcome import RunResult
from orderproof.report.sarif import sarif, write_sarif
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED, TOO_MUCH, UNNAMED

RUNS = [CONFORMS, BROKEN, NOT_JUDGED, HOSTILE_RUN, replace(BROKEN, strict=True)]
IDS = ["conforms", "broken", "not judged", "hostile", "strict"]


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _array(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


_STRING: dict[str, Any] = {"type": "string"}
_TEXT = _object({"text": {"type": "string", "minLength": 1}})
_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_URI = {"type": "string", "format": "uri-reference", "pattern": r"^[!-;=?-Z_a-z~%]+$"}
_RULE = _object(
    {
        "id": _STRING,
        "shortDescription": _TEXT,
        "fullDescription": _TEXT,
        "help": _TEXT,
        "defaultConfiguration": _object({"level": _LEVEL}),
        "properties": _object({"tags": _array(_STRING, uniqueItems=True)}),
    },
    {"helpUri": _URI | {"pattern": "^https://"}},
)
_LOCATION = _object(
    {
        "physicalLocation": _object(
            {
                "artifactLocation": _object({"uri": _URI}),
                "region": _object({"startLine": {"type": "integer", "minimum": 1}}),
            }
        )
    },
    {"logicalLocations": _array(_object({"fullyQualifiedName": _STRING, "kind": {"const": "function"}}))},
)
_RESULT = _object(
    {
        "ruleId": _STRING,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": _LEVEL,
        "message": _TEXT,
        "locations": _array(_LOCATION, minItems=1, maxItems=1),
        "partialFingerprints": {"type": "object", "additionalProperties": _STRING},
        "occurrenceCount": {"type": "integer", "minimum": 1},
        "properties": {"type": "object"},
    },
    {"suppressions": _array(_object({"kind": {"enum": ["inSource", "external"]}, "justification": _STRING}))},
)
_NOTIFICATION = _object({"level": _LEVEL, "message": _TEXT}, {"descriptor": _object({"id": _STRING})})
_INVOCATION = _object(
    {
        "executionSuccessful": {"type": "boolean"},
        "exitCode": {"type": "integer"},
        "toolExecutionNotifications": _array(_NOTIFICATION),
    },
    {"startTimeUtc": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}},
)
_DRIVER = _object({"name": _STRING, "version": _STRING, "rules": _array(_RULE, uniqueItems=True)})
_RUN = _object(
    {
        "tool": _object({"driver": _DRIVER}),
        "invocations": _array(_INVOCATION, minItems=1, maxItems=1),
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": _array(_RESULT),
        "properties": {"type": "object"},
    }
)
LOG = _object({"$schema": _URI, "version": {"const": "2.1.0"}, "runs": _array(_RUN, minItems=1, maxItems=1)})


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_it_keeps_to_the_format(result: RunResult, tmp_path: Path) -> None:
    log = json.loads(write_sarif(tmp_path, result).read_text(encoding="utf-8"))
    assert [error.message for error in jsonschema.Draft202012Validator(LOG).iter_errors(log)] == []
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[found["ruleIndex"]]["id"] for found in run["results"]] == [
        found["ruleId"] for found in run["results"]
    ]


def results(result: RunResult) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sarif(result)["runs"][0]["results"]
    return found


def test_a_root_cause_is_one_result() -> None:
    assert [(found["ruleId"], found["level"], found["occurrenceCount"]) for found in results(BROKEN)] == [
        ("CAP-5", "error", 3),
        ("CON-1", "error", 1),
        ("GEN-404-2", "warning", 1),
    ]
    first = results(BROKEN)[0]
    assert first["message"]["text"].startswith(
        "Expected 403 CAPTURE_NOT_ALLOWED, order unchanged, got 201 Created"
    )
    assert "\n  Contract   Error codes and messages" in first["message"]["text"]
    assert (
        first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "counterexamples/CAP-5.json"
    )
    assert first["properties"]["follows"] == ["ORD-SUM-5", "ORD-SUM-3", "ORD-SUM-5"]


def test_a_warning_of_a_strict_run_is_an_error() -> None:
    assert [found["level"] for found in results(replace(BROKEN, strict=True))] == ["error"] * 3


def test_what_is_waived_is_suppressed_with_the_reason() -> None:
    waived = next(entry for entry in BROKEN.rules if entry.verdict.value == "waived")
    (found,) = results(replace(BROKEN, blocks=(replace(UNNAMED, rule=waived.rule),)))
    assert found["suppressions"] == [{"kind": "external", "justification": waived.reason}]


def test_the_fingerprint_stays_when_ids_and_amounts_change() -> None:
    other = replace(TOO_MUCH, order_id="another", actual="201 Created, captured_amount 7", count=9)
    elsewhere = replace(TOO_MUCH, operation="refundOrder")
    prints = [
        results(replace(BROKEN, blocks=(block,)))[0]["partialFingerprints"]
        for block in (TOO_MUCH, other, elsewhere)
    ]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("started_at", "utc"),
    [
        ("2026-11-23T10:15:00Z", "2026-11-23T10:15:00Z"),
        ("2026-11-23T10:15:00.25+02:00", "2026-11-23T08:15:00Z"),
        ("yesterday", None),
    ],
)
def test_the_start_is_in_utc(started_at: str, utc: str | None) -> None:
    (invocation,) = sarif(replace(BROKEN, started_at=started_at))["runs"][0]["invocations"]
    assert invocation.get("startTimeUtc") == utc


def test_a_run_that_could_not_be_judged_was_no_success() -> None:
    (invocation,) = sarif(NOT_JUDGED)["runs"][0]["invocations"]
    assert not invocation["executionSuccessful"]
    assert "cannot be reached" in invocation["toolExecutionNotifications"][0]["message"]["text"]


@pytest.mark.parametrize(
    ("source", "address"),
    [
        (Source("rfc9110", "11.6.1"), "https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1"),
        (Source("rfc9110", ""), "https://www.rfc-editor.org/rfc/rfc9110"),
        (Source("limits", "Headers"), "https://docs.klarna.com/api/request-limits/"),
        (Source("oas", "captureOrder"), None),
    ],
)
def test_a_source_has_an_address_where_it_is_public(source: Source, address: str | None) -> None:
    assert source_address(source) == address
