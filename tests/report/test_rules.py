"""The catalogue as text: every rule in the list, and all about one rule when it is asked for."""

from __future__ import annotations

import subprocess
import sys

from orderproof.catalogue import AREAS, catalogue
from orderproof.report.rules import explained, listed


def test_the_list_has_each_rule_once_below_its_area() -> None:
    lines = listed(catalogue().values()).splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == [area.upper() for area in AREAS]
    assert [line.split()[0] for line in lines if line.startswith(" ")] == list(catalogue())


def test_one_rule_is_explained_with_its_source_and_what_is_open() -> None:
    rule = catalogue()["CAP-2"]
    text = " ".join(explained(rule).split())
    assert text.startswith(f"CAP-2 {rule.title} (MUST, judges a server, documented)")
    for said in (rule.requirement, *rule.open, *map(str, rule.sources)):
        assert " ".join(said.split()) in text.replace(" Open ", " ").replace(" Contract ", " "), said


def test_what_a_rule_needs_is_said() -> None:
    assert "\nNeeds      clock\n" in explained(catalogue()["IDM-8"])


def test_a_list_of_the_rules_and_the_help_load_nothing_that_judges() -> None:
    heavy = ["httpx", "hypothesis", "uvicorn", "orderproof.judge", "importlib.metadata"]
    show = "import sys; from orderproof.cli import cli; cli(sys.argv[1:], standalone_mode=False);"
    loaded = f"print([name for name in {heavy} if name in sys.modules])"
    ends = []
    for words in (["rules"], ["--help"], ["check", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", show + loaded, *words], capture_output=True, text=True, check=True
        )
        ends.append(done.stdout.splitlines()[-1])

    assert ["[]"] * 3 == ends
