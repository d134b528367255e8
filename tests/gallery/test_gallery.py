"""The gallery holds what its labels say: correct servers that are correct, defects that show."""

from __future__ import annotations

import gzip
import json
import time
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.gallery.__main__ import main
from tests.gallery.catalogue import find, gallery
from tests.gallery.races import anomalies
from tests.gallery.server import ORDERS, TOKEN, Fake
from tests.gallery.serving import serve, serve_here
from tests.gallery.tour import STOPS, difference, likely, upheld
from tests.gallery.visitor import CREDENTIALS, Visitor, line, some_id
from tests.gallery.wire import Call


def _ids(numbers: dict[str, str]) -> set[str]:
    return {f"{area}-{number}" for area, all_of_it in numbers.items() for number in all_of_it.split()}


MUST = _ids(
    {
        "GEN-AUTH": "1 2",
        "GEN-ERR": "1 3 4",
        "GEN-404": "1",
        "GEN-ID": "1",
        "GEN-VAL": "1 2 4",
        "GEN-HTTP": "1 2 4 5",
        "GEN-RATE": "1",
        "ORD-GET": "1 2 3 4",
        "ORD-SUM": "1 2 3 4 5 6",
        "ORD-STA": "1 2",
        "ORD-FIX": "1 2 3",
        "ACK": "1 2",
        "AUT": "1 2 3 4 5 6",
        "CUS": "1 2 3",
        "REF": "1 2",
        "EXT": "1 2 3",
        "REL": "1 2 3 4 5",
        "CAN": "1 2 3 4",
        "EXP": "1",
        "CAP": "1 2 3 4 5 6 7 8 10 11",
        "SHP": "1 2 3 4",
        "SND": "1 2",
        "DUE": "1 2 3 4",
        "RFD": "1 2 3 4 5 6 7 8 11",
        "IDM": "1 2 3 4 5 7 8",
        "CON": "1 2 3 4 5",
    }
)
SHOULD = _ids(
    {
        "GEN-AUTH": "3",
        "GEN-ERR": "2",
        "GEN-404": "2",
        "GEN-VAL": "3",
        "GEN-HTTP": "3",
        "EXT": "4 5",
        "CAP": "9",
        "RFD": "9 10",
        "IDM": "6",
    }
)
CORRECT = sorted(gallery("correct"))
FAULTLESS = sorted(gallery("correct", "warned"))
DEFECTIVE = sorted(gallery("defective"))
SEQUENTIAL = [name for name in DEFECTIVE if find(name).when != "concurrency"]
RACING = [name for name in DEFECTIVE if find(name).when == "concurrency"]
ON_CONNECTIONS = {"keys-per-connection", "keys-kept-late"}
SHORT = {"captures", "refunds", "updates", "releases", "cancellations", "small_changes", "fees", "due_dates"}


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def base_of(server: type[Fake]) -> type[Fake]:
    """The correct server that a defective one is built on."""
    hung = (one for one in server.__mro__[1:] if issubclass(one, Fake) and "name" in vars(one))
    return next(one for one in hung if one.kind == "correct")


def test_every_rule_is_broken_by_some_server() -> None:
    assert MUST - {server.primary for server in gallery("defective").values()} == set()
    assert SHOULD - {server.primary for server in gallery("warned").values()} == set()


def test_labels_name_known_rules() -> None:
    for server in gallery("defective", "warned").values():
        assert server.rules <= MUST | SHOULD, server
        assert server.primary in server.rules
        assert server.needs <= {"clock", "pay-later", "faults"}, server
    assert not any(server.rules for server in gallery("correct").values())
    assert not any(server.primary in SHOULD for server in gallery("defective").values())


def test_there_are_enough() -> None:
    assert len(CORRECT) >= 100
    assert len(DEFECTIVE) >= 500


def test_every_server_reads_an_order() -> None:
    answers = {name: Visitor(server()).order().get() for name, server in gallery().items()}
    assert {name for name, answer in answers.items() if answer.status != 200 or not answer.body} == set()


@pytest.mark.parametrize("name", FAULTLESS)
@pytest.mark.usefixtures("no_pauses")
def test_correct_servers_keep_their_books(name: str) -> None:
    assert list(upheld(find(name), [place for place in STOPS if place.__name__ in SHORT])) == []


