"""`report.html`: the outcome of a run as one page that needs no network and no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orderproof.catalogue import Source, source_address
from orderproof.outcome import Block, RuleResult, RunResult
from orderproof.report.block import again, failures, run_again, warnings
from orderproof.report.files import TOOL, tool_version, write_whole
from orderproof.report.lifecycle import lifecycle
from orderproof.report.load import load_tables
from orderproof.report.markup import Html, element, joined
from orderproof.report.page import page
from orderproof.report.screen import WORDS, headline, unexplained
from orderproof.report.situation import order_was
from orderproof.report.text import counted, duration, shortened
from orderproof.report.timeline import timelines
from orderproof.report.traffic import traffic
from orderproof.report.weather import weather

FILE_NAME = "report.html"
MOST_BLOCKS = 100
"""Root causes shown with their traffic; `result.json` has the others."""

_MOST_IN_INDEX = 240
_VERDICTS = {"conforms": "passed", "broken": "failed"}


def write_html(directory: Path, result: RunResult) -> Path:
    """Write `report.html` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / FILE_NAME, html(result))


def html(result: RunResult) -> str:
    """Return the page. What a target or client sent is in it as text only."""
    title = f"{result.verdict}: {result.target} – {TOOL}"
    return page(title, _header(result), element("main", _sections(result)), _footer(result))


def _header(result: RunResult) -> Html:
    facts = {
        "Profile": result.profile,
        "Seed": str(result.seed),
        "Requests": f"{result.requests:,}",
        "Duration": duration(result.duration_s),
        "Started": result.started_at,
        "Interrupted": result.interrupted,
    }
    verdict = _VERDICTS.get(result.verdict, "error")
    return element(
        "header",
        element("p", "Order Management API v1, judged rule by rule", class_="brand"),
        element("h1", element("span", result.verdict, class_=f"verdict {verdict}"), " ", result.target),
        element("p", headline(result).capitalize(), ".", class_="headline"),
        _counts(result),
        element("dl", [_fact(name, value) for name, value in facts.items() if value], class_="facts"),
    )


def _fact(name: str, value: str) -> Html:
    return element("div", element("dt", name), element("dd", value), class_=name.lower().replace(" ", "-"))


def _counts(result: RunResult) -> Html:
    counts = [(result.count(verdict), verdict, word) for verdict, word in WORDS.items()]
    items = [
        element("li", element("b", f"{number:,}"), f" {word}", class_=verdict.value)
        for number, verdict, word in counts
        if number
    ]
    return element("ul", items, class_="counts") if items else Html()


def _sections(result: RunResult) -> Iterator[Html]:
    blocks = failures(result)
    if blocks or unexplained(result):
        yield _section("failures", "What is broken", _index(result, blocks))
    for number, block in enumerate(blocks[:MOST_BLOCKS], start=1):
        yield _cause(number, block)
    warned = warnings(result)
    if warned:
        yield _section("warnings", "Warnings", [_warning(block) for block in warned])
    if result.notes:
        yield _section("notes", "Notes", element("ul", [element("li", note) for note in result.notes]))
    matrix = weather(result.coverage)
    if matrix:
        yield _section("weather", "Scenarios and rules", matrix)
    figures = load_tables(result.coverage)
    if figures:
        yield _section("load", "Throughput and latencies", figures)
    picture = lifecycle(result.coverage)
    if picture:
        yield _section("lifecycle", "The life of an order, as this run saw it", picture)
    if result.rules:
        yield _section("rules", "Every rule", _rules(result))


def _section(name: str, title: str, *children: Html | list[Html]) -> Html:
    heading = element("h2", title, id=name)
    return element("section", heading, *children, aria_labelledby=name)


def _index(result: RunResult, blocks: list[Block]) -> Html:
    items = [_entry(number, block) for number, block in enumerate(blocks, start=1)]
    items += [
        element("li", element("code", entry.rule.id), f" {entry.rule.title}: {entry.reason or 'broken'}")
        for entry in unexplained(result)
    ]
    return element("ol", items, class_="index")


def _entry(number: int, block: Block) -> Html:
    title = joined(element("code", block.rule.id), f" {block.rule.title}")
    link = element("a", title, href=f"#cause-{number}") if number <= MOST_BLOCKS else title
    expected, actual = shortened(block.expected, _MOST_IN_INDEX), shortened(block.actual, _MOST_IN_INDEX)
    return element("li", link, element("p", f"Expected {expected}; got ", element("b", actual)))


