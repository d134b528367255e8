"""How the process ends: with one sentence and the documented exit code, whatever became of its streams."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What an OSError says when there is no room to write."""


class ReaderGone(Exception):
    """Whoever read our output has closed it. Click would end with 1, which says that a MUST is broken."""


def open_closed_streams() -> None:
    """Open what we were started without, onto nothing: a file of ours would take the number of a standard stream."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            handle = os.open(os.devnull, os.O_RDWR)
            if handle != number:
                os.dup2(handle, number)
                os.close(handle)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", encoding="utf-8"))


def end(sentence: str, code: int) -> NoReturn:
    """Say a sentence on standard error, and end with a code, even where nothing more can be written."""
    with suppress(OSError):
        print(f"orderproof: {sentence}", file=sys.stderr)
    # What is left in a buffer that cannot be written would end the process with another code.
    with suppress(OSError):
        sys.stdout.flush()
        sys.exit(code)
    os._exit(code)
