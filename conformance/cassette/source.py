"""The bytes of a recording, read in order and within limits: a hostile file must not fill the memory."""

from __future__ import annotations

import io
from typing import BinaryIO

from orderproof.errors import UsageError

LARGEST_ENTRY = 64_000_000
"""Bytes that one entry of a recording may take in its file."""

LARGEST_BODY = 20_000_000
"""Bytes of a body in a recording; a check takes no larger answer from a server either."""

DEEPEST = 100
"""Levels of lists and mappings in one another that an entry may have."""

_START = 65_536


class Malformed(UsageError):
    """A recording that cannot be read; the sentence says where and why."""


class Source:
    """A binary stream that ends with an error when too much is read without an entry coming to its end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = io.BufferedReader(_raw(stream), _START)
        self._unfinished = 0

    def start(self) -> bytes:
        """Return the first bytes, without reading past them."""
        return self._stream.peek(_START)

    def read(self, size: int = _START) -> bytes:
        """Return at most `size` further bytes, none at the end. Raises Malformed when an entry is too large."""
        found = self._stream.read(min(size, _START))
        self._count(len(found))
        return found

    def line(self) -> bytes:
        """Return the next line with its end, none at the end. Raises Malformed when it is too long."""
        found = self._stream.readline(LARGEST_ENTRY + 1)
        self._count(len(found))
        return found

    def finished(self) -> None:
        """An entry has come to its end: the count starts again."""
        self._unfinished = 0

    def _count(self, size: int) -> None:
        self._unfinished += size
        if self._unfinished > LARGEST_ENTRY:
            raise Malformed(f"one entry takes more than {LARGEST_ENTRY // 1_000_000} MB")


def _raw(stream: BinaryIO) -> io.RawIOBase:
    raw = getattr(stream, "raw", stream)
    return raw if isinstance(raw, io.RawIOBase) else _Unbuffered(stream)


class _Unbuffered(io.RawIOBase):
    """Any binary stream as a raw one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        found = self._stream.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)
