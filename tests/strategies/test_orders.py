"""Order drafts: that amount, tax, lines, currency and addresses agree, and the strained ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import edge_order_drafts, order_drafts, places, schema
from orderproof.strategies.arithmetic import tax_of
from tests.strategies.drawing import assert_sound, check_each, drawn_from, minimal

Body = dict[str, Any]

HIGHEST = schema.largest("OrderDraft.order_amount")


def assert_agrees(body: Body) -> None:
    assert_sound("OrderDraft", "order_amount", body)
    assert body["order_tax_amount"] == tax_of(body["order_lines"])
    country = body["purchase_country"]
    settings = {(place["currency"], place["locale"]) for place in places(country=country)}
    assert (body["purchase_currency"], body["locale"]) in settings
    for name in ("billing_address", "shipping_address"):
        assert country == body.get(name, {"country": country})["country"]


def test_drafts_agree_with_themselves() -> None:
    check_each(order_drafts(), assert_agrees)


def test_drafts_have_the_amount_and_the_country_that_are_asked_for() -> None:
    for body in drawn_from(order_drafts(min_amount=50, max_amount=60, country="US"), count=60):
        assert_agrees(body)
        assert 50 <= body["order_amount"] <= 60
        assert "US" == body["purchase_country"]


def test_edge_drafts_agree_with_themselves_and_are_not_too_large() -> None:
    drawn = drawn_from(edge_order_drafts())
    for body in drawn:
        assert_agrees(body)
        assert len(json.dumps(body)) < 1_000_000
    assert {1, HIGHEST} <= {body["order_amount"] for body in drawn}
    assert schema.most("OrderDraft.order_lines") == max(len(body["order_lines"]) for body in drawn)


def test_drafts_shrink_to_what_a_person_would_write() -> None:
    line = {"name": "A", "quantity": 1, "unit_price": 1, "total_amount": 1}
    start = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE"}
    plain = {**start, "order_amount": 1, "order_tax_amount": 0, "order_lines": [line]}
    assert plain == minimal(order_drafts(country="SE"))
    assert 1 == minimal(edge_order_drafts())["order_amount"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: order_drafts(min_amount=-1), "min_amount=-1 is below 0"),
        (lambda: order_drafts(min_amount=5, max_amount=4), "min_amount=5 is above 4"),
        (lambda: order_drafts(max_amount=HIGHEST + 1), f"max_amount={HIGHEST + 1} is above {HIGHEST}"),
        (lambda: order_drafts(country="Sweden"), "country='Sweden' is none of"),
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
