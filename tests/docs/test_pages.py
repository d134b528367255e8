"""The documentation holds: pages made by scripts are fresh, links lead somewhere, blocks are read by their readers."""

from __future__ import annotations

import ast
import json
import re
import shlex
from contextlib import suppress
from pathlib import Path

import click
import pytest
import yaml

from orderproof.catalogue import catalogue
from orderproof.cli import cli
from orderproof.configuration import clock_control, configuration
from orderproof.counterexample import from_record
from orderproof.exchange import from_record as exchange_from_record
from orderproof.waivers import load
from tests.docs.blocks import DOCS, Block, all_blocks, pages
from tests.docs.rule_examples import examples
from tests.docs.rule_pages import stale

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_READERS = {"orderproof_counterexample": from_record, "request": exchange_from_record}


def test_the_pages_of_the_rules_are_fresh() -> None:
    assert [] == stale(), "run python -m tests.docs.rule_pages"


def test_every_rule_has_a_page() -> None:
    assert set(catalogue()) == {path.stem for path in (DOCS / "rules").glob("*.md")} - {"index"}


def test_every_rule_shows_an_example() -> None:
    assert set(catalogue()) == set(examples())


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_lead_to_files_of_the_documentation(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link]
    missing = [link for link in links if link and not (page.parent / link).resolve().is_file()]
    assert [] == missing


@pytest.mark.parametrize("block", all_blocks("console"), ids=str)
def test_commands_are_those_of_the_command_line(block: Block) -> None:
    for command, _ in block.commands():
        words = shlex.split(command.rstrip("&"))
        if words[0] == "orderproof":
            _parse(cli, words[1:])


def _parse(group: click.Group, words: list[str]) -> None:
    """Parse a command as the command line would. Raises click.UsageError for an unknown command or option."""
    with click.Context(group, info_name="orderproof") as parent, suppress(click.exceptions.Exit):
        if words[0].startswith("-"):
            group.make_context("orderproof", list(words))
        else:
            name, command, rest = group.resolve_command(parent, list(words))
            assert command is not None
            command.make_context(name, rest, parent=parent)


@pytest.mark.parametrize("block", all_blocks("toml"), ids=str)
def test_configurations_and_waivers_are_read(block: Block, tmp_path: Path) -> None:
    name = "pyproject.toml" if "[tool." in block.text else "orderproof.toml"
    file = tmp_path / name
    file.write_text(block.text, encoding="utf-8")
    if "[[waiver]]" in block.text:
        assert load(file)
        return
    read = configuration(file)
    assert read
    clock_control(read.get("clock"))


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_json_is_read_by_the_reader_of_its_kind(block: Block) -> None:
    data = json.loads(block.text)
    for mark, read in _READERS.items():
        if mark in data:
            assert read(data)


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert yaml.safe_load(block.text)


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    # Pages may show a signature alone, which lacks the colon of a function.
    shown = (
        block.text
        if not re.fullmatch(r"\w+\(.*\) -> .*\n", block.text, re.DOTALL)
        else f"def {block.text[:-1]}: ..."
    )
    assert ast.parse(shown).body
