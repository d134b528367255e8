"""JSON objects from strategies for their fields: some always there, others there or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Record = dict[str, Any]
Fields = Mapping[str, SearchStrategy[Any]]

_ABSENT = object()


def records(required: Fields, optional: Fields) -> SearchStrategy[Record]:
    """Return objects with all required fields and any of the optional ones, in this order; shrinks to no optional one.

    It is what `fixed_dictionaries` does, without the shuffling of keys, which costs time and makes bodies hard to read.
    """
    names = (*required, *optional)
    values = st.tuples(*required.values(), *(st.just(_ABSENT) | st.tuples(field) for field in optional.values()))

    def assembled(drawn: tuple[Any, ...]) -> Record:
        count = len(required)
        record = dict(zip(names[:count], drawn, strict=False))
        for name, value in zip(names[count:], drawn[count:], strict=True):
            if value is not _ABSENT:
                record[name] = value[0]
        return record

    return values.map(assembled)
