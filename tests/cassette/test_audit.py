"""The audit accuses no recording of correct traffic, and finds out an altered one."""

from __future__ import annotations

import copy
import json
import re
import tracemalloc
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderproof import cassettes
from orderproof.cassette.audit import audit
from orderproof.cassette.reading import Recording
from orderproof.catalogue import select
from orderproof.exchange import Exchange, Request, Response, record
from orderproof.outcome import RunResult, Verdict
from tests.cassette.conftest import (
    CAPTURE_ID,
    HOST,
    ORDER_ID,
    REFUND_ID,
    Cassette,
    a_capture,
    an_order,
    body_of,
    interaction,
    loaded,
    ruby,
    set_body,
)

Write = Callable[..., Path]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def audited(*paths: Path, only: str = "*", strict: bool = False) -> RunResult:
    return audit([Recording(path) for path in paths], select([only]), strict=strict)


def broken(result: RunResult) -> set[str]:
    return {entry.rule.id for entry in result.rules if entry.verdict is Verdict.FAILED}


def places(result: RunResult) -> set[int | None]:
    return {block.deciding for block in result.blocks}


@pytest.mark.parametrize("name", cassettes.names())
def test_the_shelf_audits_clean(name: str) -> None:
    result = audited(cassettes.path(name))
    assert (set(), 0) == (broken(result), result.exit_code)
    assert [] == [entry.rule.id for entry in result.rules if entry.verdict is Verdict.WARNED]
    witnessed = set(cassettes.index()[name]["rules"])
    exercised = {entry.rule.id for entry in result.rules if entry.verdict is Verdict.PASSED}
    assert witnessed <= exercised


Change = Callable[[Cassette], int]


def _entry(data: Cassette, method: str, status: int, path: str = "") -> tuple[int, Any]:
    for number, found in enumerate(data["interactions"], 1):
        same = found["request"]["method"] == method and found["response"]["status"]["code"] == status
        if (
            same
            and found["request"]["uri"].partition("?")[0].endswith(path)
            and "/orders/" in found["request"]["uri"]
        ):
            return number, found
    raise LookupError(f"{method} {path} {status}")


def _in_body(method: str, path: str, change: Callable[[Any], None]) -> Change:
    def changed(data: Cassette) -> int:
        number, found = _entry(data, method, 200, path)
        body = body_of(found)
        change(body)
        set_body(found, body)
        return number

    return changed


def _status(method: str, path: str, was: int, now: int) -> Change:
    def changed(data: Cassette) -> int:
        number, found = _entry(data, method, was, path)
        found["response"]["status"]["code"] = now
        return number

    return changed


def _header(method: str, path: str, status: int, name: str, value: str | None) -> Change:
    def changed(data: Cassette) -> int:
        number, found = _entry(data, method, status, path)
        headers = found["response"]["headers"]
        key = next(key for key in headers if key.lower() == name)
        headers.pop(key)
        if value is not None:
            headers[key] = [value]
        return number

    return changed


def _up(name: str) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        body[name] += 1

    return change


def _set(name: str, value: Any) -> Callable[[Any], None]:
    def change(body: Any) -> None:
        body[name] = value

    return change


def _of_first_capture(change: Callable[[Any], None]) -> Callable[[Any], None]:
    return lambda body: change(body[0])


def _new_address(data: Cassette) -> int:
    """Every reading of a capture shows another address than the order's, from the first on."""
    numbers = []
    for number, found in enumerate(data["interactions"], 1):
        text = found["response"]["body"]["string"]
        capture = body_of(found) if text.startswith('{"capture_id"') else None
        if capture is not None:
            set_body(
                found, {**capture, "billing_address": {**capture["billing_address"], "city": "Elsewhere"}}
            )
            numbers.append(number)
    return numbers[0]


