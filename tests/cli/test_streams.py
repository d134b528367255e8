"""What is written where nothing can be: no traceback, and no exit code that says something about the target."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orderproof import cassettes

COMMAND = [sys.executable, "-m", "orderproof"]
FULL = Path("/dev/full")
AUDIT = ["audit", str(cassettes.path("captures/full"))]


@pytest.mark.parametrize("words", [["rules"], ["sandbox", "--list-faults"], AUDIT])
def test_a_reader_that_is_gone_is_no_broken_rule(words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, *words], stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (3, "") == (done.returncode, done.stderr)


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full on this system")
@pytest.mark.parametrize("words", [["rules"], AUDIT])
def test_a_full_disk_is_said_in_one_sentence(words: list[str]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*COMMAND, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        silent = subprocess.run([*COMMAND, *words], stdout=full, stderr=full, check=False)
    sentence = "orderproof: the output cannot be written: No space left on device\n"
    assert (3, sentence, 3) == (done.returncode, done.stderr, silent.returncode)


def test_closed_streams_are_taken_for_nothing(tmp_path: Path) -> None:
    """A file that is opened meanwhile must not get the number of a standard stream, and what is meant for that."""
    words = " ".join([*COMMAND, *AUDIT, "--report", str(tmp_path)])
    done = subprocess.run(["sh", "-c", f"{words} <&- >&- 2>&-"], check=False)
    assert 0 == done.returncode
    assert (tmp_path / "result.json").read_text(encoding="utf-8").startswith("{")


def test_the_verdict_is_told_though_the_report_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    done = subprocess.run(
        [*COMMAND, *AUDIT, "--report", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("CONFORMS")
    assert 2 == done.returncode
    assert 1 == len(done.stderr.splitlines())
    assert "the report cannot be written to" in done.stderr
