"""JSON recordings, read one entry at a time: HAR files, cassettes in JSON, and histories with an object a line."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from orderproof.cassette.source import Malformed, Source
from orderproof.cassette.yaml_text import LISTS

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


def json_parts(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield each top-level key with its value, lists of interactions one item at a time, of a HAR file its `entries`.

    Raises Malformed for what is not JSON.
    """
    text = _Text(source)
    for key in text.members():
        if key == "log" and text.peek() == "{":
            for inner in text.members():
                yield from _values(inner, text, ("entries",))
        else:
            yield from _values(key, text, LISTS)


def _values(key: str, text: _Text, lists: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if key in lists and text.peek() == "[":
        for item in text.items():
            yield key, item
    else:
        yield key, text.value()


def json_lines(source: Source) -> Iterator[tuple[str, Any]]:
    """Yield the object on each line; a last line that a killed run left unfinished is left out.

    Raises Malformed for a line that is no JSON object.
    """
    while line := source.line():
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                if not line.endswith(b"\n"):
                    return
                raise Malformed("a line is not JSON") from None
            yield "lines", value
        source.finished()


class _Text:
    """A window on JSON text that moves forward over a source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._window = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is not blank. Raises Malformed at the end."""
        while True:
            found = _BLANK.match(self._window, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._read():
                raise Malformed("it breaks off before its end")

    def members(self) -> Iterator[str]:
        """Yield the keys of an object; the caller reads the value of each before it asks for the next."""
        self._take("{")
        if self.peek() == "}":
            self._take("}")
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise Malformed(f"it is not JSON: an object has the key {key!r:.40}")
            self._take(":")
            yield key
            if self._take(",", "}") == "}":
                return

    def items(self) -> Iterator[Any]:
        """Yield the items of an array."""
        self._take("[")
        if self.peek() == "]":
            self._take("]")
            return
        while True:
            value = self.value()
            self._source.finished()
            yield value
            if self._take(",", "]") == "]":
                return

    def value(self) -> Any:
        """Return the next value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._at)
            except json.JSONDecodeError as error:
                if not self._read():
                    raise Malformed(f"it is not JSON, or breaks off: {error.msg}") from None
                continue
            except (ValueError, RecursionError):
                raise Malformed("it has a number of thousands of digits, or is nested too deeply") from None
            if end < len(self._window) or not self._read():
                self._at = end
                return value

    def _take(self, *wanted: str) -> str:
        found = self.peek()
        if found not in wanted:
            raise Malformed(f"it is not JSON: {' or '.join(wanted)} was expected, not {found!r}")
        self._at += 1
        return found

    def _read(self) -> bool:
        """Move the window on, twice as far each time while one value does not end; False at the end."""
        if self._ended:
            return False
        wanted = max(len(self._window) - self._at, 65_536)
        parts = [self._window[self._at :]]
        self._at = 0
        try:
            while wanted > 0 and (data := self._source.read()):
                wanted -= len(data)
                parts.append(self._decode(data))
            if wanted > 0:
                self._ended = True
                parts.append(self._decode(b"", True))
        except UnicodeDecodeError as error:
            raise Malformed(f"it is not UTF-8: {error.reason} at byte {error.start}") from None
        self._window = "".join(parts)
        return True
