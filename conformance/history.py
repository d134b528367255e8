"""The history of a run on disk: one exchange a line, written as it happens, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Self

from orderproof.exchange import Exchange, record


class HistoryFile:
    """Appends exchanges to `history.ndjson`; every line is on its way to disk before the next request goes out."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def append(self, exchange: Exchange) -> None:
        """Write one exchange."""
        self._file.write(json.dumps(record(exchange), ensure_ascii=True) + "\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
