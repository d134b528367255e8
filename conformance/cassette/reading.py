"""Recordings on disk: cassettes, HAR files and histories, read one exchange at a time."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orderproof.cassette.entries import Entry, entry_of
from orderproof.cassette.json_text import json_lines, json_parts
from orderproof.cassette.source import Malformed, Source
from orderproof.cassette.yaml_text import LISTS, yaml_parts
from orderproof.errors import UsageError

SUFFIXES = (".yaml", ".yml", ".har", ".ndjson", ".jsonl")
"""How the names of recordings end, of which a folder may be full."""

INDEX = "index.yaml"
_ENTRIES = frozenset({*LISTS, "entries", "lines"})
_FIRST_KEY = re.compile(rb'\s*\{\s*"([^"]{1,100})"')
_OF_DOCUMENTS = frozenset(
    {b"log", b"version", b"metadata", b"recorded_with", *(name.encode() for name in LISTS)}
)


class Recording:
    """A recording that is read front to back, once. `header` is known when the entries have been read.

    Iterating over it raises UsageError with one sentence where the file cannot be read or is not what it seems.
    """

    def __init__(self, path: Path, name: str = "") -> None:
        self.path = path
        self.name = name or path.as_posix()
        self.header: dict[str, Any] = {}
        self.entries = 0
        self._reading = 0

    def __iter__(self) -> Iterator[Entry]:
        try:
            with open(self.path, "rb", opener=_opened) as stream:
                yield from self._read(Source(stream))
        except OSError as error:
            raise UsageError(f"the recording {self.name} cannot be read: {error.strerror or error}") from None
        except Malformed as error:
            raise Malformed(f"the recording {self.name}{self._place()}: {error}") from None

    def _read(self, source: Source) -> Iterator[Entry]:
        previous = 0.0
        found_any = False
        for key, value in _parts(source):
            if key not in _ENTRIES:
                self.header[key] = value
                continue
            found_any = True
            if key in LISTS and isinstance(value, list | None):
                continue
            self._reading = self.entries + 1
            entry = entry_of(value, self._reading, self.name, previous)
            previous = max(previous, entry.exchange.sent_at)
            self.entries += 1
            yield entry
        if not found_any:
            raise Malformed("it has no entries: no interactions of a cassette, no log.entries of a HAR file")

    def _place(self) -> str:
        """Where the reading came to its end."""
        if self._reading > self.entries:
            return f", entry {self._reading}"
        return f", after entry {self.entries}" if self.entries else ""

    @property
    def own(self) -> Mapping[str, Any]:
        """The header block that our recorder writes; empty for a recording of another origin."""
        metadata = self.header.get("metadata")
        block = metadata.get("orderproof") if isinstance(metadata, Mapping) else None
        return block if isinstance(block, Mapping) else {}


def _parts(source: Source) -> Iterator[tuple[str, Any]]:
    start = source.start()
    if not start.strip():
        raise Malformed("it is empty")
    found = _FIRST_KEY.match(start.removeprefix(b"\xef\xbb\xbf"))
    if found is None:
        return yaml_parts(source)
    return json_parts(source) if found[1] in _OF_DOCUMENTS else json_lines(source)


def recordings(names: Iterable[str]) -> list[Recording]:
    """Return the recordings that are named: files, and folders of them. Raises UsageError for a folder without any."""
    found: list[Recording] = []
    for name in names:
        path = Path(name)
        inside = _inside(path) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"the folder {name} has no recordings in it: files named {', '.join(SUFFIXES)}")
        found += map(Recording, inside)
    return found


def _inside(folder: Path) -> list[Path]:
    """The recordings in a folder, as far as it can be looked into. What is no file might never come to an end."""
    inside = (Path(parent, name) for parent, _, names in os.walk(folder) for name in names)
    return sorted(
        path for path in inside if path.suffix in SUFFIXES and path.name != INDEX and path.is_file()
    )


def _opened(path: str, flags: int) -> int:
    """Open a file, without waiting for somebody to write where it is a named pipe that nobody has opened."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        return os.open(path, flags)
    handle = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    return handle
