"""A soak leaves a good sandbox alone, and finds one that loses what it answered or does what was retried twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.soaking import soak

pytestmark = pytest.mark.soak


def test_a_good_sandbox_survives(tmp_path: Path) -> None:
    result = soak([str(tmp_path / "s.db")], 12.0, seed=1)

    assert [f"{one.rule}: {one.actual}" for one in result.findings] == []
    assert result.kills > 2
    assert result.requests > 100
    assert result.looked_back > 10


def test_two_processes_on_one_file_survive(tmp_path: Path) -> None:
    result = soak([str(tmp_path / "s.db")] * 2, 12.0, seed=2)

    assert [f"{one.rule}: {one.actual}" for one in result.findings] == []
    assert result.kills > 2


def found_by(folder: Path, fault: str) -> set[str]:
    """The rules that are seen broken, with one seed or the next."""
    for seed in range(3):
        result = soak([str(folder / f"{seed}.db")], 40.0, seed=seed, fault=fault)
        if result.findings:
            return {one.rule for one in result.findings}
    return set()


def test_what_was_answered_and_lost_is_found(tmp_path: Path) -> None:
    # Which rule it is depends on which call was the last before the kill.
    assert found_by(tmp_path, "answered-before-saved")


def test_what_a_retry_does_twice_is_found(tmp_path: Path) -> None:
    assert found_by(tmp_path, "key-saved-apart") & {"IDM-1", "IDM-2", "IDM-7"}
