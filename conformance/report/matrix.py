"""Several runs side by side, as text and as a page: rule by target, and what changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from orderproof.comparing import KINDS, Change, Comparison, Row, Run, Step, word
from orderproof.errors import UsageError
from orderproof.outcome import Verdict
from orderproof.report.files import TOOL, tool_version, write_whole
from orderproof.report.markup import Html, element, joined
from orderproof.report.page import page
from orderproof.report.text import counted, padded, visible

_CELL = 15
_RULE = 14


def matrix_lines(found: Comparison, *, everything: bool = False) -> Iterator[str]:
    """Yield the comparison as text: the runs, the rules they differ in (or all), and the changes."""
    for number, run in enumerate(found.runs, start=1):
        yield visible(f"{number}  {run.name}: {run.result.verdict}  ({_facts(run)})")
    rows = _chosen(found, everything)
    yield ""
    yield _summary(found)
    if rows:
        yield ""
        heads = [padded(str(number), _CELL) for number in range(1, len(found.runs) + 1)]
        yield f"{padded('Rule', _RULE)}{padded('Level', 8)}{''.join(heads)}Claim"
        yield from map(_row, rows)
    for step in found.steps:
        yield ""
        yield from _step(step)


def matrix_html(found: Comparison) -> str:
    """Return the comparison as a page with every rule, those first shown that differ. Text of targets stays text."""
    parts = [
        _section("changes", "What changed", [_step_html(step) for step in found.steps])
        if found.steps
        else Html(),
        _section("differences", "Where they differ", _table(found.runs, _chosen(found, False))),
        _section("rules", "Every rule", _filter(), _table(found.runs, found.rows)),
    ]
    title = f"{counted(len(found.runs), 'run')} side by side"
    foot = element("footer", element("p", f"{TOOL} {tool_version()}."))
    return page(f"{title} – {TOOL}", _header(title, found), element("main", parts), foot)


def write_matrix_html(path: Path, found: Comparison) -> Path:
    """Write the page to a file, whole or not at all. Raises UsageError when it cannot be written."""
    try:
        return write_whole(path, matrix_html(found))
    except OSError as error:
        raise UsageError(f"the page {path} cannot be written: {error.strerror or error}") from None


def _chosen(found: Comparison, everything: bool) -> list[Row]:
    return [row for row in found.rows if everything or row.differs]


def _facts(run: Run) -> str:
    result = run.result
    facts = [result.started_at, f"profile {result.profile}" if result.profile else "", f"seed {result.seed}"]
    return ", ".join([*filter(None, facts), run.place])


def _summary(found: Comparison) -> str:
    differing = len(_chosen(found, False))
    partly = sum(not row.everywhere for row in found.rows)
    told = f"{counted(len(found.rows), 'rule')}: {differing} with different verdicts"
    return told + (f", {partly} not judged by every run" if partly else "")


def _row(row: Row) -> str:
    cells = "".join(padded(word(verdict), _CELL) for verdict in row.verdicts)
    return f"{padded(row.rule.id, _RULE)}{padded(row.rule.level, 8)}{cells}{row.rule.title}"


def _step(step: Step) -> Iterator[str]:
    yield visible(f"{step.name}, from {step.before + 1} to {step.after + 1}: {_told(step)}")
    for change in step.changes:
        yield f"  {padded(change.kind, 27)}{padded(change.rule.id, _RULE)}{visible(_turn(change))}"


def _told(step: Step) -> str:
    counts = [(sum(change.kind == kind for change in step.changes), kind) for kind in KINDS]
    return ", ".join(f"{number} {kind}" for number, kind in counts if number) or "nothing changed"


def _turn(change: Change) -> str:
    return f"{change.before} → {change.after}"


def _header(title: str, found: Comparison) -> Html:
    items = [
        element(
            "li",
            element("b", run.name),
            f": {run.result.verdict} ",
            element("span", _facts(run), class_="muted"),
        )
        for run in found.runs
    ]
    return element(
        "header",
        element("p", "Order Management API v1, judged rule by rule", class_="brand"),
        element("h1", title),
        element("p", _summary(found), ".", class_="headline"),
        element("ol", items),
    )


def _section(name: str, title: str, *children: Html | list[Html]) -> Html:
    return element("section", element("h2", title, id=name), *children, aria_labelledby=name)


def _step_html(step: Step) -> Html:
    items = [
        element("li", element("b", change.kind), ": ", element("code", change.rule.id), f" {change.rule.title} ",
                element("span", _turn(change), class_="muted"))
        for change in step.changes
    ]  # fmt: skip
    heading = element("h3", f"{step.name}, from {step.before + 1} to {step.after + 1}")
    return joined(heading, element("ul", items) if items else element("p", "Nothing changed."))


def _filter() -> Html:
    options = [
        element("option", text, value=value) for value, text in (("", "all"), ("differs", "that differ"))
    ]
    return element(
        "form",
        element("label", "Find ", element("input", type="search", name="text")),
        element("label", "Rules ", element("select", options, name="verdict")),
        element("p", role="status"),
        hidden=True,
        class_="filter",
    )


def _table(runs: Sequence[Run], rows: Sequence[Row]) -> Html:
    if not rows:
        return element("p", "Nowhere: the runs agree about every rule that they share.")
    names = [f"{number} {run.name}" for number, run in enumerate(runs, start=1)]
    head = element("tr", [element("th", name, scope="col") for name in ("Rule", "Level", *names, "Claim")])
    body = [_cells(row) for row in rows]
    return element("table", element("thead", head), element("tbody", body), class_="rules matrix")


def _cells(row: Row) -> Html:
    chips = [_chip(number, verdict) for number, verdict in enumerate(row.verdicts, start=1)]
    return element(
        "tr",
        element("th", element("code", row.rule.id), scope="row"),
        element("td", row.rule.level),
        chips,
        element("td", row.rule.title),
        data_verdict="differs" if row.differs else "same",
    )


def _chip(number: int, verdict: Verdict | None) -> Html:
    state = verdict.value if verdict else "not_exercised"
    run = element("span", f"{number} ", class_="run")
    return element("td", run, element("span", word(verdict), class_=f"chip {state}"))
