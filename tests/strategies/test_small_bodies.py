"""Shipments, references, due dates and idempotency keys."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from orderproof.strategies import (
    due_date_days,
    due_date_extensions,
    idempotency_keys,
    merchant_references,
    schema,
    shipping_info_appends,
    shipping_infos,
)
from tests.strategies.drawing import assert_valid, check_each, drawn_from, minimal


def test_shipments_are_valid_and_name_every_field_and_method() -> None:
    drawn = drawn_from(shipping_infos(), count=1000)
    for item in drawn:
        assert_valid("ShippingInfo", item)
        assert item
    assert set(schema.component("ShippingInfo")["properties"]) == {name for item in drawn for name in item}
    methods = {item["shipping_method"] for item in drawn if "shipping_method" in item}
    assert set(schema.members("ShippingInfo.shipping_method")) == methods


def test_appends_are_valid_and_have_the_size_that_is_asked_for() -> None:
    def check(body: dict[str, Any]) -> None:
        assert_valid("ShippingInfoAppend", body)
        assert 1 <= len(body["shipping_info"]) <= 4

    check_each(shipping_info_appends(), check)
    assert {3} == {
        len(body["shipping_info"])
        for body in drawn_from(shipping_info_appends(min_size=3, max_size=3), count=20)
    }


def test_references_are_valid_and_some_are_cleared() -> None:
    values: set[str] = set()

    def check(body: dict[str, Any]) -> None:
        assert_valid("MerchantReferencesUpdate", body)
        assert body
        values.update(body.values())

    check_each(merchant_references(), check)
    assert "" in values


def test_keys_are_random_uuids_and_differ_within_a_test_case() -> None:
    def check(keys: list[str]) -> None:
        assert 3 == len(set(keys))
        for key in keys:
            assert 4 == uuid.UUID(key).version
            assert key == str(uuid.UUID(key))

    check_each(st.lists(idempotency_keys(), min_size=3, max_size=3), check, count=334)


def test_due_dates_are_among_the_options_or_beside_them() -> None:
    assert {14, 30} == set(drawn_from(due_date_days(options=[30, 14, 14])))
    assert {13, 15, 29, 31} == set(drawn_from(due_date_days(options=[14, 30], offered=False)))
    assert {13, 15} == set(drawn_from(due_date_days(options=[], offered=False)))
    for body in drawn_from(due_date_extensions(options=[14, 30])):
        assert_valid("DueDateExtension", body)


def test_small_bodies_shrink_to_what_a_person_would_write() -> None:
    assert {"shipping_company": "A"} == minimal(shipping_infos())
    assert {"shipping_info": [{"shipping_company": "A"}]} == minimal(shipping_info_appends())
    assert {"merchant_reference1": "A"} == minimal(merchant_references())
    assert {"merchant_reference2": "A"} == minimal(
        merchant_references(), lambda body: "merchant_reference2" in body
    )
    assert 14 == minimal(due_date_days(options=[30, 14]))
    assert {"number_of_days": 13} == minimal(due_date_extensions(options=[14], offered=False))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shipping_info_appends(min_size=0), "min_size=0 is below 1"),
        (lambda: shipping_info_appends(max_size=501), "max_size=501 is above 500"),
        (lambda: due_date_days(options=[]), "options=[] leaves no number of days"),
        (lambda: due_date_days(options=[14.0]), "options=14.0 is not an integer"),  # type: ignore[list-item]
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
