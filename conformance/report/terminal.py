"""The run on a terminal: how far it is, what it finds, and the final screen."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from orderproof.catalogue import Rule
from orderproof.exchange import Exchange, redacted_target
from orderproof.outcome import Progress, RunResult
from orderproof.report.block import WIDTH
from orderproof.report.screen import screen
from orderproof.report.text import counted, duration, plain, shortened, visible

_PLAIN_EVERY = 10.0
"""Seconds between two lines of progress where lines cannot be drawn over."""

_STYLES = (
    ("× ", "bold red"),
    ("x ", "bold red"),
    ("! ", "yellow"),
    ("BROKEN", "bold red"),
    ("CONFORMS", "bold green"),
    ("NOT JUDGED", "bold yellow"),
    ("WAIVERS", "bold yellow"),
    ("  Actual", "red"),
    ("  Expected", "green"),
)


class Terminal:
    """Writes a run to a text stream, in plain lines when that is not a terminal.

    Colour is left out where `NO_COLOR` is set or the stream is not a terminal. `quiet` leaves the verdict and
    the failures; `verbose` adds each exchange. `width` is in cells, by default that of the terminal. A
    context manager: leaving it takes the progress line away.
    """

    def __init__(
        self,
        file: TextIO | None = None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        width: int | None = None,
    ) -> None:
        self._file = sys.stdout if file is None else file
        self._console = Console(file=self._file, width=width, highlight=False, emoji=False, markup=False)
        self._width = self._console.width if self._console.is_terminal or width else WIDTH
        self._quiet = quiet
        self._verbose = verbose
        self._live: Live | None = None
        self._shown: set[tuple[str, str | None]] = set()
        self._phase = ""
        self._said_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the progress line away; what is written later stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, sentence: str) -> None:
        """Write a sentence, unless quiet."""
        if not self._quiet:
            self._write(visible(sentence))

    def progress(self, progress: Progress) -> None:
        """Show where the run stands: drawn over on a terminal, elsewhere a line now and then."""
        if self._quiet:
            return
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            self._draw(progress_line(progress, self._console.width - 1))
        elif progress.phase != self._phase or progress.elapsed_s - self._said_at >= _PLAIN_EVERY:
            self._said_at = progress.elapsed_s
            self._write(progress_line(progress, self._width))
        self._phase = progress.phase

    def finding(self, rule: Rule, *, expected: str, actual: str, operation: str | None = None) -> None:
        """Write one line on a finding as it is made, unless quiet; one for each rule and operation."""
        if self._quiet or (rule.id, operation) in self._shown:
            return
        self._shown.add((rule.id, operation))
        sign = "×" if rule.level == "MUST" else "!"
        where = f"{operation}: " if operation else ""
        line = f"{sign} {rule.id}  {where}expected {expected}, got {actual}"
        self._write(shortened(visible(line), self._width))

    def exchange(self, exchange: Exchange) -> None:
        """Write one line on a request and its answer, when verbose."""
        if self._verbose and not self._quiet:
            self._write(shortened(visible(exchange_line(exchange)), self._width))

    def summary(self, result: RunResult, report: Path | None = None) -> None:
        """Write the final screen. `report` is the report folder as the user named it, if there is one."""
        self.close()
        for line in screen(result, width=self._width, report=report, quiet=self._quiet):
            self._write(line)

    def _draw(self, line: str) -> None:
        text = Text(plain(line, self._encoding), no_wrap=True)
        if self._live is None:
            self._live = Live(text, console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(text, refresh=True)

    def _write(self, line: str) -> None:
        text = plain(line, self._encoding)
        self._console.print(Text(text) if self._console.no_color else _styled(text), soft_wrap=True)

    @property
    def _encoding(self) -> str:
        return self._file.encoding or "utf-8"


def _styled(line: str) -> Text:
    """Colour the sign, verdict or label that a line starts with."""
    text = Text(line)
    style = next((style for start, style in _STYLES if line.startswith(start)), "")
    if style:
        indent = len(line) - len(line.lstrip())
        text.stylize(style, 0, indent + len(line.lstrip().split("  ", 1)[0]))
    return text


def progress_line(progress: Progress, width: int) -> str:
    """Return where a run stands in at most `width` cells: what, how far, requests and their rate, findings, time.

    Where they do not fit, it is the detail that is cut, and then the rate.
    """
    of_total = f" {progress.done:,}/{progress.total:,}" if progress.total else ""
    phase = f"{visible(progress.phase)}{of_total}"
    known = " · ".join(["", *_progress_facts(progress, rate=True)])
    room = width - cell_len(phase) - cell_len(known) - 2
    if room < -2:
        known = " · ".join(["", *_progress_facts(progress, rate=False)])
    detail = f"  {shortened(visible(progress.detail), room)}" if progress.detail and room > 0 else ""
    return shortened(f"{phase}{detail}{known}", width)


def _progress_facts(progress: Progress, *, rate: bool) -> Iterator[str]:
    a_second = (
        f" ({progress.requests / progress.elapsed_s:,.0f}/s)" if rate and progress.elapsed_s > 0 else ""
    )
    yield counted(progress.requests, "request") + a_second
    yield counted(progress.findings, "finding")
    yield duration(progress.elapsed_s)
    if progress.budget_s is not None:
        yield f"{duration(max(progress.budget_s - progress.elapsed_s, 0))} left"


def exchange_line(exchange: Exchange) -> str:
    """Return an exchange in one line, without secrets: number, request, status or fault, milliseconds."""
    answer = exchange.fault or "no answer" if exchange.status is None else str(exchange.status)
    took = (exchange.answered_at - exchange.sent_at) * 1000
    target = redacted_target(exchange.request.target)
    return f"{exchange.number:>6}  {exchange.request.method} {target} → {answer}  {took:.0f} ms"
