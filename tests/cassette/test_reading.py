"""Recordings of every origin are read, and what is none, or means harm, is refused with one sentence."""

from __future__ import annotations

import base64
import contextlib
import copy
import gzip
import json
import os
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderproof import cassettes
from orderproof.cassette.audit import audit
from orderproof.cassette.entries import Entry
from orderproof.cassette.reading import Recording, recordings
from orderproof.cassette.source import LARGEST_ENTRY, Malformed
from orderproof.catalogue import select
from orderproof.drivers.drafts import draft
from orderproof.errors import OrderproofError, UsageError
from orderproof.exchange import Exchange, Request, Response, record
from orderproof.outcome import Verdict
from orderproof.target import Target
from tests.cassette.conftest import CAPTURE_ID, ORDER_ID, an_order, interaction, ruby

Write = Callable[..., Path]


def entries(path: Path) -> list[Entry]:
    return list(Recording(path))


def test_a_cassette_that_vcrpy_wrote_itself(sandbox: Target, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    with vcr.use_cassette(str(path), record_mode="all"):
        client = httpx.Client(base_url=sandbox.base_url, headers={"Authorization": sandbox.authorization})
        order_id = client.post("/customer-token/v1/tokens/sandbox/order", json=draft()).json()["order_id"]
        client.post(f"/ordermanagement/v1/orders/{order_id}/captures", json={"captured_amount": 100})
        address = f"{sandbox.base_url}/ordermanagement/v1/orders/{order_id}"
        urllib.request.urlopen(
            urllib.request.Request(address, headers={"Authorization": sandbox.authorization})
        )
    found = [entry.exchange for entry in entries(path)]
    assert ["POST", "POST", "GET"] == [exchange.request.method for exchange in found]
    assert [200, 201, 200] == [exchange.status for exchange in found]
    assert {"captured_amount": 100} == found[1].request.json
    assert found[2].response is not None
    assert 100 == found[2].response.json["captured_amount"]
    assert 0 == audit(recordings([str(path)]), select([])).exit_code


def test_a_cassette_of_the_ruby_library(write: Write) -> None:
    path = write({"http_interactions": [ruby("get", "", 200, 39, an_order())], "recorded_with": "VCR 5.0.0"})
    (entry,) = entries(path)
    assert "GET" == entry.exchange.request.method
    assert f"/ordermanagement/v1/orders/{ORDER_ID}" == entry.exchange.request.target
    assert 1601496879 == entry.exchange.sent_at
    assert entry.exchange.response is not None
    assert an_order() == entry.exchange.response.json


def har(*pairs: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """A HAR document as browsers export it."""
    rows = [
        {
            "startedDateTime": f"2024-05-01T10:00:0{number}.250+02:00",
            "time": 12.5,
            "request": {"httpVersion": "h2", "cookies": [], "queryString": [], "headersSize": -1, **request},
            "response": {
                "httpVersion": "h2",
                "cookies": [],
                "redirectURL": "",
                "headersSize": -1,
                **response,
            },
            "cache": {},
            "timings": {"send": 0, "wait": 12, "receive": 0.5},
        }
        for number, (request, response) in enumerate(pairs)
    ]
    pages = [
        {"id": "page_1", "title": "Orders", "startedDateTime": "2024-05-01T10:00:00Z", "pageTimings": {}}
    ]
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "pages": pages, "entries": rows}}


def browser_get(url: str, body: Any, **content: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    headers = [{"name": ":authority", "value": "x"}, {"name": "accept", "value": "*/*"}]
    text = json.dumps(body)
    return (
        {"method": "GET", "url": url, "headers": headers, "bodySize": 0},
        {
            "status": 200,
            "statusText": "",
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"size": len(text), "mimeType": "application/json", "text": text, **content},
            "bodySize": -1,
        },
    )


