"""The commands that the documentation shows with their output are run, page by page, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from tests.docs.blocks import DOCS, Block, blocks, pages

SHOWN = "http://127.0.0.1:8080"
RUN = [page for page in pages() if any("run" in block.said for block in blocks(page))]


@dataclass
class _Reader:
    """Somebody who does what a page says."""

    folder: Path
    stack: ExitStack
    url: str = SHOWN
    variables: dict[str, str] = field(default_factory=dict)

    def follow(self, block: Block) -> None:
        if "server" in block.said:
            self.url = self.stack.enter_context(background(Settings(), fault=block.said["server"] or None))
        if "file" in block.said:
            (self.folder / block.said["file"]).write_text(
                block.text.replace(SHOWN, self.url), encoding="utf-8"
            )
        if "run" in block.said:
            self._run(block)

    def _run(self, block: Block) -> None:
        *before, last = [(*entry, 0) for entry in block.commands()]
        wanted = int(block.said["run"].removeprefix("exit ") or 0)
        for command, output, code in [*before, (last[0], last[1], wanted)]:
            if command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                self.variables[name] = value
                continue
            done = self._done(command)
            said = f"{block}: $ {command}\n{done.stdout}{done.stderr}"
            assert code == done.returncode, said
            assert re.search(_pattern(output.replace(SHOWN, self.url)), done.stdout), said

    def _done(self, command: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ORDERPROOF_")}
        paths = os.pathsep.join([str(Path(sys.executable).parent), clean["PATH"]])
        return subprocess.run(
            command.replace(SHOWN, self.url),
            shell=True,
            cwd=self.folder,
            env={**clean, "PATH": paths, **self.variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def _pattern(output: str) -> str:
    """What an output has to look like: a line of … stands for any lines, one within a line for the rest of a line."""
    pieces = [_line(line) for line in output.strip("\n").split("\n")] if output.strip() else []
    return r"\A\n*" + "".join(pieces)


def _line(line: str) -> str:
    if line == "…":
        return r"(?s:.*?)"
    return ".*".join(map(re.escape, line.split("…"))) + r"[^\S\n]*(?:\n|\Z)"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[_Reader]:
    with ExitStack() as stack:
        yield _Reader(tmp_path, stack)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_commands_of_a_page_do_what_it_says(page: Path, reader: _Reader) -> None:
    for block in blocks(page):
        reader.follow(block)


def test_an_output_that_lacks_a_shown_line_is_noticed() -> None:
    shown = _pattern("\nBROKEN  it: …\n…\n  Actual     201\n")
    assert re.search(shown, "BROKEN  it: 1 rule\nmore\n  Actual     201  \n")
    assert not re.search(shown, "BROKEN  it: 1 rule\n  Actual     403\n")
