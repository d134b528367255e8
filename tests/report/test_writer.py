"""A report folder has every format, and a folder that cannot be written to is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderproof.errors import UsageError
from orderproof.report.writer import write_report
from tests.report.samples import BROKEN, HOSTILE_RUN

FILES = [
    "badge.json",
    "badge.svg",
    "findings.sarif",
    "junit.xml",
    "report.html",
    "result.json",
    "summary.md",
]


def test_a_report_has_every_format(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    paths = write_report(folder, BROKEN)
    assert sorted(path.name for path in paths) == FILES
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_a_report_is_written_over_the_last_one(tmp_path: Path) -> None:
    write_report(tmp_path, HOSTILE_RUN)
    write_report(tmp_path, BROKEN)
    assert "onerror" not in "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"the report cannot be written to .*file/report: Not a directory"):
        write_report(tmp_path / "file" / "report", BROKEN)
