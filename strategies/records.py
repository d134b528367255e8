"""JSON objects from strategies for their fields: some always there, others there or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Record = dict[str, Any]
Fields = Mapping[str, SearchStrategy[Any]]
Items = tuple[tuple[str, SearchStrategy[Any]], ...]

_INCLUDED = st.sampled_from([False, False, True])


def records(required: Fields, optional: Fields) -> SearchStrategy[Record]:
    """Return objects with all required fields and a third of the optional ones, in this order.

    Shrinks to the required ones alone. It is what `fixed_dictionaries` does, without the shuffling of
    keys, which costs time and makes bodies hard to read.
    """
    return _records(tuple(required.items()), tuple(optional.items()))


@st.composite
def _records(draw: DrawFn, required: Items, optional: Items) -> Record:
    record = {name: draw(values) for name, values in required}
    for name, values in optional:
        if draw(_INCLUDED):
            record[name] = draw(values)
    return record
