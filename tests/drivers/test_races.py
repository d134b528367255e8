"""Races find what goes wrong only between calls, name the rule, and leave correct servers alone."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from orderproof.checks.findings import Finding
from orderproof.drivers import races
from orderproof.drivers.commands import Command, Sequence, command_from, command_record
from orderproof.drivers.drafts import draft
from orderproof.drivers.reruns import breaks, repeated
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.volley import volley
from orderproof.exchange import Request
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport, tls_context
from tests.drivers.playing import broken, judged
from tests.drivers.secure import made_certificate, serve_over_tls
from tests.gallery.books import Order
from tests.gallery.catalogue import find
from tests.gallery.server import Fake
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here

GUILTY = {
    "captures-race": ("captures that do not all fit", "CON-1"),
    "refunds-race": ("refunds that do not all fit", "CON-2"),
    "cancel-races-capture": ("cancel against captures", "CON-3"),
    "capture-races-cancel": ("cancel against captures", "CON-3"),
    "release-races-capture": ("release against captures", "CON-4"),
    "update-races-capture": ("a decrease against captures", "CON-4"),
    "captures-overwrite": ("captures that all fit", "CON-4"),
    "refunds-overwrite": ("refunds that all fit", "CON-4"),
    "references-overwrite": ("different references", "CON-4"),
    "parcels-overwrite": ("shipping info for the order", "CON-4"),
    "addresses-overwrite": ("fields of the address", "CON-4"),
    "keys-race": ("captures with one key", "IDM-5"),
    "answers-in-flight": ("captures with one key", "IDM-5"),
    "torn-capture": ("readings during captures", "CON-5"),
    "torn-refund": ("readings during refunds", "CON-5"),
    "conflict-but-done": ("captures that all fit", "CON-4"),
    "busy-fails": ("captures that all fit", "GEN-ERR-3"),
    "neighbours-mixed": ("captures that all fit", "CON-4"),
}
"""Servers that are wrong under load: the race that shows it, and the rule to be named."""


def rounds(race: str, profile: str = "standard") -> list[Scenario]:
    return [scenario for scenario in races.scenarios(profile) if race in scenario.name]


@pytest.mark.parametrize("name", GUILTY)
def test_the_right_rule_is_named(name: str) -> None:
    race, rule = GUILTY[name]
    judge, _ = judged(name, rounds(race))
    assert rule in broken(judge)
    assert {rule} == {finding.rule for finding in judge.findings if finding.follows is None}


@pytest.mark.parametrize(
    "name", ["core", "busy-orders", "busy-keys", "throttled", "old-protocol", "booked-late"]
)
def test_correct_servers_are_left_alone(name: str) -> None:
    judge, history = judged(name, races.scenarios("quick"))
    assert [] == judge.findings
    assert {} == judge.errors
    assert len({exchange.group for exchange in history}) > 50


def first(judge: Judge, rule: str) -> Finding:
    return next(finding for finding in judge.findings if finding.rule == rule)


def test_as_few_calls_are_told_as_cannot_be_explained() -> None:
    judge, _ = judged("captures-race", rounds("captures that do not all fit")[2:3])
    finding = first(judge, "CON-1")
    ten = sum(exchange.group is not None for exchange in finding.trail)
    assert 10 == ten
    assert finding.actual.count("captureOrder") < ten
    assert "captures that come to at most 10000, what remained before" == finding.expected


def test_a_lost_update_is_told_with_the_reading_that_shows_it() -> None:
    judge, _ = judged("references-overwrite", rounds("different references"))
    finding = first(judge, "CON-4")
    assert "updateMerchantReferences" in finding.actual
    assert "and then it reads merchant_reference" in finding.actual


def test_a_fault_of_one_call_is_no_fault_of_calls_at_once() -> None:
    """A server that takes too much from one call at a time does so from many: that follows."""

    def one_after_the_other(stage: Stage) -> None:
        stage.obtain(draft(100))
        for _ in range(2):
            stage.perform(Command("captureOrder", body={"captured_amount": 60}))

    alone = Scenario("alone", one_after_the_other)
    judge, _ = judged("part-captured-unchecked", [alone, *rounds("captures that do not all fit")])
    assert {"CAP-5", "CON-1"} <= broken(judge)
    assert {"CAP-5"} == {finding.rule for finding in judge.findings if finding.follows is None}


@contextmanager
def session_with(server: type[Fake]) -> Iterator[tuple[Session, Judge]]:
    with serve_here(server) as url:
        target = Target(url, *CREDENTIALS, orders=ORDERS_SOURCE)
        judge = Judge()
        with Transport(target) as transport:
            session = Session(transport, target, supply_from(target.orders), judge.observe, judge.state)
            session.observe_group = judge.observe_group
            yield session, judge


class CapturesOfEveryOther(Fake):
    """Takes every capture of every other order."""

    def remaining(self, order: Order) -> int:
        odd = list(self.orders).index(order.id) % 2
        return super().remaining(order) if odd else max(super().remaining(order), 6000)


CAPTURE = Command("captureOrder", body={"captured_amount": 6000}, group=1)
TWICE = Sequence((draft(10_000),), (CAPTURE, CAPTURE))


def test_a_saved_race_is_released_together_again() -> None:
    saved = [command_from(command_record(command)) for command in TWICE.commands]
    with session_with(find("captures-race")) as (session, _):
        broke = [
            breaks(session, replace(TWICE, commands=tuple(saved)), "again", "CON-1", Judge())
            for _ in range(9)
        ]
    assert sum(broke) > 1


def test_how_often_a_race_breaks_is_said() -> None:
    with session_with(CapturesOfEveryOther) as (session, judge):
        stage = Stage(session, "a race")
        stage.obtain(TWICE.orders[0])
        stage.perform_together(TWICE.commands)
        again = repeated(session, stage.script, first(judge, "CON-1"), Judge, tries=6)
    assert (4, 7) == again.finding.flaky
    assert 2 == len(again.sequence.commands)
    assert 1 == len({command.group for command in again.sequence.commands})


def test_commands_of_a_race_are_saved_whole() -> None:
    command = Command("cancelOrder", group=7, delay=0.0015, lose="AFTER")
    assert command == command_from(command_record(command))


def test_a_group_counts_with_its_size() -> None:
    turns: list[int] = []
    with session_with(Fake) as (session, _):
        stage = Stage(session, "a group")
        stage.obtain(draft(10_000))
        session.turn = turns.append
        stage.perform_together([CAPTURE] * 5)
    assert [5, 1] == turns  # the group, and the reading after it


READ = Request((("Accept", "application/json"),), b"", "GET", "/ordermanagement/v1/orders/1")


def test_requests_are_completed_when_they_should_be() -> None:
    with serve_here(Fake) as url:
        early, late = volley(Target(url, *CREDENTIALS), [READ, READ], [0.0, 0.5])
    assert late.sent_at - early.sent_at == pytest.approx(0.5, abs=0.4)
    assert early.answered_at < late.sent_at
    assert (401, 401) == (early.response and early.response.status, late.response and late.response.status)


def test_calls_without_a_connection_did_not_happen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    deliveries = volley(Target(f"http://127.0.0.1:{port}", "u", "p"), [READ, READ], [0.0, 0.0])
    assert [(False, None)] * 2 == [(delivery.sent, delivery.response) for delivery in deliveries]


def test_an_answer_that_breaks_off_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

        thread = threading.Thread(target=serve)
        thread.start()
        target = Target(f"http://127.0.0.1:{listener.getsockname()[1]}", "u", "p")
        [delivery] = volley(target, [READ], [0.0])
        thread.join()
    assert delivery.sent
    assert delivery.response is None
    assert "breaks off" in str(delivery.fault)


def test_tls_is_spoken_and_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = made_certificate(tmp_path)
    with serve_over_tls(Fake(), certificate) as target:
        tls_context.cache_clear()
        stranger = volley(target, [READ], [0.0])
        assert [False] == [delivery.sent for delivery in stranger]
        assert "certificate verify failed" in str(stranger[0].fault)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.chain))
        tls_context.cache_clear()
        known = volley(target, [READ] * 4, [0.0] * 4)
        tls_context.cache_clear()
    assert [401] * 4 == [delivery.response.status if delivery.response else None for delivery in known]