def test_a_har_file_that_a_browser_exported(write: Write) -> None:
    url = f"https://shop.example/klarna/ordermanagement/v1/orders/{ORDER_ID}"
    order = an_order(created_at="2024-04-30T10:00:00Z", expires_at="2024-05-28T00:00:00Z")
    text = json.dumps(order)
    encoded = base64.b64encode(text.encode()).decode()
    document = har(
        browser_get("https://shop.example/style.css", "…"),
        browser_get(url, order),
        browser_get(url, order, text=encoded, encoding="base64"),
    )
    path = write(document, "traffic.har")
    found = entries(path)
    assert [("accept", "*/*")] == list(found[1].exchange.request.headers)
    assert 0.0125 == pytest.approx(found[1].exchange.answered_at - found[1].exchange.sent_at, abs=1e-6)
    assert found[1].exchange.response is not None
    assert found[1].exchange.response == found[2].exchange.response
    result = audit([Recording(path)], select([]))
    assert (0, 2) == (result.exit_code, result.requests)
    assert "1 exchange of other traffic passed over" in result.notes


def test_a_har_file_with_a_byte_order_mark_and_without_bodies(write: Write) -> None:
    request, response = browser_get(f"https://x/ordermanagement/v1/orders/{ORDER_ID}", an_order())
    del response["content"]["text"]
    path = write("\ufeff" + json.dumps(har((request, response))), "bare.har")
    (entry,) = entries(path)
    assert not entry.whole
    result = audit([Recording(path)], select([]))
    assert (3, 0) == (result.exit_code, len(result.blocks))
    assert "1 exchange not judged: recorded without a body that can be read" in result.notes


def test_a_history_of_ours_and_a_last_line_that_a_killed_run_left(tmp_path: Path) -> None:
    request = Request((), b"", "GET", f"/ordermanagement/v1/orders/{ORDER_ID}")
    response = Response((("Content-Type", "application/json"),), json.dumps(an_order()).encode(), 200)
    line = json.dumps(record(Exchange(1, request, response, 1.0, 2.0)))
    path = tmp_path / "history.ndjson"
    path.write_text(f"{line}\n{line[:50]}", encoding="utf-8")
    assert [response] == [entry.exchange.response for entry in entries(path)]


def test_flat_objects_a_line_each(tmp_path: Path) -> None:
    flat = {
        "recorded_at": "Wed, 30 Sep 2020 20:14:39 GMT",
        "method": "POST",
        "uri": f"https://x/ordermanagement/v1/orders/{ORDER_ID}/captures",
        "request_headers": {"Content-Type": ["application/json"]},
        "request_body": '{"captured_amount": 500}',
        "status": 201,
        "response_headers": {"Capture-Id": ["1"]},
        "response_body": "",
    }
    path = tmp_path / "traffic.jsonl"
    path.write_text(json.dumps(flat) + "\n", encoding="utf-8")
    (entry,) = entries(path)
    assert {"captured_amount": 500} == entry.exchange.request.json
    assert (201, 1601496879) == (entry.exchange.status, entry.exchange.sent_at)


def test_bodies_in_every_way_that_recorders_have(write: Write) -> None:
    text = json.dumps(an_order())
    packed = gzip.compress(text.encode())
    base = interaction("GET", "", 200, an_order())
    ways: list[Any] = [text, {"string": text}, {"base64_string": base64.b64encode(text.encode()).decode()}]
    ways += [text.encode(), {"string": text.encode()}]
    rows = [{**base, "response": {**base["response"], "body": body}} for body in ways]
    zipped = {**base["response"], "headers": {"content-encoding": ["gzip"]}, "body": {"string": packed}}
    rows.append({**base, "response": zipped})
    path = write({"interactions": [copy.deepcopy(row) for row in rows], "version": 1})
    answers = [entry.exchange.response for entry in entries(path)]
    assert 6 == len(answers)
    assert all(answer is not None and answer.json == an_order() for answer in answers)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda body: body),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("deflate", lambda body: body),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
        ("br", lambda body: body),
        ("identity", lambda body: body),
    ],
)
def test_a_coding_that_the_recorder_left_in_place_is_undone(
    write: Write, coding: str, packed: Callable[[bytes], bytes]
) -> None:
    row = interaction("GET", "", 200, an_order())
    row["response"] |= {"headers": {"content-encoding": [coding]}}
    row["response"]["body"] = {"string": packed(json.dumps(an_order()).encode())}
    (entry,) = entries(write({"version": 1, "interactions": [row]}))
    assert entry.exchange.response is not None
    assert (True, an_order()) == (entry.whole, entry.exchange.response.json)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br"])
