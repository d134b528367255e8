"""The sandbox that judges: a page on its own port, safe against what clients send."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import Iterator
from html.parser import HTMLParser

import httpx
import pytest

from orderproof.catalogue import select
from orderproof.client.front import Heard
from orderproof.client.ledger import Ledger
from orderproof.client.stock import Stock
from orderproof.drivers.drafts import draft
from orderproof.exchange import Exchange, Request, Response

SANDBOX = [sys.executable, "-m", "orderproof", "sandbox", "--port", "0"]
KEY = "Klarna-Idempotency-Key"
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


@pytest.fixture
def served() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    words = [*SANDBOX, "--judge"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as child:
        assert child.stdout is not None
        yield child.stdout.readline().strip(), child
        child.send_signal(signal.SIGTERM)
        child.wait(20)


class Tags(HTMLParser):
    """The elements of a page, and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def captured(http: httpx.Client, body: object) -> str:
    """Create an order and capture something of it; returns the order id."""
    order_id = http.post("/customer-token/v1/tokens/sandbox/order", json=draft(1_000)).json()["order_id"]
    key = {"Klarna-Idempotency-Key": str(uuid.uuid4())}
    http.post(f"/ordermanagement/v1/orders/{order_id}/captures", json=body, headers=key)
    return str(order_id)


def test_the_page_shows_requests_orders_and_findings(served: tuple[str, subprocess.Popen[str]]) -> None:
    base_url, _ = served
    with httpx.Client(base_url=base_url, auth=("sandbox", "sandbox")) as http:
        order_id = captured(http, {"captured_amount": "400"})
        captured(http, {"captured_amount": 300})
        page = http.get("/_judge")
    assert 200 == page.status_code
    assert order_id in page.text
    assert "CLI-BODY-2" in page.text
    assert re.search(r"<td>PART_CAPTURED</td><td>1000</td><td>300</td>", page.text)
    assert 'http-equiv="refresh"' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_page_is_safe_against_markup(served: tuple[str, subprocess.Popen[str]]) -> None:
    base_url, _ = served
    with httpx.Client(base_url=base_url, auth=("sandbox", "sandbox")) as http:
        captured(http, {"captured_amount": MARKUP, MARKUP: MARKUP})
        http.post(f"/ordermanagement/v1/orders/{MARKUP}/captures", json={"captured_amount": 1})
        page = http.get("/_judge").text
    tags = Tags()
    tags.feed(page)
    assert not tags.names & {"script", "img"}
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert "&lt;script&gt;" in page


def test_the_page_is_not_given_under_another_name(served: tuple[str, subprocess.Popen[str]]) -> None:
    base_url, _ = served
    assert 421 == httpx.get(f"{base_url}/_judge", headers={"Host": "evil.example"}).status_code


def test_findings_are_told_as_they_happen(served: tuple[str, subprocess.Popen[str]]) -> None:
    base_url, child = served
    assert child.stdout is not None
    assert f"{base_url}/_judge" in child.stdout.readline()
    with httpx.Client(base_url=base_url, auth=("sandbox", "sandbox")) as http:
        captured(http, {"captured_amount": "400"})
    assert child.stdout.readline().startswith("× CLI-BODY-2  captureOrder:")


def test_a_sandbox_with_tls_has_a_certificate_of_its_own() -> None:
    with subprocess.Popen(
        [*SANDBOX, "--tls"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        base_url, certificate = child.stdout.readline().strip(), child.stdout.readline().split()[-1]
        with httpx.Client(
            verify=ssl.create_default_context(cafile=certificate), auth=("sandbox", "sandbox")
        ) as http:
            answer = http.post(f"{base_url}/customer-token/v1/tokens/sandbox/order", json=draft(1_000))
        child.send_signal(signal.SIGTERM)
        child.wait(20)
    assert base_url.startswith("https://localhost:")
    assert 200 == answer.status_code


def refused(number: int, at: float, key: str) -> Heard:
    """A capture that was refused."""
    headers = (("Authorization", "Basic YTpi"), ("Content-Type", "application/json"), (KEY, key))
    path = "/ordermanagement/v1/orders/f3392f8b-6116-4073-ab96-e330819e2c07/captures"
    request = Request(headers, b'{"captured_amount": 1}', "POST", path)
    return Heard(Exchange(number, request, Response((), b"", 403), at, at + 0.1), None)


@pytest.mark.parametrize(
    ("pause", "same_key", "rules"),
    [(60.0, False, set()), (60.0, True, {"CLI-RETRY-1"}), (2.0, False, {"CLI-RETRY-1"})],
)
def test_what_a_person_starts_again_is_no_retry(pause: float, same_key: bool, rules: set[str]) -> None:
    keys = [str(uuid.uuid4()), str(uuid.uuid4())]
    ledger = Ledger(select(["CLI-*"]), Stock("http://127.0.0.1:1", "a", "b"))
    ledger.hear(refused(1, 100.0, keys[0]))
    ledger.hear(refused(2, 100.0 + pause, keys[0] if same_key else keys[1]))
    assert rules == set(ledger.broken())
