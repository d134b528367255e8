"""Counterexamples as files, and in the database of earlier finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis.database import InMemoryExampleDatabase

from orderproof.counterexample import Counterexample, from_record, load, save, to_record
from orderproof.drivers.commands import Command, Sequence
from orderproof.drivers.drafts import draft
from orderproof.errors import UsageError
from orderproof.examples import Examples, examples_at, usual_folder

EXAMPLE = Counterexample(
    rule="CAP-5",
    expected="403 CAPTURE_NOT_ALLOWED",
    actual="201",
    seed=7,
    scenario="walk 3",
    sequence=Sequence(
        (draft(10), draft(20)),
        (
            Command("captureOrder", body={"captured_amount": 4}, key="first", read=False),
            Command("getCapture", 1, capture=0, donor=0, facts=frozenset({"other-order"})),
            Command("captureOrder", content=b"\xff\x00", key=None, opened=2, advance=86_400.0),
            Command("refundOrder", 1, body={"refunded_amount": 1}, headers=(("X-Other", "1"),)),
        ),
    ),
    flaky=(2, 4),
)


def changed(**fields: Any) -> dict[str, Any]:
    return {**to_record(EXAMPLE), **fields}


def test_a_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    assert EXAMPLE == load(save(tmp_path, EXAMPLE))


def test_a_second_one_of_a_rule_gets_a_number(tmp_path: Path) -> None:
    names = [save(tmp_path, EXAMPLE).name for _ in range(3)]
    assert ["CAP-5.json", "CAP-5-2.json", "CAP-5-3.json"] == names


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ([], "orderproof_counterexample"),
        (changed(orderproof_counterexample=99), "orderproof_counterexample"),
        (changed(steps=[{"operation": "captureAll"}]), "no operation is called 'captureAll'"),
        (changed(steps=[{"operation": "getOrder", "colour": "red"}]), "unknown fields: colour"),
        (changed(steps=[{"operation": "getOrder", "order": 2}]), "not among the 2 of the file"),
        (changed(steps=[{"operation": "getCapture", "donor": 5}]), "not among the 2 of the file"),
        (changed(steps=[{"order": 0}]), "missing"),
        (changed(steps=3), "wrong type"),
        (
            changed(steps=[{"operation": "getOrder", "order": "one"}]),
            "order = .one., which is not an integer",
        ),
        (changed(steps=[{"operation": "getCapture", "capture": [1]}]), "capture = \\[1\\]"),
        ({name: value for name, value in changed().items() if name != "rule"}, "'rule'"),
    ],
)
def test_what_is_no_counterexample_is_refused_with_a_sentence(data: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        from_record(data)


def test_a_file_that_is_none_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"other\.json is not a counterexample"):
        load(path)
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / "missing.json")


def test_examples_are_kept_by_target_and_dropped() -> None:
    database = InMemoryExampleDatabase()
    mine, other = Examples(database, "http://127.0.0.1:8000"), Examples(database, "http://127.0.0.1:8001")
    mine.keep(EXAMPLE)
    mine.keep(EXAMPLE)
    assert ([EXAMPLE], []) == (mine.known(), other.known())
    mine.drop(EXAMPLE)
    assert [] == mine.known()


def test_an_example_of_another_format_is_dropped() -> None:
    database = InMemoryExampleDatabase()
    for value in (b"\xff", b"{}", json.dumps(changed(steps=3)).encode()):
        database.save(b"orderproof/t", value)
    assert [] == Examples(database, "t").known()
    assert [] == list(database.fetch(b"orderproof/t"))


def test_examples_outlast_the_run_but_not_in_ci(tmp_path: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path)}
    first = examples_at(None, "t", cache)
    assert first is not None
    first.keep(EXAMPLE)
    again = examples_at(None, "t", cache)
    assert again is not None
    assert [EXAMPLE] == again.known()
    assert usual_folder(cache).is_dir()
    assert examples_at(None, "t", {**cache, "CI": "true"}) is None
    assert examples_at("none", "t", cache) is None
    assert examples_at(str(tmp_path / "given"), "t", {**cache, "CI": "true"}) is not None
