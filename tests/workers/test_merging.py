"""Merging the reports of shards: one report, in which nothing is lost and a shard that died is named."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from orderproof.errors import UsageError
from orderproof.merging import merged, with_files
from orderproof.outcome import RunResult, Verdict
from orderproof.report.result_json import load, result_data, result_schema, write_result
from orderproof.report.writer import write_report
from orderproof.sharding import Shard
from orderproof.waivers import Waiver, applied, today
from tests.gallery.serving import serve
from tests.report.samples import BROKEN, CONFORMS
from tests.workers.running import causes, checked, history


def part(number: int, of: int = 2, *, whole: RunResult = CONFORMS, **facts: Any) -> RunResult:
    """The outcome of one shard."""
    about = {
        "blamed": [],
        "origins": [],
        **{name: facts.pop(name) for name in ("blamed", "origins") if name in facts},
    }
    return replace(whole, shard={"number": number, "of": of, **about}, **facts)


def written(folder: Path, *results: RunResult) -> list[Path]:
    """The folders of reports, one for each outcome."""
    folders = [folder / f"part-{number}" for number, _ in enumerate(results, 1)]
    for place, result in zip(folders, results, strict=True):
        place.mkdir()
        write_result(place, result)
    return folders


def origin(rule: str, place: Sequence[int], *suspects: str) -> dict[str, Any]:
    return {"rule": rule, "place": list(place), "suspects": list(suspects)}


def test_parts_that_conform_make_a_whole_that_does(tmp_path: Path) -> None:
    result = merged(written(tmp_path, part(2), part(1)), "orderproof merge")
    assert ("conforms", 0, "") == (result.verdict, result.exit_code, result.interrupted)
    assert 2 * CONFORMS.requests == result.requests
    assert [1, 2] == [shard["number"] for shard in result.shards]
    first = CONFORMS.rules[0]
    assert 2 * first.exercised == result.rules[0].exercised


def test_a_shard_without_a_report_is_named(tmp_path: Path) -> None:
    folders = written(tmp_path, part(1, 3), part(3, 3))
    dead = tmp_path / "dead"
    dead.mkdir()
    (dead / "history.ndjson").write_text("{}\n", encoding="utf-8")
    result = merged([*folders, dead, tmp_path / "nowhere"], "orderproof merge")
    assert ("not judged", 3) == (result.verdict, result.exit_code)
    assert "shard 2 of 3 left no report: it died, or its folder was not given" == result.interrupted
    assert [None] == [shard["verdict"] for shard in result.shards if shard["number"] == 2]
    assert f"{dead / 'history.ndjson'} has what was sent" in " ".join(result.notes)


def test_a_shard_without_a_report_does_not_hide_what_others_found(tmp_path: Path) -> None:
    result = merged(written(tmp_path, part(1, 3, whole=BROKEN), part(3, 3)), "orderproof merge")
    assert ("broken", 1) == (result.verdict, result.exit_code)
    assert "shard 2 of 3 left no report" in result.interrupted


def test_waivers_do_not_make_good_for_a_missing_shard(tmp_path: Path) -> None:
    result = merged(written(tmp_path, part(1, 2, whole=BROKEN)), "orderproof merge")
    failing = [entry.rule.id for entry in result.rules if entry.verdict is Verdict.FAILED]
    waivers = [Waiver(rule, "known", today().replace(year=today().year + 1)) for rule in failing]
    assert ("not judged", 3) == (
        applied(result, waivers, today()).verdict,
        applied(result, waivers, today()).exit_code,
    )


def test_a_shard_that_was_interrupted_is_named(tmp_path: Path) -> None:
    cut = part(2, interrupted="the target stopped answering", exit_code=3, verdict="not judged")
    result = merged(written(tmp_path, part(1), cut), "orderproof merge")
    assert ("not judged", "shard 2 of 2 was interrupted: the target stopped answering") == (
        result.verdict,
        result.interrupted,
    )


def test_what_one_shard_put_to_the_test_was_put_to_the_test(tmp_path: Path) -> None:
    idle = replace(CONFORMS.rules[0], verdict=Verdict.NOT_EXERCISED, exercised=0, reason="nothing did")
    other = part(2, rules=(idle, *CONFORMS.rules[1:]))
    result = merged(written(tmp_path, part(1), other), "orderproof merge")
    assert CONFORMS.rules[0].verdict is result.rules[0].verdict


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        (part(1), "are both shard 1: give each of them once"),
        (part(2, 3), "are not shards of one run: the number of shards is 2 and 3"),
        (part(2, seed=99), "are not shards of one run: seed is"),
        (part(2, profile="deep"), "are not shards of one run: profile is"),
        (part(2, rules=CONFORMS.rules[1:]), "are not shards of one run: the choice of rules is"),
        (CONFORMS, "is no part of a run: merge takes runs with --shard K/N"),
    ],
)
def test_reports_that_do_not_belong_together_are_refused(
    second: RunResult, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=sentence):
        merged(written(tmp_path, part(1), second), "orderproof merge")


def test_no_report_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no result\.json of a shard in"):
        merged([tmp_path / "one", tmp_path / "two"], "orderproof merge")


def test_a_cause_that_both_found_is_shown_once(tmp_path: Path) -> None:
    rule = BROKEN.blocks[0].rule.id
    first = part(1, whole=BROKEN, origins=[origin(rule, (0, 2))])
    second = part(2, whole=BROKEN, origins=[origin(rule, (0, 1))])
    result = merged(written(tmp_path, first, second), "orderproof merge")
    mine = [block for block in result.blocks if block.rule.id == rule]
    assert [2 * BROKEN.blocks[0].count] == [block.count for block in mine]


@pytest.mark.parametrize(("place", "folded"), [((0, 1), True), ((7, 1), False)])
def test_what_another_shard_explains_is_folded_under_that(
    place: tuple[int, int], folded: bool, tmp_path: Path
) -> None:
    """As in the whole run: only what was seen earlier in the plan explains what comes later."""
    cause, effect = (block.rule.id for block in BROKEN.blocks[:2])
    blamed = [{"operation": "captureOrder", "rule": cause, "place": list(place)}]
    one = part(1, whole=BROKEN, blocks=BROKEN.blocks[:1], blamed=blamed, origins=[origin(cause, place)])
    late = [origin(effect, (5, 3), "captureOrder")]
    other = part(2, whole=BROKEN, blocks=BROKEN.blocks[1:2], origins=late)
    result = merged(written(tmp_path, one, other), "orderproof merge")
    assert folded == (effect not in [block.rule.id for block in result.blocks])
    follows = {rule.id for block in result.blocks if block.rule.id == cause for rule, *_ in block.follows}
    assert folded == (effect in follows)


def test_a_merged_report_keeps_the_schema_and_is_read_back(tmp_path: Path) -> None:
    result = merged(written(tmp_path, part(1, 3, whole=BROKEN), part(2, 3)), "orderproof merge")
    jsonschema.validate(result_data(result), result_schema(), jsonschema.Draft202012Validator)
    write_report(tmp_path / "out", result)
    assert result.shards == load(tmp_path / "out").shards
    assert "shard 3 of 3 left no report" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "shard 3 of 3 left no report" in (tmp_path / "out" / "summary.md").read_text(encoding="utf-8")


def test_counterexamples_are_copied(tmp_path: Path) -> None:
    rule = BROKEN.blocks[0].rule.id
    block = replace(BROKEN.blocks[0], file="counterexamples/mine.json")
    folders = written(tmp_path, part(1, 1, whole=BROKEN, blocks=(block,), origins=[origin(rule, (0, 0))]))
    (folders[0] / "counterexamples").mkdir()
    (folders[0] / "counterexamples" / "mine.json").write_text("{}", encoding="utf-8")
    result = with_files(merged(folders, "orderproof merge"), tmp_path / "out")
    assert f"counterexamples/{rule}.json" == result.blocks[0].file
    assert "{}" == (tmp_path / "out" / "counterexamples" / f"{rule}.json").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole_and_parts(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, list[Path]]:
    """A run as a whole, and the reports of its three shards, each against a server of its own."""
    folder = tmp_path_factory.mktemp("shards")
    with serve("third-unchecked") as url:
        whole = checked(url, folder / "whole")
    folders = [folder / f"shard-{number}" for number in (1, 2, 3)]
    for number, place in enumerate(folders, 1):
        with serve("third-unchecked") as url:
            write_report(place, checked(url, place, shard=Shard(number, 3)))
    return whole, folders


def test_the_shards_together_find_what_the_whole_finds(
    whole_and_parts: tuple[RunResult, list[Path]],
) -> None:
    whole, folders = whole_and_parts
    result = merged(folders, "orderproof merge")
    assert {entry.rule.id: entry.verdict for entry in whole.rules} == {
        entry.rule.id: entry.verdict for entry in result.rules
    }
    assert {(rule, count) for rule, _, count, _ in causes(whole)} == {
        (rule, count) for rule, _, count, _ in causes(result)
    }
    assert whole.coverage["taken"] == result.coverage["taken"]


def test_the_command_names_a_shard_that_died(
    whole_and_parts: tuple[RunResult, list[Path]], tmp_path: Path
) -> None:
    _, folders = whole_and_parts
    for folder in folders[:2]:
        shutil.copytree(folder, tmp_path / folder.name)
    (tmp_path / "shard-3").mkdir()
    shutil.copy(folders[2] / "history.ndjson", tmp_path / "shard-3")
    words = [sys.executable, "-m", "orderproof", "merge", "shard-1", "shard-2", "shard-3", "--report", "out"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    data = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert "shard 3 of 3 left no report" in " ".join(done.stdout.split())
    assert data["exit_code"] == done.returncode
    assert "conforms" != data["verdict"]
    assert history(tmp_path / "shard-3")
