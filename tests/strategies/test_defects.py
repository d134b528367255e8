"""Bodies with one defect, bodies on a bound, and the full body that both start from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import (
    LEFT_OUT,
    body_boundaries,
    body_defects,
    captures,
    full_body,
    invalid_bodies,
    schema,
)
from orderproof.strategies.arithmetic import tax_of
from orderproof.strategies.sites import sites
from tests.strategies.drawing import (
    assert_lines_hold,
    assert_sound,
    assert_valid,
    check_each,
    minimal,
    schema_errors,
)

REQUESTS = schema.requests()
KEYWORDS = {"smallest": "minimum", "largest": "maximum", "longest": "maxLength", "most": "maxItems"}
Body = dict[str, Any]


def full_bodies(component: str) -> Iterator[Body]:
    for amount in (1, 10000, schema.largest("CaptureRequest.captured_amount")):
        yield full_body(component, amount=amount)


def assert_bodies_agree(component: str, body: Body) -> None:
    """Fail unless the lines of a body hold and sum to its amount, where it has both."""
    if "order_lines" in body:
        assert_lines_hold(body["order_lines"], body[schema.amount_field(component)])


@pytest.mark.parametrize("full_length", [False, True])
@pytest.mark.parametrize("component", REQUESTS)
def test_a_full_body_is_valid_and_has_every_field(component: str, full_length: bool) -> None:
    body = full_body(component, full_length=full_length, sign="字")
    assert_valid(component, body)
    assert_bodies_agree(component, body)
    assert [] == [site.name for site in sites(component, body) if site.value is None]
    if component == "OrderDraft":
        assert body["order_tax_amount"] == tax_of(body["order_lines"])


@pytest.mark.parametrize("component", REQUESTS)
def test_each_defect_is_exactly_one_and_where_it_says(component: str) -> None:
    for valid in full_bodies(component):
        for defect in body_defects(component, valid):
            place = defect.path[:-1] if defect.kind == "missing" else defect.path
            assert [place] == schema_errors(component, defect.body), defect.description
            if defect.kind in ("below", "above", "too_many"):
                assert_bodies_agree(component, defect.body)


@pytest.mark.parametrize("component", REQUESTS)
def test_each_boundary_is_valid_and_its_lines_hold(component: str) -> None:
    for valid in full_bodies(component):
        for boundary in body_boundaries(component, valid):
            assert_valid(component, boundary.body)
            assert_bodies_agree(component, boundary.body)
            assert len(json.dumps(boundary.body).encode()) < 1_000_000, boundary.description


@pytest.mark.parametrize("component", REQUESTS)
def test_every_bound_of_the_document_is_crossed_and_touched(component: str) -> None:
    """What the enumerations have to hold is counted here from the document, in another way than they do it."""
    body = full_body(component)
    crossed = Counter(defect.kind for defect in body_defects(component, body))
    rules = [site.rules for site in sites(component, body)]
    required = sum(site.required for site in sites(component, body))
    assert required == crossed["missing"]
    assert len(rules) == crossed["null"]
    assert sum("minimum" in rule for rule in rules) == crossed["below"]
    assert sum("maximum" in rule for rule in rules) == crossed["above"]
    assert sum("maxLength" in rule for rule in rules) == crossed["too_long"]
    assert sum("maxItems" in rule for rule in rules) == crossed["too_many"]
    assert sum(rule.get("minItems", 0) > 0 for rule in rules) == crossed["too_few"]
    missed = {each.path for each in body_defects(component, body) if each.kind == "not_listed"}
    assert sum("enum" in rule for rule in rules) == len(missed)
    assert sum(rule["type"] == "integer" for rule in rules) == crossed["fraction"]
    touched = {(boundary.path, boundary.kind) for boundary in body_boundaries(component, body)}
    for site in sites(component, body):
        for kind, keyword in KEYWORDS.items():
            assert (keyword in site.rules and (site.field, kind) not in LEFT_OUT) == (
                (site.path, kind) in touched
            )


def test_boundaries_stand_exactly_on_their_bound() -> None:
    found = {
        (boundary.description, boundary.kind): value_at(boundary.body, boundary.path)
        for boundary in body_boundaries("CaptureRequest", full_body("CaptureRequest"))
    }
    assert 255 == len(found["description has 255 characters", "longest"])
    assert 255 * 3 == len(found["description has 255 characters of three bytes each", "multibyte"].encode())
    assert 1024 == len(found["order_lines[1].image_url has 1024 characters", "longest"])
    assert 200000000 == found["captured_amount is 200000000", "largest"]
    assert 0 == found["order_lines[0].quantity is 0", "smallest"]
    assert 2**53 == found["order_lines[0].quantity is 9007199254740992", "exact"]
    assert 500 == len(found["shipping_info has 500 items", "most"])
    assert [] == found["shipping_info has no items", "fewest"]


def value_at(body: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def test_each_member_of_a_closed_list_is_tried_with_the_sign_that_it_needs() -> None:
    boundaries = list(body_boundaries("AuthorizationUpdate", full_body("AuthorizationUpdate")))
    lines = [value_at(each.body, each.path[:2]) for each in boundaries if each.path[-1] == "type"]
    assert list(schema.members("OrderLine.type")) * 2 == [line["type"] for line in lines]
    negative = {line["type"] for line in lines if line["unit_price"] < 0}
    assert {"discount", "gift_card", "store_credit", "return_fee"} == negative


def test_what_is_left_out_is_a_bound_of_the_document() -> None:
    for field, kind in LEFT_OUT:
        keyword = KEYWORDS | {"empty": "minLength", "fewest": "minItems"}
        assert keyword[kind] in schema.field(field), field
    conceivable = {site.field for component in REQUESTS for site in sites(component, full_body(component))}
    assert {field for field, _ in LEFT_OUT} <= conceivable


def test_a_long_postal_code_comes_with_a_country_that_has_it() -> None:
    boundaries = body_boundaries("CustomerDetailsUpdate", full_body("CustomerDetailsUpdate"))
    (address,) = (each.body["shipping_address"] for each in boundaries if each.path[-1] == "postal_code")
    assert ("US", 10) == (address["country"], len(address["postal_code"]))


def test_any_valid_body_can_be_spoiled_and_stretched() -> None:
    def check(valid: Body) -> None:
        before = json.dumps(valid)
        for defect in body_defects("CaptureRequest", valid):
            assert 1 == len(schema_errors("CaptureRequest", defect.body)), defect.description
        for boundary in body_boundaries("CaptureRequest", valid):
            assert_sound("CaptureRequest", "captured_amount", boundary.body)
        assert before == json.dumps(valid)

    check_each(captures(remaining=5000), check, count=60)


def test_fields_that_a_body_does_not_have_are_tried_as_well() -> None:
    places = {site.name for site in sites("CaptureRequest", {"captured_amount": 1})}
    assert {"description", "shipping_info", "shipping_info[0].tracking_uri", "order_lines"} <= places
    assert not any(name.startswith("order_lines[") for name in places)
    assert {"shipping_address.city"} <= {site.name for site in sites("CustomerDetailsUpdate", {})}


def test_a_list_is_spoiled_in_its_first_two_items() -> None:
    valid = {"shipping_info": [{"shipping_company": name} for name in "ABC"]}
    spoiled = {defect.path[1] for defect in body_defects("ShippingInfoAppend", valid) if len(defect.path) > 1}
    assert {0, 1} == spoiled


def test_the_kinds_are_those_that_are_documented() -> None:
    defects = {each.kind for name in REQUESTS for each in body_defects(name, full_body(name))}
    boundaries = {each.kind for name in REQUESTS for each in body_boundaries(name, full_body(name))}
    words = "missing null type fraction below above too_long too_short too_few too_many not_listed"
    assert set(words.split()) == defects
    words = "smallest largest exact longest multibyte empty member fewest one most"
    assert set(words.split()) == boundaries


def test_near_misses_are_close_to_a_member() -> None:
    defects = body_defects("ShippingInfoAppend", {"shipping_info": [{"shipping_method": "Home"}]})
    misses = [value_at(each.body, each.path) for each in defects if each.kind == "not_listed"]
    assert ["hOME", "Hom", "xHomex"] == misses[:3]
    assert "PickUpStore|Home|" == misses[3][:17]


def test_descriptions_are_sentences_that_stay_short() -> None:
    defects = list(body_defects("MerchantReferencesUpdate", {"merchant_reference1": "A" * 255}))
    assert "merchant_reference1 is null" == defects[0].description
    assert "merchant_reference1 is 1, where a string belongs" == defects[1].description
    assert all(len(defect.description) < 150 for defect in defects)


def test_invalid_bodies_are_the_defects_and_shrink_to_the_first() -> None:
    valid = full_body("RefundRequest")
    known = [(defect.description, defect.body) for defect in body_defects("RefundRequest", valid)]

    def check(pair: tuple[str, Body]) -> None:
        assert pair in known

    check_each(invalid_bodies(component="RefundRequest", valid=valid), check, count=300)
    assert known[0] == minimal(invalid_bodies(component="RefundRequest", valid=valid))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: invalid_bodies(component="Order", valid={}), "component='Order' is none of"),
        (lambda: invalid_bodies(component="RefundRequest", valid=[]), "valid=[] is no JSON object"),  # type: ignore[arg-type]
        (lambda: list(body_boundaries("Nonsense", {})), "component='Nonsense' is none of"),
        (lambda: full_body("Order"), "component='Order' is none of"),
        (lambda: full_body("RefundRequest", amount=-1), "amount=-1 is below 0"),
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
