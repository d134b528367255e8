"""HTML put together from elements: text is escaped where it enters, so that nothing else has to think of it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from orderproof.report.text import visible

_EMPTY = frozenset({"meta", "input"})


class Html(str):
    """Markup that is complete and safe. Only `element`, `joined` and what is shipped with the suite make it."""

    __slots__ = ()


Child = str | Iterable[str]
"""Markup, or text, which is escaped; or several of them."""


def element(name: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """Return an element with its children.

    An attribute that is None or False is left out, True stands without a value. A trailing underscore of its name is
    dropped and others turn into dashes: `class_="wide"`, `aria_label="…"`.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Html:
    """Return children one after the other, text among them escaped."""
    return Html("".join(_safe(child) for child in children))


def _safe(child: Child) -> str:
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return escape(lines_visible(child))
    return joined(*child)


def lines_visible(text: str) -> str:
    """Return text with its line breaks, and everything else that a reader could not see as an escape."""
    return "\n".join(visible(line) for line in text.split("\n"))


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    return f' {name}="{escape(visible(f"{value:g}" if isinstance(value, float) else str(value)))}"'
