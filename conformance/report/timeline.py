"""The time line of calls that were under way at once: who was sent when, and answered when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orderproof.outcome import Block
from orderproof.report.markup import Html, element
from orderproof.report.text import shortened
from orderproof.report.traffic import answer_line, is_deciding

_LEAST_BAR = 0.6
"""In percent of the width: what is quicker than that can still be seen."""

Record = Mapping[str, Any]


def timelines(block: Block) -> list[Html]:
    """Return a time line for each group of calls that were under way at once; none when there was no race."""
    groups: dict[int, list[Record]] = {}
    for entry in block.exchanges:
        if entry.get("group") is not None:
            groups.setdefault(entry["group"], []).append(entry)
    return [_timeline(entries, block) for entries in groups.values() if len(entries) > 1]


def _timeline(entries: Sequence[Record], block: Block) -> Html:
    start = min(entry["sent_at"] for entry in entries)
    end = max(entry["answered_at"] for entry in entries)
    span = max(end - start, 1e-6)
    rows = [_row(entry, start, span, block) for entry in sorted(entries, key=lambda entry: entry["sent_at"])]
    head = element("tr", [element("th", title, scope="col") for title in ("Call", "Under way", "Answer")])
    caption = element("caption", f"{len(entries)} calls at once, {span * 1000:.1f} ms from first to last")
    return element("table", caption, head, rows, class_="timeline")


def _row(entry: Record, start: float, span: float, block: Block) -> Html:
    sent, answered = entry["sent_at"] - start, entry["answered_at"] - start
    bar = element(
        "rect",
        x=min(sent / span * 100, 100 - _LEAST_BAR),
        y=1,
        width=max((answered - sent) / span * 100, _LEAST_BAR),
        height=8,
    )
    times = f"{sent * 1000:.1f} to {answered * 1000:.1f} ms"
    picture = element("svg", bar, viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")
    request = entry["request"]
    call = shortened(f"{request['method']} …/{str(request['target']).rsplit('/', 1)[-1]}", 40)
    body = shortened(str(request.get("body", "")), 60)
    return element(
        "tr",
        element("td", element("code", f"{call} {body}".rstrip())),
        element("td", picture, element("span", times, class_="muted")),
        element(
            "td", element("mark", answer_line(entry)) if is_deciding(entry, block) else answer_line(entry)
        ),
    )
