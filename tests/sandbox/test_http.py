"""The wire: credentials, paths, methods, ids, headers, sizes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from uuid import uuid4

import jsonschema_rs
import pytest

from orderproof import spec
from tests.sandbox.client import Client, Reply, draft, unknown_order

Make = Callable[..., Client]

OPERATIONS = [
    (method.upper(), path)
    for path, item in spec.openapi()["paths"].items()
    for method in item
    if method in ("get", "post", "patch")
]


def filled(path: str, order: str = "", child: str = "") -> str:
    """Return a path template with ids."""
    order = order or str(uuid4())
    child = child or str(uuid4())
    values = {"order_id": order, "capture_id": child, "refund_id": child, "customerToken": "sandbox"}
    return path.format(**values)


def is_error(reply: Reply) -> bool:
    """Tell whether an answer has an error body."""
    body = reply.json
    return (
        reply.headers["content-type"] == "application/json"
        and isinstance(body["correlation_id"], str)
        and isinstance(body["error_code"], str)
        and all(isinstance(message, str) for message in body["error_messages"])
    )


def basic(pair: bytes, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(pair).decode()}"


WRONG = [
    None,
    "",
    "Basic",
    "Basic ",
    basic(b"sandbox:"),
    basic(b":sandbox"),
    basic(b"sandbox:wrong"),
    basic(b"wrong:sandbox"),
    basic(b"sandbox:sandbox", "Bearer"),
    "Basic \xff\xfe",
]


@pytest.mark.parametrize("authorization", WRONG)
def test_wrong_credentials_are_refused_before_anything_else(
    sandbox: Client, authorization: str | None
) -> None:
    order = sandbox.order()
    before = sandbox.get(order)
    requests = [(method, filled(path, order.rpartition("/")[2])) for method, path in OPERATIONS]
    for method, path in [*requests, ("GET", "/nowhere"), ("POST", "/_control/clock"), ("PUT", order)]:
        reply = sandbox.send(method, path, b"not json", authorization=authorization)
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Basic ")
        assert is_error(reply)
    assert sandbox.get(order) == before


@pytest.mark.parametrize(
    "authorization", [basic(b"sandbox:sandbox", "basic"), basic(b"sandbox:sandbox") + " "]
)
def test_credentials_are_read_as_the_standard_says(sandbox: Client, authorization: str) -> None:
    assert sandbox.send("GET", sandbox.order(), authorization=authorization).status == 200


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_operation_answers_as_documented(sandbox: Client, method: str, path: str) -> None:
    bodies = {
        "captures": {"captured_amount": 1},
        "refunds": {"refunded_amount": 1},
        "authorization": {"order_amount": 10000},
        "shipping-info": {"shipping_info": [{}]},
        "extend-due-date": {"number_of_days": 14},
        "order": draft(),
    }
    order = sandbox.order()
    capture = sandbox.capture(order, 10).rpartition("/")[2]
    child = sandbox.refund(order, 1).rpartition("/")[2] if "refund_id" in path else capture
    if path.endswith("/cancel"):
        order = sandbox.order()
    target = filled(path, order.rpartition("/")[2], child)
    reply = sandbox.send(method, target, bodies.get(path.rpartition("/")[2]) if method != "GET" else None)
    operation = spec.openapi()["paths"][path][method.lower()]
    documented = operation["responses"][str(reply.status)]

    assert 200 <= reply.status < 300
    for name in documented.get("headers", {}):
        assert name.lower() in reply.headers
    if "content" in documented:
        schema = documented["content"]["application/json"]["schema"]
        jsonschema_rs.validate({**schema, "components": spec.openapi()["components"]}, reply.json)
    else:
        assert reply.body == b""


@pytest.mark.parametrize(("method", "path"), [one for one in OPERATIONS if "order_id" in one[1]])
def test_unknown_and_malformed_order_ids(sandbox: Client, method: str, path: str) -> None:
    bodies = {
        "captures": {"captured_amount": 1},
        "refunds": {"refunded_amount": 1},
        "authorization": {"order_amount": 1},
        "shipping-info": {"shipping_info": [{}]},
        "extend-due-date": {"number_of_days": 1},
    }
    body = bodies.get(path.rpartition("/")[2]) if method != "GET" else None
    order_id = str(uuid4())
    unknown = sandbox.send(method, filled(path, order_id), body)
    assert (unknown.status, unknown.code) == (404, "NO_SUCH_ORDER")
    assert order_id in unknown.message
    for malformed in (
        "1",
        "null",
        order_id[:-1],
        order_id.replace("-", ""),
        "%00",
        "%2e%2e",
        "a%2Fb",
        "%C3%A9",
        "x" * 5000,
    ):
        reply = sandbox.send(method, filled(path, malformed), body)
        assert (reply.status, reply.code) == (400, "INVALID_ORDER_ID")
        assert is_error(reply)


def test_an_order_id_in_capitals_is_another_id(sandbox: Client) -> None:
    order = sandbox.order()
    start, _, order_id = order.rpartition("/")

    assert sandbox.send("GET", f"{start}/{order_id.upper()}").status == (
        404 if order_id.upper() != order_id else 200
    )
    assert sandbox.send("GET", f"{start}/%{ord(order_id[0]):x}{order_id[1:]}").status == 200


@pytest.mark.parametrize(
    "path", ["/", "", "/ordermanagement", "/ordermanagement/v2/orders/x", "/nowhere?x=1"]
)
def test_an_unknown_path_is_not_found(sandbox: Client, path: str) -> None:
    reply = sandbox.send("GET", path)

    assert (reply.status, reply.code) == (404, "NOT_FOUND")


def test_a_trailing_slash_is_another_path(sandbox: Client) -> None:
    assert sandbox.send("GET", f"{sandbox.order()}/").status == 404


def test_doubled_slashes_at_the_start_are_taken(sandbox: Client) -> None:
    order = sandbox.order()

    assert sandbox.send("GET", f"/{order}").status == 200
    assert sandbox.send("POST", f"/{order}/captures", {"captured_amount": 1}).status == 201
    assert sandbox.send("GET", "/ordermanagement/v1/orders//captures").status == 400


@pytest.mark.parametrize(
    ("tail", "allowed"), [("", "GET, HEAD"), ("/captures", "POST, GET, HEAD"), ("/cancel", "POST")]
)
def test_other_methods_are_not_allowed(sandbox: Client, tail: str, allowed: str) -> None:
    for method in ("PUT", "DELETE", "TRACE"):
        reply = sandbox.send(method, sandbox.order() + tail)
        assert (reply.status, reply.headers["allow"]) == (405, allowed)
        assert is_error(reply)


def test_head_is_get(sandbox: Client) -> None:
    order = sandbox.order()

    assert (
        sandbox.send("HEAD", order).headers["content-length"]
        == sandbox.send("GET", order).headers["content-length"]
    )


def test_every_answer_has_a_correlation_id_of_its_own(sandbox: Client) -> None:
    replies = [sandbox.send("GET", unknown_order()) for _ in range(3)] + [
        sandbox.send("GET", sandbox.order())
    ]
    ids = [reply.headers["klarna-correlation-id"] for reply in replies]

    assert len({*ids, *(reply.json["correlation_id"] for reply in replies[:3])}) == 7


@pytest.mark.parametrize(("size", "status"), [(1_000_000, 201), (1_000_001, 413), (2_500_000, 413)])
def test_bodies_end_at_one_megabyte(sandbox: Client, size: int, status: int) -> None:
    body = b'{"captured_amount": 1}'.ljust(size)
    order = sandbox.order()
    announced = sandbox.send("POST", f"{order}/captures", body, content_length=str(size))
    streamed = sandbox.send("POST", f"{order}/captures", body)

    assert announced.status == streamed.status == status


def test_a_client_that_goes_away_is_not_answered(sandbox: Client) -> None:
    order = sandbox.order()
    sent: list[object] = []

    async def send(message: object) -> None:
        sent.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    headers = [(b"authorization", basic(b"sandbox:sandbox").encode())]
    scope = {"method": "POST", "scheme": "http", "raw_path": f"{order}/captures".encode(), "headers": headers}
    asyncio.run(sandbox.app(scope, receive, send))

    assert sent == []
    assert sandbox.get(order)["captures"] == []


def test_calls_without_a_body_ignore_one(sandbox: Client) -> None:
    for tail in ("acknowledge", "extend-authorization-time", "cancel"):
        assert (
            sandbox.send("POST", f"{sandbox.order()}/{tail}", b"{not json", content_type="text/plain").status
            == 204
        )


@pytest.mark.parametrize("host", [None, "evil\u00e9", "a b", "example.com:80"])
def test_location_survives_any_host(sandbox: Client, host: str | None) -> None:
    reply = sandbox.send("POST", f"{sandbox.order()}/captures", {"captured_amount": 1}, host=host)

    assert reply.status == 201
    assert reply.headers["location"].startswith(
        f"http://{host if host == 'example.com:80' else 'localhost'}/"
    )


@pytest.mark.parametrize(
    "path", ["/customer-token/v1/tokens/{}/order", "/payments/v1/authorizations/{}/order"]
)
def test_orders_are_created_on_known_tokens(sandbox: Client, path: str) -> None:
    unknown = sandbox.send("POST", path.format("other"), draft())
    made = sandbox.send("POST", path.format("sandbox"), draft(auto_capture=True))
    order = sandbox.get(f"/ordermanagement/v1/orders/{made.json['order_id']}")

    assert unknown.status == 404
    assert is_error(unknown)
    assert made.json["fraud_status"] == "ACCEPTED"
    assert (order["status"], order["captured_amount"]) == ("CAPTURED", 10000)
    assert order["captures"][0]["order_lines"] == order["order_lines"]


def test_a_draft_is_validated(sandbox: Client) -> None:
    incomplete = draft()
    del incomplete["order_amount"]
    reply = sandbox.send("POST", "/customer-token/v1/tokens/sandbox/order", incomplete)

    assert reply.status == 400
    assert "order_amount" in reply.message


def test_addresses_of_a_draft_are_taken(sandbox: Client) -> None:
    billing = {"given_name": "Ada", "city": "Lund", "country": "SE"}
    order = sandbox.get(sandbox.order(billing_address=billing))

    assert order["shipping_address"] == order["billing_address"]
    assert {name: order["billing_address"][name] for name in billing} == billing


@pytest.mark.parametrize(("bare", "check"), [("empty", b""), ("text", b"possible")])
def test_errors_outside_the_contract_may_be_bare(sandbox_with: Make, bare: str, check: bytes) -> None:
    sandbox = sandbox_with(bare_errors=bare)
    reply = sandbox.send("PUT", sandbox.order())

    assert reply.status == 405
    assert check in reply.body
    assert reply.headers.get("content-type") == ("text/plain; charset=utf-8" if bare == "text" else None)
    assert is_error(sandbox.send("GET", unknown_order()))


def test_a_fault_of_the_sandbox_itself_is_a_500_with_an_error_body(
    sandbox: Client, caplog: pytest.LogCaptureFixture
) -> None:
    order = sandbox.order()
    sandbox.service.store.order = None  # type: ignore[method-assign, assignment]
    reply = sandbox.send("GET", order)

    assert (reply.status, reply.code) == (500, "INTERNAL_ERROR")
    assert "Traceback" not in reply.body.decode()
    assert "The sandbox itself failed" in caplog.text
