"""`badge.json` and `badge.svg`: the verdict in a few words, for a README."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from orderproof.outcome import RunResult, Verdict
from orderproof.report.block import is_failure
from orderproof.report.files import TOOL, write_whole
from orderproof.report.text import counted

JSON_NAME = "badge.json"
SVG_NAME = "badge.svg"
LABEL = TOOL

_COLOURS = {"passed": "#2b7a45", "warned": "#8a6100", "failed": "#b3261e", "unknown": "#5b6470"}
"""Each dark enough for white text (contrast of 4.5 and more)."""

_NARROW, _WIDE = "iljtfr.,:·' ", "mwMW—"
_HEIGHT, _MARGIN = 20, 6


def write_badge_json(directory: Path, result: RunResult) -> Path:
    """Write `badge.json` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / JSON_NAME, json.dumps(badge(result), ensure_ascii=False) + "\n")


def write_badge_svg(directory: Path, result: RunResult) -> Path:
    """Write `badge.svg` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / SVG_NAME, badge_svg(result))


def badge(result: RunResult) -> dict[str, str | int | bool]:
    """Return the verdict as data for an endpoint badge of shields.io."""
    message, kind = _verdict(result)
    return {
        "schemaVersion": 1,
        "label": LABEL,
        "message": message,
        "color": _COLOURS[kind].removeprefix("#"),
        "isError": kind == "failed",
    }


def _verdict(result: RunResult) -> tuple[str, str]:
    broken = sum(is_failure(result, entry.verdict) for entry in result.rules)
    if result.verdict == "broken":
        return f"{counted(broken, 'rule')} broken", "failed"
    if result.verdict == "waivers":
        return "waivers do not fit", "failed"
    if result.verdict != "conforms":
        return "not judged", "unknown"
    warned = result.count(Verdict.WARNED)
    passed = counted(result.count(Verdict.PASSED), "rule")
    return (
        (f"conforms, {counted(warned, 'warning')}", "warned") if warned else (f"conforms, {passed}", "passed")
    )


def badge_svg(result: RunResult) -> str:
    """Return the badge as an SVG that needs no font, script or network."""
    message, kind = _verdict(result)
    left, right = _width(LABEL), _width(message)
    texts = [_text(LABEL, 0, left), _text(message, left, right)]
    title = escape(f"{LABEL}: {message}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{_HEIGHT}" role="img" '
        f'aria-label="{title}"><title>{title}</title>'
        f'<clipPath id="r"><rect width="{left + right}" height="{_HEIGHT}" rx="4"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{_HEIGHT}" fill="#3a4149"/>'
        f'<rect x="{left}" width="{right}" height="{_HEIGHT}" fill="{_COLOURS[kind]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{"".join(texts)}</g></svg>\n'
    )


def _width(text: str) -> int:
    """The pixels that a text takes at size 11, with a margin on both sides."""
    return round(sum(3.9 if sign in _NARROW else 10 if sign in _WIDE else 6.9 for sign in text)) + 2 * _MARGIN


def _text(text: str, start: int, width: int) -> str:
    """A text stretched to its box, so that it fits whatever font the reader has."""
    return f'<text x="{start + _MARGIN}" y="14" textLength="{width - 2 * _MARGIN}">{escape(text)}</text>'
