"""A recording answers a client: through to its end, in any sequence that it allows, and never with something else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from orderproof import cassettes
from orderproof.cassette.continuity import addressed
from orderproof.cassette.matching import Script, Stray
from orderproof.cassette.playback import playback_of, served
from orderproof.cassette.reading import Recording
from orderproof.drivers.authorization import KINDS, authorization
from orderproof.exchange import Exchange, Request, Response
from orderproof.model.call import call_of
from orderproof.target import Target, basic
from tests.cassette.conftest import ORDER_ID

TARGET = Target("http://x", "someone", "s3cret-Word")
PATH = f"/ordermanagement/v1/orders/{ORDER_ID}"


def recorded(name: str) -> list[Exchange]:
    return [addressed(entry.exchange) or entry.exchange for entry in Recording(cassettes.path(name))]


def as_client(exchange: Exchange) -> dict[str, str]:
    """The headers that a client sends: those of the recording, with credentials again."""
    kept = {k: v for k, v in exchange.request.headers if k.lower() not in ("authorization", "user-agent")}
    credentials = authorization(exchange.credentials if exchange.credentials in KINDS else "own", TARGET)
    return {**kept, **({"Authorization": credentials} if credentials else {})}


@pytest.mark.parametrize("name", cassettes.names())
def test_the_shelf_serves_a_client_through_to_its_end(name: str) -> None:
    with (
        served([Recording(cassettes.path(name), name)], (TARGET.username, TARGET.password)) as playback,
        httpx.Client(base_url=playback.base_url, trust_env=False) as client,
    ):
        for exchange in recorded(name):
            request, response = exchange.request, exchange.response
            assert response is not None
            answer = client.request(
                request.method, request.target, content=request.body, headers=as_client(exchange)
            )
            assert (response.status, response.body) == (answer.status_code, answer.content)
            assert answer.headers.get("capture-id") == response.header("capture-id")
            location = answer.headers.get("location")
            assert location is None or location.startswith(f"{playback.base_url}/ordermanagement/v1/orders/")
        assert ([], []) == (playback.strays, playback.unplayed)


def exchange(
    method: str, path: str, status: int = 200, sent: Any = None, body: Any = None, **more: Any
) -> Exchange:
    headers = (("Content-Type", "application/json"), *more.pop("headers", ()))
    request = Request(headers, b"" if sent is None else json.dumps(sent).encode(), method, PATH + path)
    answer = Response(headers, b"" if body is None else json.dumps(body).encode(), status)
    return Exchange(more.pop("number", 1), request, answer, 1.0, 1.0, **more)


def script(*exchanges: Exchange) -> Script:
    made = Script()
    made.add(
        "tape",
        [Exchange(n, e.request, e.response, 1.0, 1.0, **_notes(e)) for n, e in enumerate(exchanges, 1)],
    )
    return made


def _notes(e: Exchange) -> dict[str, Any]:
    return {"credentials": e.credentials, "advances": e.advances}


def answers(made: Script, *requests: Exchange) -> list[Any]:
    """What the answers show: their JSON body, or the difference from the nearest recorded request."""
    found = [made.answer(request) for request in requests]
    return [line.difference if isinstance(line, Stray) else line.exchange.response.json for line in found]  # type: ignore[union-attr]


def capture(amount: Any, body: Any = None, key: str | None = None, status: int = 201) -> Exchange:
    headers = (("Klarna-Idempotency-Key", key),) if key else ()
    return exchange("POST", "/captures", status, {"captured_amount": amount}, body, headers=headers)


READ = exchange("GET", "")


def tape() -> Script:
    return script(
        exchange("GET", "", body="fresh"),
        exchange("GET", "/captures", body="none"),
        capture(99, "refused", status=403),
        capture(1, "first"),
        exchange("GET", "", body="part"),
        capture(2, "second"),
        exchange("GET", "", body="full"),
    )


def test_readings_come_in_any_number_and_sequence() -> None:
    listing = exchange("GET", "/captures")
    assert ["none", "fresh", "fresh", "none"] == answers(tape(), listing, READ, READ, listing)


def test_readings_and_refused_calls_may_be_left_out() -> None:
    made = tape()
    assert ["first", "second", "full"] == answers(made, capture(1), capture(2), READ)
    assert [1, 2, 3, 5] == [
        line.exchange.number for number, line in enumerate(made.lines) if number not in made.played
    ]


def test_a_refused_call_may_come_again() -> None:
    assert ["refused", "refused", "first"] == answers(tape(), capture(99), capture(99), capture(1))


def test_what_changes_the_order_comes_in_its_sequence() -> None:
    early, again = answers(tape(), capture(2), capture(1))[0], answers(tape(), capture(1), capture(1))[1]
    assert "it was recorded after entry 4 of tape, which was not asked for" == early
    assert "it was answered already" == again


def test_a_reading_of_an_earlier_time_strays() -> None:
    assert (
        "it was recorded before the order changed"
        == answers(tape(), capture(1), exchange("GET", "/captures"))[1]
    )


def test_a_retry_with_its_key_is_answered_as_before() -> None:
    key = "0c9ae3f6-6b6e-4b67-8d0e-1f7b1a1f3a10"
    assert ["first", "part", "first", "second"] == answers(
        tape(), capture(1, key=key), READ, capture(1, key=key), capture(2, key="other")
    )


def test_a_recorded_repeat_is_for_repeats_alone() -> None:
    made = script(capture(5, "one", "k"), capture(5, "again", "k"), capture(5, "two", "l"))
    assert ["one", "two", "it was answered already"] == answers(made, *(capture(5, key=k) for k in "abc"))
    made = script(capture(5, "one", "k"), capture(5, "again", "k"), capture(5, "two", "l"))
    assert ["one", "again", "two"] == answers(made, *(capture(5, key=k) for k in "aab"))


@pytest.mark.parametrize(
    ("was", "sent"),
    [
        ({"captured_amount": 1, "reference": "é"}, {"reference": "e\u0301", "captured_amount": 1.0}),
        ({"shipping_address": {"country": "SE"}}, {"shipping_address": {"country": "se"}}),
        (None, {}),
    ],
)
def test_a_body_counts_by_its_meaning(was: Any, sent: Any) -> None:
    path, method = (
        ("/customer-details", "PATCH") if was and "shipping_address" in was else ("/captures", "POST")
    )
    path = "/cancel" if was is None else path
    made = script(exchange(method, path, 204, was, "taken"))
    assert ["taken"] == answers(made, exchange(method, path, 204, sent))


@pytest.mark.parametrize(
    ("sent", "difference"),
    [
        ({"captured_amount": 3}, "captured_amount is 3, recorded was 1"),
        ({"captured_amount": True}, "captured_amount is True, recorded was 1"),
        ({"captured_amount": 1, "reference": ""}, "reference is '', recorded was absent"),
        ({}, "captured_amount is absent, recorded was 1"),
        ([], "the body is [], recorded was {'captured_amount': 1}"),
    ],
)
def test_the_nearest_request_and_the_difference_are_told(sent: Any, difference: str) -> None:
    made = script(capture(1, "first"))
    stray = made.answer(exchange("POST", "/captures", 201, sent))
    assert isinstance(stray, Stray)
    assert (difference, 1) == (stray.difference, stray.nearest and stray.nearest.exchange.number)


def test_strays_of_other_orders_and_operations() -> None:
    made = script(capture(1, "first"))
    path = PATH.replace("0b1c", "ffff") + "/captures"
    other = Exchange(1, Request((), b'{"captured_amount": 1}', "POST", path), None, 1.0, 1.0)
    assert [f"its path is {path}, recorded was {PATH}/captures"] == answers(made, other)
    assert ["no such operation was recorded"] == answers(made, exchange("POST", "/cancel"))


def test_credentials_of_another_kind_are_another_request() -> None:
    made = script(exchange("GET", "", body="fresh"), exchange("GET", "", 401, body="who", credentials="none"))
    assert ["who", "fresh"] == answers(made, exchange("GET", "", credentials="none"), READ)
    assert ["it has wrong credentials, recorded were the right"] == answers(
        made, exchange("GET", "", credentials="x")
    )


def test_the_clock_moves_for_all_orders() -> None:
    request, moved = Request((), b"{}", "POST", "/_control/clock"), Response((), b'"moved"', 200)
    clock = Exchange(1, request, moved, 1.0, 1.0, advances=9.0)
    made = script(exchange("GET", "", body="open"), clock, exchange("GET", "", body="expired"))
    assert ["open", "open", "moved", "expired"] == answers(made, READ, READ, clock, READ)


def test_each_order_is_created_once() -> None:
    path = "/customer-token/v1/tokens/t/order"
    made = Script()
    for number, name in enumerate(("one", "two"), 1):
        answer = Response((), json.dumps(name).encode(), 200)
        made.add("tape", [Exchange(number, Request((), b"{}", "POST", path), answer, 1.0, 1.0)])
    create = Exchange(1, Request((), b"{}", "POST", path), None, 1.0, 1.0)
    assert ["one", "two", "it was answered already"] == answers(made, create, create, create)


def test_a_stray_is_answered_with_501_and_kept() -> None:
    playback = playback_of([Recording(cassettes.path("captures/full"))], ("user", "word"))
    request = Request((("authorization", basic("user", "word")),), b"", "GET", "/ordermanagement/v1/orders/x")
    status, headers, body = playback.answer(request)
    assert (501, "NOT_RECORDED") == (status, json.loads(body)["error_code"])
    assert ("content-type", "application/json") in headers
    assert 1 == len(playback.strays)


def test_several_recordings_are_served_side_by_side() -> None:
    names = ["captures/full", "refunds/whole"]
    playback = playback_of([Recording(cassettes.path(name), name) for name in names])
    reads = [_first_read(recorded(name)) for name in names]
    assert [200, 200] == [playback.answer(read)[0] for read in reversed(reads)]


def _first_read(exchanges: Sequence[Exchange]) -> Request:
    found = next(e for e in exchanges if (call := call_of(e)) and call.name == "getOrder")
    return Request((("Authorization", "Basic eA=="),), b"", "GET", found.request.target)
