"""YAML cassettes, read one interaction at a time from the events of the parser.

Only plain data is read. Tags other than those of plain data are refused: a tag can name code. An alias, as recorders
write it for what stands in two places, is followed as long as it does not make a small file explode.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from orderproof.cassette.source import DEEPEST, Malformed, Source

LISTS = ("interactions", "http_interactions")
"""Where a cassette keeps its interactions: vcrpy's name, and that of the Ruby library whose format it took over."""

_MOST_ALIASED = 100_000
"""So many values may come from aliases in one entry."""

_MOST_ANCHORS = 1_000

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
    """The events of a parser, without those that can do harm, and the values that have an anchor."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.aliased = 0
        self._loader = _Loader(source)
        self._anchored: dict[str, tuple[Any, int]] = {}

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
        _refuse_tags(event)
        return event

    def remember(self, anchor: str | None, value: Any, size: int) -> None:
        """Keep a value that may be referred to; `size` is how many values it is made of."""
        if anchor is not None:
            self._anchored[anchor] = (value, size)
            if len(self._anchored) > _MOST_ANCHORS:
                raise Malformed(f"it has more than {_MOST_ANCHORS:,} anchors: write the values out instead")

    def referred(self, event: yaml.AliasEvent) -> tuple[Any, int]:
        """Return the value that an alias stands for, and its size."""
        value, size = self._anchored.get(event.anchor or "", (None, 0))
        self.aliased += size
        if not size or self.aliased > _MOST_ALIASED:
            why = f"makes more than {_MOST_ALIASED:,} values" if size else "refers to nothing before it"
            raise Malformed(
                f"the alias {event.anchor!r:.40} on {_line(event)} {why}: write the value out instead"
            )
        return value, size

    def expect(self, kind: type[yaml.Event]) -> None:
        event = self.next()
        if not isinstance(event, kind):
            raise Malformed(
                "it is neither a cassette (YAML), a HAR file (JSON) nor a history (a JSON object a line)"
            )


def _line(event: yaml.Event) -> str:
    return "" if event.start_mark is None else f"line {event.start_mark.line + 1}"


def _refuse_tags(event: yaml.Event) -> None:
    tag = getattr(event, "tag", None)
    if tag is None or tag == "!":
        return
    known = ("str", "binary", "int", "float", "bool", "null", "timestamp", "map", "seq")
    if not tag.startswith(_PLAIN) or tag.removeprefix(_PLAIN) not in known:
        raise Malformed(f"it has the YAML tag {tag!r:.80} on {_line(event)}: only plain data is read")


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is being built: its anchor, how many values it has, and the key that waits for one."""

    value: dict[str, Any] | list[Any]
    anchor: str | None
    size: int = 1
    key: str | None = None


def _built(event: yaml.Event, events: _Events) -> Any:
    """Build one value. Not recursive, so that depth is our limit and not that of the interpreter."""
    stack: list[_Open] = []
    events.aliased = 0
    while True:
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            stack.append(_Open({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor))
            if len(stack) > DEEPEST:
                raise Malformed(f"it is nested more than {DEEPEST} levels deep ({_line(event)})")
        else:
            value, size = _ended(event, stack, events)
            if not stack:
                return value
            _put(value, size, stack[-1], event)
        event = events.next()


def _ended(event: yaml.Event, stack: list[_Open], events: _Events) -> tuple[Any, int]:
    """The value that an event ends, and of how many values it is made."""
    if isinstance(event, yaml.AliasEvent):
        return events.referred(event)
    if isinstance(event, yaml.ScalarEvent):
        value, size, anchor = _scalar(event), 1, event.anchor
    else:
        done = stack.pop()
        value, size, anchor = done.value, done.size, done.anchor
    events.remember(anchor, value, size)
    return value, size


def _put(value: Any, size: int, parent: _Open, event: yaml.Event) -> None:
    parent.size += size
    if isinstance(parent.value, list):
        parent.value.append(value)
    elif parent.key is not None:
        parent.value[parent.key] = value
        parent.key = None
    elif isinstance(value, dict | list):
        raise Malformed(f"a mapping has a key that is not a scalar ({_line(event)})")
    else:
        parent.key = str(value)


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
