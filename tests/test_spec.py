"""The OpenAPI document holds the published facts, and what reads it tells them right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from orderproof import operations
from orderproof.spec import openapi, read

O = "/ordermanagement/v1/orders/{order_id}"  # noqa: E741 - the prefix of every path, kept out of the way
C = O + "/captures/{capture_id}"

CALLS = {
    "getOrder": ("GET", O, {200}),
    "acknowledgeOrder": ("POST", O + "/acknowledge", {204, 403}),
    "updateAuthorization": ("PATCH", O + "/authorization", {204, 403}),
    "cancelOrder": ("POST", O + "/cancel", {204, 403}),
    "captureOrder": ("POST", O + "/captures", {201, 403}),
    "getCaptures": ("GET", O + "/captures", {200}),
    "getCapture": ("GET", C, {200}),
    "extendDueDate": ("PATCH", C + "/extend-due-date", {204, 403}),
    "getOptionsForExtendDueDate": ("GET", C + "/extend-due-date-options", {200}),
    "appendShippingInfo": ("POST", C + "/shipping-info", {204, 403}),
    "triggerSendOut": ("POST", C + "/trigger-send-out", {204, 403}),
    "updateConsumerDetails": ("PATCH", O + "/customer-details", {204, 403}),
    "extendAuthorizationTime": ("POST", O + "/extend-authorization-time", {204, 403}),
    "updateMerchantReferences": ("PATCH", O + "/merchant-references", {204, 403}),
    "refundOrder": ("POST", O + "/refunds", {201, 403}),
    "getRefund": ("GET", O + "/refunds/{refund_id}", {200}),
    "releaseRemainingAuthorization": ("POST", O + "/release-remaining-authorization", {204, 403}),
    "appendOrderShippingInfo": ("POST", O + "/shipping-info", {204, 403}),
}

FIELDS_PUBLISHED = {
    "Addon": 4,
    "Address": 13,
    "AuthorizationUpdate": 3,
    "Capture": 11,
    "CaptureRequest": 6,
    "CarrierProduct": 2,
    "Customer": 2,
    "CustomerDetailsUpdate": 1,
    "DueDateExtension": 1,
    "DueDateOption": 2,
    "DueDateOptions": 2,
    "Error": 3,
    "InitialPaymentMethod": 3,
    "MerchantReferencesUpdate": 2,
    "Order": 26,
    "OrderLine": 15,
    "PickupAddress": 6,
    "PickupLocation": 4,
    "ProductIdentifiers": 6,
    "Refund": 7,
    "RefundRequest": 4,
    "SelectedShippingOption": 14,
    "ShippingInfo": 7,
    "ShippingInfoAppend": 1,
    "Subscription": 3,
    "Timeslot": 5,
}

LINE = {"name": "Socks", "quantity": 1, "unit_price": 100, "total_amount": 100}

ON_THE_BOUND = [
    ("CaptureRequest", {"captured_amount": 0}),
    ("CaptureRequest", {"captured_amount": 200_000_000}),
    ("CaptureRequest", {"captured_amount": 1, "description": "x" * 255, "shipping_delay": 0}),
    ("RefundRequest", {"refunded_amount": 1, "order_lines": [LINE] * 1000}),
    ("AuthorizationUpdate", {"order_amount": 1, "order_lines": []}),
    ("ShippingInfoAppend", {"shipping_info": [{"tracking_uri": "x" * 1024}] * 500}),
    ("CustomerDetailsUpdate", {"shipping_address": {"postal_code": "x" * 10, "title": "x" * 20}}),
    ("CustomerDetailsUpdate", {}),
    ("MerchantReferencesUpdate", {"merchant_reference1": "", "merchant_reference2": "x" * 255}),
    ("OrderLine", {**LINE, "total_amount": -1, "tax_rate": 0, "type": "return_fee"}),
    ("ProductIdentifiers", {"category_path": "x" * 750}),
    ("Subscription", {"name": "Box", "interval": "MONTH", "interval_count": 1}),
]

BEYOND_THE_BOUND = [
    ("CaptureRequest", {}, "captured_amount", "required"),
    ("CaptureRequest", {"captured_amount": -1}, "captured_amount", "minimum"),
    ("CaptureRequest", {"captured_amount": 200_000_001}, "captured_amount", "maximum"),
    ("CaptureRequest", {"captured_amount": "1"}, "captured_amount", "type"),
    ("CaptureRequest", {"captured_amount": 1, "shipping_delay": None}, "shipping_delay", "type"),
    ("RefundRequest", {"refunded_amount": 1, "reference": "x" * 256}, "reference", "maxLength"),
    ("RefundRequest", {"refunded_amount": 1, "order_lines": [LINE] * 1001}, "order_lines", "maxItems"),
    ("AuthorizationUpdate", {"order_amount": 1, "order_lines": {}}, "order_lines", "type"),
    ("ShippingInfoAppend", {"shipping_info": []}, "shipping_info", "minItems"),
    ("ShippingInfoAppend", {"shipping_info": [{}] * 501}, "shipping_info", "maxItems"),
    ("ShippingInfo", {"shipping_method": "Homes"}, "shipping_method", "enum"),
    ("ShippingInfo", {"tracking_uri": "x" * 1025}, "tracking_uri", "maxLength"),
    ("OrderLine", {**LINE, "type": "physical|discount"}, "type", "enum"),
    ("OrderLine", {**LINE, "image_url": "x" * 1025}, "image_url", "maxLength"),
    ("OrderLine", {**LINE, "quantity": -1}, "quantity", "minimum"),
    ("Subscription", {"name": "", "interval": "MONTHLY", "interval_count": 1}, "interval", "enum"),
    ("Subscription", {"name": "", "interval": "DAY", "interval_count": 0}, "interval_count", "minimum"),
    ("DueDateExtension", {"number_of_days": 1.5}, "number_of_days", "type"),
    ("OrderDraft", [], "", "type"),
    ("Order", {"status": "OPEN"}, "status", "enum"),
    ("Order", {"fraud_status": "UNKNOWN"}, "fraud_status", "enum"),
    ("Order", {"created_at": "2026-11-30T10:00:00"}, "created_at", "format"),
    ("Error", {"error_code": "X", "error_messages": []}, "correlation_id", "required"),
]


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def test_document_is_valid_openapi() -> None:
    validate(openapi())
    assert openapi()["openapi"] == "3.1.0"


def test_every_operation_is_there_with_its_statuses() -> None:
    found = {o.id: (o.method, o.template, set(o.statuses)) for o in operations.OPERATIONS.values()}
    assert {name: (method, path, known | {404}) for name, (method, path, known) in CALLS.items()} == found


def test_the_supporting_call_is_apart_from_the_18() -> None:
    call = operations.ALL_OPERATIONS["createOrder"]
    assert (call.supporting, call.request_schema, call.success) == (True, "OrderDraft", 200)
    assert {*CALLS, "createOrder"} == set(operations.ALL_OPERATIONS)
    assert "createOrder" not in operations.OPERATIONS


def test_creations_carry_the_id_and_the_location() -> None:
    headers = {o.id: set(o.headers) for o in operations.OPERATIONS.values() if o.headers}
    assert {
        "captureOrder": {"Capture-Id", "Location"},
        "refundOrder": {"Refund-Id", "Location"},
    } == headers


def test_every_write_takes_an_idempotency_key() -> None:
    key, integrator = "#/components/parameters/idempotency_key", "#/components/parameters/integrator"
    for operation in operations.ALL_OPERATIONS.values():
        item = openapi()["paths"][operation.template][operation.method.lower()]
        taken = {parameter["$ref"] for parameter in item.get("parameters", ())}
        expected = {key} if operation.writes else {integrator} if operation.id == "getOrder" else set()
        assert expected == taken, operation.id


def test_every_published_schema_is_whole() -> None:
    components = openapi()["components"]["schemas"]
    published = {
        name: len(part["properties"]) for name, part in components.items() if "x-published-name" in part
    }
    assert published == FIELDS_PUBLISHED
    for name, part in components.items():
        assert set(part.get("required", ())) <= set(part.get("properties", ())), name


def test_every_part_is_used_and_every_repair_is_made() -> None:
    document = openapi()
    pointed = {node["$ref"] for node in _nodes(document) if isinstance(node.get("$ref"), str)}
    pointed |= set(document["x-general-responses"].values())
    parts = {f"#/components/{kind}/{name}" for kind, held in document["components"].items() for name in held}
    assert parts - pointed == {"#/components/securitySchemes/basicAuth"}
    assert pointed <= parts
    made = {n for node in _nodes(document["paths"]) for n in node.get("x-repairs", ())}
    made |= {n for node in _nodes(document["components"]) for n in node.get("x-repairs", ())}
    listed = [entry["number"] for entry in document["x-repairs"]]
    assert list(range(1, 12)) == listed
    assert set(listed) == made


def test_one_error_schema_serves_every_refusal() -> None:
    for operation in operations.ALL_OPERATIONS.values():
        for status, component in operation.response_schemas.items():
            assert (component == "Error") == (status >= 400), (operation.id, status)
    assert frozenset({400, 401, 404, 405, 409, 413, 415, 422, 429}) == operations.GENERAL_STATUSES


@pytest.mark.parametrize(("name", "value"), ON_THE_BOUND)
def test_a_value_on_its_bound_is_valid(name: str, value: Any) -> None:
    assert operations.problems(name, value) == []


@pytest.mark.parametrize(("name", "value", "path", "keyword"), BEYOND_THE_BOUND)
def test_a_value_beyond_its_bound_is_found(name: str, value: Any, path: str, keyword: str) -> None:
    assert [(path, keyword)] == [(p.path, p.keyword) for p in operations.problems(name, value)]


def test_problems_are_sentences_that_show_the_value() -> None:
    value = {"captured_amount": 100.5, "reference": "x" * 300, "order_lines": [{**LINE, "type": "toy"}]}
    said = {problem.path: problem.message for problem in operations.problems("CaptureRequest", value)}
    assert said["captured_amount"] == "captured_amount: 100.5 is not an integer"
    assert said["reference"] == "reference: 300 characters are more than 255"
    assert said["order_lines[0].type"].startswith('order_lines[0].type: "toy" is not one of physical, ')
    missing = operations.problems("CaptureRequest", {})[0].message
    assert missing == "captured_amount: is missing"
    assert operations.problems("CaptureRequest", None)[0].message == "the body: null is not an object"


def test_a_body_nested_beyond_reason_is_a_problem_and_no_crash() -> None:
    value: Any = {}
    for _ in range(2000):
        value = {"order_lines": value}
    assert operations.problems("Order", value)[0].keyword
    assert operations.reading_problems("Order", value)[0].keyword


@pytest.mark.parametrize("empty", [None, "", []])
def test_a_field_without_a_value_is_no_problem_when_read(empty: Any) -> None:
    line = {**LINE, "name": empty, "type": empty, "product_identifiers": {"brand": empty}}
    option = {"price": empty, "selected_addons": [{"type": empty, "price": empty}]}
    order = {"created_at": empty, "status": empty, "order_lines": [line], "selected_shipping_option": option}
    assert operations.reading_problems("Order", order) == []
    assert operations.reading_problems("Order", {**order, "customer": {"type": "person"}}) == []


def test_what_always_has_a_value_is_missed_when_read() -> None:
    line = {"name": "Socks", "unit_price": 100, "total_amount": 100}
    found = operations.reading_problems("Captures", [{"order_lines": [line]}])
    assert [problem.message for problem in found] == ["[0].order_lines[0].quantity: is missing"]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("2026-11-30T10:00:00Z", True),
        ("2026-11-30T10:00:00.123Z", True),
        ("2026-11-30T10:00:00+01:00", True),
        ("2026-11-30T10:00:00.000+0100", True),
        ("2026-11-30T10:00Z", True),
        ("2026-11-30T10:00:00", False),
        ("2026-11-30", False),
        ("2026-13-30T10:00:00Z", False),
        ("1796032800", False),
    ],
)
def test_times_have_a_zone(text: str, good: bool) -> None:
    assert good == (operations.reading_problems("Refund", {"refunded_at": text}) == [])


def test_schemas_stand_alone() -> None:
    for name in openapi()["components"]["schemas"]:
        bundle = operations.schema(name)
        pointed = {node["$ref"] for node in _nodes(bundle) if isinstance(node.get("$ref"), str)}
        assert {f"#/$defs/{part}" for part in bundle.get("$defs", ())} == pointed, name
        missing = {(field, "required") for field in bundle.get("required", ())}
        wanted = {("", "type")} if bundle["type"] == "array" else missing
        assert wanted == {(problem.path, problem.keyword) for problem in operations.problems(name, {})}, name
    with pytest.raises(ValueError, match="no schema is called 'Ordre'; there are Order, "):
        operations.schema("Ordre")


def test_unknown_fields_are_found_at_any_depth() -> None:
    value = {"captured_amount": 1, "amount": 1, "order_lines": [LINE, {**LINE, "subscription": {"days": 1}}]}
    assert operations.unknown_fields("CaptureRequest", value) == [
        "amount",
        "order_lines[1].subscription.days",
    ]
    assert operations.unknown_fields("Captures", [{"capture_id": "x", "id": "x"}]) == ["[0].id"]


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(operation=st.sampled_from(list(operations.ALL_OPERATIONS.values())), data=st.data())
def test_a_path_leads_back_to_its_operation_and_ids(
    operation: operations.Operation, data: st.DataObject
) -> None:
    given_ids = {name: data.draw(ids, label=name) for name in operation.parameters}
    path = operations.path_of(operation.id, **given_ids)
    assert path.isascii()
    assert not {"", ".", ".."} & set(path.split("/")[1:])
    assert (operation, given_ids) == operations.match(operation.method, path)
    assert operation.method in operations.allowed_methods(path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/ordermanagement/v1/orders/a"),
        ("DELETE", "/ordermanagement/v1/orders/a"),
        ("GET", "//ordermanagement/v1/orders/a"),
        ("GET", "/ordermanagement/v1/orders/a/"),
        ("GET", "/ordermanagement/v1/orders//captures"),
        ("GET", "/ordermanagement/v1/Orders/a"),
        ("GET", "/ordermanagement/v1/orders"),
        ("GET", ""),
    ],
)
def test_nothing_is_forgiven_in_a_path(method: str, path: str) -> None:
    assert operations.match(method, path) is None


def test_methods_of_a_path() -> None:
    assert operations.allowed_methods("/ordermanagement/v1/orders/a/captures") == ("GET", "POST")
    assert operations.allowed_methods("/ordermanagement/v1/orders/a/elsewhere") == ()


@pytest.mark.parametrize(
    ("operation_id", "given_ids", "said"),
    [
        ("getOrders", {}, "no operation is called 'getOrders'; there are getOrder, "),
        ("getOrder", {}, "getOrder takes order_id, each not empty, and was given {}"),
        ("getOrder", {"order_id": ""}, "getOrder takes order_id, each not empty"),
        ("getOrder", {"order_id": "a", "capture_id": "b"}, "getOrder takes order_id, each not empty"),
    ],
)
def test_a_path_that_cannot_be_made_says_why(operation_id: str, given_ids: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared below
        operations.path_of(operation_id, **given_ids)
    assert str(caught.value).startswith(said)


def test_places_are_valid_addresses_of_many_countries() -> None:
    places = read("places.yaml")
    for place in places:
        assert {"country", "postal_code", "city", "currency", "locale"} == set(place) - {"region"}
        address = {name: place[name] for name in place if name not in ("currency", "locale")}
        assert operations.problems("Address", address) == []
        assert operations.unknown_fields("Address", address) == []
        assert place["locale"].endswith(f"-{place['country']}")
        assert ("region" in place) == (place["country"] in ("AU", "CA", "US"))
    countries = {place["country"] for place in places}
    return_fees = operations.schema("OrderLine")["properties"]["type"]["x-return-fee-countries"]
    assert {"AT", "DE", "DK", "FI", "FR", "NL", "NO", "SE", "IT", "ES", "IE", "PT", "CZ", "AU", "GR"} == set(
        return_fees
    )
    assert {*return_fees, "US", "CA", "GB", "CH", "BE", "PL"} == countries
    assert len({place["region"] for place in places if place["country"] == "US"}) > 3
