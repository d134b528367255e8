"""`junit.xml`: one test case for each rule, for every tool that reads JUnit's format."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from orderproof.outcome import Block, RuleResult, RunResult, Verdict
from orderproof.report.block import block_lines, is_failure
from orderproof.report.files import TOOL, tool_version, write_whole
from orderproof.report.screen import verdict_lines
from orderproof.report.text import visible

FILE_NAME = "junit.xml"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_MESSAGE = 300

Shown = Mapping[str, Sequence[Block]]


def write_junit(directory: Path, result: RunResult) -> Path:
    """Write `junit.xml` into a folder, whole or not at all. Returns its path."""
    return write_whole(directory / FILE_NAME, junit(result))


def junit(result: RunResult) -> str:
    """Return the outcome as JUnit XML: one suite, one case for each rule, in the order of the run.

    A failed rule is a failure, a fault of this suite an error; a rule not exercised, or waived, is
    skipped. A warning passes and says so in its output; in a strict run it is a failure. A run that could not
    be judged has a case in error, so that no reader takes it for a success.
    """
    shown = _blocks_by_rule(result)
    cases = [_case(entry, result, shown) for entry in result.rules]
    if result.exit_code == 3 and not any(case.find("error") is not None for case in cases):
        cases.append(_not_judged(result))
    suite = Element("testsuite", _suite_attributes(result, cases))
    suite.append(_properties(result))
    suite.extend(cases)
    SubElement(suite, "system-out").text = _legal("\n".join(verdict_lines(result)))
    root = Element("testsuites", {"name": TOOL})
    root.append(suite)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _legal(text: str) -> str:
    """Return text with what XML 1.0 has no place for written as escapes."""
    return _NOT_XML.sub(lambda match: match[0].encode("unicode-escape").decode("ascii"), text)


def _suite_attributes(result: RunResult, cases: Sequence[Element]) -> dict[str, str]:
    count = {
        kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")
    }
    return {
        "name": _legal(f"{TOOL}: {visible(result.target)}"),
        "tests": str(len(cases)),
        "failures": str(count["failure"]),
        "errors": str(count["error"]),
        "skipped": str(count["skipped"]),
        "time": f"{result.duration_s:.3f}",
        "timestamp": re.sub(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)$", "", result.started_at),
    }


def _properties(result: RunResult) -> Element:
    values = {
        "tool": f"{TOOL} {tool_version()}",
        "profile": result.profile,
        "seed": result.seed,
        "strict": result.strict,
        "requests": result.requests,
        "verdict": result.verdict,
        "exit_code": result.exit_code,
    }
    properties = Element("properties")
    for name, value in values.items():
        SubElement(properties, "property", {"name": name, "value": _legal(str(value))})
    return properties


def _blocks_by_rule(result: RunResult) -> Shown:
    """Every block by the rule that it is about, and by those that follow from it."""
    shown: defaultdict[str, list[Block]] = defaultdict(list)
    for block in result.blocks:
        shown[block.rule.id].append(block)
    for block in result.blocks:
        for rule in {rule.id for rule, _, _ in block.follows}:
            shown[rule].append(block)
    return shown


def _case(entry: RuleResult, result: RunResult, shown: Shown) -> Element:
    rule = entry.rule
    name = {"classname": f"{TOOL}.{rule.area}", "name": f"{rule.id} {rule.title}", "time": "0.000"}
    case = Element("testcase", name)
    if is_failure(result, entry.verdict):
        _outcome(case, "failure", _message(entry, shown), rule.level).text = _text(entry, shown)
    elif entry.verdict is Verdict.ERROR:
        _outcome(case, "error", entry.reason or "the suite's own fault", "error")
    elif entry.verdict in (Verdict.NOT_EXERCISED, Verdict.WAIVED):
        waived = "waived: " if entry.verdict is Verdict.WAIVED else ""
        SubElement(case, "skipped", {"message": _short(waived + entry.reason)})
    elif entry.verdict is Verdict.WARNED:
        SubElement(case, "system-out").text = "warning\n" + _text(entry, shown)
    return case


def _outcome(case: Element, kind: str, message: str, type_: str) -> Element:
    return SubElement(case, kind, {"message": _short(message), "type": type_})


def _short(text: str) -> str:
    return _legal(visible(text))[:_LONGEST_MESSAGE]


def _message(entry: RuleResult, shown: Shown) -> str:
    for block in shown.get(entry.rule.id, ()):
        if block.rule.id == entry.rule.id:
            return f"expected {block.expected}, got {block.actual}"
        return f"follows from {block.rule.id}: {block.rule.title}"
    return entry.reason or "broken"


def _text(entry: RuleResult, shown: Shown) -> str:
    blocks = ["\n".join(block_lines(block)) for block in shown.get(entry.rule.id, ())]
    return _legal("\n\n".join(blocks) or visible(entry.reason))


def _not_judged(result: RunResult) -> Element:
    case = Element("testcase", {"classname": TOOL, "name": "the run", "time": f"{result.duration_s:.3f}"})
    reasons = [result.interrupted, *result.notes]
    message = "; ".join(reason for reason in reasons if reason) or "could not be judged"
    _outcome(case, "error", message, "not judged")
    return case
