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


def texts(*, max_length: int, min_length: int = 1) -> SearchStrategy[str]:
    """Return text of `min_length` to `max_length` UTF-16 units.

    One in sixteen has the full length. Shrinks to "A", or to "" where `min_length` is 0. Raises
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
    scripts = [script for script in SCRIPTS if script.width * max(min_length, 1) <= max_length]
    size = max_length // max(script.width for script in scripts)
    drafts = st.text(DRAFT + BLANKS, min_size=min_length, max_size=size)
    return _written(drafts, st.sampled_from(scripts), _lengths(max_length))


@cache
def _full_texts(length: int) -> SearchStrategy[str]:
    scripts = [script for script in SCRIPTS if script.width <= length]
    size = length // max(script.width for script in scripts)
    drafts = st.text(DRAFT, min_size=1, max_size=min(5, size))
    return _written(drafts, st.sampled_from(scripts), st.just(length))


def _lengths(full: int) -> SearchStrategy[int]:
    """Return lengths to stretch a text to: mostly 0, at times `full`, at times between.

    They stand in ascending order, so that shrinking ends close to the shortest text that still fails.
    """
    between = [full * eighth // 8 for eighth in range(1, 8)]
    return st.sampled_from([0] * 53 + between + [full] * 4)


@st.composite
def _written(
    draw: DrawFn, drafts: SearchStrategy[str], scripts: SearchStrategy[Script], lengths: SearchStrategy[int]
) -> str:
    """Write a draft in a script, letters in place of blanks at both ends, which a server might trim."""
    draft = draw(drafts)
    solid = draft.strip(BLANKS)
    blanks_before = len(draft) - len(draft.lstrip(BLANKS))
    whole = (FILLER * blanks_before + solid).ljust(len(draft), FILLER)
    return _stretched(whole.translate(draw(scripts).spelling), draw(lengths))


def _stretched(pattern: str, length: int) -> str:
    """Repeat a text until it has `length` units, the rest filled up; return it as it is when it is longer."""
    size = units(pattern)
    if size >= length:
        return pattern
    times, rest = divmod(length, size) if size else (0, length)
    return pattern * times + FILLER * rest