def test_a_coding_that_cannot_be_undone_accuses_nobody(write: Write, coding: str) -> None:
    row = interaction("GET", "", 200, an_order())
    row["response"]["headers"] |= {"content-encoding": [coding]}
    row["response"]["body"] = {"string": b"\x1b3\x04\x00\x1c\tet#u|"}
    har = {
        "request": {"method": "GET", "url": row["request"]["uri"], "headers": []},
        "response": {
            "status": 200,
            "headers": [{"name": "content-encoding", "value": coding}],
            "content": {"text": "GzMEABw=", "encoding": "base64"},
        },
    }
    cassette = write({"version": 1, "interactions": [row]})
    for path in (cassette, write({"log": {"version": "1.2", "entries": [har]}}, "recording.har")):
        result = audit([Recording(path)], select(["*"]))
        assert ([], "not judged") == (result.blocks, result.verdict)
        assert "1 exchange not judged: recorded without a body that can be read" in result.notes


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (zlib.compress(b"{}" * 999)[:-3], "packed, and breaks off"),
        (b"\x07\xff\xff", "not packed as its headers say"),
        (zlib.compress(b" " * 30_000_000), "unpacks to more than the 20 MB"),
    ],
)
def test_a_body_that_is_packed_badly_is_refused(write: Write, body: bytes, words: str) -> None:
    row = interaction("GET", "", 200, an_order())
    row["response"] |= {"headers": {"content-encoding": ["deflate"]}, "body": {"string": body}}
    with pytest.raises(Malformed, match=words):
        entries(write({"version": 1, "interactions": [row]}))


def test_bodies_that_were_recorded_as_values(write: Write) -> None:
    """As vcrpy records what is sent with aiohttp's `json=`: before it is text, and before it has a media type."""
    order = interaction("GET", "", 200, an_order())
    made = interaction("POST", "/captures", 201)
    made["request"]["body"] = {"captured_amount": 9900, "order_lines": []}
    made["request"]["headers"] = {"Authorization": ["Basic c2VjcmV0"]}
    capture = f"{ORDER_ID}/captures/{CAPTURE_ID}"
    made["response"]["headers"] = {
        "Capture-Id": [CAPTURE_ID],
        "Location": [f"/ordermanagement/v1/orders/{capture}"],
    }
    empty = interaction("PATCH", "/merchant-references", 204)
    empty["request"] = {**made["request"], "method": "PATCH", "uri": empty["request"]["uri"], "body": {}}
    result = audit([Recording(path := write({"interactions": [order, made, empty]}))], select(["*"]))
    assert [] == [e.rule.id for e in result.rules if e.verdict is Verdict.FAILED]
    requests = [entry.exchange.request for entry in entries(path)]
    assert [b"", b'{"captured_amount": 9900, "order_lines": []}', b"{}"] == [r.body for r in requests]
    assert ["application/json"] * 3 == [request.header("content-type") for request in requests]


def test_what_stands_in_two_places_may_be_written_once(write: Write) -> None:
    """As the YAML library of recorders does where one object is used twice."""
    order, headers = an_order(), {"Authorization": ["Basic c2VjcmV0"]}
    order["shipping_address"] = order["billing_address"]
    row = interaction("GET", "", 200)
    row["request"]["headers"], row["response"]["body"] = headers, order
    again = copy.deepcopy(row) | {"request": row["request"]}
    path = write({"interactions": [row, again]})
    assert path.read_text(encoding="utf-8").count("*id") >= 2
    read = [entry.exchange for entry in entries(path)]
    assert [order, order] == [found.response and found.response.json for found in read]
    assert ["Basic c2VjcmV0"] * 2 == [found.request.header("authorization") for found in read]


def test_answers_that_were_written_down_as_values(write: Write) -> None:
    order, nothing = interaction("GET", "", 200, an_order()), interaction("POST", "/acknowledge", 204)
    order["response"]["body"], nothing["response"]["body"] = an_order(), {}
    first, second = (entry.exchange.response for entry in entries(write({"interactions": [order, nothing]})))
    assert (an_order(), b"") == (first and first.json, second and second.body)