def _cause(number: int, block: Block) -> Html:
    name = f"cause-{number}"
    heading = element("h2", element("code", block.rule.id), f" {block.rule.title} ", _level(block), id=name)
    return element("article", heading, _body(block), aria_labelledby=name)


def _warning(block: Block) -> Html:
    summary = element("summary", element("code", block.rule.id), f" {block.rule.title} ", _level(block))
    return element("details", summary, _body(block), class_="warning")


def _level(block: Block) -> Html:
    return element("span", block.rule.level, class_="level")


def _body(block: Block) -> Html:
    return joined(
        element("blockquote", element("p", _prose(block.rule.requirement)), _sources(block)),
        element("dl", [_fact(name, value) for name, value in _fields(block) if value], class_="block"),
        _follows(block),
        _steps(block),
        [joined(element("h3", "Time line"), line) for line in timelines(block)],
        joined(element("h3", "Requests and answers"), traffic(block)) if block.exchanges else "",
        _curl(block),
    )


def _prose(text: str) -> list[Html]:
    """A sentence of the catalogue, in which backquotes set off code."""
    pieces = enumerate(text.split("`"))
    return [element("code", piece) if number % 2 else joined(piece) for number, piece in pieces]


def _sources(block: Block) -> Html:
    return element("footer", [element("span", _source(source)) for source in block.rule.sources])


def _source(source: Source) -> Html:
    address = source_address(source)
    return element("a", str(source), href=address, rel="noreferrer") if address else joined(str(source))


def _fields(block: Block) -> Iterator[tuple[str, str]]:
    yield "Sent", block.sent
    yield "Order was", order_was(block)
    yield "Expected", block.expected
    yield "Actual", block.actual
    yield "Note", block.note
    yield "Operation", block.operation or ""
    yield "Order", block.order_id or ""
    yield "Scenario", block.scenario
    yield "Seen", counted(block.count, "time") if block.count > 1 else ""
    yield "Again", again(block)


def _follows(block: Block) -> Html:
    if not block.follows:
        return Html()
    items = [
        element("li", element("code", rule.id), f" {rule.title}: expected {expected}; got {actual}")
        for rule, expected, actual in block.follows
    ]
    verb = "follows" if len(items) == 1 else "follow"
    summary = element("summary", f"{counted(len(items), 'finding')} that {verb} from this")
    return element("details", summary, element("ul", items))


def _steps(block: Block) -> Html:
    if not block.steps:
        return Html()
    items = [
        element(
            "li",
            element("code", step.request),
            " → ",
            element("mark", step.answer) if step.deciding else step.answer,
        )
        for step in block.steps
    ]
    return joined(element("h3", "Steps"), element("ol", items, class_="steps"))


def _curl(block: Block) -> Html:
    if not block.curl:
        return Html()
    button = element("button", "Copy", type="button", hidden=True, class_="copy")
    return element(
        "details",
        element("summary", "The same with curl"),
        element("div", button, element("pre", block.curl, tabindex="0"), class_="curl"),
    )


def _rules(result: RunResult) -> Html:
    chosen = [verdict for verdict in WORDS if result.count(verdict)]
    options = [element("option", WORDS[verdict], value=verdict.value) for verdict in chosen]
    form = element(
        "form",
        element("label", "Find ", element("input", type="search", name="text")),
        element(
            "label",
            "Verdict ",
            element("select", element("option", "any", value=""), options, name="verdict"),
        ),
        element("p", role="status"),
        hidden=True,
        class_="filter",
    )
    titles = ("Rule", "Level", "Verdict", "Put to the test", "Claim and reason")
    head = element("thead", element("tr", [element("th", title, scope="col") for title in titles]))
    rows = element("tbody", [_rule(entry) for entry in result.rules])
    return joined(form, element("table", head, rows, class_="rules"))


def _rule(entry: RuleResult) -> Html:
    rule = entry.rule
    reason = element("p", entry.reason, class_="muted") if entry.reason else ""
    return element(
        "tr",
        element("th", element("code", rule.id), scope="row"),
        element("td", rule.level),
        element("td", element("span", WORDS[entry.verdict], class_=f"chip {entry.verdict.value}")),
        element("td", counted(entry.exercised, "time") if entry.exercised else "never"),
        element("td", rule.title, reason),
        data_verdict=entry.verdict.value,
    )


def _footer(result: RunResult) -> Html:
    command = run_again(result)
    repeat = joined("This run again: ", element("code", command), ". ") if command else ""
    return element("footer", element("p", repeat, f"{TOOL} {tool_version()}."))
