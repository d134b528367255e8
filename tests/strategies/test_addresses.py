"""Addresses: that their parts fit together, and what they shrink to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import address_updates, addresses, places, schema
from orderproof.strategies.addresses import PLACE_FIELDS
from tests.strategies.drawing import assert_valid, check_each, drawn_from, minimal

TOWNS = [{name: place[name] for name in PLACE_FIELDS if name in place} for place in places()]


def town_of(address: dict[str, Any]) -> dict[str, Any]:
    return {name: address[name] for name in PLACE_FIELDS if name in address}


def test_addresses_are_in_a_real_town_of_every_country() -> None:
    countries: set[str] = set()

    def check(address: dict[str, Any]) -> None:
        assert_valid("Address", address)
        assert town_of(address) in TOWNS
        assert address["given_name"]
        assert address["family_name"]
        assert address["street_address"]
        countries.add(address["country"])

    check_each(addresses(), check)
    assert {place["country"] for place in places()} == countries


def test_addresses_are_in_the_country_that_is_asked_for() -> None:
    assert {"SE"} == {address["country"] for address in drawn_from(addresses(country="SE"), count=100)}


def test_updates_send_a_whole_town_or_none() -> None:
    def check(body: dict[str, Any]) -> None:
        assert_valid("CustomerDetailsUpdate", body)
        assert town_of(body["shipping_address"]) in [{}, *TOWNS]

    check_each(address_updates(), check)


def test_updates_name_every_field_and_clear_some() -> None:
    drawn = [body["shipping_address"] for body in drawn_from(address_updates(), count=300)]
    assert set(schema.component("Address")["properties"]) == {name for address in drawn for name in address}
    cleared = {name for address in drawn for name, value in address.items() if value == ""}
    assert {"organization_name", "attention", "title", "street_address2", "email", "phone"} == cleared


def test_addresses_shrink_to_what_a_person_would_write() -> None:
    address = {"given_name": "A", "family_name": "A", "street_address": "A"}
    assert address | {"postal_code": "111 52", "city": "Stockholm", "country": "SE"} == minimal(
        addresses(country="SE")
    )
    assert {"shipping_address": {}} == minimal(address_updates())


@pytest.mark.parametrize("call", [addresses, address_updates, places])
@pytest.mark.parametrize("country", ["XX", "se", 46])
def test_an_unknown_country_is_refused_at_once(call: Callable[..., object], country: object) -> None:
    with pytest.raises(InvalidArgument, match=f"country={country!r} is none of AT, AU, "):
        call(country=country)
