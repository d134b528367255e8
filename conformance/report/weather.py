"""How a client coped: the matrix of scenarios and rules, as a table of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderproof.report.markup import Html, element

_SIGNS = {True: ("✗", "broken"), False: ("✓", "kept")}

Row = Mapping[str, Any]


def weather(coverage: Mapping[str, Any]) -> Html:
    """Return the table of what was found in each scenario; nothing where no client was run."""
    rows: Sequence[Row] = coverage.get("client", {}).get("scenarios", ())
    if not rows:
        return Html()
    rules = sorted({rule for row in rows for rule in row["rules"]})
    heads = [element("th", row["name"], scope="col", title=row["says"]) for row in rows]
    head = element("tr", element("th", "Rule", scope="col"), heads)
    body = [_ended(rows), *(_row(rule, rows) for rule in rules)]
    return element(
        "div", element("table", element("thead", head), element("tbody", body)), class_="wide", tabindex=0
    )


def _ended(rows: Sequence[Row]) -> Html:
    cells = [element("td", "stopped" if row["exit_code"] is None else str(row["exit_code"])) for row in rows]
    return element("tr", element("th", "exit code of the command", scope="row"), cells)


def _row(rule: str, rows: Sequence[Row]) -> Html:
    return element("tr", element("th", rule, scope="row"), [_cell(row["rules"].get(rule)) for row in rows])


def _cell(counts: Mapping[str, int] | None) -> Html:
    if counts is None:
        return element("td", "·", title="not put to the test")
    sign, word = _SIGNS[counts["broken"] > 0]
    return element("td", sign, class_="broken" if counts["broken"] else None, title=word)
