"""Lost answers: where the connection is cut, what the server saw of it, and what the repeat may do."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from orderproof.drivers.losses import Loss, losses, scenarios
from orderproof.drivers.ordinary import writes
from orderproof.drivers.proxy import Fate, Proxy, lose
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.exchange import Request
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport, tls_context
from tests.drivers.playing import judged
from tests.drivers.secure import made_certificate, serve_over_tls
from tests.gallery.books import Task
from tests.gallery.server import Fake
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE
from tests.gallery.wire import Answer, Call, Conversation, Gateway


def all_of(what: str = "") -> list[Scenario]:
    return [Scenario(loss.name, loss.play) for loss in losses() if loss.what.startswith(what)]


@pytest.mark.parametrize("name", ["core", "busy-keys", "busy-orders", "throttled", "no-due-dates"])
def test_correct_servers_are_left_alone(name: str) -> None:
    judge, history = judged(name, all_of()[:: 1 if name == "core" else 5])
    assert [] == judge.findings
    assert judge.exercised["IDM-7"] > 20
    assert {"lost", "cut"} == {fact for exchange in history for fact in exchange.facts}


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("keys-ignored", "captureOrder"),
        ("keys-ignored", "refundOrder"),
        ("keys-ignored", "appendOrderShippingInfo"),
        ("capture-shipping-keys-ignored", "appendShippingInfo"),
        ("due-date-keys-ignored", "extendDueDate"),
        ("keys-per-connection", "captureOrder"),
        ("keys-kept-late", "refundOrder"),
        ("read-forgets-keys", "captureOrder"),
    ],
)
def test_a_second_effect_is_found(name: str, what: str) -> None:
    judge, _ = judged(name, all_of(what))
    assert {"IDM-7"} == {finding.rule for finding in judge.findings if finding.follows is None}


class Observing(Fake):
    """Keeps the calls that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Call] = []

    def answer(self, call: Call) -> Answer:
        self.seen.append(call)
        return super().answer(call)


@contextmanager
def serving(fake: Fake) -> Iterator[Target]:
    with Gateway(fake) as gateway:
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield Target(f"{gateway.base_url}/somewhere", *CREDENTIALS, timeout=2.0)
        gateway.shutdown()
        thread.join(5)


class KeysOfTheTold(Fake):
    """Remembers a key only when its caller is still there to be told the answer."""

    connections: ClassVar[dict[str, socket.socket]] = {}
    caller = threading.local()

    def write(self, task: Task) -> Answer:
        time.sleep(0.2)  # time for the caller to hang up
        self.caller.gone = self.is_gone(self.connections[task.call.peer])
        if not self.caller.gone:
            time.sleep(0.5)  # a repeat comes second, however busy the machine is
        return super().write(task)

    def remembers(self, answer: Answer) -> bool:
        return not self.caller.gone and super().remembers(answer)

    @staticmethod
    def is_gone(connection: socket.socket) -> bool:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""


class Introducing(Conversation):
    """Tells the server which connection a call came on."""

    def handle(self) -> None:
        KeysOfTheTold.connections[self.client_address[0] + f":{self.client_address[1]}"] = self.connection
        super().handle()


