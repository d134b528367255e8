"""Runs side by side: where they differ, what changed, and a page that shows text of targets as text."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderproof.cli import cli
from orderproof.comparing import BROKEN as NEWLY_BROKEN
from orderproof.comparing import ELSEWHERE, MENDED, UNTESTED, Run, compared, read_runs
from orderproof.errors import UsageError
from orderproof.outcome import RunResult, Verdict
from orderproof.report.html import html
from orderproof.report.matrix import matrix_html, matrix_lines
from orderproof.report.result_json import write_result
from tests.report.samples import BROKEN, CONFORMS, HOSTILE, HOSTILE_RUN, TOO_MUCH, rule_results

LATER = replace(CONFORMS, started_at="2026-11-24T10:15:00Z")


def runs(*results: RunResult, name: str = "fake") -> list[Run]:
    return [Run(name, f"run-{number}", result) for number, result in enumerate(results, start=1)]


def changes(before: RunResult, after: RunResult) -> dict[str, str]:
    (step,) = compared(runs(before, after)).steps
    return {change.rule.id: change.kind for change in step.changes}


def test_rows_that_differ_are_those_with_two_verdicts() -> None:
    found = compared(runs(CONFORMS, BROKEN))
    differing = {row.rule.id for row in found.rows if row.differs}
    assert {
        "CAP-5",
        "ORD-SUM-3",
        "ORD-SUM-5",
        "CON-1",
        "GEN-404-2",
        "EXT-4",
        "RFD-10",
        "GEN-VAL-3",
        "DUE-2",
    } == differing


def test_a_rule_that_one_run_did_not_judge_is_no_difference() -> None:
    less = replace(LATER, rules=tuple(entry for entry in LATER.rules if entry.rule.id != "CAP-5"))
    found = compared(runs(CONFORMS, less))
    assert not any(row.differs for row in found.rows)
    assert ["CAP-5"] == [row.rule.id for row in found.rows if not row.everywhere]
    assert not found.steps[0].changes


def test_what_broke_and_what_was_mended() -> None:
    later = replace(BROKEN, started_at=LATER.started_at)
    assert NEWLY_BROKEN == changes(CONFORMS, later)["CAP-5"]
    assert MENDED == changes(BROKEN, LATER)["CAP-5"]


def test_what_is_no_longer_tested() -> None:
    untested = replace(LATER, rules=rule_results(CAP_5=(Verdict.NOT_EXERCISED, 0, "no orders")))
    assert UNTESTED == changes(CONFORMS, untested)["CAP-5"]


def test_a_rule_that_fails_in_another_operation() -> None:
    moved = replace(
        BROKEN,
        started_at=LATER.started_at,
        blocks=(replace(TOO_MUCH, operation="refundOrder"), *BROKEN.blocks[1:]),
    )
    assert {"CAP-5": ELSEWHERE, "ORD-SUM-3": ELSEWHERE, "ORD-SUM-5": ELSEWHERE} == changes(BROKEN, moved)


def test_runs_are_compared_by_time_and_not_by_the_order_of_the_command() -> None:
    (step,) = compared(runs(LATER, BROKEN)).steps
    assert (1, 0) == (step.before, step.after)


def test_runs_of_two_targets_have_no_steps() -> None:
    assert () == compared([*runs(CONFORMS), *runs(LATER, name="vendor")]).steps


def test_text_has_a_row_for_each_difference_and_with_all_for_each_rule() -> None:
    found = compared(runs(CONFORMS, replace(BROKEN, started_at=LATER.started_at)))
    lines = list(matrix_lines(found))
    assert any(line.startswith("CAP-5         MUST    passed         failed") for line in lines)
    assert "  newly broken               CAP-5         passed → failed" in lines
    rows = {line.split(" ")[0] for line in matrix_lines(found, everything=True)}
    assert {entry.rule.id for entry in CONFORMS.rules} <= rows


def test_nothing_of_a_target_is_markup_or_moves_the_cursor() -> None:
    found = compared(
        [Run(HOSTILE, HOSTILE, HOSTILE_RUN), Run(HOSTILE, HOSTILE, replace(LATER, target=HOSTILE))]
    )
    page = matrix_html(found)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert not any("\x1b" in line or "\u202e" in line for line in matrix_lines(found))


def test_the_page_keeps_the_policy_of_the_report() -> None:
    def policy(page: str) -> str:
        return page.partition("Content-Security-Policy")[2].partition(">")[0]

    assert policy(html(BROKEN)) == policy(matrix_html(compared(runs(CONFORMS, BROKEN))))


def test_places_are_read_with_their_names(tmp_path: Path) -> None:
    for name in ("one", "two=2"):
        (tmp_path / name).mkdir()
        write_result(tmp_path / name, CONFORMS)
    found = read_runs([f"mock={tmp_path / 'one'}", str(tmp_path / "two=2")])
    assert ["mock", CONFORMS.target] == [run.name for run in found]


def test_one_run_is_nothing_to_compare() -> None:
    with pytest.raises(UsageError, match="two runs or more"):
        read_runs(["out"])


def test_the_command_writes_text_and_page(tmp_path: Path) -> None:
    for name, result in (("one", CONFORMS), ("two", BROKEN)):
        (tmp_path / name).mkdir()
        write_result(tmp_path / name, result)
    page = tmp_path / "matrix.html"
    done = CliRunner().invoke(cli, ["matrix", f"a={tmp_path}/one", f"a={tmp_path}/two", "--html", str(page)])
    assert (0, True) == (done.exit_code, "newly broken" in done.output or "mended" in done.output)
    assert "CAP-5" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["missing", "missing"], "missing cannot be read"),
        (["missing"], "two runs or more"),
        (["{good}", "{good}", "--html", "{good}/no/such/x.html"], "cannot be written"),
    ],
)
def test_bad_input_is_a_sentence(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from orderproof.cli import main

    write_result(tmp_path, CONFORMS)
    monkeypatch.setattr(
        sys, "argv", ["orderproof", "matrix", *(word.format(good=tmp_path) for word in words)]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert 2 == ended.value.code
    assert sentence in capsys.readouterr().err
