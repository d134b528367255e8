"""The merchant's own references on an order."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import schema
from orderproof.strategies.records import Record, records
from orderproof.strategies.texts import FILLER, field_texts

_COMPONENT = "MerchantReferencesUpdate"


def merchant_references() -> SearchStrategy[Record]:
    """Return bodies that update one or both merchant references; an empty one clears it.

    Shrinks to the first reference being "A".
    """
    return _merchant_references()


@cache
def _merchant_references() -> SearchStrategy[Record]:
    names = tuple(schema.component(_COMPONENT)["properties"])
    fields = {name: field_texts(field=f"{_COMPONENT}.{name}") | st.just("") for name in names}
    return records({}, fields).map(lambda body: body or {names[0]: FILLER})
