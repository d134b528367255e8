"""A client that does everything right, and one slip at a time where SLIP names it. Written with httpx."""

from __future__ import annotations

import os
import socket
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

import httpx

SLIP = os.environ.get("SLIP", "")
FLOW = os.environ["ORDERPROOF_FLOW"]
ORDER = f"/ordermanagement/v1/orders/{os.environ['ORDERPROOF_ORDER_ID']}"
AMOUNT = int(os.environ.get("ORDERPROOF_AMOUNT", "0"))
KNOWN_LINE_TYPES = {"physical", "discount", "shipping_fee", "sales_tax", "digital", "gift_card"}
PAUSE, PATIENCE, TRIES = 1.05, 1.5, 4


class Refused(Exception):
    """The server said no, or nothing."""


def client() -> httpx.Client:
    pair = (os.environ["ORDERPROOF_USERNAME"], os.environ["ORDERPROOF_PASSWORD"])
    return httpx.Client(
        base_url=os.environ["ORDERPROOF_BASE_URL"],
        auth=None if SLIP == "no credentials" else pair,
        timeout=60 if SLIP == "patient" else PATIENCE,
    )


def headers(key: str, body: Any) -> dict[str, str]:
    found = {"Klarna-Idempotency-Key": key} if key else {}
    if body is not None:
        found["Content-Type"] = "text/plain" if SLIP == "no media type" else "application/json"
    if SLIP == "bad media type" and body is not None:
        found["Content-Type"] = "json"
    if SLIP == "large header":
        found["X-Trace"] = "x" * 7_000
    return found


def write(
    http: httpx.Client, method: str, path: str, body: Any = None, key: str | None = None
) -> httpx.Response:
    """Make a call, and try it again with the same key while the server says "not now"."""
    key = first_key() if key is None else key
    for number in range(TRIES + 3 if SLIP == "many retries" else TRIES):
        if number:
            time.sleep(0.1 if SLIP == "hasty retry" else PAUSE)
            key = str(uuid.uuid4()) if SLIP == "new key" else key
        try:
            answer = http.request(method, path + slash(), json=body, headers=headers(key, body))
        except httpx.TransportError:
            if not may_try_again(None, key):
                break
            continue
        if answer.status_code < 400 or not may_try_again(answer.status_code, key):
            return answer
    raise Refused("no answer")


def slash() -> str:
    return "/" if SLIP == "trailing slash" else ""


def first_key() -> str:
    if SLIP in ("no key", "blind retry"):
        return ""
    return "order-1" if SLIP == "plain key" else str(uuid.uuid4())


def may_try_again(status: int | None, key: str) -> bool:
    if SLIP == "stubborn":
        return True
    if not key and SLIP != "blind retry":
        return False
    return status is None or status in (409, 429) or status >= 500


def checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code >= 400 and SLIP != "blind to refusals":
        if SLIP == "crash on refusal":
            raise KeyError(answer.json()["message"])
        raise Refused(f"{answer.status_code} {answer.text[:100]}")
    return answer


def read(http: httpx.Client, path: str) -> Any:
    for number in range(3):
        try:
            return checked(http.get(path)).json()
        except httpx.TransportError:
            time.sleep(number)
    raise Refused("no answer")


def order(http: httpx.Client) -> Any:
    found = read(http, ORDER)
    if SLIP == "crash on news":
        assert all(line["type"] in KNOWN_LINE_TYPES for line in found["order_lines"]), "what type is this?"
    return found


def line(amount: Any) -> dict[str, Any]:
    tax = amount * 2500 // 12500 if isinstance(amount, int) else 0
    if SLIP == "tax on net":
        tax = amount * 2500 // 10000
    made = {"name": "Shirt", "quantity": 1, "unit_price": amount, "tax_rate": 2500, "total_amount": amount}
    made["total_tax_amount"] = tax
    if SLIP == "bad line":
        made["quantity"] = 2
    return made


