"""The history of a run on disk: one exchange a line, written as it happens, without secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from orderproof.exchange import Exchange, record


class HistoryFile:
    """Appends exchanges to `history.ndjson`; every line is on its way to disk before the next request goes out.

    Several processes may append to one file: each piece is written whole, with one call of the system.
    """

    def __init__(self, path: Path, *, fresh: bool = True) -> None:
        """Open a file, and empty it if it is to be a `fresh` one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            path.write_bytes(b"")
        self._file = path.open("ab", buffering=0)

    def append(self, exchanges: Sequence[Exchange]) -> None:
        """Write exchanges, those that were under way at once as one piece."""
        lines = (json.dumps(record(exchange), ensure_ascii=True) + "\n" for exchange in exchanges)
        self._file.write("".join(lines).encode("ascii"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
