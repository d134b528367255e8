"""The sandbox as a process: starting, stopping, and what only shows on a socket."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from orderproof.sandbox.options import OptionError, Settings, open_from
from orderproof.sandbox.server import ServerError, background, listening, open_store
from orderproof.sandbox.store import StoreError
from tests.sandbox.client import OWN, draft


@pytest.fixture(scope="module")
def base_url() -> Generator[str]:
    """A sandbox in a process of its own."""
    with background(Settings()) as url:
        yield url


@pytest.fixture
def client(base_url: str) -> Generator[httpx.Client]:
    """A client of that sandbox."""
    with httpx.Client(base_url=base_url, auth=("sandbox", "sandbox"), timeout=10) as made:
        yield made


def new_order(client: httpx.Client, amount: int = 10000) -> str:
    made = client.post("/customer-token/v1/tokens/sandbox/order", json=draft(amount))
    return f"/ordermanagement/v1/orders/{made.json()['order_id']}"


def talk(base_url: str, data: bytes) -> bytes:
    """Send bytes on a fresh connection and return all that comes until the server closes it or falls silent."""
    parts = urlsplit(base_url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(data)
        received = connection.recv(65536)
        connection.settimeout(0.3)
        with contextlib.suppress(TimeoutError):
            while chunk := connection.recv(65536):
                received += chunk
        return received


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: {OWN}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def test_it_starts_fast_and_ends_with_its_block() -> None:
    started = time.perf_counter()
    with background(Settings()) as url:
        assert time.perf_counter() - started < 5
        assert httpx.get(url).status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_it_gets_its_settings(tmp_path: object) -> None:
    settings = Settings(
        "merchant", "s3cret", open=open_from({"location": "path"}), due_date_options=((7, 1),)
    )
    with background(settings) as url, httpx.Client(base_url=url, auth=("merchant", "s3cret")) as client:
        order = new_order(client)
        made = client.post(f"{order}/captures", json={"captured_amount": 1})
        options = client.get(f"{made.headers['location']}/extend-due-date-options").json()

    assert made.headers["location"].startswith("/ordermanagement/")
    assert options["options"] == [{"number_of_days": 7, "amount": 1}]


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 401
    except httpx.TransportError:
        return False


def test_it_dies_with_its_parent() -> None:
    parent = (
        "import time\nfrom orderproof.sandbox.options import Settings\n"
        "from orderproof.sandbox.server import background\n"
        "with background(Settings()) as url:\n    print(url, flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(url).status_code == 401
        process.kill()
    deadline = time.monotonic() + 5
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not answers(url)


def test_a_database_that_cannot_be_used_is_reported(
    tmp_path: object, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        pytest.raises(ServerError, match="there is no folder"),
        background(Settings(database=f"{tmp_path}/no/s.db")),
    ):
        pass
    assert "Traceback" not in capfd.readouterr().err


def test_a_database_whose_driver_is_missing_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "orderproof.sandbox.postgresql", raising=False)
    with pytest.raises(StoreError, match=r"pip install 'orderproof\[postgres\]'"):
        open_store(Settings(database="postgresql://127.0.0.1/x"))


def test_several_processes_need_a_database() -> None:
    with pytest.raises(OptionError, match="2 processes share no memory"), background(Settings(), processes=2):
        pass


def test_several_processes_serve_one_file(tmp_path: object) -> None:
    settings = Settings(database=f"{tmp_path}/s.db")
    with background(settings, processes=2) as url:
        with httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as client:
            order = new_order(client)
        for number in range(1, 7):  # each on a connection of its own, and so with either process
            with httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as client:
                assert client.post(f"{order}/captures", json={"captured_amount": 1}).status_code == 201
                assert client.get(order).json()["captured_amount"] == number
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_it_prints_one_line_and_stops_when_told(end: signal.Signals) -> None:
    program = "from orderproof.sandbox import options, server; server.run(options.Settings())"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as client:
            new_order(client)
            process.send_signal(end)
            rest, errors = process.communicate(timeout=5)

    assert url.startswith("http://127.0.0.1:")
    assert (rest, errors) == ("", "")


def test_a_port_in_use_is_one_clear_sentence() -> None:
    with (
        listening("127.0.0.1", 0) as listener,
        pytest.raises(ServerError, match=r"Cannot listen on 127\.0\.0\.1:\d+: .*--port"),
        listening("127.0.0.1", listener.getsockname()[1]),
    ):
        pass
    with pytest.raises(ServerError, match="99999"), listening("127.0.0.1", 99999):
        pass


def test_a_hundred_captures_at_once_of_which_fifty_fit(base_url: str, client: httpx.Client) -> None:
    order = new_order(client, 50)
    body = b'{"captured_amount": 1}'
    sent = request(
        "POST", f"{order}/captures", body, "Content-Type: application/json", f"Content-Length: {len(body)}"
    )
    barrier = threading.Barrier(100)

    def send(_: int) -> bytes:
        parts = urlsplit(base_url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
            connection.sendall(sent[:-1])
            barrier.wait()
            connection.sendall(sent[-1:])
            return connection.recv(65536)[9:12]

    with ThreadPoolExecutor(100) as pool:
        statuses = list(pool.map(send, range(100)))
    read = client.get(order).json()

    assert (statuses.count(b"201"), statuses.count(b"403")) == (50, 50)
    assert (len(read["captures"]), read["captured_amount"], read["status"]) == (50, 50, "CAPTURED")


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_that_is_too_large_is_refused_while_it_comes(client: httpx.Client, chunked: bool) -> None:
    order = new_order(client)
    content = (b" " * 65536 for _ in range(40)) if chunked else b" " * 2_621_440
    reply = client.post(f"{order}/captures", content=content, headers={"Content-Type": "application/json"})

    assert reply.status_code == 413
    assert client.get(order).status_code == 200


def test_an_endless_body_is_refused_without_being_kept(base_url: str, client: httpx.Client) -> None:
    head = request("POST", f"{new_order(client)}/captures", b"", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    received = talk(base_url, head + chunk * 20)

    assert received.startswith(b"HTTP/1.1 413 ")


def test_a_wish_for_another_protocol_is_overlooked(base_url: str, client: httpx.Client) -> None:
    order = new_order(client)
    body = b'{"captured_amount": 7, "description": "\\r\\nUpgrade: no header"}'
    asked = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
    framing = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    received = talk(base_url, request("POST", f"{order}/captures", body, *asked, *framing))

    assert received.startswith(b"HTTP/1.1 201 ")
    assert client.get(order).json()["captured_amount"] == 7


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        request("GET", "/\u00e9"),
        request("FROB", "/"),
        request("POST", "/", b"", "Content-Length: ten"),
        request("POST", "/_control/clock", b"not a chunk\r\n", "Transfer-Encoding: chunked"),
    ],
)
def test_what_is_not_http_gets_an_error_body(base_url: str, data: bytes) -> None:
    received = talk(base_url, data)
    head, _, body = received.partition(b"\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"connection: close" in head
    assert json.loads(body)["error_code"] == "BAD_VALUE"


def test_stray_bytes_after_a_request_do_not_cost_it_its_answer(base_url: str, client: httpx.Client) -> None:
    order = new_order(client)
    received = talk(base_url, request("GET", order, b'{"stray": 1}'))

    assert received.startswith(b"HTTP/1.1 200 ")
    assert b"connection: close" in received


def test_the_date_is_that_of_the_moved_clock() -> None:
    with background(Settings()) as url, httpx.Client(base_url=url, auth=("sandbox", "sandbox")) as client:
        before = client.get("/_control/clock")
        moved = client.post("/_control/clock", json={"advance_seconds": 86400 * 365})

    assert int(moved.headers["date"].split()[3]) - int(before.headers["date"].split()[3]) in (0, 1)
    assert moved.headers["date"] != before.headers["date"]
    assert moved.json()["now"][:4] >= str(int(before.json()["now"][:4]) + 1)
    assert len(before.headers.get_list("date")) == 1


def test_settings_never_stand_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    class Noted(subprocess.Popen[str]):
        def __init__(self, command: list[str], **options: Any) -> None:
            started.append(command)
            super().__init__(command, **options)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    settings = Settings(password="s3cret-word")
    with background(settings) as url, httpx.Client(base_url=url, auth=("sandbox", "s3cret-word")) as client:
        assert client.get("/_control/clock").status_code == 200

    assert len(started) == 1
    assert "s3cret-word" not in " ".join(started[0])
