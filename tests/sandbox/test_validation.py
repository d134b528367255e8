"""Bodies: what is valid is taken, what is not is refused with a message that names the field, and nothing crashes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from orderproof import spec
from orderproof.sandbox.validation import body_rules
from tests.sandbox.client import Client, line

Make = Callable[..., Client]


def capturing(sandbox: Client, body: Any) -> Any:
    """Send a capture on a fresh order."""
    return sandbox.send("POST", f"{sandbox.order()}/captures", body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "captured_amount"),
        ({"captured_amount": None}, "captured_amount"),
        ({"captured_amount": "1"}, "captured_amount"),
        ({"captured_amount": True}, "captured_amount"),
        ({"captured_amount": 1.5}, "captured_amount"),
        ({"captured_amount": -1}, "captured_amount"),
        ({"captured_amount": 200_000_001}, "captured_amount"),
        ({"captured_amount": [1]}, "captured_amount"),
        ({"captured_amount": 1, "description": "x" * 256}, "description"),
        ({"captured_amount": 1, "description": 7}, "description"),
        ({"captured_amount": 1, "order_lines": {}}, "order_lines"),
        ({"captured_amount": 1, "order_lines": [line(1)] * 1001}, "order_lines"),
        ({"captured_amount": 1, "order_lines": [{**line(1), "type": "physica"}]}, "order_lines[0].type"),
        (
            {"captured_amount": 1, "order_lines": [line(1), {**line(1), "quantity": -1}]},
            "order_lines[1].quantity",
        ),
        ({"captured_amount": 1, "order_lines": [{"name": "x"}]}, "order_lines[0].unit_price"),
        (
            {"captured_amount": 1, "order_lines": [line(1, subscription={})]},
            "order_lines[0].subscription.name",
        ),
        (
            {"captured_amount": 1, "shipping_info": [{"shipping_method": "home"}]},
            "shipping_info[0].shipping_method",
        ),
        ({"captured_amount": 1, "order_lines": [{**line(1), "quantity": 2**63}]}, "order_lines[0].quantity"),
        ([], "The body"),
        ("text", "The body"),
        (7, "The body"),
    ],
)
def test_an_invalid_body_is_refused_by_field(
    sandbox: Client, sandbox_with: Make, body: Any, field: str
) -> None:
    reply = capturing(sandbox, json.dumps(body).encode())

    assert (reply.status, reply.code) == (400, "BAD_VALUE")
    assert f"{field}: " in reply.message
    assert capturing(sandbox_with(invalid_status="422"), json.dumps(body).encode()).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"captured_amount": 1, "description": "x" * 255, "reference": "é" * 255},
        {"captured_amount": 1, "description": "\N{MUSICAL SYMBOL G CLEF}" * 255},
        {"captured_amount": 1, "description": "e\N{COMBINING ACUTE ACCENT}" * 127},
        {"captured_amount": 1, "order_lines": [], "shipping_info": []},
        {"captured_amount": 1, "order_lines": [line(1)] * 1000, "shipping_info": [{}] * 500},
        {"captured_amount": 1, "order_lines": [{**line(1), "quantity": 2**53}]},
        {"captured_amount": 1, "order_lines": [{**line(1), "unit_price": -(2**53)}]},
    ],
)
def test_values_on_their_bounds_are_taken_and_read_back(sandbox: Client, body: Any) -> None:
    order = sandbox.order()
    reply = sandbox.send("POST", f"{order}/captures", body)
    capture = sandbox.get(f"{order}/captures/{reply.headers['capture-id']}")

    assert {name: capture[name] for name in body} == body


MALFORMED = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    '{"captured_amount": 1}'.encode("utf-16"),
    b'{"captured_amount": NaN}',
    b'{"captured_amount": Infinity}',
    b'{"captured_amount": 1e400}',
    b'{"captured_amount": 1e308}',
    b'{"captured_amount": ' + b"9" * 5000 + b"}",
    b'{"captured_amount": 1' + b"0" * 400 + b"}",
    b'{"captured_amount": 1, "description": "\\ud800"}',
    b'{"captured_amount": 1, "\\udfff": 1}',
    b'{"captured_amount": ' + b"[" * 100_000,
    b'{"captured_amount": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"order_lines": ' + b'[{"subscription": ' * 300 + b"1" + b"}]" * 300 + b"}",
    b'{"captured_amount": 1} {}',
    b"captured_amount=1",
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_bodies_are_refused_not_crashed_on(sandbox: Client, body: bytes) -> None:
    order = sandbox.order()
    before = sandbox.get(order)
    reply = sandbox.send("POST", f"{order}/captures", body, content_type="application/json")

    assert reply.status == 400
    assert len(reply.body) < 2000
    assert sandbox.get(order) == before


@pytest.mark.parametrize(
    "body",
    [
        b'{"captured_amount": 1, "x": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"captured_amount": 9999999, "captured_amount": 1}',
        b'{"captured_amount": 1, "description": "\\ud834\\udd1e"}',
        b'{"captured_amount": 1, "description": "\\u0000<b>"}',
    ],
)
def test_odd_but_valid_bodies_are_taken(sandbox: Client, body: bytes) -> None:
    order = sandbox.order()
    assert sandbox.send("POST", f"{order}/captures", body).status == 201
    assert sandbox.get(order)["captured_amount"] == 1


@pytest.mark.parametrize(
    "content_type", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/jso"]
)
def test_another_content_type_is_refused(
    sandbox: Client, sandbox_with: Make, content_type: str | None
) -> None:
    other = sandbox_with(media_type="400")
    for one, status in ((sandbox, 415), (other, 400)):
        reply = one.send("POST", f"{one.order()}/captures", {"captured_amount": 1}, content_type=content_type)
        assert reply.status == status


@pytest.mark.parametrize(
    "content_type", ["application/json;charset=UTF-8", "Application/JSON ; charset=utf-8"]
)
def test_json_is_known_in_any_spelling(sandbox: Client, content_type: str) -> None:
    reply = sandbox.send(
        "POST", f"{sandbox.order()}/captures", {"captured_amount": 1}, content_type=content_type
    )

    assert reply.status == 201


def test_a_number_without_a_fraction_is_open(sandbox: Client, sandbox_with: Make) -> None:
    order = sandbox.order()
    written_out = b'{"name": "x", "quantity": 1e0, "unit_price": 1, "total_amount": 1}'
    body = b'{"captured_amount": 100.0, "order_lines": [' + written_out + b"]}"
    reply = sandbox.send("POST", f"{order}/captures", body)
    capture = sandbox.get(f"{order}/captures/{reply.headers['capture-id']}")
    strict = sandbox_with(integer_floats="refused")

    assert json.dumps(capture["captured_amount"]) == "100"
    assert json.dumps(capture["order_lines"][0]["quantity"]) == "1"
    assert capturing(strict, body).status == 400
    assert capturing(strict, {"captured_amount": 100}).status == 201


def test_unknown_fields_are_open(sandbox: Client, sandbox_with: Make) -> None:
    order = sandbox.order()
    body = {"captured_amount": 1, "colour": "red", "order_lines": [{**line(1), "colour": "red"}]}
    reply = sandbox.send("POST", f"{order}/captures", body)
    strict = capturing(sandbox_with(unknown_fields="refused"), body)

    assert b"colour" not in sandbox.send("GET", order).body
    assert reply.status == 201
    assert strict.status == 400
    assert "order_lines[0].colour: " in strict.message


def test_lengths_may_count_utf_16_units(sandbox_with: Make) -> None:
    sandbox = sandbox_with(length_unit="utf-16")

    assert capturing(sandbox, {"captured_amount": 1, "description": "\N{GRINNING FACE}" * 128}).status == 400
    assert capturing(sandbox, {"captured_amount": 1, "description": "\N{GRINNING FACE}" * 127}).status == 201
    assert capturing(sandbox, {"captured_amount": 1, "description": "é" * 255}).status == 201


@pytest.mark.parametrize(
    ("text", "is_markup"), [("<b>x</b>", True), ("a\x07", True), ("\x00", True), ("a < b > c", False)]
)
def test_markup_is_open(sandbox_with: Make, text: str, is_markup: bool) -> None:
    reply = capturing(sandbox_with(markup="422"), {"captured_amount": 1, "description": text})

    assert reply.status == (422 if is_markup else 201)


@pytest.mark.parametrize(("choice", "status"), [("validation-first", 400), ("state-first", 403)])
def test_precedence_is_open(sandbox_with: Make, choice: str, status: int) -> None:
    sandbox = sandbox_with(precedence=choice)
    order = sandbox.order()
    sandbox.send("POST", f"{order}/cancel")

    assert sandbox.send("POST", f"{order}/captures", {}).status == status


@pytest.mark.parametrize("choice", ["400", "415", "422"])
def test_the_status_for_what_is_not_json_is_open(sandbox_with: Make, choice: str) -> None:
    assert capturing(sandbox_with(not_json=choice), b"{").status == int(choice)


def test_bodies_are_optional_where_the_document_says_so(sandbox: Client) -> None:
    order = sandbox.order()

    for tail, status in (("customer-details", 204), ("merchant-references", 204), ("authorization", 400)):
        assert sandbox.send("PATCH", f"{order}/{tail}").status == status


def test_every_operation_with_a_body_has_a_rule() -> None:
    documented = {
        operation["operationId"]
        for item in spec.openapi()["paths"].values()
        for operation in item.values()
        if "requestBody" in operation
    }

    assert set(body_rules()) == documented
    assert len(documented) == 9
