"""The files of a report, written into its folder."""

from __future__ import annotations

from pathlib import Path

from orderproof.errors import UsageError
from orderproof.outcome import RunResult
from orderproof.report.badge import write_badge_json, write_badge_svg
from orderproof.report.html import write_html
from orderproof.report.junit import write_junit
from orderproof.report.markdown import write_markdown
from orderproof.report.result_json import write_result
from orderproof.report.sarif import write_sarif

_WRITERS = (
    write_result,
    write_junit,
    write_html,
    write_sarif,
    write_markdown,
    write_badge_json,
    write_badge_svg,
)


def write_report(directory: Path, result: RunResult) -> list[Path]:
    """Write every format of the report into a folder, which is made if need be. Returns the paths.

    Each file is written whole or not at all. Raises UsageError when the folder cannot be written to.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return [write(directory, result) for write in _WRITERS]
    except OSError as error:
        raise UsageError(f"the report cannot be written to {directory}: {error.strerror or error}") from None