@pytest.mark.parametrize("name", [name for name in FAULTLESS if name != "core"])
@pytest.mark.usefixtures("no_pauses")
def test_wrong_is_never_taken(name: str) -> None:
    """Whatever a correct server chooses, these are refused, and those are taken."""
    order = Visitor(find(name)()).order()
    assert order.capture(10_001).status in {403, 429}
    assert order.capture(4000).status == 201
    assert order.capture(6001).status == 403
    assert order.refund(4001).status == 403
    assert order.refund(4000).status == 201
    assert order.cancel().status == 403
    assert order.post("captures", {"captured_amount": "1"}).status in {400, 422}
    assert order.post("captures", {"captured_amount": 1}, credentials=None).status == 401
    assert order.release().status == 204
    assert order.capture(1).status == 403


@pytest.mark.parametrize("name", [name for name in SEQUENTIAL if name not in ON_CONNECTIONS])
@pytest.mark.usefixtures("no_pauses")
def test_a_defect_shows(name: str) -> None:
    server = find(name)
    assert difference(server, base_of(server), likely(server))


@pytest.mark.parametrize("name", RACING)
def test_a_race_shows_only_in_races(name: str) -> None:
    server = find(name)
    quiet = [place for place in STOPS if place.__name__ in {"releases", "cancellations"}]
    assert not difference(server, base_of(server), quiet)
    assert next(anomalies(server, 12), "")


@pytest.mark.parametrize("name", ["core", "slow-writes", "busy-orders", "busy-keys", "cloud-native"])
def test_correct_servers_stand_races(name: str) -> None:
    assert list(anomalies(find(name), 2)) == []


def test_a_key_per_connection_shows_on_two_connections() -> None:
    fake = find("keys-per-connection")()
    order = Visitor(fake).order()
    headers = {"authorization": CREDENTIALS, "klarna-idempotency-key": "k", "host": "h"}
    calls = [
        Call("POST", order.path("captures"), headers, b'{"captured_amount":1}', peer)
        for peer in ("a", "a", "b")
    ]
    first, second, third = [fake.answer(call).header("Capture-Id") for call in calls]
    assert first == second != third


def test_a_key_that_is_kept_late_shows_at_once() -> None:
    order = Visitor(find("keys-kept-late")()).order()
    for _ in range(2):
        order.post("captures", {"captured_amount": 1}, klarna_idempotency_key="k")
    assert order.read()["captured_amount"] == 2


class Caller:
    """A client over HTTP that knows nothing but the standard library."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.connection = HTTPConnection(urlsplit(base_url).netloc, timeout=10)

    def call(self, method: str, target: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
        headers = {
            "Authorization": CREDENTIALS,
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
        }
        path = urlsplit(urljoin(self.base_url, target)).path
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        content, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, gzip.decompress(content) if "content-encoding" in found else content


@pytest.mark.parametrize("name", FAULTLESS)
def test_correct_servers_speak_http(name: str) -> None:
    with serve_here(find(name)) as base_url:
        caller = Caller(base_url)
        draft = {
            "purchase_country": "SE",
            "purchase_currency": "SEK",
            "order_amount": 100,
            "order_lines": [line(100)],
        }
        _, _, content = caller.call("POST", f"/customer-token/v1/tokens/{TOKEN}/order", draft)
        path = ORDERS + json.loads(content)["order_id"]
        status, headers, _ = caller.call("POST", f"{path}/captures", {"captured_amount": 60})
        assert status == 201
        assert caller.call("POST", f"{path}/acknowledge")[0] == 204
        status, _, content = caller.call("GET", urljoin(f"{path}/captures", headers["location"]))
        assert (status, json.loads(content)["capture_id"]) == (200, headers["capture-id"])
        assert caller.call("GET", ORDERS + some_id())[0] == 404
        assert json.loads(caller.call("GET", path)[2])["captured_amount"] == 60


def test_a_server_runs_by_itself() -> None:
    with serve("relative-location") as base_url:
        assert Caller(base_url).call("GET", ORDERS + some_id())[0] == 404


def test_an_unknown_name_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsuch"]) == 2
    assert "no server is called 'nonsuch'" in capsys.readouterr().err


def test_the_list_shows_every_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(gallery())
