"""Shipments: what is sent with a capture or appended later."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof.strategies import arguments, schema
from orderproof.strategies.formats import urls
from orderproof.strategies.records import Record, records
from orderproof.strategies.texts import FILLER, field_texts


def shipping_infos() -> SearchStrategy[Record]:
    """Return single shipments with one field or more. Shrinks to one that only names its company."""
    return _shipping_infos()


def shipping_info_appends(*, min_size: int = 1, max_size: int = 4) -> SearchStrategy[Record]:
    """Return bodies that append `min_size` to `max_size` shipments to an order or to a capture.

    Shrinks to one shipment that only names its company. Raises InvalidArgument for sizes beyond the
    bounds of the OpenAPI document.
    """
    name = "ShippingInfoAppend.shipping_info"
    arguments.integer("max_size", max_size, low=1, high=schema.most(name))
    arguments.integer("min_size", min_size, low=schema.fewest(name), high=max_size)
    lists = st.lists(_shipping_infos(), min_size=min_size, max_size=max_size)
    return lists.map(lambda items: {"shipping_info": items})


@cache
def _shipping_infos() -> SearchStrategy[Record]:
    fields = {name: _field(name) for name in schema.component("ShippingInfo")["properties"]}
    return records({}, fields).map(lambda item: item or {"shipping_company": FILLER})


def _field(name: str) -> SearchStrategy[str]:
    field = f"ShippingInfo.{name}"
    if "enum" in schema.field(field):
        return st.sampled_from(schema.members(field))
    return urls(max_length=schema.longest(field)) if name.endswith("_uri") else field_texts(field=field)
