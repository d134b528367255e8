"""Addresses whose country, postal code, town and region fit together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from orderproof import spec
from orderproof.strategies import arguments, schema
from orderproof.strategies.formats import emails, phones
from orderproof.strategies.records import Record, records
from orderproof.strategies.texts import field_texts

Place = Mapping[str, str]

# Of an address these go together or not at all.
PLACE_FIELDS = ("postal_code", "city", "region", "country")
_NEEDED = ("given_name", "family_name", "street_address")


def places(*, country: str | None = None) -> tuple[Place, ...]:
    """Return the known places, in one country (two capital letters) or in all of them.

    A place has a country, a postal code, a city, where needed a region, a currency and a locale. Raises
    InvalidArgument for a country without a known place.
    """
    known: list[Place] = spec.read("places.yaml")
    if country is None:
        return tuple(known)
    arguments.one_of("country", country, {place["country"] for place in known})
    return tuple(place for place in known if place["country"] == country)


def addresses(*, country: str | None = None) -> SearchStrategy[Record]:
    """Return whole addresses in one country (two capital letters), or in any for which a place is known.

    Shrinks to a person called "A" "A" in the street "A" of a real town. Raises InvalidArgument for a
    country without a known place.
    """
    person = records({name: _person_fields()[name] for name in _NEEDED}, _without(_NEEDED))
    return st.tuples(person, _towns(country)).map(_address)


def address_updates(*, country: str | None = None) -> SearchStrategy[Record]:
    """Return bodies for updating the shipping address: all of it, or any of its fields.

    Postal code, city, region and country go together or not at all. A field that an address can do
    without may be empty, which clears it. Shrinks to an empty address, which changes nothing. Raises
    InvalidArgument for a country without a known place.
    """
    clearing = {name: st.just("") | field for name, field in _without(_NEEDED).items()}
    fields = records({}, clearing | {name: _person_fields()[name] for name in _NEEDED})
    parts = st.tuples(fields, st.just({}) | _towns(country)).map(_address)
    return (parts | addresses(country=country)).map(lambda address: {"shipping_address": address})


@cache
def _person_fields() -> dict[str, SearchStrategy[str]]:
    names = [name for name in schema.component("Address")["properties"] if name not in PLACE_FIELDS]
    fields = {name: field_texts(field=f"Address.{name}") for name in names}
    return fields | {"email": emails(max_length=schema.longest("Address.email")), "phone": phones()}


def _without(names: tuple[str, ...]) -> dict[str, SearchStrategy[str]]:
    return {name: field for name, field in _person_fields().items() if name not in names}


def _towns(country: str | None) -> SearchStrategy[Record]:
    towns = [
        {name: place[name] for name in PLACE_FIELDS if name in place} for place in places(country=country)
    ]
    return st.sampled_from(towns)


def _address(parts: tuple[Record, Record]) -> Record:
    return schema.ordered("Address", parts[0] | parts[1])
