"""Numbers of days by which a due date may move, or may not."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import arguments
from orderproof.strategies.records import Record


def due_date_days(*, options: Collection[int], offered: bool = True) -> SearchStrategy[int]:
    """Return numbers of days that are among `options`, or with `offered=False` numbers that are not.

    Those not offered are one off an option where possible. Shrinks to the smallest. Raises
    InvalidArgument for options that are no whole days, and when one of none is wanted.
    """
    days = sorted({arguments.integer("options", option, low=0) for option in options})
    if offered and not days:
        raise InvalidArgument(f"options={options!r} leaves no number of days to choose")
    if offered:
        return st.sampled_from(days)
    beside = {day + step for day in (*days, 14) for step in (-1, 1)} - {*days}
    return st.sampled_from(sorted(day for day in beside if day > 0))


def due_date_extensions(*, options: Collection[int], offered: bool = True) -> SearchStrategy[Record]:
    """Return bodies that move the due date by a number of days as `due_date_days` chooses it."""
    return due_date_days(options=options, offered=offered).map(lambda days: {"number_of_days": days})
