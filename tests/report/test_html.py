"""`report.html` is well formed, needs nothing from outside, and shows what a target sent as text only."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from orderproof.catalogue import catalogue, source_address
from orderproof.outcome import Block, RunResult
from orderproof.report.html import html
from orderproof.report.lifecycle import lifecycle
from orderproof.report.markup import element, joined
from orderproof.report.timeline import timelines
from orderproof.report.traffic import MOST_EXCHANGES, body_text, indented, traffic
from tests.report.samples import (
    BROKEN,
    CONFORMS,
    HOSTILE,
    HOSTILE_RUN,
    NOT_JUDGED,
    TOO_MUCH,
    TWICE,
    exchange,
    message,
)

RUNS = [CONFORMS, BROKEN, NOT_JUDGED, HOSTILE_RUN, replace(BROKEN, strict=True)]
IDS = ["conforms", "broken", "not judged", "hostile", "strict"]

_VOID = {"meta", "input"}


class _Page(HTMLParser):
    """A strict reader: every element is closed in order, and its names and attributes are noted."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: dict[str, list[str]] = {}
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.text.setdefault(self.open[-1], []).append(data)

    def attributes(self, name: str) -> list[str]:
        return [
            value or "" for _, attributes in self.elements for key, value in attributes.items() if key == name
        ]


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_it_is_well_formed_and_its_ids_are_unique(result: RunResult) -> None:
    page = _Page(html(result))
    ids = page.attributes("id")
    assert len(set(ids)) == len(ids)
    inside = [link for link in page.attributes("href") if link.startswith("#")]
    assert {link.removeprefix("#") for link in inside} <= set(ids)
    assert set(page.attributes("aria-labelledby")) <= set(ids)


@pytest.mark.parametrize("result", RUNS, ids=IDS)
def test_it_has_nothing_that_loads_or_runs_but_its_own_style_and_script(result: RunResult) -> None:
    page = _Page(html(result))
    attributes = {name for _, found in page.elements for name in found}
    assert not {name for name in attributes if name.startswith("on")} | (
        attributes & {"src", "style", "action"}
    )
    known = {source_address(source) for rule in catalogue().values() for source in rule.sources}
    assert {link for link in page.attributes("href") if not link.startswith("#")} <= known
    tags = [tag for tag, _ in page.elements]
    assert tags.count("script") == tags.count("style") == 1
    assert not set(tags) & {"img", "iframe", "object", "embed", "link", "base", "a:href"}


def test_the_policy_names_the_style_and_the_script() -> None:
    page = _Page(html(BROKEN))
    (policy,) = [found["content"] or "" for tag, found in page.elements if found.get("http-equiv")]
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        digest = hashlib.sha256("".join(page.text[tag]).encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy


def test_hostile_text_is_text() -> None:
    text = html(HOSTILE_RUN)
    hostile, harmless = _Page(text), _Page(html(BROKEN))
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in harmless.elements}
    assert text.count("&lt;script&gt;alert") > 40
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", text)


def test_what_is_broken_is_on_the_first_screen() -> None:
    text = html(BROKEN)
    first = text[text.index("<body>") : text.index('id="cause-1"')]
    words = (
        "http://127.0.0.1:8080",
        "4 rules are broken",
        "<b>98</b> passed",
        "CAP-5",
        "201 Created, captured_amount 10001",
    )
    assert [word for word in words if word not in first] == []


def test_a_failure_shows_what_the_block_shows() -> None:
    text = html(BROKEN)
    cause = text[text.index('id="cause-1"') : text.index('id="cause-2"')]
    for word in (
        "Capturing more than the remaining authorization",
        "403 - CAPTURE_NOT_ALLOWED",
        "403 CAPTURE_NOT_ALLOWED, order unchanged",
        "orderproof reproduce counterexamples/CAP-5.json",
        "3 findings that follow",
        "ORD-SUM-3",
        "<mark>201 Created</mark>",
        "<mark>&quot;captured_amount&quot;: 10001</mark>",
        "curl -i -u",
    ):
        assert word in cause, word


def test_every_rule_has_a_row_with_its_reason() -> None:
    page = _Page(html(BROKEN))
    rows = [found for tag, found in page.elements if tag == "tr" and "data-verdict" in found]
    assert [row["data-verdict"] for row in rows] == [entry.verdict.value for entry in BROKEN.rules]
    assert "the target has no clock that can be moved" in html(BROKEN)


def test_without_coverage_there_is_no_picture() -> None:
    assert "<svg" not in html(replace(CONFORMS, coverage={}))
    assert "<svg" in html(CONFORMS)


def arrow(
    state: str, after: str | None, *, broken: bool = False, outcome: str = "taken"
) -> dict[str, object]:
    return {
        "state": state,
        "operation": "captureOrder",
        "outcome": outcome,
        "count": 3,
        "next": after,
        "broken": broken,
    }


