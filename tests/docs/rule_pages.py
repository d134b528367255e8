"""Writes a page for every rule and a list of them, `docs/rules/*.md`, from the catalogue, the checks and the faults.

python -m tests.docs.rule_pages
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from orderproof.catalogue import AREAS, Rule, Source, catalogue, source_address
from orderproof.judge import registered
from orderproof.sandbox.faults import Fault, faults_of
from tests.docs.rule_examples import FILE, examples

FOLDER = FILE.parent
_BASES = {
    "documented": "The documents of the API say so.",
    "derived": "It follows from what the documents say, though none says it in so many words.",
    "observed": "It was seen in recorded traffic; no document says it.",
}
_ELSEWHERE = "By `orderproof client`, from what was sent, how the command ended, and how the order reads."
_NEW_ORDER = re.compile(r'^POST /customer-token/.*?"order_amount": (\d+)')


def main() -> None:
    """Write the pages, and remove those of rules that are gone."""
    wanted = pages()
    for path in FOLDER.glob("*.md"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return every page by its file name."""
    shown = examples()
    found = {f"{rule.id}.md": page(rule, shown.get(rule.id)) for rule in catalogue().values()}
    return {"index.md": index(), **found}


def index() -> str:
    """Return the list of all rules, area by area."""
    lines = [
        "# The rules",
        "",
        f"{len(catalogue())} claims about servers and clients, each with an id that never changes. "
        "`orderproof rules ID` shows the same in a terminal.",
    ]
    for area in AREAS:
        mine = [rule for rule in catalogue().values() if rule.area == area]
        lines += ["", f"## {area.capitalize()}", "", "| rule | level | claim |", "|---|---|---|"]
        lines += [f"| [{rule.id}]({rule.id}.md) | {rule.level} | {_cell(rule.title)} |" for rule in mine]
    lines += ["", "```{toctree}", ":hidden:", ":glob:", "", "*", "```"]
    return "\n".join(lines) + "\n"


def page(rule: Rule, example: dict[str, Any] | None) -> str:
    """Return the page of a rule; `example` is a way in which it was broken."""
    parts = [
        f"# {rule.id}: {rule.title}",
        f"**{rule.level}** · judges a {rule.judges} · [{rule.area}](index.md#{rule.area})",
        rule.requirement,
        f"{_BASES[rule.basis]}\n\n" + "\n".join(f"- {_source(source)}" for source in rule.sources),
    ]
    parts += _listed("What does not break it", rule.open)
    parts += _listed("What the target must be able to do", [f"`{need}`" for need in rule.needs])
    parts += _listed("How it is checked", [f"`{name}`" for name in _checks(rule)] or [_ELSEWHERE])
    parts += _faults(rule, faults_of(rule.id))
    if example is not None and not faults_of(rule.id):
        parts.append("## What breaking it looks like")
    if example is not None:
        parts.append("\n".join(_example(example)))
    return "\n\n".join(parts) + "\n"


def _listed(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield f"## {title}\n\n" + "\n".join(lines)


def _source(source: Source) -> str:
    address = source_address(source)
    return f"[{source}]({address})" if address else str(source)


def _checks(rule: Rule) -> list[str]:
    return [
        f"{entry.judge.__module__}.{getattr(entry.judge, '__name__', '')}"
        for entry in registered()
        if entry.rule == rule.id
    ]


def _faults(rule: Rule, faults: list[Fault]) -> Iterator[str]:
    if not faults:
        return
    lines = [f"- `{one.name}` ({one.when}): {_prose(one.lie)}" for one in faults]
    yield (
        "## What breaking it looks like\n\nFaults of the sandbox that break it, and when they show "
        "(`orderproof sandbox --fault NAME`):\n\n" + "\n".join(lines)
    )


def _example(example: dict[str, Any]) -> Iterator[str]:
    yield f"An example, {example['of']}:"
    yield ""
    yield "```text"
    for request, answer, deciding in example["steps"]:
        sign = "×" if deciding else " "
        yield f"{sign} {_step(request)}"
        yield f"      {answer}"
    if not example["steps"]:
        yield f"Sent       {example['sent']}"
    yield ""
    yield f"Expected   {example['expected']}"
    yield f"Actual     {example['actual']}"
    yield "```"


def _step(request: str) -> str:
    made = _NEW_ORDER.match(request)
    return f"a new order of {made[1]}" if made else request


def _prose(text: str) -> str:
    """Text in which what Markdown would read as markup stays as it is."""
    return re.sub(r"([*_<>\[\]])", r"\\\1", text)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def stale(folder: Path = FOLDER) -> list[str]:
    """Return the names of pages that are missing, outdated, or of no rule."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


if __name__ == "__main__":
    main()
