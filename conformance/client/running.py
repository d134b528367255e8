"""The command `orderproof client`: options in, an exit code out."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from orderproof.catalogue import Rule, catalogue
from orderproof.client.certificate import certificate
from orderproof.client.conclusion import Told
from orderproof.client.flows import FLOWS, flow_named
from orderproof.client.judging import Settings, Watch, judge_client
from orderproof.client.matrix import matrix_lines, write_matrix
from orderproof.client.outing import Plan
from orderproof.client.weather import SCENARIOS, chosen
from orderproof.errors import UsageError
from orderproof.report.terminal import Terminal
from orderproof.report.text import counted
from orderproof.report.writer import write_report
from orderproof.waivers import applied, load, today


def run_client(
    command: Sequence[str],
    rules: Sequence[Rule],
    *,
    scenarios: tuple[str, ...] = (),
    flow: str | None = None,
    variables: Sequence[str] = (),
    timeout: float = 120.0,
    hold: float = 8.0,
    tls: bool = False,
    strict: bool = False,
    quiet: bool = False,
    report: Path | None = None,
    waivers: str | None = None,
) -> int:
    """Judge a client and return the exit code. Raises UsageError for options that make no sense."""
    if not command:
        raise UsageError("there is no command to run: orderproof client -- COMMAND …")
    for name, value in (("timeout", timeout), ("hold", hold)):
        if not value > 0:
            raise UsageError(f"--{name} {value:g} is not above 0")
    known = load(Path(waivers)) if waivers is not None else []
    with ExitStack() as stack:
        plan = Plan(
            command=command,
            flow=flow_named(flow) if flow else None,
            variables=dict(_assignment(text) for text in variables),
            timeout=timeout,
            hold=hold,
            certificate=stack.enter_context(certificate()) if tls else None,
            show=not quiet,
        )
        words = ["orderproof", "client", *[word for name in scenarios for word in ("--scenario", name)]]
        words += [*(["--flow", flow] if flow else []), *(["--tls"] if tls else [])]
        words += [word for text in variables for word in ("--env", _shown(text))] + ["--", *command]
        settings = Settings(plan, chosen(scenarios), rules, strict, report, shlex.join(words))
        terminal = stack.enter_context(Terminal(quiet=quiet))
        found = judge_client(settings, _watch(terminal))
        result = applied(found, known, today()) if known else found
        for line in ("", *matrix_lines(result), ""):
            terminal.say(line)
        try:
            if report is not None:
                write_report(report, result)
                write_matrix(report, result)
        finally:
            terminal.summary(result, report)
    return result.exit_code


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--env {text!r} is no variable: write NAME=VALUE, for example API_URL={{base_url}}")
    return name, value


def _shown(assignment: str) -> str:
    """A variable as a report may have it: only a template is known to be no secret."""
    name, _, value = assignment.partition("=")
    return assignment if value.startswith("{") else f"{name}=…"


def _watch(terminal: Terminal) -> Watch:
    def told(entry: Told) -> None:
        terminal.say(f"  {entry.outing.ended}, {counted(len(entry.outing.heard), 'request')}")

    return Watch(
        outing=lambda scenario: terminal.say(f"{scenario.name}: {scenario.says}"),
        told=told,
        finding=lambda found: terminal.finding(
            catalogue()[found.rule],
            expected=found.expected,
            actual=found.actual,
            operation=found.operation,
        ),
    )


def listing() -> str:
    """Return the scenarios and the flows as text."""
    width = max(map(len, [*SCENARIOS, *FLOWS]))
    lines = ["Scenarios (--scenario NAME, or all):"]
    lines += [f"  {entry.name:<{width}}  {entry.says}" for entry in SCENARIOS.values()]
    lines += ["", "Flows (--flow NAME), told to the command in ORDERPROOF_FLOW:"]
    lines += [f"  {entry.name:<{width}}  {entry.says}" for entry in FLOWS.values()]
    return "\n".join(lines)
