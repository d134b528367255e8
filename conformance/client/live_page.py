"""The page of a sandbox that judges: read in a browser, without scripts, refreshed by itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from orderproof.catalogue import catalogue
from orderproof.client.ledger import Entry, Ledger
from orderproof.exchange import Request, Response, redacted_target
from orderproof.report.markup import Html, element, joined
from orderproof.report.text import counted
from orderproof.shown import shown_answer, shown_request

PATH = "/_judge"
REFRESH_SECONDS = 2

_STYLE = """
:root { color-scheme: light dark; --must: #a8261c; --should: #835300; --line: #8886; }
body { margin: 1.5rem auto; max-width: 80rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
table { border-collapse: collapse; width: 100%; margin-bottom: 1.5rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .6rem .25rem 0; border-top: 1px solid var(--line); }
td, code { overflow-wrap: anywhere; }
code { font: 13px/1.5 ui-monospace, monospace; }
.MUST { color: var(--must); } .SHOULD { color: var(--should); }
@media (prefers-color-scheme: dark) { :root { --must: #ff9d92; --should: #efbe62; } }
"""
_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
_OF_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "[::1]"})


def answer_for(request: Request, ledger: Ledger, *, guarded: bool) -> Response | None:
    """Return the page for a request of it, None for any other request.

    A `guarded` page is given under a name of this machine alone: a web site that has its own name resolve to
    127.0.0.1 must not read along.
    """
    if request.path != PATH or request.method not in ("GET", "HEAD"):
        return None
    host = (request.header("host") or "").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    if guarded and name not in _OF_THIS_MACHINE:
        return Response((("Content-Type", "text/plain"),), b"Ask for 127.0.0.1 or localhost.\n", 421)
    return Response(_HEADERS, live_page(ledger).encode("utf-8", "backslashreplace"), 200)


def live_page(ledger: Ledger) -> str:
    """Return the page. What a client sent is in it as text only."""
    entries = ledger.entries()
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="refresh", content=REFRESH_SECONDS),
        element("title", "orderproof sandbox, judging"),
        element("style", Html(_STYLE)),
    )
    body = element(
        "body",
        element("h1", "The sandbox, judging"),
        element("p", f"{counted(ledger.requests, 'request')}, refreshed every {REFRESH_SECONDS} seconds."),
        *_findings(ledger, entries),
        *_orders(ledger),
        *_requests(entries),
    )
    return f"<!doctype html>{element('html', head, body, lang='en')}"


def _table(title: str, names: tuple[str, ...], rows: list[Html]) -> list[Html]:
    heading = element("tr", [element("th", name, scope="col") for name in names])
    return [element("h2", title), element("table", heading, rows)]


def _findings(ledger: Ledger, entries: list[Entry]) -> list[Html]:
    latest = {finding.rule: finding for entry in reversed(entries) for finding in entry.findings}
    rows = []
    for rule_id, count in ledger.broken().most_common():
        rule, finding = catalogue()[rule_id], latest.get(rule_id)
        last = (
            f"expected {finding.expected}; got {finding.actual} (request {finding.exchange.number})"
            if finding
            else ""
        )
        name = element("b", rule_id, class_=rule.level)
        rows.append(_row(joined(name, f" {rule.level}"), rule.title, f"{count:,}", last))
    return _table("Findings", ("Rule", "What it asks", "Times", "Last"), rows or [_row("none", "", "", "")])


def _orders(ledger: Ledger) -> list[Html]:
    names = (
        "order_id",
        "status",
        "order_amount",
        "captured_amount",
        "refunded_amount",
        "remaining_authorized_amount",
    )
    rows = [_row(*(_value(order, name) for name in names)) for order in ledger.orders()]
    return _table("Orders", tuple(name.replace("_", " ") for name in names), rows)


def _value(order: Mapping[str, Any], name: str) -> str:
    return str(order.get(name, ""))


def _requests(entries: list[Entry]) -> list[Html]:
    rows = [
        _row(
            str(entry.exchange.number),
            time.strftime("%H:%M:%S", time.localtime(entry.exchange.sent_at)),
            element(
                "code", f"{redacted_target(entry.exchange.request.path)}\n{shown_request(entry.exchange)}"
            ),
            shown_answer(entry.exchange),
            joined(
                *(
                    element("b", f"{finding.rule} ", class_=catalogue()[finding.rule].level)
                    for finding in entry.findings
                )
            ),
        )
        for entry in entries
    ]
    return _table("Requests, the newest first", ("No.", "At", "Request", "Answer", "Breaks"), rows)


def _row(*cells: str) -> Html:
    return element("tr", [element("td", cell) for cell in cells])
