"""The suite inside a user's own pytest run: one item for each rule. Without `--orderproof-base-url` it does nothing.

    pytest --orderproof-base-url http://127.0.0.1:8080 --orderproof-orders customer-token:TOKEN

The options are those of `orderproof check`, and what they leave open is read from the same configuration. The server
is checked once, when the first of the items runs; a rule that is broken fails its item with the failure block as the
message, one that was not put to the test skips it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from orderproof.catalogue import Rule
    from orderproof.outcome import Block, RuleResult, RunResult

_OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "base-url",
        {"metavar": "URL", "help": "check this server against the contract, one item for each rule"},
    ),
    ("user", {"metavar": "NAME", "help": "user of HTTP Basic authentication"}),
    ("password", {"metavar": "TEXT", "help": "its password; better in ORDERPROOF_PASSWORD"}),
    ("orders", {"metavar": "SOURCE", "help": "customer-token:TOKEN, pool:FILE or command:CMD"}),
    ("profile", {"metavar": "NAME", "help": "quick, standard or deep"}),
    ("only", {"metavar": "RULE", "action": "append", "help": "judge these rules alone (glob, repeatable)"}),
    ("seed", {"metavar": "N", "type": int, "help": "repeats the choices of an earlier run"}),
    ("max-time", {"metavar": "SECONDS", "type": float, "help": "stop after so long"}),
    ("timeout", {"metavar": "SECONDS", "type": float, "help": "patience for one answer"}),
    ("rate", {"metavar": "N", "type": float, "help": "at most N requests a second"}),
    ("strict", {"action": "store_const", "const": True, "help": "a broken SHOULD fails its item too"}),
    ("report", {"metavar": "DIR", "help": "write the report and the history of the check there"}),
    ("config", {"metavar": "FILE", "help": "configuration; default: orderproof.toml, pyproject.toml"}),
)
_PREFIX = "orderproof-"


class RuleBroken(Exception):
    """A rule that the server breaks; the message is the failure block."""


class NotJudged(Exception):
    """The server could not be judged; the message is a sentence that says why."""


class RuleWarning(UserWarning):
    """A recommendation that the server does not keep."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `orderproof check`."""
    group = parser.getgroup("orderproof", "orderproof: contract tests of an Order Management API server")
    for name, how in _OPTIONS:
        group.addoption(f"--{_PREFIX}{name}", dest=_dest(name), **{"default": None, **how})


def _dest(name: str) -> str:
    return f"{_PREFIX}{name}".replace("-", "_")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known that keeps the items together, where xdist does not."""
    if config.getoption(_dest("base-url")) is not None:
        config.addinivalue_line("markers", "xdist_group(name): items for one worker of xdist")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add an item for each rule, where the suite was asked for."""
    if config.getoption(_dest("base-url")) is not None:
        items.extend(_Suite.from_parent(session, name="orderproof").collect())


class _Suite(pytest.Collector):
    """The rules that judge a server, and one check of the server for all of them."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._result: RunResult | NotJudged | None = None

    def collect(self) -> Iterator[RuleItem]:
        """Return the items. Raises UsageError of pytest for options that make no sense."""
        from orderproof.catalogue import UnknownRule, select

        try:
            rules = select(_chosen(self.config).get("only", ()))
        except UnknownRule as error:
            raise pytest.UsageError(str(error)) from None
        for rule in rules:
            if rule.judges == "server":
                yield RuleItem.from_parent(self, name=rule.id, rule=rule)

    def result(self) -> RunResult:
        """Check the server, the first time that it is asked for. Raises NotJudged when that cannot be done."""
        if self._result is None:
            self._result = _checked(_chosen(self.config))
        if isinstance(self._result, NotJudged):
            raise self._result
        return self._result


def _chosen(config: pytest.Config) -> dict[str, Any]:
    """The options that were given, and under them the configuration."""
    from orderproof.configuration import configuration
    from orderproof.errors import UsageError

    given = {name: config.getoption(_dest(name)) for name, _ in _OPTIONS}
    file = given.pop("config")
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return {**configuration(Path(file) if file else None), **_from_environment(), **known}
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _from_environment() -> dict[str, str]:
    names = {"user": "ORDERPROOF_USERNAME", "password": "ORDERPROOF_PASSWORD"}
    return {name: os.environ[variable] for name, variable in names.items() if variable in os.environ}


def _checked(chosen: dict[str, Any]) -> RunResult | NotJudged:
    from orderproof.arguments import served
    from orderproof.checking import Watch, check
    from orderproof.errors import OrderproofError
    from orderproof.report.writer import write_report

    with ExitStack() as stack:
        try:
            settings = stack.enter_context(served(chosen))
            result = check(settings, Watch())
            if settings.report is not None:
                write_report(settings.report, result)
            return result
        except OrderproofError as error:
            return NotJudged(str(error))


class RuleItem(pytest.Item):
    """One rule of the contract."""

    def __init__(self, *, rule: Rule, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.rule = rule
        # The check is made once in each process: with xdist, `--dist loadgroup` keeps the items together.
        self.add_marker(pytest.mark.xdist_group("orderproof"))

    def runtest(self) -> None:
        """Pass, skip or fail as the rule came out."""
        from orderproof.outcome import Verdict

        suite = self.parent
        assert isinstance(suite, _Suite)
        run = suite.result()
        entry = next(each for each in run.rules if each.rule.id == self.rule.id)
        if entry.verdict is Verdict.FAILED or (run.strict and entry.verdict is Verdict.WARNED):
            raise RuleBroken(_message(run, entry))
        if entry.verdict is Verdict.WARNED:
            warnings.warn(RuleWarning(_message(run, entry)), stacklevel=1)
        elif entry.verdict is Verdict.ERROR:
            raise NotJudged(entry.reason)
        elif entry.verdict is Verdict.NOT_EXERCISED:
            pytest.skip(run.interrupted or entry.reason)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the failure block or the sentence, and no traceback of ours."""
        if isinstance(excinfo.value, (RuleBroken, NotJudged)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Name the item in reports."""
        return Path("orderproof"), None, f"{self.rule.id} {self.rule.title}"


def _message(run: RunResult, entry: RuleResult) -> str:
    """The failure block of a rule, or of the one that it follows from."""
    from orderproof.report.block import block_lines

    own = next((block for block in run.blocks if block.rule.id == entry.rule.id), None)
    if own is not None:
        return "\n".join(block_lines(own))
    root = next((block for block in run.blocks if _follows(block, entry.rule)), None)
    lines = [entry.reason] if root is None else [f"{entry.reason}. It follows from this:", *block_lines(root)]
    return "\n".join(lines)


def _follows(block: Block, rule: Rule) -> bool:
    return any(each.id == rule.id for each, _, _ in block.follows)
