"""What arrives on a connection: every byte that belongs to no request is seen and said."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from orderproof.client.arriving import Arrival, Arrivals, OtherProtocol

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"


def arrivals(*parts: bytes) -> list[Arrival]:
    """The requests that a connection brings on which these bytes are sent, and which is then closed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for part in parts:
            theirs.sendall(part)
        theirs.shutdown(socket.SHUT_WR)
        reader, found = Arrivals(ours), []
        while (arrival := reader.next()) is not None:
            found.append(arrival)
            if arrival.last:
                break
    return found


@pytest.mark.parametrize(
    "content",
    [
        GET,
        GET + GET,
        b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}" + GET,
        b"POST /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + GET,
        b"GET /a HTTP/1.0\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\r\n" + GET,
        b"POST /a HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n1;x=y\r\n{\r\n1\r\n}\r\n0\r\nX-Sum: 1\r\n\r\n"
        + GET,
        b"GET http://127.0.0.1:1/a HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Keep-Alive\r\n\r\n",
        b"GET /a HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAE\r\n\r\n",
        b"POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n{}\n",
        b"HEAD /a HTTP/1.1\r\nAccept:\r\n\r\n" + GET,
    ],
)
def test_well_framed_requests_have_no_fault(content: bytes) -> None:
    found = arrivals(content)
    assert [()] * len(found) == [arrival.faults for arrival in found]
    assert all(arrival.whole and arrival.request.path == "/a" for arrival in found)
    assert content.count(b"/a HTTP") == len(found)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (GET + b'{"a": 1}', "8 bytes after a GET that announces no body: '{\"a\": 1}'"),
        (GET + b"\r\n", "2 bytes after a GET"),
        (b"POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}}", "1 bytes after its announced body: '}'"),
        (b"POST /a HTTP/1.1\r\n\r\n{}", "2 bytes after a POST that announces no body"),
        (b"\r\n" + GET, "an empty line before the request"),
        (b"GET /a HTTP/1.1\nHost: x\n\n", "a line that ends with a bare line feed"),
        (b"GET /a HTTP/1.1\r\nHost\r\n\r\n", "a header line that is none: 'Host'"),
        (b"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", "a header line that is none"),
        (b"POST /a HTTP/1.1\r\nContent-Length: two\r\n\r\n", "a Content-Length that is none: two"),
        (b"POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}", "a body that ends after 2 of 9 bytes"),
        (
            b"POST /a HTTP/1.1\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "both a Content-Length and a Transfer-Encoding",
        ),
        (b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "a chunked body that is not whole"),
        (b"hello\r\n\r\n", "bytes that are no request line: 'hello"),
        (b"GET /a b HTTP/1.1\r\n\r\n", "bytes that are no request line"),
        (b"{}", "bytes that are no whole request: '{}'"),
    ],
)
def test_what_is_badly_framed_is_said(content: bytes, fault: str) -> None:
    faults = [fault for arrival in arrivals(content) for fault in arrival.faults]
    assert any(found.startswith(fault) for found in faults), faults


def test_a_host_further_on_in_a_target_stays() -> None:
    arrival = arrivals(b"GET /http://127.0.0.1:1/a?b=http://c/d HTTP/1.1\r\nHost: x\r\n\r\n")[0]
    assert "/http://127.0.0.1:1/a?b=http://c/d" == arrival.request.target


def test_credentials_in_what_cannot_be_read_are_not_shown() -> None:
    arrival = arrivals(b"GET /a b HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\nHost: x\r\n\r\n")[0]
    assert b"GET /a b HTTP/1.1\r\nAuthorization: REDACTED\r\nHost: x\r\n\r\n" == arrival.request.body
    short = arrivals(b"GET /\xc3 /\r\nauthorization:c2VjcmV0\r\n\r\n")[0]
    assert not [fault for fault in short.faults if "c2Vj" in fault]


def test_a_header_over_two_lines_keeps_its_line_break() -> None:
    arrival = arrivals(b"GET /a HTTP/1.1\r\nX-Note: one\r\n two\r\n\r\n")[0]
    assert "one\r\n two" == arrival.request.header("x-note")


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")
        arrival = Arrivals(ours).next()
        assert arrival is not None
        assert b"{}" == arrival.request.body
        assert theirs.recv(100).startswith(b"HTTP/1.1 100 Continue")


def test_a_client_that_speaks_another_version_is_not_taken_for_a_broken_one() -> None:
    with pytest.raises(OtherProtocol, match="HTTP/2"):
        arrivals(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")


def test_a_request_that_comes_in_pieces_is_whole() -> None:
    ours, theirs = socket.socketpair()
    pieces = (b"POST /a HT", b"TP/1.1\r\nContent-Le", b"ngth: 12\r\n\r", b"\n", b'{"amount": ', b"}")

    def send() -> None:
        for piece in pieces:
            time.sleep(0.02)
            theirs.sendall(piece)

    with ours, theirs:
        sender = threading.Thread(target=send)
        sender.start()
        arrival = Arrivals(ours).next()
        sender.join()
    assert arrival is not None
    assert ((), b'{"amount": }') == (arrival.faults, arrival.request.body)


def test_a_client_that_hangs_up_is_noticed_at_once() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        reader = Arrivals(ours)
        assert not reader.has_hung_up(0.05)
        theirs.close()
        started = time.monotonic()
        assert reader.has_hung_up(5)
        assert time.monotonic() - started < 1
