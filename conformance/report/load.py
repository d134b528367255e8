"""What a load came to: throughput and latencies, as lines for a terminal and as tables of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from orderproof.report.block import WIDTH
from orderproof.report.markup import Html, element
from orderproof.report.text import counted, duration, hanging

_COLUMNS: Mapping[str, str] = {
    "requests": "requests",
    "per_second": "a second",
    "p50_ms": "median",
    "p90_ms": "90 %",
    "p95_ms": "95 %",
    "p99_ms": "99 %",
    "max_ms": "longest",
}
_CELLS = (10, 10, 8, 7, 7, 7, 9)
_OF_TIME = "Times are milliseconds from sending a request to having read its answer."

Row = Mapping[str, Any]


def load_lines(coverage: Mapping[str, Any]) -> Iterator[str]:
    """Yield the figures of a load as lines of text; nothing where there was none."""
    figures = coverage.get("load")
    if not figures:
        return
    yield from hanging("", sentence(figures), WIDTH)
    rows = _rows(figures)
    width = max(len(row["name"]) for row in rows)
    yield _line("", _COLUMNS.values(), width)
    for row in rows:
        yield _line(row["name"], [_number(row[name]) for name in _COLUMNS], width)
    yield from hanging("", together(figures), WIDTH)


def _line(name: str, cells: Iterable[str], width: int) -> str:
    return f"{name:<{width}}" + "".join(f"{text:>{room}}" for text, room in zip(cells, _CELLS, strict=True))


def load_tables(coverage: Mapping[str, Any]) -> Html:
    """Return the figures of a load as a table with what is to be said of it; nothing where there was none."""
    figures = coverage.get("load")
    if not figures:
        return Html()
    heads = [element("th", title, scope="col") for title in ("operation", *_COLUMNS.values())]
    body = [
        element(
            "tr",
            element("th", row["name"], scope="row"),
            [element("td", _number(row[name])) for name in _COLUMNS],
        )
        for row in _rows(figures)
    ]
    table = element("table", element("thead", element("tr", heads)), element("tbody", body))
    paragraphs = [element("p", text) for text in (sentence(figures), together(figures), _OF_TIME)]
    return element("div", paragraphs, element("div", table, class_="wide", tabindex=0))


def sentence(figures: Row) -> str:
    """Return in a sentence how much load there was."""
    users, processes = counted(figures["users"], "user"), figures["processes"]
    where = f" in {processes} processes" if processes > 1 else ""
    rate = f"{figures['total']['per_second']:,.0f} requests a second"
    unanswered = figures["total"]["unanswered"]
    silent = f"; {counted(unanswered, 'request')} had no answer" if unanswered else ""
    return f"Load: {users}{where}, {rate}, for {duration(figures['seconds'])}{silent}."


def together(figures: Row) -> str:
    """Return in a sentence how many calls were under way at once, and how far the clients can be trusted."""
    calls, groups = f"{figures['calls_together']:,}", counted(figures["groups"], "group")
    return (
        f"Of the calls on shared orders {calls} were judged together, in {groups}, and {figures['calls_alone']:,} by"
        f" themselves. The clients themselves were at most {figures['late_ms']:.0f} ms late, 95 % of the time."
    )


def _rows(figures: Row) -> Sequence[Row]:
    return [figures["total"], *figures["operations"]]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"
