"""What the catalogue, the checks and the repository say of each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from orderproof.catalogue import catalogue
from orderproof.checks.orders import NAMED
from orderproof.judge import registered
from orderproof.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_check_judges_a_rule_of_the_catalogue() -> None:
    assert set() == {entry.rule for entry in registered()} - set(catalogue())


def test_no_rule_has_two_checks() -> None:
    rules = [entry.rule for entry in registered()]
    assert sorted(set(rules)) == sorted(rules)


@pytest.mark.parametrize("rule", [rule.id for rule in catalogue().values() if rule.judges == "server"])
def test_every_server_rule_has_a_check(rule: str) -> None:
    assert rule in {entry.rule for entry in registered()}


def test_a_check_stands_in_the_module_of_its_rules_file() -> None:
    wrong = [
        (entry.rule, entry.judge.__module__)
        for entry in registered()
        if entry.judge.__module__ != f"orderproof.checks.{catalogue()[entry.rule].area}"
    ]
    assert [] == wrong


def test_operations_named_in_checks_exist() -> None:
    named = {name for entry in registered() for name in entry.on} | set(NAMED)
    assert set() == named - set(OPERATIONS)


def test_every_folder_with_code_is_a_listed_package() -> None:
    settings = PYPROJECT["tool"]["setuptools"]
    folders = {"orderproof": "conformance", **settings["package-dir"]}
    found = set()
    for package, folder in folders.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            inner = init.parent.relative_to(ROOT / folder).parts
            found.add(".".join([package, *inner]))
    assert sorted(found) == sorted(settings["packages"])


def test_ci_runs_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)[1].strip()
    assert commands in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
