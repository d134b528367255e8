"""The README: its commands exist, its options are real, and its output is what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from orderproof.cli import cli
from orderproof.configuration import configuration

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
COMMANDS = dict(cli.commands)


def test_every_command_of_the_table_exists_and_the_other_way_round() -> None:
    table = README[README.index("## Commands") :]
    assert set(COMMANDS) == set(re.findall(r"^\| `orderproof (\w+)", table, re.MULTILINE))


@pytest.mark.parametrize("line", re.findall(r"orderproof \w+ [^\n`]*--[^\n`]*", README))
def test_options_that_are_shown_are_options_of_the_command(line: str) -> None:
    command = COMMANDS[line.split()[1]]
    known = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    assert set() == set(re.findall(r"--[a-z-]+", line.partition(" -- ")[0])) - known


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    path = tmp_path / "orderproof.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", README, re.DOTALL)[0], encoding="utf-8")
    assert {"base-url", "orders", "profile", "clock"} == set(configuration(path))


def test_links_lead_somewhere() -> None:
    root = Path(__file__).resolve().parents[2]
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert [] == [link for link in links if not (root / link).exists()]
    assert links
