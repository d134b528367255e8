"""A target that hangs up on some requests is not gone; one that says nothing any more is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from orderproof.catalogue import select
from orderproof.checking import Settings, Watch, check
from orderproof.counterexample import load
from orderproof.drivers.plan import Run, Unit
from orderproof.drivers.session import Session
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Request
from orderproof.judge import Judge
from orderproof.ledger import Ledger
from orderproof.performing import Looks, perform
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport
from tests.gallery.server import Fake
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here
from tests.gallery.wire import Answer, Call
from tests.kill.scripts import only

WRITE = Request((), b"{", "POST", "/ordermanagement/v1/orders/x/captures")


class Handler(BaseHTTPRequestHandler):
    """Reads are answered 404; of anything else the handler dies, as one without a try around its parser does."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.close_connection = True

    def log_message(self, *words: object) -> None:
        """Say nothing."""


class Silent(Handler):
    """No request is answered."""

    def do_GET(self) -> None:
        self.close_connection = True


@contextmanager
def session_with(handler: type[Handler]) -> Iterator[tuple[Session, list[Exchange]]]:
    """A session with a server, and what is told of it."""
    told: list[Exchange] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        target = Target(f"http://127.0.0.1:{server.server_port}", "user", "password")
        with Transport(target) as transport:
            yield Session(transport, target, supply_from(target.orders), told.append, Judge().state), told
        server.shutdown()


def _many(session: Session) -> list[int | None]:
    return [session.send(WRITE).status for _ in range(12)]


def test_a_target_that_hangs_up_on_what_it_cannot_read_is_not_gone() -> None:
    with session_with(Handler) as (session, told):
        answers = _many(session)
    assert [None] * 12 == answers == [exchange.status for exchange in told]
    assert (14, 12) == (session.requests, session.spent)


def test_requests_without_an_answer_are_told() -> None:
    def runs(session: Session) -> Iterator[Run]:
        _many(session)
        yield from ()

    ledger = Ledger()
    with session_with(Handler) as (session, _):
        ledger.absorb(perform(Unit("bodies", (0, 0), runs), session, Judge(), Looks()))
    (told,) = ledger.reservations
    assert told.startswith("requests without an answer: 12; the first POST …/orders/x/captures")


def test_a_target_that_says_nothing_any_more_is_gone() -> None:
    with session_with(Silent) as (session, _), pytest.raises(CannotJudge, match="stopped answering after 5"):
        _many(session)


def test_a_silence_that_takes_long_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderproof.drivers.session.LONGEST_WAIT", 0.0)
    with session_with(Handler) as (session, _), pytest.raises(CannotJudge, match="stopped answering after 4"):
        _many(session)


class HangsUpOnBrokenJson(Fake):
    """Whoever sends what is no JSON gets no answer."""

    def handle(self, call: Call) -> Answer:
        if call.body and call.method == "PATCH":
            try:
                json.loads(call.body)
            except ValueError:
                raise ConnectionResetError from None
        return super().handle(call)


class HangsUpOnParcels(Fake):
    """A capture that was sent in a parcel gets no answer."""

    def handle(self, call: Call) -> Answer:
        if call.path.endswith("/captures") and b"shipping_info" in call.body:
            raise ConnectionResetError
        return super().handle(call)


class HangsUpNowAndThen(Fake):
    """Every third write gets no answer, as with a gateway that loses connections."""

    writes = 0

    def handle(self, call: Call) -> Answer:
        self.writes += call.header("Klarna-Idempotency-Key") is not None
        if self.writes % 3 == 2 and call.header("Klarna-Idempotency-Key"):
            raise ConnectionResetError
        return super().handle(call)


@pytest.mark.parametrize(
    ("server", "scenario", "rule", "expected", "calls"),
    [
        (HangsUpOnBrokenJson, "wrong bodies: updateMerchantReferences", "GEN-VAL-2", "400 or 415 or 422", 1),
        (HangsUpOnParcels, "a whole capture", "CAP-1", "201", 1),
        (HangsUpNowAndThen, "a whole capture", "", "", 0),
    ],
)
def test_a_call_that_is_never_answered_breaks_the_rule_about_its_answer(
    server: type[Fake], scenario: str, rule: str, expected: str, calls: int, tmp_path: Path
) -> None:
    with serve_here(server) as url, only(scenario):
        target = Target(url, *CREDENTIALS, orders=ORDERS_SOURCE)
        result = check(Settings(target, select([]), profile="quick", report=tmp_path), Watch())
    told = [(block.rule.id, block.expected, block.actual) for block in result.blocks]
    assert [rule] * bool(rule) == [name for name, _, _ in told]
    for block in result.blocks:
        assert block.expected.startswith(expected)
        assert "no answer: the connection ended each time" == block.actual
        assert calls == len(load(tmp_path / str(block.file)).sequence.commands)
