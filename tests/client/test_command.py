"""The command that is run: its words and exit code are known, and nothing of it is left behind."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from orderproof.client.command import Ended, run_command
from orderproof.client.crashes import crash_in
from orderproof.errors import UsageError


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def is_alive(pid: int) -> bool:
    """Say whether a process still runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_exit_code_and_words_are_known() -> None:
    code = "import sys\nfor _ in range(50): print('out'); print('err', file=sys.stderr)\nsys.exit(7)"
    ended = run_command(python(code), {**os.environ, "PYTHONUNBUFFERED": "1"}, 30)
    assert 7 == ended.exit_code
    assert ["out"] * 50 + ["err"] * 50 == ended.words.split()


def test_its_output_passes_through(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run_command(["printf", r"caf\303\251 \377"], os.environ, 30)
    assert b"caf\xc3\xa9 \xff" == capfdbinary.readouterr().out


def test_one_that_takes_too_long_is_stopped_with_its_children(tmp_path: Path) -> None:
    child = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    code = (
        f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    )
    started = time.monotonic()
    ended = run_command(python(code), os.environ, 3)
    assert "stopped after 3 s" == str(ended)
    assert time.monotonic() - started < 12
    assert not is_alive(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_what_it_leaves_running_is_stopped(tmp_path: Path) -> None:
    ended = run_command(["sh", "-c", f"sleep 60 & echo $! > {tmp_path / 'pid'}"], os.environ, 30)
    assert 0 == ended.exit_code
    assert not is_alive(int((tmp_path / "pid").read_text(encoding="utf-8")))


def test_one_that_does_not_exist_is_a_mistake_of_the_user() -> None:
    with pytest.raises(UsageError, match="'no-such-command' cannot be started: No such file"):
        run_command(["no-such-command"], os.environ, 30)


PYTHON = 'Traceback (most recent call last):\n  File "a.py", line 1\n'


@pytest.mark.parametrize(
    ("code", "words", "crashed"),
    [
        (1, f"{PYTHON}KeyError: 'capture_id'\n", True),
        (1, f"{PYTHON}json.decoder.JSONDecodeError: Expecting value: line 1\n", True),
        (1, f"{PYTHON}klarna.ApiError: 403 CAPTURE_NOT_ALLOWED\n", False),
        (1, f"{PYTHON}requests.exceptions.HTTPError: 403 Client Error\n", False),
        (0, f"{PYTHON}KeyError: 'capture_id'\n", False),
        (
            1,
            f"ERROR: test_a\n{PYTHON}KeyError: 'id'\n\n-----\nRan 2 tests in 0.1s\n\nFAILED (errors=1)\n",
            False,
        ),
        (1, "KeyError: 'capture_id'\n", False),
        (1, "TypeError: Cannot read properties of undefined\n    at a.js:1:1\n\nNode.js v20.20.2\n", True),
        (1, "TypeError: fetch failed\n    at a.js:1:1\n\nNode.js v20.20.2\n", False),
        (2, "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n", True),
        (2, "panic: klarna: 403\n\ngoroutine 1 [running]:\n", False),
        (255, "PHP Fatal error:  Uncaught TypeError: json_decode(): Argument #1\n", True),
        (255, "PHP Fatal error:  Uncaught Klarna\\ApiException: 403\n", False),
        # An error of the client's own that was made of another one is a report.
        (
            1,
            f"{PYTHON}KeyError: 'a'\n\nDuring handling of the above exception, …\n\n{PYTHON}k.ApiError: 403\n",
            False,
        ),
        (
            1,
            f"{PYTHON}k.ApiError: 403\n\nDuring handling of the above exception, …\n\n{PYTHON}KeyError: 'a'\n",
            True,
        ),
        (
            255,
            "PHP Fatal error:  Uncaught JsonException: x in a.php:1\n#0 {main}\n\nNext Klarna\\ApiException: 403\n",
            False,
        ),
        (255, "PHP Fatal error:  Uncaught Klarna\\E: x in a.php:1\n#0 {main}\n\nNext TypeError: a\n", True),
        (1, "a.rb:3:in `x': 403 (Klarna::Error)\n\tfrom a.rb:9\na.rb:1:in `y': nil (NoMethodError)\n", False),
        (1, "a.rb:3:in `x': undefined method `[]' for nil:NilClass (NoMethodError)\n\tfrom a.rb:9\n", True),
        (1, 'Exception in thread "main" java.lang.NullPointerException: x\n\tat a.B.c(B.java:1)\n', True),
        (
            1,
            'Exception in thread "main" k.ApiException: 403\nCaused by: java.lang.NullPointerException\n',
            False,
        ),
        (134, "Unhandled exception. System.NullReferenceException: Object reference not set\n", True),
        (1, "KlarnaError: 403\n    at a.js:1:1 {\n  [cause]: TypeError: x\n}\n\nNode.js v20.20.2\n", False),
        (
            1,
            "/a.js:3\n  x.y.z\n      ^\n\nTypeError: x is undefined\n    at a.js:3:7\n\nNode.js v20.20.2\n",
            True,
        ),
        (
            1,
            "SyntaxError: Unexpected end of JSON input\n    at JSON.parse (<anonymous>)\n\nNode.js v20.20.2\n",
            True,
        ),
        (-11, "", True),
        (-15, "", False),
        (1, "refused: 403\n", False),
    ],
)
def test_a_crash_is_told_from_a_report(code: int, words: str, crashed: bool) -> None:
    assert crashed is bool(crash_in(Ended(code, words, 1.0)))
