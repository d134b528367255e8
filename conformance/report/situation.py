"""What the exchanges of a root cause tell of the moment that decided: how the order read, what else was under way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orderproof.outcome import Block
from orderproof.report.text import shortened

_AMOUNTS = {
    "order_amount": "amount",
    "captured_amount": "captured",
    "refunded_amount": "refunded",
    "remaining_authorized_amount": "remaining",
}
_MOST_TEXT = 40

Record = Mapping[str, Any]


def order_was(block: Block) -> str:
    """Return how the order read before the deciding call: its status and amounts; nothing when that is not known.

    Nothing either where a reading decides: it is about what that shows.
    """
    decides = _deciding(block)
    if decides is None or decides["request"]["method"] == "GET":
        return ""
    called = str(decides["request"]["target"])
    for entry in reversed(block.exchanges):
        if entry["number"] >= decides["number"] or _at_once(entry, decides):
            continue
        read = _order_read(entry, called)
        if read or _may_have_changed(entry):
            return read
    return ""


def _may_have_changed(entry: Record) -> bool:
    """Say whether a call may have changed an order after it was read: none that was refused."""
    answer = entry["response"]
    return entry["request"]["method"] != "GET" and (answer is None or answer["status"] < 400)


def together(block: Block) -> frozenset[int]:
    """Return the positions of the steps whose calls were under way at once with the deciding one, that included."""
    decides = _deciding(block)
    if decides is None or decides.get("group") is None:
        return frozenset()
    # The steps are the exchanges without the readings, except for a reading that decides.
    shown = [entry for entry in block.exchanges if entry["request"]["method"] != "GET" or entry is decides]
    first = len(block.steps) - len(shown)
    return frozenset(first + n for n, entry in enumerate(shown) if _at_once(entry, decides))


def _deciding(block: Block) -> Record | None:
    numbered = {entry["number"]: entry for entry in block.exchanges}
    return numbered.get(max(numbered, default=0) if block.deciding is None else block.deciding)


def _at_once(entry: Record, decides: Record) -> bool:
    return entry.get("group") is not None and entry.get("group") == decides.get("group")


def _order_read(entry: Record, called: str) -> str:
    """The status and amounts of the order that a call goes to, where an exchange is a reading of it."""
    order, answer = str(entry["request"]["target"]), entry["response"]
    of_it = entry["request"]["method"] == "GET" and (called == order or called.startswith(f"{order}/"))
    if not of_it or answer is None or answer["status"] != 200:
        return ""
    try:
        body = json.loads(str(answer.get("body", "")))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict) or "order_amount" not in body:
        return ""
    status = [_said(body["status"])] if "status" in body else []
    return ", ".join(
        [*status, *(f"{word} {_said(body[name])}" for name, word in _AMOUNTS.items() if name in body)]
    )


def _said(value: Any) -> str:
    return shortened(str(value), _MOST_TEXT)