def amount_sent() -> Any:
    if SLIP == "decimals":
        return AMOUNT + 0.5
    if SLIP == "major units":
        return float(AMOUNT)
    return str(AMOUNT) if SLIP == "strings" else AMOUNT


def capture(http: httpx.Client, key: str | None = None, parcel: str = "") -> None:
    body: dict[str, Any] = {"captured_amount": amount_sent(), "order_lines": [line(AMOUNT)]}
    if SLIP == "one key for parcels":
        body["description"] = f"parcel {parcel}"
    if SLIP == "":
        read_line = order(http)["order_lines"][0]
        body["order_lines"] = [{**read_line, **line(AMOUNT)}]
    if SLIP == "wrong sum":
        body["order_lines"].append(line(1))
    if SLIP == "unknown field":
        body["shop_version"] = "1.0"
    if SLIP == "broken schema":
        del body["order_lines"][0]["name"]
    answer = checked(write(http, "POST", f"{ORDER}/captures", body, key))
    if answer.status_code >= 400:
        return
    if SLIP == "wants a body" and not answer.content:
        raise Refused("an answer without a body")
    location = answer.headers["location"]
    if SLIP == "letter case":
        location = {name.decode(): value.decode() for name, value in answer.headers.raw}["Location"]
    if SLIP == "leak" and location.startswith("http"):
        httpx.get(location, auth=http.auth, timeout=PATIENCE)
    elif SLIP == "absolute alone" and not location.startswith("http"):
        raise Refused(f"{location} is no URL")
    elif urlsplit(location).netloc in ("", urlsplit(str(http.base_url)).netloc):
        assert read(http, urlsplit(location).path)["captured_amount"] == AMOUNT


def capture_twice(http: httpx.Client) -> None:
    key = str(uuid.uuid4())
    for parcel in ("1", "2"):
        capture(http, key if SLIP in ("shared key", "one key for parcels") else None, parcel)


def cancel(http: httpx.Client) -> None:
    action = "acknowledge" if SLIP == "wrong call" else "cancel"
    checked(
        write(http, "POST", f"{ORDER}/{action}", {"reason": "none"} if SLIP == "body for nothing" else None)
    )


def extend(http: httpx.Client) -> None:
    action = "cancel" if SLIP == "wrong call" else "extend-authorization-time"
    checked(write(http, "POST", f"{ORDER}/{action}"))


def refund(http: httpx.Client) -> None:
    body = {"refunded_amount": AMOUNT, "order_lines": [line(AMOUNT)]}
    checked(write(http, "POST", f"{ORDER}/refunds", body))


def reference(http: httpx.Client) -> None:
    body = {"merchant_reference1": os.environ["ORDERPROOF_REFERENCE"]}
    checked(write(http, "PATCH", f"{ORDER}/merchant-references", body))


def by_hand(http: httpx.Client) -> None:
    """A GET that is followed by bytes which nothing announces."""
    base = urlsplit(str(http.base_url))
    request = http.build_request("GET", ORDER)
    signed = next(http.auth.sync_auth_flow(request)) if http.auth else request
    head = f"GET {ORDER} HTTP/1.1\r\nHost: {base.netloc}\r\nAuthorization: {signed.headers['authorization']}\r\n\r\n"
    with socket.create_connection((base.hostname or "", base.port or 80)) as connection:
        connection.sendall(head.encode() + b'{"order": 1}')
        connection.recv(65_536)


FLOWS = {
    "read": order,
    "capture-part": capture,
    "capture-twice": capture_twice,
    "cancel": cancel,
    "extend": extend,
    "refund": refund,
    "references": reference,
}


def main() -> int:
    with client() as http:
        try:
            if SLIP == "stray bytes":
                by_hand(http)
            if SLIP == "body on get":
                http.request("GET", ORDER, json={"order": 1})
            if SLIP == "wrong path":
                http.get(ORDER.replace("orders", "order"))
            if FLOW != "read":
                order(http)
            FLOWS[FLOW](http)
        except Refused as refusal:
            print(f"not done: {refusal}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
