"""The code blocks of the documentation, with what the comments before them say is to be done with them.

<!-- run -->              run the commands of the block in the page's folder; the text after one is its output
<!-- run: exit 1 -->       the last command ends with this exit code
<!-- file: NAME -->        the block is a file in the page's folder
<!-- server: FAULT -->     from here on a sandbox with this fault answers at http://127.0.0.1:8080
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
_FENCE = re.compile(r"^```(?P<language>[\w{}-]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (\w+)(?:: (.*?))? -->")
_BEFORE = re.compile(r"(?:<!--[^\n]*-->\n)+\Z")


@dataclass(frozen=True)
class Block:
    """A code block of a page: its language, its text, and what is said of it (`run`, `file`, `server`)."""

    page: str
    line: int
    language: str
    text: str
    said: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> list[tuple[str, str]]:
        """Return the commands of a console block, each with the output that follows it."""
        parts = re.split(r"^\$ (.*)$", self.text, flags=re.MULTILINE)
        return list(zip(parts[1::2], parts[2::2], strict=True))


def pages() -> list[Path]:
    """Return the pages that people wrote; those of the rules are made by a script."""
    found = DOCS.rglob("*.md")
    return sorted(page for page in found if "rules" not in page.relative_to(DOCS).parts)


def blocks(page: Path) -> Iterator[Block]:
    """Yield the code blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        before = _BEFORE.search(text[: match.start()])
        said = {name: value or "" for name, value in _COMMENT.findall(before[0])} if before else {}
        line = text.count("\n", 0, match.start()) + 1
        yield Block(str(page.relative_to(DOCS)), line, match["language"], match["text"], said)


def all_blocks(*languages: str) -> list[Block]:
    """Return the blocks of every page in one of these languages."""
    return [block for page in pages() for block in blocks(page) if block.language in languages]
