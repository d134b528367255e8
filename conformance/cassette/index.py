"""The index of a folder of cassettes: where each comes from, when, and which rules it witnesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from orderproof.cassette.reading import INDEX, Recording, recordings
from orderproof.cassette.writing import write_text

_ORIGIN = ("title", "recorded_from", "recorded_at", "suite", "contract")
_FIELDS = (*_ORIGIN, "exchanges", "probes", "needs", "rules", "broken")


def header_of(recording: Recording) -> dict[str, Any]:
    """Return the header block of one of our cassettes; empty for others. Reads no further than the first entry.

    Raises UsageError for a file that cannot be read.
    """
    for _ in recording:
        break
    return dict(recording.own)


def write_index(folder: Path) -> None:
    """Write `index.yaml` beside the cassettes of a folder, from their own headers. Raises UsageError."""
    entries = []
    for recording in recordings([str(folder)]):
        header = header_of(recording)
        if header:
            name = recording.path.relative_to(folder).with_suffix("").as_posix()
            entries.append({"name": name, **{field: header[field] for field in _FIELDS if field in header}})
    text = yaml.safe_dump({"cassettes": entries}, sort_keys=False, allow_unicode=True, width=110)
    write_text(folder / INDEX, text)
