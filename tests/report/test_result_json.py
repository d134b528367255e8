"""`result.json` is valid against its published schema, and reads back as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderproof.errors import UsageError
from orderproof.exchange import Exchange, Request, Response, record
from orderproof.outcome import RunResult
from orderproof.report.files import write_whole
from orderproof.report.result_json import load, result_data, result_schema, write_result
from tests.report.samples import BROKEN, CONFORMS, HOSTILE_RUN, NOT_JUDGED, TOO_MUCH

RUNS = [CONFORMS, BROKEN, NOT_JUDGED, HOSTILE_RUN, replace(BROKEN, strict=True, interrupted="Ctrl-C")]
IDS = ["conforms", "broken", "not judged", "hostile", "strict"]


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        result_schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def subschemas(node: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from subschemas(value, f"{path}/{key}")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(result_schema())


def test_the_schema_lets_no_unknown_field_pass_except_measures() -> None:
    objects = {
        path
        for path, node in subschemas(result_schema())
        if "object" in (node.get("type") or ()) and "additionalProperties" not in node
    }
    assert objects == {"#/$defs/coverage"}


LATER = {"workers", "shard", "shards"}
"""Fields of which older files of the same format have none."""


def test_every_field_of_the_schema_is_required_where_it_is_always_written() -> None:
    schema = result_schema()
    assert set(schema["properties"]) == {*schema["required"], *LATER} == set(result_data(BROKEN))
    for node in (schema["$defs"]["rule"], schema["$defs"]["finding"], schema["$defs"]["step"]):
        assert sorted(node["required"]) == sorted(node["properties"])


def test_a_file_from_before_a_field_came_is_read(tmp_path: Path) -> None:
    path = write_result(tmp_path, BROKEN)
    whole = load(path)
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({k: v for k, v in data.items() if k not in LATER}), encoding="utf-8")
    assert whole == load(path)


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_the_file_is_valid_and_reads_back(result: RunResult, tmp_path: Path) -> None:
    path = write_result(tmp_path, result)
    assert path == tmp_path / "result.json"
    assert list(validator().iter_errors(json.loads(path.read_text(encoding="utf-8")))) == []
    assert load(path) == result
    assert load(tmp_path) == result


def test_what_is_recorded_of_an_exchange_is_valid(tmp_path: Path) -> None:
    exchange = Exchange(
        number=1,
        request=Request((("Authorization", "Basic c2VjcmV0"),), b"\xff", "POST", "/x"),
        response=Response((("A", "b"),), b"{}", 200),
        sent_at=1.5,
        answered_at=2.5,
        scenario="s",
        fault="timeout",
        clock=3.0,
        advances=4.0,
        group=5,
        credentials="none",
        stands_for={"operation": "getOrder"},
        facts=frozenset({"lost"}),
    )
    lost = replace(exchange, response=None)
    block = replace(TOO_MUCH, exchanges=(record(exchange), record(lost)))
    path = write_result(tmp_path, replace(BROKEN, blocks=(block,)))
    assert load(path).blocks == (block,)
    assert "c2VjcmV0" not in path.read_text(encoding="utf-8")


def test_findings_that_follow_are_findings_of_their_own() -> None:
    findings = result_data(BROKEN)["findings"]
    assert [(entry["rule"], entry["follows_from"]) for entry in findings] == [
        ("CAP-5", None),
        ("ORD-SUM-5", "CAP-5"),
        ("ORD-SUM-3", "CAP-5"),
        ("ORD-SUM-5", "CAP-5"),
        ("CON-1", None),
        ("GEN-404-2", None),
    ]
    assert {entry["title"] for entry in findings if entry["rule"] == "CAP-5"} == {TOO_MUCH.rule.title}


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(name)


def _with(name: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.update({name: value})


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_without("version"), "is not the result.json of a run: it has no version"),
        (_with("version", 2), "is of format 2, this version of orderproof reads format 1"),
        (_without("rules"), '"rules" is a required property'),
        (_with("surplus", 1), "'surplus' was unexpected"),
        (_with("duration_s", -1), "duration_s: -1 is less than the minimum"),
        (lambda data: data["rules"][0].update(id="NEW-1"), "has the rule NEW-1, which this version"),
        (lambda data: data["findings"].pop(0), "begins with a finding that follows from none: ORD-SUM-5"),
    ],
)
def test_another_file_is_told_in_one_sentence(
    spoil: Callable[[dict[str, Any]], object], sentence: str, tmp_path: Path
) -> None:
    data = result_data(BROKEN)
    spoil(data)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        load(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "7", "null"])
def test_a_file_that_is_no_result_is_told(content: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"result\.json is not"):
        load(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load(tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = write_whole(tmp_path / "a.txt", "old")
    with pytest.raises(AttributeError):
        write_whole(path, None)  # type: ignore[arg-type]
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", "new")
    assert path.read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt", "taken"]