def test_a_recording_without_times_is_taken_to_be_in_order(write: Write) -> None:
    expired = an_order(status="EXPIRED")
    path = write(
        {"interactions": [interaction("GET", "", 200, an_order()), interaction("GET", "", 200, expired)]}
    )
    first, second = entries(path)
    assert (False, False) == (first.timed, second.timed)
    assert second.exchange.sent_at >= 1604966400 > first.exchange.sent_at


_LAUGHS = "".join(f"l{n}: &l{n} [*l{n - 1}, *l{n - 1}]\n" for n in range(1, 30))
LAUGHS = f"l0: &l0 ha\n{_LAUGHS}interactions: [*l29]\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "it is empty"),
        ("hello", "neither a cassette"),
        ("- 1\n- 2\n", "neither a cassette"),
        ("version: 1\n", "it has no entries"),
        ("interactions:\n- request: {method: [", "not YAML, or breaks off"),
        ('{"log": {"entries": [{"startedDa', "not JSON, or breaks off"),
        ('{"log": {"version": "1.2"}}', "it has no entries"),
        ("interactions:\n- request: !!python/object/apply:os.system [echo]\n", "the YAML tag"),
        (LAUGHS, "the alias 'l15' on line 17 makes more than 100,000 values"),
        ("interactions:\n- &a [*a]\n", "the alias 'a' on line 2 refers to nothing before it"),
        ("interactions:\n- *nothing\n", "the alias 'nothing' on line 2 refers to nothing before it"),
        (
            "interactions:\n- [" + "".join(f"&a{n} 1, " for n in range(1_001)) + "]\n",
            "more than 1,000 anchors",
        ),
        ("interactions:\n- " + "[" * 500, "nested more than 100 levels deep"),
        ("interactions:\n- " + "[" * 5_000, "nest"),  # libyaml itself may refuse it first
        ('{"interactions": [' + "[" * 100_000, "nested too deeply"),
        ('{"interactions": [{"n": ' + "9" * 5_000 + "}]}", "thousands of digits"),
        ("interactions:\n- 5\n", "entry 1: it is not an object but 5"),
        ("interactions:\n- request: 5\n", "entry 1: it has no request"),
        ("interactions:\n- request: {method: 5, uri: 'http://x/'}\n", "request.method is 5, not text"),
        ("interactions:\n- request: {method: GET}\n", "request.uri is None, not text"),
        ("interactions:\n- request: {method: GET, uri: 'http://x:99999999/'}\n", "is no address"),
        ("interactions:\n- request: {method: GET, uri: 'http://x/', headers: [1]}\n", "headers are [1]"),
        (
            "interactions:\n- request: {method: GET, uri: 'http://x/', body: 5}\n",
            "request.body is 5, not text",
        ),
        (
            "interactions:\n- request: {method: GET, uri: 'http://x/', body: {a: !!binary aGk=}}\n",
            "request.body is {'a': b'hi'}, neither text nor JSON",
        ),
        (
            "interactions:\n- request: {method: GET, uri: 'http://x/'}\n  response: {status: {code: ok}}\n",
            "'ok'",
        ),
        ('{"request": {"target": "/", "method": "GET"}}\n', "it is no exchange of a history"),
        ("\x00\x00", "it is not YAML"),
    ],
)
def test_what_is_no_recording_is_refused_in_one_sentence(write: Write, data: str, words: str) -> None:
    with pytest.raises(Malformed) as refused:
        entries(write(data, "some.thing"))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert 2 == refused.value.exit_code


@pytest.mark.parametrize("size", ["1000000000", "9" * 400])
def test_a_body_that_claims_to_be_huge_is_refused(write: Write, size: str) -> None:
    claiming = interaction("GET", "", 200, an_order())
    claiming["response"]["headers"]["Content-Length"] = [size]
    with pytest.raises(Malformed, match="it claims a body of"):
        entries(write({"interactions": [claiming]}))


def test_a_har_body_that_claims_to_be_huge_is_refused(write: Write) -> None:
    pair = browser_get(f"https://x/ordermanagement/v1/orders/{ORDER_ID}", an_order(), size=1_000_000_000)
    with pytest.raises(Malformed, match="claims a body of 1,000,000,000 bytes"):
        entries(write(har(pair), "huge.har"))


