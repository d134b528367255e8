"""A replay tells drift from freedom: correct servers of all kinds pass, and defects on the way are found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderproof import cassettes
from orderproof.cassette.comparison import Change, Counterparts, changes
from orderproof.cassette.reading import Recording
from orderproof.cassette.replaying import Replay, Severity, replay
from orderproof.exchange import Exchange, Request, Response
from orderproof.target import SANDBOX_CLOCK, Target
from tests.cassette.conftest import (
    CAPTURE_ID,
    ORDER_ID,
    a_capture,
    an_order,
    body_of,
    interaction,
    loaded,
    ruby,
    set_body,
)
from tests.gallery.books import Refusal
from tests.gallery.catalogue import find
from tests.gallery.server import Fake
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here
from tests.gallery.wire import Answer

Write = Callable[..., Path]


def shelf(names: Sequence[str]) -> list[Recording]:
    return [Recording(cassettes.path(name), name) for name in names]


def against(server: str, *names: str) -> Replay:
    """Replay some cassettes against a server of the gallery."""
    with serve_here(find(server)) as base_url:
        target = Target(base_url, *CREDENTIALS, orders=ORDERS_SOURCE, clock=SANDBOX_CLOCK)
        return replay(shelf(names), target)


def rules(found: Replay) -> set[str]:
    return {d.finding.rule for d in found.drifts if d.finding and d.severity is Severity.FAILURE}


def test_the_shelf_replays_clean_against_the_sandbox(sandbox: Target) -> None:
    found = replay(shelf(cassettes.names()), sandbox)
    assert ([], [], "") == (found.drifts, found.left_out, found.interrupted)
    assert sum(entry["exchanges"] for entry in cassettes.index().values()) == found.sent == found.entries


@pytest.mark.parametrize(
    "server",
    [
        "core",
        "startup",
        "mainframe",
        "cloud-native",
        "elsewhere",
        "permissive",
        "pedant",
        "gatekeeper",
        "booked-late",
        "increases-refused",
        "newest-first",
        "no-due-dates",
        "plain-gateway",
        "silent-unauthorized",
        "time-ordered-ids",
    ],
)
def test_correct_servers_show_no_failure(server: str) -> None:
    areas = ("captures/partial", "refunds/spanning", "authorizations/amounts", "shipping/due-date")
    found = against(server, *areas, "wire/invalid-bodies", "wire/credentials")
    assert ([], "") == ([d for d in found.drifts if d.severity is Severity.FAILURE], found.interrupted)
    assert found.sent >= found.entries - 5


@pytest.mark.parametrize(
    ("server", "cassette", "rule"),
    [
        ("no-credentials-needed", "wire/credentials", "GEN-AUTH-1"),
        ("any-password", "wire/credentials", "GEN-AUTH-2"),
        ("html-errors", "captures/full", "GEN-ERR-1"),
        ("order-as-text", "captures/full", "GEN-HTTP-1"),
        ("lower-case-status", "captures/full", "ORD-GET-4"),
        ("fourth-capture-lost", "captures/partial", "CAP-4"),
        ("released-is-captured", "authorizations/release", "REL-4"),
        ("extension-adds", "authorizations/extension", "EXT-2"),
        ("captured-keeps-references", "captures/full", "REF-1"),
        ("second-cancel-not-found", "authorizations/cancel", "CAN-3"),
    ],
)
def test_a_defect_on_the_way_is_found(server: str, cassette: str, rule: str) -> None:
    found = against(server, cassette)
    assert rule in rules(found) | find(server).rules
    assert rules(found) & find(server).rules
    first = next(drift for drift in found.drifts if drift.severity is Severity.FAILURE)
    assert (cassette, True) == (first.recording, 1 <= first.entry <= found.entries)


def test_a_change_that_the_contract_leaves_open_is_a_warning() -> None:
    found = against("no-due-dates", "shipping/due-date")
    assert {Severity.WARNING} == {d.severity for d in found.drifts if d.severity is not Severity.NOTE}


@pytest.mark.parametrize("body", ['"No."', '{"error_code": 401}', '{"error_messages": "Who?"}', "[1]"])
@pytest.mark.parametrize(
    ("status", "cassette", "severity"),
    [
        (401, "wire/credentials", Severity.WARNING),
        (403, "captures/full", Severity.FAILURE),
    ],
)
def test_what_a_gateway_says_is_its_own(status: int, cassette: str, severity: Severity, body: str) -> None:
    """Recorded with an error body, now of another form: a failure only where the contract asks for one."""

    class Odd(Fake):
        def refused(self, refusal: Refusal) -> Answer:
            answer = super().refused(refusal)
            return replace(answer, body=body.encode()) if refusal.status == status else answer

    with serve_here(Odd) as base_url:
        found = replay(shelf([cassette]), Target(base_url, *CREDENTIALS, orders=ORDERS_SOURCE))
    assert severity is min((drift.severity for drift in found.drifts), key=list(Severity).index)


def test_time_is_moved_where_the_target_can(sandbox: Target) -> None:
    found = replay(shelf(["orders/expired"]), replace(sandbox, clock=None))
    assert ([], "") == (found.drifts, found.interrupted)
    ((name, count, reason),) = found.left_out
    assert ("orders/expired", "the rest is about time, and this target's clock cannot be moved") == (
        name,
        reason,
    )
    assert found.entries == found.sent + count


def test_a_defect_in_the_recording_is_no_drift(sandbox: Target, write: Write) -> None:
    data = loaded("captures/full")
    number = next(n for n, i in enumerate(data["interactions"]) if "GET" == i["request"]["method"])
    body = body_of(data["interactions"][number])
    set_body(data["interactions"][number], {**body, "remaining_authorized_amount": 1})
    found = replay([Recording(write(copy.deepcopy(data)))], sandbox)
    kinds = {(change.kind, change.place) for drift in found.drifts for change in drift.changes}
    assert {("amount", "remaining_authorized_amount")} == kinds


def test_a_recording_from_elsewhere_gets_orders_that_fit(sandbox: Target, write: Write) -> None:
    whole: dict[str, Any] = {"status": "CAPTURED", "captured_amount": 9900, "remaining_authorized_amount": 0}
    refund = ruby("post", "/refunds", 201, 40, **{"Refund-Id": "r1", "Location": f"/x/{ORDER_ID}/refunds/r1"})
    refund["request"]["body"]["string"] = '{"refunded_amount": 9900}'
    refunded = {"refund_id": "r1", "refunded_amount": 9900, "refunded_at": "2020-09-30T20:14:40Z"}
    rows = [
        ruby("get", "", 200, 39, an_order(**whole, captures=[a_capture()])),
        refund,
        ruby("get", "/refunds/r1", 200, 41, refunded),
        ruby("get", f"/captures/{CAPTURE_ID}", 200, 42, a_capture(refunded_amount=9900)),
    ]
    found = replay([Recording(write({"http_interactions": rows}))], sandbox)
    assert (4, 4, [], "") == (found.sent, found.entries, found.left_out, found.interrupted)
    serious = [d for d in found.drifts if d.severity is Severity.FAILURE]
    assert [] == serious
    assert "customer.type" not in {c.place for d in found.drifts for c in d.changes if c.kind != "less"}


def test_an_order_that_had_expired_cannot_be_had_again(sandbox: Target, write: Write) -> None:
    rows = [interaction("GET", "", 200, an_order(status="EXPIRED")), interaction("POST", "/cancel", 204)]
    found = replay([Recording(write({"interactions": rows}))], sandbox)
    assert (0, [2]) == (found.sent, [count for _, count, _ in found.left_out])


def test_orders_of_a_pool_that_do_not_fit_are_told(sandbox: Target, write: Write, tmp_path: Path) -> None:
    ids = [ORDER_ID]
    pool = tmp_path / "ids.txt"
    pool.write_text("\n".join(ids) + "\n", encoding="utf-8")
    rows = [interaction("GET", "", 200, an_order())]
    found = replay([Recording(write({"interactions": rows}))], replace(sandbox, orders=f"pool:{pool}"))
    assert 0 == found.sent
    assert found.left_out
    assert "does not fit" in found.left_out[0][2]


def test_a_target_that_is_not_there(write: Write) -> None:
    found = replay(shelf(["captures/full"]), Target("http://127.0.0.1:9", "a", "b"))
    assert (0, True) == (found.sent, bool(found.interrupted))


def answer(body: Any, status: int = 200, **headers: str) -> Exchange:
    request = Request((), b"", "GET", f"/ordermanagement/v1/orders/{ORDER_ID}")
    pairs = (("Content-Type", "application/json"), *headers.items())
    return Exchange(1, request, Response(pairs, json.dumps(body).encode(), status), 1.0, 1.0)


def found_in(was: Exchange, new: Exchange, *sent: str) -> list[tuple[str, str]]:
    return [(change.kind, change.place) for change in changes(was, new, Counterparts(sent=set(sent)))]


@pytest.mark.parametrize(
    ("was", "new", "expected"),
    [
        ({"order_amount": 1}, {"order_amount": 2}, [("amount", "order_amount")]),
        ({"order_amount": 1}, {"order_amount": "1"}, [("type", "order_amount")]),
        ({"order_amount": 1}, {"order_amount": 1.0}, []),
        ({"status": "CAPTURED"}, {"status": "CLOSED"}, [("state", "status")]),
        ({"klarna_reference": "AB12"}, {"klarna_reference": "XY99"}, []),
        ({"created_at": "2020-01-01T00:00:00Z"}, {"created_at": "2026-01-01T01:00:00.123+01:00"}, []),
        ({"created_at": "2020-01-01T00:00:00Z"}, {"created_at": "today"}, [("type", "created_at")]),
        ({"merchant_data": "sent"}, {"merchant_data": "cut"}, [("text", "merchant_data")]),
        ({"purchase_country": "SE"}, {"purchase_country": "se"}, []),
        ({"captures": [], "merchant_data": None}, {"merchant_reference1": ""}, []),
        ({"one": 1}, {"two": 2}, [("less", "one"), ("more", "two")]),
        ({"flag": True}, {"flag": False}, [("state", "flag")]),
        ({"refunds": [{"x": 1}]}, {"refunds": [{"x": 1}, {"x": 2}]}, [("state", "refunds[1]")]),
        (
            {"a_ref": "AB12", "b_ref": "AB12"},
            {"a_ref": "XY99", "b_ref": "QQ77"},
            [("name", "b_ref")],
        ),
    ],
)
def test_what_counts_as_a_change(was: Any, new: Any, expected: list[tuple[str, str]]) -> None:
    assert expected == found_in(answer(was), answer(new), "sent", "SE", "a")


def test_headers_and_statuses_that_changed() -> None:
    was = answer({}, **{"X-Frame-Options": "DENY", "Content-Length": "2"})
    new = answer({}, **{"Via": "proxy", "Transfer-Encoding": "chunked"})
    assert [("more", "header via"), ("less", "header x-frame-options")] == found_in(was, new)
    refused = answer({"error_code": "NOT_ALLOWED"}, 403)
    other = answer({"error_code": "CANCEL_NOT_ALLOWED"}, 403)
    assert [("code", "error_code")] == found_in(refused, other)
    assert [("status", "status")] == found_in(answer({}), refused)
    lost = replace(new, response=None, fault="cut")
    assert [Change("status", "status", "200", "cut")] == changes(was, lost, Counterparts())


def test_captures_are_paired_by_their_ids_in_any_sequence() -> None:
    one, two = a_capture(captured_amount=1), a_capture(captured_amount=2, capture_id="second")
    new = [{**two, "capture_id": "new-2"}, {**one, "capture_id": "new-1"}]
    counterparts = Counterparts(ids={CAPTURE_ID: "new-1", "second": "new-2"})
    assert [] == changes(answer({"captures": [one, two]}), answer({"captures": new}), counterparts)
