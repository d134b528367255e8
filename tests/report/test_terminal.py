"""What a run looks like on a terminal, whole screens compared with golden files."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.cells import cell_len

from orderproof.catalogue import catalogue
from orderproof.exchange import Exchange, Request, Response
from orderproof.outcome import Progress, RunResult, StepShown, Verdict
from orderproof.report.block import block_lines
from orderproof.report.terminal import Terminal
from tests.report.samples import (
    BROKEN,
    CONFORMS,
    HOSTILE,
    HOSTILE_RUN,
    NOT_JUDGED,
    TOO_MUCH,
    UNNAMED,
    rule_results,
)

Golden = Callable[[str, str], None]
REPORT = Path("orderproof-report")


class _Screen(io.StringIO):
    """A stream that says it is a terminal, or not, with an encoding of its own."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


@pytest.fixture(autouse=True)
def _usual_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def shown(
    result: RunResult, *, quiet: bool = False, width: int | None = None, report: Path | None = REPORT
) -> str:
    screen = _Screen()
    Terminal(screen, quiet=quiet, width=width).summary(result, report)
    return screen.getvalue()


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("conforms", CONFORMS),
        ("broken", BROKEN),
        ("not-judged", NOT_JUDGED),
        ("strict", replace(BROKEN, strict=True)),
        ("interrupted", replace(BROKEN, interrupted="Ctrl-C after 2 of 5 scenarios", verdict="not judged")),
        ("hostile", HOSTILE_RUN),
    ],
)
def test_the_final_screen(name: str, result: RunResult, golden: Golden) -> None:
    golden(f"screen-{name}.txt", shown(result))


def test_the_final_screen_on_a_narrow_terminal(golden: Golden) -> None:
    golden("screen-narrow.txt", shown(BROKEN, width=48))


def test_what_is_waived_is_said_with_the_verdict() -> None:
    waived = rule_results(CAP_5=(Verdict.WAIVED, 1, "known"), CAP_9=(Verdict.WARNED, 1, "so it is"))
    first = shown(replace(CONFORMS, rules=waived), quiet=True).splitlines()[0]
    assert first.endswith("nothing is broken, but 1 rule waived, 1 warning")


@pytest.mark.parametrize("result", [CONFORMS, BROKEN], ids=["conforms", "broken"])
def test_quiet_leaves_the_verdict_and_the_failures(result: RunResult, golden: Golden) -> None:
    golden(f"quiet-{result.verdict}.txt", shown(result, quiet=True))


def test_the_block_is_as_designed() -> None:
    designed = """\
× CAP-5  a capture above the remaining authorization is refused                     MUST
  Sent       POST …/captures {"captured_amount": 10001}   (call 2 of 2)
  Order was  AUTHORIZED, amount 10000, captured 0, refunded 0, remaining 10000
  Expected   403 CAPTURE_NOT_ALLOWED, order unchanged
  Actual     201 Created, captured_amount 10001
  Contract   Error codes and messages for Order Management, "403 - CAPTURE_NOT_ALLOWED"
  Again      orderproof reproduce counterexamples/CAP-5.json"""
    rule = replace(TOO_MUCH.rule, sources=TOO_MUCH.rule.sources[:1])
    assert designed.splitlines() == block_lines(replace(TOO_MUCH, rule=rule, follows=()))


@pytest.mark.parametrize("width", [20, 48, 60, 88, 200])
@pytest.mark.parametrize("result", [BROKEN, HOSTILE_RUN], ids=["broken", "hostile"])
def test_no_line_is_wider_than_the_screen(result: RunResult, width: int) -> None:
    allowed = min(max(width, 48), 88)
    lines = re.sub("(?m)^ *(Again|Report) .*$", "", shown(result, width=width)).splitlines()
    assert [line for line in lines if cell_len(line) > allowed] == []


def test_a_command_is_one_line_that_can_be_copied() -> None:
    command = "orderproof reproduce 'a folder of reports/counterexamples/CAP-5.json'"
    assert f"  Again      {command}" == block_lines(TOO_MUCH, width=48, folder="a folder of reports")[-1]


def test_wide_characters_count_as_two_cells() -> None:
    lines = block_lines(replace(UNNAMED, actual="注文" * 200), width=60)
    assert max(map(cell_len, lines)) <= 60
    assert any("注文" in line for line in lines)


def test_a_root_cause_fits_on_one_screen() -> None:
    steps = tuple(StepShown("POST …/captures " + "x" * 500, "201 " + "y" * 500) for _ in range(60))
    huge = replace(
        TOO_MUCH, sent="s " * 900, expected="e " * 900, actual="a" * 900, note="n " * 900, steps=steps
    )
    assert len(block_lines(huge, width=48)) <= 36
    assert len(block_lines(huge, width=88)) <= 28