ELSEWHERE = f"{HOST}/ordermanagement/v1/orders/{ORDER_ID}/captures/{CAPTURE_ID}"
ALTERED: dict[str, tuple[str, Change, set[str]]] = {
    "the amount of an order": ("captures/full", _in_body("GET", "", _up("order_amount")), {"ORD-SUM-3"}),
    "what remains": ("captures/full", _in_body("GET", "", _up("remaining_authorized_amount")), {"ORD-SUM-3"}),
    "the amount of a capture": (
        "captures/partial",
        _in_body("GET", "/captures", _of_first_capture(_up("captured_amount"))),
        {"CAP-6", "ORD-FIX-2", "CAP-3"},
    ),
    "the status of an order": (
        "captures/full",
        _in_body("GET", "", _set("status", "CAPTURED")),
        {"ORD-STA-1"},
    ),
    "the id of an order": ("captures/full", _in_body("GET", "", _set("order_id", ORDER_ID)), {"ORD-GET-1"}),
    "a 201 that was a 200": (
        "captures/full",
        _status("POST", "/captures", 201, 200),
        {"CAP-1", "GEN-HTTP-4"},
    ),
    "a 403 that was taken": (
        "captures/full",
        _status("POST", "/captures", 403, 201),
        {"CAP-5", "REL-4", "CAP-2"},
    ),
    "a 204 that was refused": ("captures/full", _status("POST", "/acknowledge", 204, 403), {"ACK-1"}),
    "a 404 that is a 403": ("wire/unknown-orders", _status("GET", "", 404, 403), {"GEN-404-1"}),
    "a 401 that is a 403": ("wire/credentials", _status("GET", "/captures", 401, 403), {"GEN-AUTH-1"}),
    "a lost Location": ("captures/full", _header("POST", "/captures", 201, "location", None), {"CAP-2"}),
    "a Location of another": (
        "captures/full",
        _header("POST", "/captures", 201, "location", ELSEWHERE),
        {"CAP-2"},
    ),
    "another Capture-Id": (
        "captures/full",
        _header("POST", "/captures", 201, "capture-id", CAPTURE_ID),
        {"CAP-2"},
    ),
    "the address of a capture": (
        "captures/full",
        _in_body("GET", "/captures", _of_first_capture(_set("billing_address", {"city": "Elsewhere"}))),
        {"CAP-6"},
    ),
    "the address of a new capture": ("captures/full", _new_address, {"CAP-11"}),
    "another Refund-Id": (
        "refunds/whole",
        _header("POST", "/refunds", 201, "refund-id", REFUND_ID),
        {"RFD-2"},
    ),
    "another media type": (
        "captures/full",
        _header("GET", "", 200, "content-type", "text/html"),
        {"GEN-HTTP-1"},
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_recording_is_found_out(write: Write, what: str) -> None:
    name, change, rules = ALTERED[what]
    data = loaded(name)
    number = change(data)
    path = write(copy.deepcopy(data))
    result = audited(path)
    assert 1 == result.exit_code
    root = result.blocks[0]
    assert root.rule.id in rules
    assert root.deciding is not None
    assert number <= root.deciding
    assert f"entry {root.deciding} of {path}" in root.sent or f"seen in entry {root.deciding}" in root.sent


def test_answers_lost_one_after_another_come_to_an_end(write: Write) -> None:
    """What may have become of each multiplies the states of the order: it is unknown then, until it is read again."""
    rows = [interaction("GET", "", 200, an_order())]
    for number in range(30):
        lost = interaction("POST", "/captures", 0, sent={"captured_amount": number + 1})
        lost["request"]["headers"]["Klarna-Idempotency-Key"] = [str(uuid.UUID(int=number, version=4))]
        rows.append({**lost, "response": None})
    after = an_order(status="PART_CAPTURED", captured_amount=500, remaining_authorized_amount=9400)
    captured = a_capture(captured_amount=500)
    rows += [interaction("GET", "", 200, {**after, "captures": [captured]})] * 2
    result = audited(write({"version": 1, "interactions": rows}))
    assert {"CLI-RETRY-2"} >= broken(result)
    rows[-1] = interaction("GET", "", 200, {**after, "order_amount": 9901, "captures": [captured]})
    assert broken(audited(write({"version": 1, "interactions": rows}), only="ORD-*"))


def test_a_return_fee_refused_in_other_words_is_found_out(write: Write) -> None:
    data = loaded("refunds/return-fee")
    number, found = _entry(data, "POST", 403, "/refunds")
    set_body(found, {**body_of(found), "error_code": "NOT_ALLOWED"})
    warned = audited(write(data)).blocks
    assert [("RFD-10", number)] == [(block.rule.id, block.deciding) for block in warned]


def _without_credentials(data: Cassette, *numbers: int) -> Cassette:
    for number in numbers:
        del data["interactions"][number - 1]["request"]["headers"]["Authorization"]
    return data


@pytest.mark.parametrize(("name", "rule"), [("captures/full", "CLI-AUTH-1"), ("wire/invalid-bodies", None)])
def test_lost_credentials_are_found_out(write: Write, name: str, rule: str | None) -> None:
    """They are the server's matter where it served the call, and in a recording of probes its alone."""
    result = audited(write(_without_credentials(loaded(name), 2)))
    assert {"GEN-AUTH-1", *([rule] if rule else [])} == {block.rule.id for block in result.blocks}
    assert {2} == places(result)


def test_credentials_that_a_recorder_took_out_of_all_accuse_nobody(write: Write) -> None:
    data = loaded("captures/full")
    scrubbed = _without_credentials(data, *range(1, len(data["interactions"]) + 1))
    assert set() == broken(audited(write(scrubbed)))
    foreign = loaded("captures/full")
    for found in foreign["interactions"]:
        del found["orderproof"]
    assert {"CLI-AUTH-1"} == broken(audited(write(_without_credentials(foreign, 5))))


def test_a_capture_read_under_another_order_is_found_out(write: Write) -> None:
    data = loaded("captures/full")
    _, found = _entry(data, "GET", 200, "/captures")
    found["request"]["uri"] = UUID.sub(ORDER_ID, found["request"]["uri"], count=1)
    assert {"CAP-8"} == broken(audited(write(data)))


def observed(*rows: dict[str, Any]) -> Cassette:
    return {"http_interactions": list(rows), "recorded_with": "VCR 5.0.0"}


LOCATION = f"{HOST}/ordermanagement/v1/orders/{ORDER_ID}/refunds/{REFUND_ID}"
REFUND = {
    "refund_id": REFUND_ID,
    "refunded_amount": 9900,
    "refunded_at": "2020-09-30T20:14:40.000Z",
    "credit_invoice": False,
}
WHOLE: dict[str, Any] = {"status": "CAPTURED", "captured_amount": 9900, "remaining_authorized_amount": 0}


def _refunding(*after: dict[str, Any]) -> Cassette:
    """A refund as the recorded service made one: without credentials and keys, seen on the order before the capture."""
    refund = ruby(
        "post", "/refunds", 201, 40, **{"Refund-Id": REFUND_ID, "Location": LOCATION, "Content-Length": "0"}
    )
    refund["request"]["body"]["string"] = '{"refunded_amount": 9900}'
    before = an_order(**WHOLE, captures=[a_capture()])
    return observed(ruby("get", "", 200, 39, before), refund, *after)


def test_a_refund_may_be_booked_late(write: Write) -> None:
    after = an_order(**WHOLE, refunded_amount=9900, captures=[a_capture()], refunds=[REFUND])
    result = audited(write(_refunding(ruby("get", "", 200, 41, after))))
    assert (set(), 0) == (broken(result), result.exit_code)
    later = audited(write(_refunding(ruby("get", "", 200, 59, after))))
    assert {"ORD-SUM-6"} <= broken(later)


def test_a_recording_that_starts_in_the_middle(write: Write) -> None:
    capture = interaction("POST", "/captures", 201, sent={"captured_amount": 500})
    capture["response"]["headers"] = {"Capture-Id": [CAPTURE_ID], "Location": [f"/x/{CAPTURE_ID}"]}
    cancelled = an_order(status="CANCELLED")
    for rows in (
        [capture],
        [interaction("POST", "/cancel", 204)],
        [interaction("GET", "", 200, cancelled), interaction("GET", "", 200, cancelled)],
        [interaction("GET", "/captures", 200, [a_capture()])],
    ):
        assert set() == broken(audited(write({"version": 1, "interactions": rows})))


def test_recorded_time_counts_and_not_that_of_the_audit(write: Write) -> None:
    opened, expired = an_order(), an_order(status="EXPIRED")
    assert set() == broken(audited(write(observed(ruby("get", "", 200, 39, opened)))))
    early = observed(ruby("get", "", 200, 39, opened), ruby("get", "", 200, 40, expired))
    assert broken(audited(write(early)))


def test_a_clock_that_was_moved_shows_in_the_date(write: Write) -> None:
    expired = ruby("get", "", 200, 40, an_order(status="EXPIRED"))
    expired["response"]["headers"]["Date"] = ["Thu, 12 Nov 2020 20:14:40 GMT"]
    moved = audited(write(observed(ruby("get", "", 200, 39, an_order()), expired)))
    assert (set(), 1) == (broken(moved), _count(moved, "EXP-1"))


def _count(result: RunResult, rule: str) -> int:
    return next(entry.exercised for entry in result.rules if entry.rule.id == rule)


def test_a_doubled_slash_is_the_server_s_to_take(write: Write) -> None:
    row = interaction("GET", "", 200, an_order())
    row["request"]["uri"] = row["request"]["uri"].replace("/ordermanagement", "//ordermanagement")
    refused = copy.deepcopy(row)
    refused["response"] = interaction("GET", "", 404, {"error_code": "x"})["response"]
    taken = audited(write({"interactions": [row]}))
    assert 1 == sum(entry.exercised for entry in taken.rules if entry.rule.id == "ORD-GET-1")
    assert ["CLI-PATH-2"] == [e.rule.id for e in taken.rules if e.verdict is Verdict.WARNED]
    assert set() == broken(audited(write({"interactions": [refused]})))


def test_what_a_client_owes_is_judged_too(write: Write) -> None:
    error = {"error_code": "x", "error_messages": [], "correlation_id": "1"}
    bodies = ({"captured_amount": 12.5}, {"captured_amount": "5"})
    rows = [interaction("POST", "/captures", 400, error, sent=body) for body in bodies]
    del rows[1]["request"]["headers"]["Authorization"]
    assert {"CLI-BODY-2", "CLI-AUTH-1"} == broken(audited(write({"interactions": rows})))


def test_credentials_that_were_scrubbed_are_not_missed(write: Write) -> None:
    bare = interaction("GET", "", 200, an_order())
    del bare["request"]["headers"]["Authorization"]
    result = audited(write({"interactions": [bare]}))
    assert [Verdict.NOT_EXERCISED] == [e.verdict for e in result.rules if e.rule.id == "CLI-AUTH-1"]


def test_the_suite_s_own_probes_are_no_misconduct() -> None:
    result = audited(cassettes.path("wire/invalid-bodies"), only="CLI-*")
    assert {Verdict.NOT_EXERCISED} == {entry.verdict for entry in result.rules}


def test_after_a_gap_an_order_is_judged_afresh(write: Write) -> None:
    one, other = (
        ruby("get", "", 200, 39, an_order()),
        ruby("get", "", 200, 40, an_order(merchant_data="changed")),
    )
    near = audited(write(observed(one, other)))
    assert {"ORD-FIX-1"} <= broken(near)
    for date in ("Wed, 30 Sep 2020 23:14:40 GMT", "Wed, 30 Sep 2020 18:14:40 GMT"):
        moved = copy.deepcopy(other)
        moved["recorded_at"] = date
        moved["response"]["headers"]["Date"] = [date]
        far = audited(write(observed(one, moved)))
        assert (set(), 1) == (broken(far), len(far.notes))


def test_calls_at_the_same_time_explain_each_other(tmp_path: Path) -> None:
    def at(
        number: int, start: float, end: float, method: str, path: str, status: int, body: Any = None
    ) -> str:
        request = Request(
            (("Authorization", "REDACTED"),), b"", method, f"/ordermanagement/v1/orders/{ORDER_ID}{path}"
        )
        headers = (("Content-Type", "application/json"),) if body is not None else ()
        answer = Response(headers, b"" if body is None else json.dumps(body).encode(), status)
        return json.dumps(record(Exchange(number, request, answer, start, end)))

    lines = [
        at(1, 1.0, 1.1, "GET", "", 200, an_order()),
        at(2, 2.0, 3.0, "POST", "/cancel", 204),
        at(3, 2.5, 2.6, "GET", "", 200, an_order()),
        at(4, 4.0, 4.1, "GET", "", 200, an_order(status="CANCELLED")),
    ]
    path = tmp_path / "overlap.ndjson"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert set() == broken(audited(path))


def test_a_401_without_credentials_to_see_is_taken_for_wrong_ones(write: Write) -> None:
    refused = interaction("POST", "/captures", 401, sent={"captured_amount": 1})
    refused["response"]["headers"] = {"WWW-Authenticate": ["Basic"]}
    rows = [interaction("GET", "", 200, an_order()), refused, interaction("GET", "", 200, an_order())]
    assert set() == broken(audited(write({"interactions": rows})))


def test_findings_show_no_secret(write: Write) -> None:
    person = {"given_name": "Zebulonia", "street_address": "Plantvägen 77", "email": "z@corp.test"}
    other = {**person, "given_name": "Quackenbush"}
    rows = [interaction("GET", "", 200, an_order(billing_address=address)) for address in (person, other)]
    result = audited(write({"interactions": rows}))
    shown = repr(result.blocks)
    assert {"ORD-FIX-1"} <= broken(result)
    assert [] == [s for s in ("Zebulonia", "Quackenbush", "Plantvägen", "z@corp", "c2VjcmV0") if s in shown]


def test_several_recordings_do_not_mix(write: Write) -> None:
    one = write(observed(ruby("get", "", 200, 39, an_order())), "one.yaml")
    other = write(observed(ruby("get", "", 200, 40, an_order(merchant_data="changed"))), "other.yaml")
    assert set() == broken(audited(one, other))


def long_recording(path: Path, length: int) -> int:
    """Write a recording of at least so many exchanges: some of the shelf again and again, with ids of their own."""
    parts = []
    for name in ("captures/partial", "refunds/spanning", "authorizations/release", "idempotency/repeats"):
        text = cassettes.path(name).read_text(encoding="utf-8")
        parts.append((text[text.index("- recorded_at") :], cassettes.index()[name]["exchanges"]))
    count = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("metadata: {orderproof: {probes: true}}\ninteractions:\n")
        while count < length:
            text, exchanges = parts[count % len(parts)]
            ids: dict[str, str] = {}
            file.write(UUID.sub(lambda found, ids=ids: ids.setdefault(found[0], str(uuid.uuid4())), text))
            count += exchanges
    return count


def test_memory_does_not_grow_with_the_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Little is remembered, so that a short recording is long enough to fill that memory, and bodies that were looked
    # at before, of which some five hundred are.
    monkeypatch.setattr("orderproof.cassette.audit._ORDERS", 5)
    monkeypatch.setattr("orderproof.cassette.clients._REMEMBERED", 20)
    monkeypatch.setattr("orderproof.judge._TRAIL_LENGTH", 20)
    peaks = []
    for length in (600, 1_800):
        path = tmp_path / f"{length}.yaml"
        count = long_recording(path, length)
        tracemalloc.start()
        result = audited(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (0, count) == (result.exit_code, result.requests)
    assert peaks[1] < 1.25 * peaks[0]
