"""The client rules: a tidy client breaks none, and each slip is named by its own rule."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from orderproof.checks.conduct import Stream
from orderproof.checks.registry import Broken
from orderproof.exchange import ABSENT, Exchange, Request, Response
from orderproof.judge import registered

ORDER = "/ordermanagement/v1/orders/f3392f8b-6116-4073-ab96-e330819e2c07"
KEY, OTHER_KEY = "0b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11", "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
LINE = {
    "name": "Shirt",
    "quantity": 2,
    "unit_price": 500,
    "tax_rate": 2500,
    "total_amount": 1000,
    "total_tax_amount": 200,
}
BODY = {"captured_amount": 1000, "order_lines": [LINE]}


def sent(
    method: str = "POST",
    path: str = f"{ORDER}/captures",
    body: Any = ABSENT,
    *,
    content: bytes | None = None,
    key: str | None = KEY,
    status: int | None = 201,
    at: float = 0.0,
    facts: Iterable[str] = (),
    **headers: str,
) -> Exchange:
    """An exchange as a client makes it; headers by their name with underscores, empty to leave one out."""
    payload = content if content is not None else b"" if body is ABSENT else json.dumps(body).encode()
    values = {"Authorization": "Basic dXNlcjpwYXNz"}
    if key and method != "GET":
        values["Klarna-Idempotency-Key"] = key
    if payload:
        values["Content-Type"] = "application/json"
    values |= {name.replace("_", "-"): value for name, value in headers.items()}
    response = None if status is None else Response((), b"", status)
    request = Request(tuple((k, v) for k, v in values.items() if v), payload, method, path)
    return Exchange(1, request, response, at, at + 0.1, facts=frozenset(facts))


def broken(*exchanges: Exchange) -> set[str]:
    """The rules that a client breaks with the last of its requests."""
    stream = Stream()
    conducts = [stream.next(exchange) for exchange in exchanges]
    checks = [entry for entry in registered() if entry.view == "request"]
    return {entry.rule for entry in checks for mark in entry.judge(conducts[-1]) if isinstance(mark, Broken)}


@pytest.mark.parametrize(
    "exchanges",
    [
        [sent(body=BODY)],
        [sent("GET", ORDER, status=200)],
        [sent("POST", f"{ORDER}/cancel", status=204)],
        [sent("POST", f"{ORDER}/acknowledge", body={}, status=204)],
        [sent("PATCH", f"{ORDER}/merchant-references", {"merchant_reference1": "a"}, status=204)],
        [sent("GET", ORDER, Klarna_Idempotency_Key=KEY, status=200), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=None), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=503), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=429), sent(body=BODY, at=2.0)],
        [sent(body=BODY, status=201), sent(body=BODY, key=OTHER_KEY, at=0.2)],
        [
            sent(body=BODY, status=403),
            sent("PATCH", f"{ORDER}/authorization", {"order_amount": 2000}, key=OTHER_KEY, status=204),
            sent(body=BODY, key="9b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11"),
        ],
        # Two parcels that are alike, under way at once: each is tried again with its own key.
        [
            sent(body=BODY, status=503),
            sent(body=BODY, key=OTHER_KEY, status=503, at=0.05),
            sent(body=BODY, status=503, at=1.2),
            sent(body=BODY, key=OTHER_KEY, at=1.5),
        ],
        [sent(body=BODY, Content_Type='application/json; charset="utf-8"')],
        [sent("POST", "/checkout/v3/orders", {"any": 1.5}, key=None)],
        [sent(body=BODY, Authorization="", facts=["scrubbed"])],
    ],
)
def test_a_tidy_client_breaks_nothing(exchanges: list[Exchange]) -> None:
    assert set() == broken(*exchanges)


def line(**fields: Any) -> dict[str, Any]:
    return {"captured_amount": 1000, "order_lines": [{**LINE, **fields}]}


@pytest.mark.parametrize(
    ("rule", "exchanges"),
    [
        ("CLI-HTTP-1", [sent("GET", ORDER, facts=["framing:4 bytes after a GET that announces no body"])]),
        ("CLI-HTTP-1", [sent("GET", ORDER, Content_Type="json")]),
        ("CLI-PATH-1", [sent("DELETE", ORDER)]),
        ("CLI-PATH-1", [sent("GET", f"{ORDER}/capture")]),
        ("CLI-PATH-2", [sent("GET", f"{ORDER}/")]),
        ("CLI-PATH-2", [sent("GET", f"/{ORDER}")]),
        ("CLI-AUTH-1", [sent("GET", ORDER, Authorization="")]),
        ("CLI-AUTH-1", [sent("GET", ORDER, Authorization="Bearer abc")]),
        ("CLI-BODY-1", [sent(body={**BODY, "description": "d" * 256})]),
        ("CLI-BODY-1", [sent(body=BODY, Content_Type="text/plain")]),
        ("CLI-BODY-1", [sent(body=BODY, Content_Type="")]),
        ("CLI-BODY-1", [sent(content=b"captured_amount=1000")]),
        ("CLI-BODY-1", [sent()]),
        ("CLI-BODY-2", [sent(content=b'{"captured_amount": 1000.0}')]),
        ("CLI-BODY-2", [sent(body={"captured_amount": "1000"})]),
        ("CLI-BODY-2", [sent(body={"captured_amount": 10.5})]),
        ("CLI-BODY-3", [sent("GET", ORDER, body={"a": 1})]),
        ("CLI-BODY-3", [sent("POST", f"{ORDER}/cancel", body={"reason": "none"})]),
        ("CLI-BODY-4", [sent(body={**BODY, "shop": "mine"})]),
        ("CLI-LINE-1", [sent(body=line(unit_price=400))]),
        ("CLI-LINE-2", [sent(body=line(total_tax_amount=250))]),
        ("CLI-LINE-3", [sent(body={**BODY, "captured_amount": 999})]),
        ("CLI-IDM-1", [sent(body=BODY, key=None)]),
        ("CLI-IDM-2", [sent(body=BODY, key="order-1-capture-1")]),
        ("CLI-IDM-3", [sent(body=BODY), sent("POST", f"{ORDER}/refunds", {"refunded_amount": 1}, at=5.0)]),
        ("CLI-IDM-4", [sent(body=BODY, status=None), sent(body=BODY, key=OTHER_KEY, at=2.0)]),
        ("CLI-RETRY-1", [sent(body=BODY, status=403), sent(body=BODY, at=2.0)]),
        ("CLI-RETRY-2", [sent(body=BODY, status=503), sent(body=BODY, at=0.5)]),
        ("CLI-RETRY-2", [sent(body=BODY, status=503, at=2.0 * n) for n in range(5)]),
        ("CLI-SIZE-1", [sent(content=b" " * 1_048_576 + json.dumps({"captured_amount": 1}).encode())]),
        ("CLI-SIZE-1", [sent("GET", ORDER, **{f"X_{n}": "a" * 6_000 for n in range(4)})]),
        ("CLI-SIZE-1", [sent("GET", ORDER, User_Agent="a" * 6_140)]),
    ],
)
def test_each_slip_is_named_by_its_own_rule(rule: str, exchanges: list[Exchange]) -> None:
    assert {rule} == broken(*exchanges)


PACKED = gzip.compress(json.dumps(BODY).encode())


@pytest.mark.parametrize(
    "exchange",
    [
        pytest.param(sent(body=BODY, Expect="100-continue"), id="asks before it sends"),
        pytest.param(sent(body=BODY, Transfer_Encoding="chunked"), id="a body in chunks"),
        pytest.param(sent(body=BODY, Accept="*/*", User_Agent="curl/7.88.1"), id="takes anything"),
        pytest.param(sent(body=BODY, User_Agent="Guzzle/7 (x; y) Lib/1 OS/a_b"), id="a long user agent"),
        pytest.param(
            sent(body=BODY, Cookie="session=1", Connection="Upgrade, HTTP2-Settings"), id="cookies, h2c"
        ),
        pytest.param(
            sent(body=BODY, authorization="basic dXNlcjpwYXNz", Authorization=""), id="basic in small letters"
        ),
        pytest.param(
            sent(body=BODY, Authorization="Basic  dXNlcjpwYXNz"), id="two spaces in the credentials"
        ),
        pytest.param(sent(body=BODY, Content_Type="application/json;charset=UTF-8"), id="a charset"),
        pytest.param(
            sent(body=BODY, Content_Type="Application/JSON; charset=utf-8;"), id="media type in capitals"
        ),
        pytest.param(sent(content=json.dumps(BODY).encode() + b"\r\n"), id="a line end after the body"),
        pytest.param(sent(content=PACKED, Content_Encoding="gzip"), id="a packed body"),
        pytest.param(
            sent(body={**BODY, "description": "Bröd 🍞", "order_lines": [LINE]}), id="escaped letters"
        ),
        pytest.param(
            sent(content='{"captured_amount": 1, "description": "Bröd"}'.encode()), id="plain letters"
        ),
        pytest.param(
            sent("POST", f"{ORDER}/cancel", Content_Type="application/json", status=204), id="a type, no body"
        ),
        pytest.param(sent("POST", f"{ORDER}/cancel", Content_Length="0", status=204), id="a length of 0"),
        pytest.param(
            sent("POST", f"{ORDER}/cancel", body={}, status=204), id="an empty object where no body belongs"
        ),
        pytest.param(sent("GET", ORDER, body={}, status=200), id="an empty object with a GET"),
        pytest.param(sent("GET", ORDER, Content_Type="application/json", status=200), id="a type with a GET"),
        pytest.param(sent("GET", f"{ORDER}?", status=200), id="an empty query"),
        pytest.param(sent("GET", ORDER, User_Agent="a" * 6_130, status=200), id="a header of 6 KB"),
        pytest.param(
            sent(content=b" " * 1_048_500 + json.dumps({"captured_amount": 1}).encode()), id="a body of 1 MB"
        ),
        pytest.param(sent("GET", ORDER.replace("-", "%2D"), status=200), id="more encoded than needs be"),
        pytest.param(sent(body=BODY, key=KEY.upper()), id="a key in capitals"),
        pytest.param(sent(body={"captured_amount": 0}), id="an amount of 0"),
        pytest.param(sent(body=line(quantity=1.0, tax_rate=2500.0)), id="whole numbers that are no amounts"),
        pytest.param(sent(body={"captured_amount": 1, "order_lines": []}), id="an empty list of lines"),
        pytest.param(sent("HEAD", "/", key=None, status=200), id="a probe of another path"),
        pytest.param(sent("GET", "/checkout/v3/orders/f3392f8b", status=200), id="an order at the checkout"),
        pytest.param(
            sent("POST", "/checkout/v3/orders/f3392f8b/abort", key=None), id="an abort at the checkout"
        ),
        pytest.param(
            sent("POST", "/payments/v1/authorizations/1/order", key=None), id="an order of a payment"
        ),
        pytest.param(sent("OPTIONS", "*", key=None, status=200), id="a probe of the server"),
    ],
)
def test_what_http_stacks_do_is_no_breach(exchange: Exchange) -> None:
    assert set() == broken(exchange)


@pytest.mark.parametrize(
    ("exchange", "rule"),
    [
        pytest.param(sent(body={**BODY, "description": None}), "CLI-BODY-1", id="null for text"),
        pytest.param(sent(body={"captured_amount": None}), "CLI-BODY-1", id="null for an amount"),
        pytest.param(
            sent(body={"captured_amount": 1, "shipping_info": {}}), "CLI-BODY-1", id="{} for a list"
        ),
        pytest.param(
            sent(body={"captured_amount": 1, "order_lines": {"1": LINE}}), "CLI-BODY-1", id="a list with gaps"
        ),
        pytest.param(
            sent("PATCH", f"{ORDER}/customer-details", {"shipping_address": []}, status=400),
            "CLI-BODY-1",
            id="[] for {}",
        ),
        pytest.param(sent(body=[BODY]), "CLI-BODY-1", id="a list for an object"),
        pytest.param(
            sent(content=b"\xef\xbb\xbf" + json.dumps(BODY).encode()), "CLI-BODY-1", id="a byte order mark"
        ),
        pytest.param(sent(content=json.dumps(BODY).encode("utf-16")), "CLI-BODY-1", id="UTF-16"),
        pytest.param(
            sent(content='{"captured_amount": 1, "description": "Bröd"}'.encode("latin-1")),
            "CLI-BODY-1",
            id="Latin-1",
        ),
        pytest.param(sent(content=b'{"captured_amount": NaN}'), "CLI-BODY-1", id="NaN"),
        pytest.param(sent(content=PACKED), "CLI-BODY-1", id="packed, and not said so"),
        pytest.param(sent(content=b'{"captured_amount": 100.0}'), "CLI-BODY-2", id="100.0"),
        pytest.param(sent(content=b'{"captured_amount": 1e2}'), "CLI-BODY-2", id="1e2"),
        pytest.param(sent(body=line(unit_price=1000.0)), "CLI-BODY-2", id="a price of 1000.0"),
        pytest.param(sent(body=line(quantity="1")), "CLI-BODY-1", id="a quantity as text"),
        pytest.param(sent(body=line(tax_rate=25.5)), "CLI-BODY-1", id="a rate with a fraction"),
        pytest.param(
            sent(body={**BODY, "weights": [{"quantity": 1.0}]}), "CLI-BODY-4", id="1.0 in a field of its own"
        ),
        pytest.param(
            sent("POST", f"{ORDER}/cancel", content=b"[]", status=204), "CLI-BODY-3", id="[] for no body"
        ),
        pytest.param(
            sent("POST", f"{ORDER}/cancel", content=b"null", status=204), "CLI-BODY-3", id="null for no body"
        ),
        pytest.param(sent("HEAD", ORDER, status=200), "CLI-PATH-1", id="HEAD"),
        pytest.param(sent("OPTIONS", ORDER, key=None, status=200), "CLI-PATH-1", id="OPTIONS"),
        pytest.param(
            sent("PUT", f"{ORDER}/authorization", {"order_amount": 1}), "CLI-PATH-1", id="PUT for PATCH"
        ),
        pytest.param(sent("GET", f"/proxy{ORDER}"), "CLI-PATH-1", id="a path before the path"),
        pytest.param(sent("GET", ORDER.replace("rm", "r_m")), "CLI-PATH-1", id="another name of the API"),
        pytest.param(sent("POST", f"{ORDER[16:]}/cancel"), "CLI-PATH-1", id="no name of the API"),
        pytest.param(sent("GET", ORDER.replace("o", "O")), "CLI-PATH-1", id="a path in capitals"),
        pytest.param(sent("GET", f"{ORDER} "), "CLI-PATH-1", id="an id with a space in it"),
        pytest.param(
            sent("GET", ORDER, Authorization="Basic"), "CLI-AUTH-1", id="no credentials in the header"
        ),
        pytest.param(sent(body=BODY, key=f"{{{KEY}}}"), "CLI-IDM-2", id="a key in braces"),
        pytest.param(sent(body=BODY, key=KEY.replace("-", "")), "CLI-IDM-2", id="a key without dashes"),
        pytest.param(
            sent(body=BODY, key="6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "CLI-IDM-2", id="a key of version 1"
        ),
    ],
)
def test_what_encoders_do_wrong_is_named_by_its_own_rule(exchange: Exchange, rule: str) -> None:
    assert {rule} == broken(exchange)


def test_credentials_after_a_challenge_are_late_and_no_retry() -> None:
    bare = sent(body=BODY, status=401, Authorization="")
    assert {"CLI-AUTH-1"} == broken(bare)
    assert set() == broken(bare, sent(body=BODY, at=0.11))
    lost = sent(body=BODY, status=None, Authorization="", facts=["lost"])
    assert set() == broken(lost, sent(body=BODY, at=0.11))


@pytest.mark.parametrize(("status", "rules"), [(429, set()), (409, set()), (403, {"CLI-RETRY-1"})])
def test_a_new_key_after_a_refusal_is_no_retry_with_another_key(status: int, rules: set[str]) -> None:
    tries = [sent(body=BODY, status=status), sent(body=BODY, key=OTHER_KEY, at=2.0)]
    assert rules == broken(*tries)
    assert {"CLI-IDM-4"} | rules == broken(sent(body=BODY, status=503, at=-2.0), *tries)


def test_a_hasty_retry_shows_among_calls_that_are_alike() -> None:
    first, other = sent(body=BODY, status=503), sent(body=BODY, key=OTHER_KEY, at=0.15)
    assert {"CLI-RETRY-2"} == broken(first, other, sent(body=BODY, at=0.5))
    assert set() == broken(first, other, sent(body=BODY, at=1.2))


def test_the_same_credentials_again_after_401_are_a_retry() -> None:
    refused = sent(body=BODY, status=401)
    assert {"CLI-RETRY-1", "CLI-RETRY-2"} == broken(refused, sent(body=BODY, at=0.11))


@pytest.mark.parametrize(("pause", "rules"), [(0.75, set()), (0.6, {"CLI-RETRY-2"})])
def test_a_hang_up_may_be_noticed_late(pause: float, rules: set[str]) -> None:
    unanswered = replace(sent(body=BODY, status=None, facts=["lost"]), answered_at=1.5)
    assert rules == broken(unanswered, sent(body=BODY, at=1.5 + pause))
    assert {"CLI-RETRY-2"} == broken(sent(body=BODY, status=503), sent(body=BODY, at=0.1 + pause))


def test_a_try_that_the_client_gave_up_without_hanging_up_does_not_look_hasty() -> None:
    unanswered = replace(sent(body=BODY, status=None, facts=["lost"]), answered_at=8.0)
    assert set() == broken(unanswered, sent(body=BODY, at=6.0))
    assert {"CLI-RETRY-2"} == broken(unanswered, sent(body=BODY, at=0.5))


def test_a_long_stream_takes_no_longer_for_each_call() -> None:
    stream, started = Stream(), time.process_time()
    for number in range(4_000):
        path = f"{ORDER[:-12]}{number:012}/captures"
        stream.next(sent("POST", path, {"captured_amount": number}, key=str(number), at=float(number)))
    # A look at all that came before, with each of them, takes a minute.
    assert time.process_time() - started < 10


def test_a_retry_without_any_key_is_unsafe() -> None:
    tries = [sent(body=BODY, key=None, status=None), sent(body=BODY, key=None, at=2.0)]
    assert {"CLI-IDM-1", "CLI-RETRY-1"} == broken(*tries)


@pytest.mark.parametrize("value", ["Bearer very-secret-token", "very-secret-token", "very-secret"])
def test_a_wrong_credential_is_not_shown(value: str) -> None:
    stream = Stream()
    conduct = stream.next(sent("GET", ORDER, Authorization=value))
    check = next(entry for entry in registered() if entry.rule == "CLI-AUTH-1")
    assert not any("very-" in str(mark) for mark in check.judge(conduct))
