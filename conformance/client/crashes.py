"""Signs that a program died of a fault of its own, rather than of an error that it reports."""

from __future__ import annotations

import re

from orderproof.client.command import Ended

_JAVA_FAULTS = (
    "NullPointerException|ClassCastException|IndexOutOfBoundsException|ArrayIndexOutOfBoundsException"
)
_SIGNS = {
    "Python": (
        r"^Traceback \(most recent call last\)",
        r"^(?:AttributeError|KeyError|IndexError|TypeError|NameError|UnboundLocalError|UnicodeDecodeError"
        r"|RecursionError|(?:\w+\.)*JSONDecodeError)(?::.*)?$",
    ),
    # A fetch that fails is a TypeError too, and reports what it should.
    "Node": (
        r"^Node\.js v\d",
        r"^(?:TypeError|ReferenceError|RangeError|SyntaxError): (?!fetch failed|terminated).*$",
    ),
    "Java": (
        r"^\s+at [\w.$]+\(",
        rf"^(?:Exception in thread \".*\" |Caused by: )java\.lang\.(?:{_JAVA_FAULTS}).*$",
    ),
    "Go": (r"^goroutine \d+ ", r"^panic: runtime error: .*$"),
    "PHP": (
        r"Fatal error: ",
        r"^.*Fatal error: +Uncaught (?:TypeError|Error|ErrorException|JsonException)\b.*$",
    ),
    "Ruby": (r"\.rb:\d+:in ", r"^.*\((?:NoMethodError|TypeError|JSON::ParserError|KeyError)\)$"),
    ".NET": (
        r"^Unhandled exception",
        r"^Unhandled exception\. System\.(?:NullReference|InvalidCast|Format)Exception.*$",
    ),
}
"""By runtime: what it prints when a program dies of an exception that nobody caught, and the line that names it."""

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
    for mark, sign in _SIGNS.values():
        found = re.search(sign, ended.words, re.MULTILINE)
        if found is not None and re.search(mark, ended.words, re.MULTILINE):
            return found[0].strip()[:_SHOWN]
    return ""


def parsing_crash_in(ended: Ended) -> str:
    """Return the words that show a crash over a body that could not be parsed; empty when there are none."""
    words = crash_in(ended)
    return words if _PARSING.search(words) else ""
