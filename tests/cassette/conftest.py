"""A sandbox for the tests of this folder, and cassettes as plain data that a test can change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderproof import cassettes
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.target import SANDBOX_CLOCK, Target

Cassette = dict[str, Any]
ORDER_ID = "0b1cabcf-c50d-4c73-b9b3-d11e9b8e9a31"
CAPTURE_ID = "5c6f9c2e-29a4-4a4e-9b77-3f1d1d6f0b0e"
REFUND_ID = "8f1f4a34-6f0b-44d3-9a53-0a6d1c7d9b11"
HOST = "https://api.playground.example"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Target]:
    """A target: the sandbox, in a process of its own."""
    with background(Settings()) as base_url:
        yield Target(base_url, "sandbox", "sandbox", clock=SANDBOX_CLOCK)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes data as a recording, YAML or (given a name that ends in .har) JSON, and returns its path."""

    def written(data: Any, name: str = "recording.yaml") -> Path:
        path = tmp_path / name
        text = yaml.safe_dump(data) if name.endswith("yaml") else json.dumps(data)
        path.write_text(text if not isinstance(data, str) else data, encoding="utf-8")
        return path

    return written


def loaded(name: str) -> Cassette:
    """A cassette of the shelf as plain data."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data: Cassette = yaml.load(cassettes.path(name).read_text(encoding="utf-8"), loader)
    return data


def body_of(interaction: Mapping[str, Any]) -> Any:
    """The JSON value of a response body."""
    return json.loads(interaction["response"]["body"]["string"])


def set_body(interaction: Mapping[str, Any], value: Any) -> None:
    """Replace a response body."""
    interaction["response"]["body"]["string"] = json.dumps(value)


def an_order(**fields: Any) -> dict[str, Any]:
    """An order as the recorded service shows one, with invented ids."""
    return {
        "order_id": ORDER_ID,
        "status": "AUTHORIZED",
        "fraud_status": "ACCEPTED",
        "order_amount": 9900,
        "original_order_amount": 9900,
        "captured_amount": 0,
        "refunded_amount": 0,
        "remaining_authorized_amount": 9900,
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_lines": [_LINE],
        "klarna_reference": "AB12CD34",
        "customer": {"date_of_birth": "1980-01-01", "type": "person"},
        "billing_address": {"given_name": "Test", "title": "", "postal_code": "12345", "country": "SE"},
        "shipping_address": {"given_name": "Test", "title": "", "postal_code": "12345", "country": "SE"},
        "created_at": "2020-09-29T14:39:58.000Z",
        "purchase_country": "SE",
        "expires_at": "2020-11-10T00:00:00.000Z",
        "captures": [],
        "refunds": [],
        "initial_payment_method": {"type": "INVOICE"},
        **fields,
    }


_LINE = {
    "reference": "1",
    "type": "digital",
    "quantity": 1,
    "quantity_unit": "",
    "name": "Report",
    "total_amount": 9900,
    "unit_price": 9900,
    "total_discount_amount": 0,
    "tax_rate": 2500,
    "total_tax_amount": 1980,
}


def a_capture(**fields: Any) -> dict[str, Any]:
    """A capture as the recorded service shows one."""
    return {
        "capture_id": CAPTURE_ID,
        "klarna_reference": "AB12CD34-1",
        "captured_amount": 9900,
        "captured_at": "2020-09-30T20:10:00.000Z",
        "refunded_amount": 0,
        "shipping_info": [],
        **fields,
    }


def ruby(
    method: str, path: str, status: int, second: int, body: Any = None, **headers: str
) -> dict[str, Any]:
    """An interaction as the Ruby library writes it: lower-case method, encodings, no credentials, whole seconds."""
    date = f"Wed, 30 Sep 2020 20:14:{second:02d} GMT"
    typed = {"Content-Type": ["application/json"]} if body is not None else {}
    return {
        "request": {
            "method": method,
            "uri": f"{HOST}/ordermanagement/v1/orders/{ORDER_ID}{path}",
            "body": {"encoding": "UTF-8", "string": ""},
            "headers": {"User-Agent": ["Faraday v0.9.2"], "Content-Type": ["application/json"]},
        },
        "response": {
            "status": {"code": status, "message": "whatever"},
            "headers": {"Date": [date], **typed, **{name: [value] for name, value in headers.items()}},
            "body": {"encoding": "UTF-8", "string": "" if body is None else json.dumps(body)},
        },
        "recorded_at": date,
    }


def interaction(method: str, path: str, status: int, body: Any = None, sent: Any = None) -> dict[str, Any]:
    """An interaction as vcrpy writes it."""
    return {
        "request": {
            "method": method,
            "uri": f"{HOST}/ordermanagement/v1/orders/{ORDER_ID}{path}",
            "body": None if sent is None else json.dumps(sent),
            "headers": {"Authorization": ["Basic c2VjcmV0"], "Content-Type": ["application/json"]},
        },
        "response": {
            "status": {"code": status, "message": ""},
            "headers": {"Content-Type": ["application/json"]} if body is not None else {},
            "body": {"string": "" if body is None else json.dumps(body)},
        },
    }
