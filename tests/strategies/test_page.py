"""The page of the strategies: whether it is as the strategies are now, and whether its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orderproof import strategies
from tests.strategies import page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "strategies.md"
COMMAND = "python -m tests.strategies.page > docs/strategies.md"


def test_the_page_names_everything_that_is_public() -> None:
    shown = {name for entries in page.STRATEGIES.values() for name in entries}
    shown |= {*page.ENUMERATIONS, *page.VALUES, "Defect", "Boundary", "LEFT_OUT"}
    assert set(strategies.__all__) == shown
    assert shown == set(re.findall(r"^### (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_page_shows_three_values_of_each_strategy() -> None:
    sections = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    shown = {section.split("\n")[0]: section for section in sections}
    for name in (name for entries in page.STRATEGIES.values() for name in entries):
        values = re.search(r"```text\n(.*?)\n```", shown[name], re.DOTALL)
        assert values is not None, name
        assert 3 == len(set(values[1].split("\n"))), name


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text(encoding="utf-8")
    if page.MADE_WITH not in written:
        pytest.skip("another version of Hypothesis draws other values")
    made = subprocess.run(
        [sys.executable, "-m", "tests.strategies.page"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert written == made.stdout.decode("utf-8"), f"docs/strategies.md is stale: run {COMMAND}"


def test_the_example_on_the_page_runs() -> None:
    example = re.search(
        r"```python\n(from hypothesis import given.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL
    )
    assert example is not None
    names: dict[str, Any] = {}
    exec(example[1], names)
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    test()
