"""YAML cassettes, read one interaction at a time from the events of the parser.

Only plain data is read. Anchors, aliases and tags other than those of plain data are refused: an alias can make a
small file explode, and a tag can name code.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

import yaml

from orderproof.cassette.source import DEEPEST, Malformed, Source

LISTS = ("interactions", "http_interactions")
"""Where a cassette keeps its interactions: vcrpy's name, and that of the Ruby library whose format it took over."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?")


def yaml_parts(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield each top-level key with its value; the lists of interactions one item at a time.

    Raises Malformed for what is not YAML, not a mapping, or more than plain data.
    """
    events = _Events(source)
    events.expect(yaml.StreamStartEvent)
    events.expect(yaml.DocumentStartEvent)
    events.expect(yaml.MappingStartEvent)
    while not isinstance(event := events.next(), yaml.MappingEndEvent):
        key = _scalar(event) if isinstance(event, yaml.ScalarEvent) else None
        if not isinstance(key, str):
            raise Malformed(f"a key of the cassette is not text ({_line(event)})")
        yield from _values(key, events)


def _values(key: str, events: _Events) -> Iterator[tuple[str, Any]]:
    event = events.next()
    if key not in LISTS or not isinstance(event, yaml.SequenceStartEvent):
        yield key, _built(event, events)
        return
    while not isinstance(event := events.next(), yaml.SequenceEndEvent):
        item = _built(event, events)
        events.source.finished()
        yield key, item


class _Events:
    """The events of a parser, without those that can do harm."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._loader = _Loader(source)

    def next(self) -> yaml.Event:
        try:
            event = self._loader.get_event()
        except yaml.MarkedYAMLError as error:
            line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
            raise Malformed(
                f"it is not YAML, or breaks off: {error.problem or error.context}{line}"
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Malformed(f"it is not YAML: {' '.join(str(error).split())[:120]}") from None
        if not isinstance(event, yaml.Event):
            raise Malformed("it breaks off before its end")
        _refuse_references(event)
        return event

    def expect(self, kind: type[yaml.Event]) -> None:
        event = self.next()
        if not isinstance(event, kind):
            raise Malformed(
                "it is neither a cassette (YAML), a HAR file (JSON) nor a history (a JSON object a line)"
            )


def _line(event: yaml.Event) -> str:
    return "" if event.start_mark is None else f"line {event.start_mark.line + 1}"


def _refuse_references(event: yaml.Event) -> None:
    anchor = getattr(event, "anchor", None)
    if anchor is not None:
        what = f"an anchor or alias ({anchor!r:.40})"
        raise Malformed(f"it has {what} on {_line(event)}: write the value out instead")
    tag = getattr(event, "tag", None)
    if tag is None or tag == "!":
        return
    known = ("str", "binary", "int", "float", "bool", "null", "timestamp", "map", "seq")
    if not tag.startswith(_PLAIN) or tag.removeprefix(_PLAIN) not in known:
        raise Malformed(f"it has the YAML tag {tag!r:.80} on {_line(event)}: only plain data is read")


def _built(event: yaml.Event, events: _Events) -> Any:
    """Build one value. Not recursive, so that depth is our limit and not that of the interpreter."""
    open_values: list[dict[str, Any] | list[Any]] = []
    keys: list[str | None] = []
    while True:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            open_values.append({} if isinstance(event, yaml.MappingStartEvent) else [])
            keys.append(None)
            if len(open_values) > DEEPEST:
                raise Malformed(f"it is nested more than {DEEPEST} levels deep ({_line(event)})")
        else:
            value = _scalar(event) if isinstance(event, yaml.ScalarEvent) else open_values.pop()
            if not isinstance(event, yaml.ScalarEvent):
                keys.pop()
            if not open_values:
                return value
            _put(value, open_values[-1], keys, event)
        event = events.next()


def _put(value: Any, parent: dict[str, Any] | list[Any], keys: list[str | None], event: yaml.Event) -> None:
    if isinstance(parent, list):
        parent.append(value)
    elif keys[-1] is not None:
        parent[keys[-1]] = value
        keys[-1] = None
    elif isinstance(value, dict | list):
        raise Malformed(f"a mapping has a key that is not a scalar ({_line(event)})")
    else:
        keys[-1] = str(value)


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if event.tag == f"{_PLAIN}binary":
        try:
            return base64.b64decode("".join(text.split()), validate=True)
        except binascii.Error:
            raise Malformed(f"{_line(event)} has binary data that is not base64") from None
    return _resolved(text) if event.implicit[0] else text


def _resolved(text: str) -> Any:
    """Return what a plain scalar means; a time stays text."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