def test_a_body_that_unpacks_to_something_huge_is_refused(write: Write) -> None:
    packed = interaction("GET", "", 200)
    packed["response"]["headers"] = {"Content-Encoding": ["gzip"]}
    packed["response"]["body"] = {"string": gzip.compress(b" " * 30_000_000)}
    with pytest.raises(Malformed, match="unpacks to more than"):
        entries(write({"interactions": [packed]}))


@pytest.mark.parametrize("start", ["interactions:\n- request: {body: '", '{"interactions": [{"body": "'])
def test_an_entry_without_an_end_does_not_fill_the_memory(tmp_path: Path, start: str) -> None:
    path = tmp_path / "endless.yaml"
    with path.open("w", encoding="utf-8") as file:
        file.write(start)
        for _ in range(LARGEST_ENTRY // 1_000_000 + 10):
            file.write("x" * 1_000_000)
    with pytest.raises(Malformed, match="one entry takes more than 64 MB"):
        entries(path)


def test_a_file_that_is_not_there_and_a_folder_without_recordings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        entries(tmp_path / "missing.yaml")
    with pytest.raises(UsageError, match="has no recordings in it"):
        recordings([str(tmp_path)])


def test_a_folder_stands_for_the_recordings_in_it(tmp_path: Path) -> None:
    (tmp_path / "area").mkdir()
    for name in ("area/b.yaml", "a.har", "index.yaml", "notes.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert ["a.har", "b.yaml"] == [recording.path.name for recording in recordings([str(tmp_path)])]


def test_what_is_no_file_is_left_out_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "gone.yaml").symlink_to("nowhere.yaml")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "file.yaml").write_text("", encoding="utf-8")
    assert ["file.yaml"] == [recording.path.name for recording in recordings([str(tmp_path)])]


def test_a_pipe_is_read_and_one_without_a_writer_does_not_hang(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(Malformed, match="it is empty"):
        entries(pipe)
    read, write = os.pipe()
    with open(write, "wb") as stream:
        stream.write(cassettes.path("captures/full").read_bytes()[:40_000].rpartition(b"\n- recorded_at")[0])
    assert entries(Path(f"/dev/fd/{read}"))
    os.close(read)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
def test_a_time_at_the_ends_of_the_calendar_is_one(write: Write, moment: str) -> None:
    row = {**interaction("GET", "", 200, an_order(expires_at=moment)), "recorded_at": moment}
    result = audit([Recording(write({"version": 1, "interactions": [row]}))], select(["*"]))
    assert [] == [entry.rule.id for entry in result.rules if entry.verdict is Verdict.ERROR]
    assert "ORD-GET-3" not in {block.rule.id for block in result.blocks}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_recording_with_anything_anywhere_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    pair = browser_get(f"https://x/ordermanagement/v1/orders/{ORDER_ID}", an_order())
    document = data.draw(
        st.sampled_from(
            [
                har(pair),
                {
                    "interactions": [
                        interaction("GET", "", 200, an_order()),
                        interaction("POST", "/captures", 201),
                    ]
                },
                {"http_interactions": [ruby("get", "", 200, 10, an_order())], "recorded_with": "VCR"},
            ]
        )
    )
    document = json.loads(json.dumps(document))
    holder, key = data.draw(st.sampled_from(list(_places(document))))
    holder[key] = data.draw(_JSON)
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with contextlib.suppress(OrderproofError):
        result = audit([Recording(path)], select([]))
        assert [] == [entry for entry in result.rules if entry.verdict is Verdict.ERROR]


def _places(value: Any) -> Any:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in list(children):
        yield value, key
        yield from _places(child)


def test_yaml_and_json_are_read_alike(write: Write) -> None:
    data = {"version": 1, "interactions": [interaction("GET", "", 200, an_order())] * 3}
    one, other = write(yaml.safe_load(json.dumps(data))), write(data, "same.json")
    assert [e.exchange.request for e in entries(one)] == [e.exchange.request for e in entries(other)]
    assert [e.exchange.response for e in entries(one)] == [e.exchange.response for e in entries(other)]
