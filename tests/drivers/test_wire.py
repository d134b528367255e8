"""Answers as bytes on a socket."""

from __future__ import annotations

import socket

import pytest

from orderproof.drivers.wire import received

_FINAL = b"HTTP/1.1 201 Created\r\nCapture-Id: c\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "interim",
    [
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nCapture-Id: early\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\n" * 2,
    ],
)
def test_interim_answers_are_passed_over(interim: bytes) -> None:
    server, client = socket.socketpair()
    with server, client:
        server.sendall(interim + _FINAL)
        answer = received(client, "POST")
    assert (201, "c") == (answer.status, answer.header("capture-id"))
