"""Text for people: what a target sent made harmless, then wrapped and cut to the cells of a screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.cells import cell_len, chop_cells, set_cell_size

_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, marks that turn text around or cannot be seen, halves of surrogate pairs."""

_PLAIN = {"×": "x", "…": "...", "·": "-", "→": "->", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'"}


def visible(text: str) -> str:
    """Return text in which every character that a screen obeys or hides is written as an escape (`\\x1b`)."""
    return _UNSEEN.sub(lambda match: _escape(match[0]), text)


def _escape(character: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character)
    return named or character.encode("unicode-escape").decode("ascii")


def shortened(text: str, width: int) -> str:
    """Return text that takes at most `width` cells, with an ellipsis where it was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + "…"


def padded(text: str, width: int) -> str:
    """Return text filled up with blanks to `width` cells; longer text stays as it is."""
    return text + " " * (width - cell_len(text))


def wrapped(text: str, width: int, *, lines: int | None = None) -> list[str]:
    """Break text into lines of at most `width` cells, words that are longer included.

    With `lines`, no more than that many, the last one cut with an ellipsis. Never an empty list.
    """
    found = list(_lines(text.split(" "), max(width, 2)))
    if lines is not None and len(found) > lines:
        found = [*found[: lines - 1], shortened(f"{found[lines - 1]} {found[lines]}", width)]
        found[-1] = found[-1] if found[-1].endswith("…") else shortened(found[-1], width - 1) + "…"
    return found or [""]


def _lines(words: Iterable[str], width: int) -> Iterator[str]:
    line = ""
    for piece in (piece for word in words for piece in (chop_cells(word, width) or [""])):
        if line and cell_len(line) + 1 + cell_len(piece) > width:
            yield line.rstrip()
            line = piece
        else:
            line = f"{line} {piece}" if line else piece
    if line.strip():
        yield line.rstrip()


def hanging(label: str, text: str, width: int, *, lines: int | None = None) -> list[str]:
    """Return `label` followed by wrapped text, whose further lines stand below its first word."""
    indent = cell_len(label)
    first, *rest = wrapped(text, width - indent, lines=lines)
    return [label + first, *(" " * indent + line for line in rest)]


def plain(text: str, encoding: str) -> str:
    """Return text that can be written in an encoding: a sign that it lacks in plain letters or escaped."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        swapped = "".join(_PLAIN.get(character, character) for character in text)
        return swapped.encode(encoding, "backslashreplace").decode(encoding)
    return text


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: `1 rule`, `1,204 rules`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def duration(seconds: float) -> str:
    """Return a duration as people say it: `0.4 s`, `12.4 s`, `2 min 5 s`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
