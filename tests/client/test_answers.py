"""Answers that are written in another way: none of them says something else of what the client has sent."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from orderproof.client.answers import (
    SHIPMENT,
    UNKNOWN_FIELD,
    UNKNOWN_LINE_TYPE,
    UNKNOWN_METHOD,
    Place,
    with_shipping_info,
    with_unknowns,
    without_unknowns,
)
from orderproof.client.forwarding import answer_bytes, begun
from orderproof.client.stock import Stock
from orderproof.client.weather import SCENARIOS
from orderproof.drivers.drafts import line
from orderproof.exchange import Request, Response
from tests.client.conftest import Judged, broken

PATH = "/ordermanagement/v1/orders/f3392f8b-6116-4073-ab96-e330819e2c07/captures"
PARCEL = {"shipping_method": "PickUpStore", "tracking_number": "T-1"}


def sent(body: Any, place: Place) -> Any:
    """What the sandbox gets of a body that a client sends among unknowns."""
    request = Request((), json.dumps(body).encode(), "POST", PATH)
    return without_unknowns(request, place.own).json


def read(body: Any, place: Place) -> Any:
    answer = Response((), json.dumps(body).encode(), 200)
    return with_unknowns(Request((), b"", "GET", PATH), answer, place).json


def test_what_a_client_has_sent_reads_back_as_it_was_sent() -> None:
    place = Place("http://a", "http://b")
    own = line(400, type="discount")
    capture = {"captured_amount": 400, "order_lines": [own], "shipping_info": [PARCEL]}
    assert capture == sent(capture, place)
    found = read({**capture, "order_lines": [own, line(300)], "shipping_info": [PARCEL, SHIPMENT]}, place)
    assert ["discount", UNKNOWN_LINE_TYPE] == [entry["type"] for entry in found["order_lines"]]
    assert ["PickUpStore", UNKNOWN_METHOD] == [entry["shipping_method"] for entry in found["shipping_info"]]
    assert UNKNOWN_FIELD in found


def test_what_a_client_sends_again_as_it_read_it_is_known_to_the_sandbox() -> None:
    place = Place("http://a", "http://b")
    echo = read({"order_lines": [line(300)], "shipping_info": [SHIPMENT]}, place)
    assert {"order_lines": [line(300)], "shipping_info": [SHIPMENT]} == sent(echo, place)
    assert UNKNOWN_LINE_TYPE == read({"order_lines": [line(300)]}, place)["order_lines"][0]["type"]


@pytest.mark.parametrize(("own", "shown"), [([], [SHIPMENT]), ([PARCEL], [PARCEL])])
def test_shipping_info_of_the_client_stays(own: list[Any], shown: list[Any]) -> None:
    answer = Response((), json.dumps([{"capture_id": "c", "shipping_info": own}]).encode(), 200)
    found = with_shipping_info(Request((), b"", "GET", PATH), answer, Place("http://a", "http://b")).json
    assert [{"capture_id": "c", "shipping_info": shown}] == found


def test_a_capture_that_was_shipped_before_has_room_for_more(stock: Stock) -> None:
    order_id = stock.order()
    stock.capture(order_id, 100, shipped=True)
    assert SHIPMENT.items() <= stock.read(order_id)["captures"][0]["shipping_info"][0].items()
    assert {"unknown", "shipped"} == {name for name, scenario in SCENARIOS.items() if scenario.ships}


READS_BACK = """
import os, sys, uuid, httpx
pair = (os.environ["ORDERPROOF_USERNAME"], os.environ["ORDERPROOF_PASSWORD"])
order = "/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
capture = order + "/captures/" + os.environ["ORDERPROOF_CAPTURE_ID"]
parcel = {"shipping_method": "PickUpStore", "tracking_number": os.environ["ORDERPROOF_TRACKING"]}
with httpx.Client(base_url=os.environ["ORDERPROOF_BASE_URL"], auth=pair) as http:
    before = len(http.get(capture).json()["shipping_info"])
    key = {"Klarna-Idempotency-Key": str(uuid.uuid4())}
    http.post(capture + "/shipping-info", json={"shipping_info": [parcel]}, headers=key).raise_for_status()
    after = http.get(capture).json()["shipping_info"]
    sys.exit(len(after) != before + 1 or not parcel.items() <= after[-1].items())
"""


def test_a_client_that_reads_back_what_it_shipped_is_not_blamed(judged: Judged) -> None:
    result = judged([sys.executable, "-c", READS_BACK], "unknown", "shipped", flow="ship")
    assert (set(), 0) == (broken(result), result.exit_code)


@pytest.mark.parametrize(
    ("answer", "beginning"),
    [
        (Response((("Date", "today"), ("Location", "/a")), b"", 201), b"HTTP/1.1 201 Created\r\nDate:"),
        (Response((), b"{}", 200), b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{"),
    ],
)
def test_what_breaks_off_gives_no_part_of_a_location(answer: Response, beginning: bytes) -> None:
    assert beginning == begun(answer_bytes(answer, "POST", close=False))
