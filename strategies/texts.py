"""Text as people write it, in many scripts, that every server has to give back as it was sent.

There are no control characters, no markup and no blanks at either end, and Unicode normalization (NFC)
changes nothing. Lengths are counted in UTF-16 units, so that a text fits whichever way a server counts
its characters.
"""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.scripts import BLANKS, DRAFT, SCRIPTS, Script, units

FILLER = "A"
_SHORT = 24
_PATTERNS = st.text(DRAFT + BLANKS, min_size=8, max_size=_SHORT)
_SCRIPTS = st.sampled_from(SCRIPTS)


def texts(*, max_length: int, min_length: int = 1) -> SearchStrategy[str]:
    """Return text of `min_length` to `max_length` UTF-16 units.

    One in nine or so has the full length. Shrinks to "A", or to "" where `min_length` is 0. Raises
    InvalidArgument for lengths that no text has.
    """
    arguments.integer("max_length", max_length, low=1)
    arguments.integer("min_length", min_length, low=0, high=max_length)
    return _texts(min_length, max_length)


def field_texts(*, field: str, min_length: int = 1) -> SearchStrategy[str]:
    """Return text for a field such as "CaptureRequest.description", as long as the document allows.

    Raises InvalidArgument for a field that is not in the document or has no greatest length.
    """
    return texts(max_length=schema.longest(field), min_length=min_length)


def full_texts(*, length: int) -> SearchStrategy[str]:
    """Return text of exactly `length` UTF-16 units, all of one script and mixed. Shrinks to "AA…A"."""
    return _full_texts(arguments.integer("length", length, low=1))


@cache
def _texts(min_length: int, max_length: int) -> SearchStrategy[str]:
    return _written(st.sampled_from(_lengths(min_length, max_length)), _PATTERNS, _SCRIPTS)


@cache
def _full_texts(length: int) -> SearchStrategy[str]:
    return _written(st.just(length), _PATTERNS, _SCRIPTS)


def _lengths(low: int, full: int) -> list[int]:
    """Return lengths in ascending order: short ones, some between, and the full one often enough."""
    short = range(low, min(full, low + _SHORT) + 1)
    between = [full * eighth // 8 for eighth in range(1, 8)]
    return [*short, *(length for length in between if length > short[-1]), *[full] * 4]


@st.composite
def _written(
    draw: DrawFn, lengths: SearchStrategy[int], patterns: SearchStrategy[str], scripts: SearchStrategy[Script]
) -> str:
    """Draw the length first, then what fills it: shrinking finds the shortest text, whatever it is written in."""
    length, spelling = draw(lengths), draw(scripts).spelling
    return _filled([spelling[ord(letter)] for letter in draw(patterns)], length)


def _filled(signs: list[str], length: int) -> str:
    """Repeat signs as far as they fit, and put letters where they do not, and for a blank at either end.

    A server might trim blanks.
    """
    pattern = "".join(signs)
    times, rest = divmod(length, units(pattern))
    text = pattern * times
    for sign in signs:
        if units(sign) > rest:
            break
        text, rest = text + sign, rest - units(sign)
    solid = text.strip(" ")
    blanks_before = len(text) - len(text.lstrip(" "))
    return (FILLER * blanks_before + solid).ljust(len(text) + rest, FILLER)