@pytest.mark.parametrize(
    ("transition", "taken", "broken"),
    [
        (arrow("AUTHORIZED", "CAPTURED"), 1, 0),
        (arrow("PART_CAPTURED, part refunded", "CAPTURED, part refunded"), 1, 0),
        (arrow("CAPTURED, none refunded", "CAPTURED, part refunded"), 0, 0),
        (arrow("EXPIRED", None, outcome="refused"), 1, 0),
        (arrow("EXPIRED, none refunded", None, outcome="refused"), 1, 0),
        (arrow("AUTHORIZED", "AUTHORIZED"), 0, 0),
        (arrow("AUTHORIZED", None, outcome="refused"), 0, 0),
        (arrow("CANCELLED", "CAPTURED", broken=True), 0, 1),
        (arrow("CLOSED", "AUTHORIZED", broken=True), 0, 1),
        (arrow("AUTHORIZED", "SOMETHING ELSE", broken=True), 0, 0),
    ],
)
def test_the_picture_has_an_arrow_for_each_move(
    transition: dict[str, object], taken: int, broken: int
) -> None:
    page = _Page(lifecycle({"transitions": [transition]}))
    arrows = [
        (found["class"] or "").split()[1]
        for tag, found in page.elements
        if "arrow" in (found.get("class") or "")
    ]
    assert (arrows.count("taken"), arrows.count("broken")) == (taken, broken)
    assert len(arrows) == 9 + broken


def test_the_table_of_operations_has_each_state_and_operation() -> None:
    missed = {"state": "RELEASED, none refunded", "operation": "refundOrder", "outcome": "taken"}
    transitions = [arrow("CANCELLED", "CAPTURED", broken=True), arrow("NEW, some", None)]
    text = lifecycle({"transitions": transitions, "missed": [missed], "taken": 2, "reachable": 3})
    assert "went through 2 of the 3 transitions" in text
    assert text.count(">not reached</span>") == 1 + 1
    assert ">3 times broken<" in text
    assert ">3 taken<" in text
    assert text.count('scope="col"') == 1 + 7 + 1
    assert text.count('scope="row"') == 18


def test_a_race_has_a_time_line() -> None:
    (line,) = timelines(TWICE)
    page = _Page(line)
    bars = [
        (round(float(found["x"] or 0), 1), round(float(found["width"] or 0), 1))
        for tag, found in page.elements
        if tag == "rect"
    ]
    assert bars == [(0.0, 70.6), (5.9, 94.1)]
    assert "0.0 to 12.0 ms" in line
    assert timelines(TOO_MUCH) == []


def _long(count: int, deciding: int | None) -> Block:
    entries = tuple(exchange(n, message("GET", target=f"/{n}"), message(200)) for n in range(1, count + 1))
    return replace(TOO_MUCH, exchanges=entries, deciding=deciding)


@pytest.mark.parametrize(
    ("count", "deciding", "first", "notice"),
    [
        (3, 2, 1, ""),
        (60, 60, 49, "48 exchanges before these"),
        (60, 20, 20, "19 exchanges before these"),
        (60, None, 49, "48 exchanges before these"),
    ],
)
def test_the_exchanges_around_the_deciding_one_are_shown(
    count: int, deciding: int | None, first: int, notice: str
) -> None:
    text = traffic(_long(count, deciding))
    shown = [int(number) for number in re.findall(r"<summary><code>GET /(\d+) ", text)]
    assert shown == list(range(first, min(first + MOST_EXCHANGES, count + 1)))
    assert text.count(">Request<") == len(shown)
    assert (deciding or count) in shown
    assert notice in text
    assert text.count(" decides</b>") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain {", "plain {"),
        ("100.50", "100.50"),
        ("[]", "[]"),
        ('{"a":1.50,"a":1E2}', '{\n  "a": 1.50,\n  "a": 1E2\n}'),
        (
            '{"a": [1, {}], "b": "x, {y} \\" ["}',
            '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x, {y} \\" ["\n}',
        ),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_json_is_indented_and_its_values_stay_letter_by_letter(text: str, shown: str) -> None:
    assert indented(text) == shown


def test_a_body_that_is_too_long_is_cut() -> None:
    assert body_text({"body": "x" * 2_000_000}).endswith("x… (2,000,000 characters)")
    assert len(body_text({"body": "x" * 2_000_000})) < 7_000
    assert body_text({"body_base64": "/w=="}) == "(not text; in base64) /w=="


def test_markup_escapes_text_and_attributes() -> None:
    assert element("p", "<b>", class_='"&<', hidden=True, title=None) == (
        '<p class="&quot;&amp;&lt;" hidden>&lt;b&gt;</p>'
    )
    assert joined("a\x00b\n", [element("meta", charset="utf-8")]) == 'a\\x00b\n<meta charset="utf-8">'
    assert HOSTILE not in element("p", HOSTILE)
