"""Signs that a program died of a fault of its own, rather than of an error that it reports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orderproof.client.command import Ended

_JAVA_FAULTS = (
    "NullPointerException|ClassCastException|IndexOutOfBoundsException|ArrayIndexOutOfBoundsException"
)


@dataclass(frozen=True)
class _Runtime:
    """What a runtime prints when a program dies of an exception that nobody caught.

    `headline` captures the line that names an exception. Of several in a chain the program died of the first or of
    the `last` one, and the others are what that one was made of. `fault` is a line that names the runtime's own.
    """

    headline: str
    fault: str
    last: bool = False

    def crash(self, words: str) -> str:
        lines = re.findall(self.headline, words, re.MULTILINE)
        line = lines[-1 if self.last else 0].strip() if lines else ""
        return line if re.search(self.fault, line) else ""


_RUNTIMES = (
    _Runtime(  # Python, whose last words it is: a test runner that goes on with a summary has caught it
        r"^Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)\s*\Z",
        r"^(?:AttributeError|KeyError|IndexError|TypeError|NameError|UnboundLocalError|UnicodeDecodeError"
        r"|RecursionError|(?:\w+\.)*JSONDecodeError)(?::.*)?$",
        last=True,
    ),
    _Runtime(  # Node; a fetch that fails is a TypeError too, and reports what it should
        r"^((?:\w*Error|Uncaught)\b.*)(?=[\s\S]*^Node\.js v\d)",
        r"^(?:TypeError|ReferenceError|RangeError|SyntaxError): (?!fetch failed|terminated)",
        last=True,
    ),
    _Runtime(  # Java
        r"^(Exception in thread \".*\" .*)$", rf"^Exception in thread \".*\" java\.lang\.(?:{_JAVA_FAULTS})\b"
    ),
    _Runtime(r"^(panic: .*)(?=[\s\S]*^goroutine \d+ )", r"^panic: runtime error: "),  # Go
    _Runtime(  # PHP, which starts with what an exception was made of
        r"^((?:.*Fatal error: +Uncaught|Next) .*)$",
        r"(?:Uncaught|^Next) (?:TypeError|Error|ArgumentCountError|ErrorException|JsonException)\b",
        last=True,
    ),
    _Runtime(  # Ruby, which ends with it
        r"^(.*\.rb:\d+:in .*\([A-Z][\w:]*\))$", r"\((?:NoMethodError|TypeError|JSON::ParserError|KeyError)\)$"
    ),
    _Runtime(  # .NET
        r"^(Unhandled exception.*)$",
        r"^Unhandled exception\. System\.(?:NullReference|InvalidCast|Format)Exception",
    ),
)

_FATAL_SIGNALS = frozenset({-4, -6, -7, -8, -11, 132, 134, 135, 136, 139})
_PARSING = re.compile(r"JSON|Unexpected end|Expecting value", re.IGNORECASE)
_SHOWN = 200


def crash_in(ended: Ended) -> str:
    """Return the words that show a crash; empty when there are none.

    Only a command that failed can have crashed. An SDK's own error that ends the program is a report, whatever it is
    called; the faults that a runtime names after types, names and null pointers are not.
    """
    if ended.exit_code in _FATAL_SIGNALS:
        return str(ended)
    if ended.succeeded or ended.exit_code is None:
        return ""
    return next(filter(None, (runtime.crash(ended.words) for runtime in _RUNTIMES)), "")[:_SHOWN]


def parsing_crash_in(ended: Ended) -> str:
    """Return the words that show a crash over a body that could not be parsed; empty when there are none."""
    words = crash_in(ended)
    return words if _PARSING.search(words) else ""
