"""What the transport puts on the wire and what it makes of answers, against a server that answers as it is told."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from orderproof.exchange import Headers, Request
from orderproof.target import Target
from orderproof.transport import Delivery, Transport


@dataclass
class Listener:
    """A server on this machine: the request lines and headers that it got, and how it answers."""

    url: str = ""
    lines: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    extra: Headers = ()
    body: bytes = b"{}"


@pytest.fixture
def listener() -> Iterator[Listener]:
    told = Listener()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            told.lines.append(self.requestline)
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response_only(told.status)
            for name, value in (*told.extra, ("Content-Length", str(len(told.body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_CONNECT = answer

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield told
        server.shutdown()


def sent(base_url: str, method: str = "GET", *, times: int = 1, body: bytes = b"") -> Delivery:
    """Send a request to a server, perhaps several times over; returns what became of the last."""
    request = Request(headers=(("Accept", "*/*"),), body=body, method=method, target="/orders?a=%20b")
    with Transport(Target(base_url, "user", "password", timeout=5)) as transport:
        deliveries = [transport.send(request) for _ in range(times)]
    return deliveries[-1]


def test_what_goes_out_is_the_request_and_what_http_asks_for(listener: Listener) -> None:
    assert sent(f"{listener.url}/prefix").fault is None
    assert sent(listener.url, "POST", body=b"{}").fault is None
    assert sent(listener.url, "POST").fault is None

    host = listener.url.removeprefix("http://")
    assert [
        "GET /prefix/orders?a=%20b HTTP/1.1",
        "POST /orders?a=%20b HTTP/1.1",
        "POST /orders?a=%20b HTTP/1.1",
    ] == listener.lines
    assert [
        {"host": host, "accept": "*/*"},
        {"host": host, "accept": "*/*", "content-length": "2"},
        {"host": host, "accept": "*/*", "content-length": "0"},
    ] == listener.headers


def test_cookies_are_not_kept(listener: Listener) -> None:
    listener.extra = (("Set-Cookie", "session=1; Path=/"),)
    delivery = sent(listener.url, times=2)

    assert delivery.response is not None
    assert "session=1; Path=/" == delivery.response.header("set-cookie")
    assert ["cookie" in headers for headers in listener.headers] == [False, False]


@pytest.mark.parametrize("location", ["/elsewhere", "http://[no-address"])
def test_a_redirect_is_an_answer_wherever_it_points(listener: Listener, location: str) -> None:
    listener.status, listener.extra = 302, (("Location", location),)
    delivery = sent(listener.url)

    assert delivery.response is not None
    assert (302, location) == (delivery.response.status, delivery.response.header("location"))
    assert 1 == len(listener.lines)


def test_a_coded_body_is_decoded_and_one_that_cannot_be_is_a_fault(listener: Listener) -> None:
    listener.extra, listener.body = (("Content-Encoding", "gzip"),), gzip.compress(b'{"a": 1}')
    delivery = sent(listener.url)
    assert delivery.response is not None
    assert b'{"a": 1}' == delivery.response.body

    listener.body = b"no gzip"
    assert "no readable answer" in str(sent(listener.url).fault)


def test_a_server_elsewhere_is_reached_through_the_proxy_of_the_environment(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", listener.url.removeprefix("http://"))
    monkeypatch.setenv("no_proxy", "exempt.invalid")
    delivery = sent("http://orders.invalid")

    assert delivery.response is not None
    assert ["GET http://orders.invalid/orders?a=%20b HTTP/1.1"] == listener.lines
    assert "orders.invalid" == listener.headers[0]["host"]
    assert not sent("http://exempt.invalid").sent


def test_a_proxy_is_asked_for_a_tunnel_where_tls_is_spoken(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", listener.url)
    monkeypatch.delenv("no_proxy", raising=False)
    listener.status = 403  # a tunnel, and what comes through it, is the affair of the library
    delivery = sent("https://orders.invalid")

    assert (None, False) == (delivery.response, delivery.sent)
    assert "the proxy does not lead there (403 Forbidden)" == delivery.fault
    assert ["CONNECT orders.invalid:443 HTTP/1.1"] == listener.lines


def test_no_proxy_stands_between_us_and_this_machine(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    assert sent(listener.url).response is not None