@pytest.mark.parametrize(("fate", "expected"), [(Fate.HANG_UP, {"IDM-7"}), (Fate.AFTER, set())])
def test_a_server_that_minds_who_hangs_up_is_found(fate: Fate, expected: set[str]) -> None:
    judge = Judge()
    with Gateway(KeysOfTheTold()) as gateway:
        gateway.RequestHandlerClass = Introducing
        thread = threading.Thread(target=gateway.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        target = Target(gateway.base_url, *CREDENTIALS, orders=ORDERS_SOURCE)
        with Transport(target) as transport:
            session = Session(transport, target, supply_from(target.orders), judge.observe, judge.state)
            Loss("captureOrder", fate, looks=False).play(Stage(session, "a loss"))
        gateway.shutdown()
        thread.join(5)
    assert expected == {finding.rule for finding in judge.findings if finding.follows is None}


REQUEST = Request((("X-Asked", "yes"),), b'{"a": 1}', "POST", "/ordermanagement/v1/orders/1/captures")


@pytest.mark.parametrize("fate", Fate)
def test_the_server_has_the_request_or_has_not(fate: Fate) -> None:
    fake = Observing()
    with serving(fake) as target:
        delivery = lose(target, REQUEST, fate)
        until = time.monotonic() + 2
        while fate is not Fate.BEFORE and not fake.seen and time.monotonic() < until:
            time.sleep(0.005)
    assert delivery.response is None
    assert delivery.sent is (fate is not Fate.BEFORE)
    assert str(delivery.fault).endswith(fate.value)
    assert (fate is not Fate.BEFORE) == len(fake.seen)


def test_the_request_arrives_as_it_was_sent() -> None:
    fake = Observing()
    with serving(fake) as target:
        lose(target, REQUEST, Fate.AFTER)
        host = target.base_url.split("/")[2]
    [call] = fake.seen
    assert ("POST", f"/somewhere{REQUEST.target}", REQUEST.body) == (call.method, call.path, call.body)
    assert (host, "yes") == (call.header("host"), call.header("x-asked"))


def test_the_host_of_the_target_stands_in_place_of_ours() -> None:
    fake = Observing()
    with serving(fake) as target:
        with Proxy(target, Fate.AFTER) as proxy, socket.create_connection(proxy.address) as client:
            client.sendall(b"GET /somewhere HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
            assert b"" == client.recv(100)
        assert [target.base_url.split("/")[2]] == [call.header("host") for call in fake.seen]


def test_an_answer_in_the_middle_is_begun() -> None:
    with (
        serving(Fake()) as target,
        Proxy(target, Fate.MIDDLE) as proxy,
        socket.create_connection(proxy.address) as client,
    ):
        client.sendall(b"GET /nowhere HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 401")
    length = int(received.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or b"1000")
    assert len(received.partition(b"\r\n\r\n")[2]) < length


def test_a_target_behind_tls_has_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, fake = made_certificate(tmp_path), Observing()
    with serve_over_tls(fake, certificate) as target:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))
        tls_context.cache_clear()
        lose(target, REQUEST, Fate.MIDDLE)
        tls_context.cache_clear()
        host = target.base_url.split("/")[2]
    assert [(host, REQUEST.body)] == [(call.header("host"), call.body) for call in fake.seen]


def test_a_target_that_is_gone_loses_the_answer_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert (
        lose(Target(f"http://127.0.0.1:{port}", "u", "p", timeout=1.0), REQUEST, Fate.AFTER).response is None
    )


def test_every_write_is_lost_in_every_way() -> None:
    ways = {(loss.what, loss.fate) for loss in losses() if loss.key}
    assert {(name, fate) for name in writes() for fate in Fate} <= ways


def test_quick_takes_another_slice_with_each_seed() -> None:
    slices = [scenarios("quick", Random(seed)) for seed in range(2)]
    names = [[scenario.name for scenario in chosen] for chosen, _ in slices]
    assert names[0] != names[1]
    for name in writes():
        assert any(one.startswith(f"{name}:") for one in names[0])
    assert f"lost answers: {len(names[0])} of {len(losses())} ways" == slices[0][1]
    assert "" == scenarios("standard", Random(0))[1]


@pytest.mark.parametrize("seed", range(12))
def test_any_slice_hangs_up_on_a_call_whose_effects_add_up(seed: int) -> None:
    chosen, _ = scenarios("quick", Random(seed))
    names = {scenario.name.partition(",")[0] for scenario in chosen}
    adding = ("captureOrder", "refundOrder", "appendOrderShippingInfo")
    assert names & {f"{name}: {Fate.HANG_UP.value}" for name in adding}