def test_nothing_that_a_terminal_obeys_reaches_it() -> None:
    text = shown(HOSTILE_RUN) + finding_line(HOSTILE)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)
    assert r"\x1b[2J" in text


def finding_line(actual: str, **options: bool) -> str:
    screen = _Screen()
    terminal = Terminal(screen, **options)
    terminal.finding(catalogue()["CAP-5"], expected="403", actual=actual, operation="captureOrder")
    return screen.getvalue()


def test_a_finding_is_one_line() -> None:
    assert finding_line("201 Created") == "× CAP-5  captureOrder: expected 403, got 201 Created\n"
    assert len(finding_line("201 " * 90).splitlines()) == 1
    assert finding_line("201 Created", quiet=True) == ""


def test_a_finding_is_shown_once_for_its_rule_and_operation() -> None:
    screen = _Screen()
    terminal = Terminal(screen)
    for operation in ("captureOrder", "captureOrder", "refundOrder"):
        terminal.finding(catalogue()["GEN-ERR-3"], expected="no 5xx", actual="500", operation=operation)
    assert screen.getvalue().splitlines() == [
        "× GEN-ERR-3  captureOrder: expected no 5xx, got 500",
        "× GEN-ERR-3  refundOrder: expected no 5xx, got 500",
    ]


def steps_of_progress(screen: _Screen, **options: bool) -> str:
    with Terminal(screen, **options) as terminal:
        terminal.progress(Progress("scenarios", "capture above", 0, 0, 0.0, 60.0, 0, 40))
        terminal.progress(Progress("scenarios", "release", 700, 1, 5.0, 60.0, 20, 40))
        terminal.progress(Progress("scenarios", HOSTILE, 1900, 1, 14.0, 60.0, 31, 40))
        terminal.progress(Progress("walk", "", 2000, 2, 15.0, 60.0))
        terminal.say("The walk is over")
    return screen.getvalue()


def test_progress_in_plain_lines(golden: Golden) -> None:
    golden("progress.txt", steps_of_progress(_Screen()))


def test_progress_on_a_terminal_is_drawn_over_and_taken_away() -> None:
    text = steps_of_progress(_Screen(terminal=True))
    assert "20/40" in text
    assert "\x1b[2K" in text
    assert "The walk is over" in text
    assert text.rstrip("\n").endswith(("\x1b[2K", "\x1b[?25h"))


def test_quiet_shows_no_progress() -> None:
    assert steps_of_progress(_Screen(), quiet=True) == ""


def test_colour_only_on_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def coloured(*, terminal: bool) -> bool:
        screen = _Screen(terminal=terminal)
        Terminal(screen).summary(BROKEN)
        return "\x1b[" in screen.getvalue()

    assert coloured(terminal=True)
    assert not coloured(terminal=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured(terminal=True)


def test_a_stream_that_lacks_a_sign_gets_a_plain_one() -> None:
    screen = _Screen(encoding="ascii")
    Terminal(screen).summary(BROKEN, REPORT)
    assert screen.getvalue().isascii()
    assert "\nx CAP-5  a capture above" in screen.getvalue()


def test_verbose_shows_each_exchange_without_secrets() -> None:
    request = Request(
        (("Authorization", "Basic c2VjcmV0"),), b"", "POST", "/customer-token/v1/tokens/SECRET/order"
    )
    answered = Exchange(7, request, Response((), b"", 200), 10.0, 10.0125)
    lost = Exchange(8, request, None, 10.0, 11.0, fault="timeout")
    screen = _Screen()
    terminal = Terminal(screen, verbose=True)
    terminal.exchange(answered)
    terminal.exchange(lost)
    assert screen.getvalue().splitlines() == [
        "     7  POST /customer-token/v1/tokens/REDACTED/order → 200  12 ms",
        "     8  POST /customer-token/v1/tokens/REDACTED/order → timeout  1000 ms",
    ]


def test_exchanges_are_not_shown_unless_verbose() -> None:
    screen = _Screen()
    Terminal(screen).exchange(Exchange(1, Request((), b"", "GET", "/"), None, 0.0, 0.0))
    assert screen.getvalue() == ""


def test_a_run_that_knows_only_its_command_says_how_to_make_it_again() -> None:
    assert shown(replace(BROKEN, command="check")).splitlines()[-1] == (
        "Again      orderproof check --base-url http://127.0.0.1:8080 --profile quick --seed 7"
    )
    assert "--base-url" not in shown(replace(CONFORMS, command="check"))
