"""Requests and answers as a page shows them, what decides in them marked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from orderproof.outcome import Block
from orderproof.report.markup import Html, element, joined
from orderproof.report.text import counted, shortened

MOST_EXCHANGES = 12
"""Exchanges shown of one root cause; the history has all of them."""

_MOST_TEXT = 6_000
_MOST_HEADERS = 30
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s"\[\]{},:]+')
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
_KEY = re.compile(r'^\s*"([^"\\]+)": ')

Record = Mapping[str, Any]


def traffic(block: Block) -> Html:
    """Return the exchanges around the deciding one, that and the last one open, the others folded."""
    shown, left_out = _around(block)
    notice = f"{counted(left_out, 'exchange')} before these can be found in history.ndjson."
    return joined(
        element("p", notice, class_="muted") if left_out else "",
        [_exchange(entry, block) for entry in shown],
    )


def _around(block: Block) -> tuple[Sequence[Record], int]:
    """The last exchanges, from the deciding one on if that is further back, and how many come before them."""
    everything = block.exchanges
    place = next(
        (n for n, entry in enumerate(everything) if entry["number"] == block.deciding), len(everything)
    )
    start = max(0, min(place, len(everything) - MOST_EXCHANGES))
    return everything[start : start + MOST_EXCHANGES], start


def is_deciding(entry: Record, block: Block) -> bool:
    """Say whether an exchange is the deciding one of a block."""
    deciding = block.exchanges[-1]["number"] if block.deciding is None else block.deciding
    return bool(entry["number"] == deciding)


def _exchange(entry: Record, block: Block) -> Html:
    decides = is_deciding(entry, block)
    last = entry["number"] == block.exchanges[-1]["number"]
    words = frozenset(_WORD.findall(f"{block.expected} {block.actual}")) if decides or last else frozenset()
    title = shortened(f"{entry['request']['method']} {entry['request']['target']}", 200)
    summary = element(
        "summary",
        element("code", f"{title} → {answer_line(entry)}"),
        element("b", " decides", class_="deciding") if decides else "",
    )
    return element(
        "details",
        summary,
        element(
            "div",
            element("div", element("h4", "Request"), _message(_request_line(entry), entry["request"], words)),
            element("div", element("h4", "Answer"), _answer(entry, words, decides=decides)),
            class_="pair",
        ),
        class_="exchange decides" if decides else "exchange",
        open=decides or last,
    )


def _request_line(entry: Record) -> Html:
    return joined(shortened(f"{entry['request']['method']} {entry['request']['target']}", _MOST_TEXT))


def answer_line(entry: Record) -> str:
    """Return the status and its phrase, or why there is no answer."""
    response = entry["response"]
    if response is None:
        return f"no answer: {entry.get('fault') or 'lost'}"
    try:
        return f"{response['status']} {HTTPStatus(response['status']).phrase}"
    except ValueError:
        return str(response["status"])


def _answer(entry: Record, words: frozenset[str], *, decides: bool) -> Html:
    line = joined(answer_line(entry))
    response = entry["response"] or {"headers": ()}
    return _message(element("mark", line) if decides else line, response, words)


def _message(first: Html, message: Record, words: frozenset[str]) -> Html:
    """The start line, headers and body of a message; body lines about one of the words are marked."""
    headers = [f"{name}: {value}" for name, value in message["headers"][:_MOST_HEADERS]]
    body = "\n".join(shortened(line, _MOST_TEXT) for line in body_text(message).split("\n"))
    parts: list[Html] = [element("b", first)]
    parts += [joined("\n", element("span", line, class_="muted")) for line in headers]
    if body:
        parts.append(joined("\n\n"))
        parts += _marked(body, words)
    return element("pre", parts, tabindex="0")


def _marked(body: str, words: frozenset[str]) -> Iterator[Html]:
    for number, line in enumerate(body.split("\n")):
        key = _KEY.match(line)
        shown = element("mark", line.strip()) if key is not None and key[1] in words else None
        indent = line[: len(line) - len(line.lstrip())]
        yield joined("\n" if number else "", joined(indent, shown) if shown is not None else line)


def body_text(message: Record) -> str:
    """Return the body of a recorded message as text, JSON indented, cut where it is too long for a page."""
    if "body_base64" in message:
        return f"(not text; in base64) {shortened(str(message['body_base64']), 400)}"
    body = str(message.get("body", ""))
    if len(body) > _MOST_TEXT:
        return f"{body[:_MOST_TEXT]}… ({len(body):,} characters)"
    return indented(body)


def indented(text: str) -> str:
    """Return JSON with line breaks and indents, its values letter by letter as they came; other text as it is."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    lines: list[str] = [""]
    depth = 0
    before = ""
    for token in _TOKEN.findall(text):
        depth -= token in "]}"
        empty = token in "]}" and before in ("[", "{")
        if before and not empty and (before in "[{," or token in "]}"):
            lines.append("  " * depth)
        lines[-1] += ": " if token == ":" else token
        depth += token in "[{"
        before = token
    return "\n".join(lines)
