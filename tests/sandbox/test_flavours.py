"""Every flavour, and every single choice, is a correct server: a life of an order goes through on each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import jsonschema_rs
import pytest

from orderproof import spec
from orderproof.sandbox.options import FLAVOURS, Open, Settings, choices, open_choices, open_from
from tests.sandbox.client import Client, Reply, draft, line

SINGLE = [{name: value} for name, values in choices().items() for value in values[1:]]
ADDRESS = {"given_name": "Ada", "country": "SE", "postal_code": "11122"}
ERROR_CODES = {"error_code", "error_messages", "correlation_id"}


class Patient(Client):
    """A client that repeats a call that it was asked to repeat."""

    def send(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        reply = super().send(method, path, body, **headers)
        if reply.status == 429:
            assert reply.headers["retry-after"].isdigit()
            return super().send(method, path, body, **headers)
        return reply

    def get(self, path: str) -> Any:
        reply = self.send("GET", path)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("application/json")
        return without_nothing(reply.json)


@contextmanager
def server(chosen: Open) -> Iterator[Patient]:
    """A patient client of a sandbox with these choices."""
    with closing(Patient(Settings(open=chosen))) as client:
        yield client


def without_nothing(value: Any) -> Any:
    """Leave out what has no value: null, "" and []."""
    if isinstance(value, dict):
        kept = {name: without_nothing(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item not in (None, "", [])}
    return [without_nothing(item) for item in value] if isinstance(value, list) else value


def check_order(order: dict[str, Any]) -> None:
    """Hold an order to its schema and its sums."""
    components = {"schemas": spec.openapi()["components"]["schemas"]}
    jsonschema_rs.validate({"$ref": "#/components/schemas/Order", "components": components}, order)
    captures, refunds = order.get("captures", []), order.get("refunds", [])
    assert order["captured_amount"] == sum(one["captured_amount"] for one in captures)
    assert order["refunded_amount"] == sum(one["refunded_amount"] for one in refunds)
    assert order["refunded_amount"] == sum(one["refunded_amount"] for one in captures)
    assert 0 <= order["refunded_amount"] <= order["captured_amount"] <= order["order_amount"]
    for name in ("created_at", "expires_at"):
        assert datetime.fromisoformat(order[name]).utcoffset() is not None
    if order["status"] == "PART_CAPTURED":
        assert order["captured_amount"] < order["order_amount"] or order["remaining_authorized_amount"] == 0
    if order["status"] == "CLOSED":
        assert order["remaining_authorized_amount"] == 0


def resolved(location: str, order: str) -> str:
    """Return the path that a `Location` means for a request to …/captures or …/refunds."""
    if location.startswith("http"):
        return "/" + location.split("/", 3)[3]
    return location if location.startswith("/") else f"{order}/{location}"


def live(client: Patient) -> None:
    """Take one order through its life, holding every answer to what all correct servers have in common."""
    order = client.order(10000, merchant_reference1="M")
    check_order(client.get(order))
    assert (
        client.send(
            "PATCH", f"{order}/authorization", {"order_amount": 9000, "order_lines": [line(9000)]}
        ).status
        == 204
    )
    assert client.send("PATCH", f"{order}/customer-details", {"shipping_address": ADDRESS}).status in (
        204,
        403,
    )
    assert client.send("PATCH", f"{order}/merchant-references", {"merchant_reference2": "N"}).status == 204
    assert client.send("POST", f"{order}/extend-authorization-time").status == 204
    for amount, remaining in ((4000, 5000), (1000, 4000)):
        body = {"captured_amount": amount, "order_lines": [line(amount)], "reference": "C"}
        reply = client.send("POST", f"{order}/captures", body, klarna_idempotency_key=f"k{amount}")
        again = client.send("POST", f"{order}/captures", body, klarna_idempotency_key=f"k{amount}")
        capture = client.get(resolved(reply.headers["location"], order))
        assert (reply.status, again.headers["location"]) == (201, reply.headers["location"])
        assert capture["capture_id"] == reply.headers["capture-id"]
        assert (capture["captured_amount"], capture["reference"], capture["order_lines"]) == (
            amount,
            "C",
            [line(amount)],
        )
        assert client.get(order)["remaining_authorized_amount"] == remaining
        check_order(client.get(order))
    refund = client.send("POST", f"{order}/refunds", {"refunded_amount": 4500}, klarna_idempotency_key="r")
    assert client.get(resolved(refund.headers["location"], order))["refunded_amount"] == 4500
    check_order(client.get(order))
    for tail, too_much, code in (
        ("captures", {"captured_amount": 4001}, "CAPTURE_NOT_ALLOWED"),
        ("refunds", {"refunded_amount": 501}, "REFUND_NOT_ALLOWED"),
        ("cancel", {}, "CANCEL_NOT_ALLOWED"),
    ):
        before = client.get(order)
        refused = client.send("POST", f"{order}/{tail}", too_much)
        assert (refused.status, refused.code) == (403, code)
        assert refused.json.keys() >= ERROR_CODES
        assert client.get(order) == before
    assert client.send("POST", f"{order}/release-remaining-authorization").status == 204
    released = client.get(order)
    assert (released["remaining_authorized_amount"], released["captured_amount"]) == (0, 5000)
    assert client.send("POST", f"{order}/captures", {"captured_amount": 1}).code == "CAPTURE_NOT_ALLOWED"
    assert client.send("POST", f"{order}/refunds", {"refunded_amount": 500}).status == 201
    check_order(client.get(order))


def end_otherwise(client: Patient) -> None:
    """Cancel one order, capture another whole, and let a third expire."""
    cancelled, captured, expired = client.order(100), client.order(100), client.order(100)
    assert client.send("POST", f"{cancelled}/cancel").status == 204
    assert client.get(cancelled)["status"] == "CANCELLED"
    client.capture(captured, 100)
    assert client.get(captured)["status"] in ("CAPTURED", "CLOSED")
    assert client.get(captured)["remaining_authorized_amount"] == 0
    client.advance(days=30)
    assert client.get(expired)["status"] == "EXPIRED"
    assert client.send("POST", f"{expired}/captures", {"captured_amount": 1}).status == 403
    for order in (cancelled, captured, expired):
        check_order(client.get(order))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_an_order_lives_on_every_flavour(flavour: str) -> None:
    with server(open_choices(flavour=flavour)) as client:
        live(client)
        end_otherwise(client)


@pytest.mark.parametrize("choice", SINGLE, ids=lambda choice: "=".join(*choice.items()))
def test_an_order_lives_with_every_single_choice(choice: dict[str, str]) -> None:
    with server(open_from(choice)) as client:
        live(client)
        end_otherwise(client)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_an_order_lives_where_every_choice_differs(nth: int) -> None:
    chosen = {name: values[min(nth, len(values) - 1)] for name, values in choices().items()}
    with server(open_from(chosen)) as client:
        live(client)
        end_otherwise(client)


def test_recorded_traffic_is_the_default() -> None:
    with server(open_choices(flavour="recorded")) as client:
        path = client.order(9900)
        client.capture(path, 9900)
        client.refund(path, 9900)
        order = client.send("GET", path).json
        cancelled = client.order(9900)
        client.send("POST", f"{cancelled}/cancel")

        assert (order["status"], order["captured_amount"]) == ("CAPTURED", 9900)
        assert order["captures"][0]["shipping_info"] == []
        assert order["captures"][0]["description"] == order["refunds"][0]["description"] == ""
        assert {"title", "street_address2", "region"} <= order["billing_address"].keys()
        assert (
            not {"merchant_reference1", "merchant_reference2", "merchant_data", "shipping_info"}
            & order.keys()
        )
        assert re.fullmatch(r"[\d-]+T[\d:]+\.\d{3}Z", order["captures"][0]["captured_at"])
        assert client.get(cancelled)["remaining_authorized_amount"] == 9900


def test_fields_without_a_value_are_written_as_told() -> None:
    shown = {}
    for mode in choices()["empty_fields"]:
        with server(open_from({"empty_fields": mode})) as client:
            path = client.order(10)
            client.capture(path, 10)
            shown[mode] = client.send("GET", path).json

    assert "refunds" not in shown["absent"]
    assert "description" not in shown["absent"]["captures"][0]
    assert (
        shown["null"]["refunds"]
        is shown["null"]["merchant_data"]
        is shown["null"]["billing_address"]["title"]
        is None
    )
    assert shown["null"]["order_lines"][0]["tax_rate"] is None
    assert shown["blank"]["shipping_info"] == []
    assert shown["blank"]["merchant_data"] == shown["blank"]["captures"][0]["reference"] == ""


def test_the_rest_of_the_looks() -> None:
    looks = {
        "charset": "utf-8",
        "extra_fields": "some",
        "times": "offset",
        "letter_case": "lower",
        "capture_order": "newest-first",
        "capture_address": "absent",
        "connection": "close",
        "chunked": "on",
    }
    with server(open_from(looks)) as client:
        path = client.order(10)
        made = [client.capture(path, 5).rpartition("/")[2] for _ in range(2)]
        reply = client.send("GET", path)
        order = reply.json

    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert (reply.headers["connection"], "content-length" in reply.headers) == ("close", False)
    assert order["created_at"].endswith("+00:00")
    assert (order["purchase_currency"], order["locale"]) == ("sek", "sv-se")
    assert order["billing_address"]["country"] == "se"
    assert [one["capture_id"] for one in order["captures"]] == made[::-1]
    assert "shipping_address" not in order["captures"][0]
    assert {"sales_channel", "risk"} <= order.keys()
    assert "transaction-id" in reply.headers


def test_a_rate_limit_asks_to_wait_and_changes_nothing() -> None:
    with closing(Client(Settings(open=open_from({"rate_limit": "every-40th"})))) as client:
        order = client.order(1000)
        statuses = [
            client.send("POST", f"{order}/captures", {"captured_amount": 1}).status for _ in range(79)
        ]

        assert [number for number, status in enumerate(statuses, start=2) if status == 429] == [40, 80]
        assert client.send("GET", order).json["captured_amount"] == statuses.count(201) == 77


def test_the_location_takes_each_form() -> None:
    found = {}
    for form in choices()["location"]:
        with server(open_from({"location": form})) as client:
            order = client.order(10)
            reply = client.send("POST", f"{order}/captures", {"captured_amount": 1})
            found[form] = (
                reply.headers["location"].replace(order, "ORDER").replace(reply.headers["capture-id"], "ID")
            )

    assert found == {
        "absolute": "http://sandbox.testORDER/captures/ID",
        "path": "ORDER/captures/ID",
        "relative": "captures/ID",
        "prefixed": "http://sandbox.test/eu-westORDER/captures/ID",
    }


def test_a_created_body_is_extra() -> None:
    with server(open_from({"created_body": "object"})) as client:
        reply = client.send("POST", f"{client.order(10)}/captures", {"captured_amount": 1})

    assert reply.json == {"capture_id": reply.headers["capture-id"]}


def test_drafts_are_taken_by_the_strictest_flavour() -> None:
    with server(open_choices(flavour="strict")) as client:
        reply = client.send("POST", "/customer-token/v1/tokens/sandbox/order", draft())

    assert reply.status == 200
