"""What a run comes to: a verdict for each rule, the findings, and the exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from orderproof.catalogue import Rule


class Verdict(Enum):
    """The verdict on a rule, worst first."""

    FAILED = "failed"
    ERROR = "error"
    WARNED = "warned"
    WAIVED = "waived"
    NOT_EXERCISED = "not_exercised"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The verdict on one rule, how often it was put to the test, and why it was not or failed otherwise."""

    rule: Rule
    verdict: Verdict
    exercised: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StepShown:
    """One call of a counterexample, for people: `POST …/captures {"captured_amount": 10001}` and its answer."""

    request: str
    answer: str
    deciding: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One root cause, as every report shows it.

    `steps` are the calls that lead to it, `curl` a shell script that makes them, `file` the saved counterexample
    relative to the report folder, `follows` the findings that follow from this one (rule, expected, actual).
    `sent` is the deciding call and, in brackets, its place in the run. `note` is what else there is to know.
    `deciding` is the number of the exchange that decides; None: the last one.
    `exchanges` are records (`orderproof.exchange.record`) of what was sent and answered, without secrets.
    """

    rule: Rule
    expected: str
    actual: str
    operation: str | None
    order_id: str | None
    scenario: str
    sent: str
    steps: tuple[StepShown, ...] = ()
    curl: str = ""
    file: str | None = None
    note: str = ""
    follows: tuple[tuple[Rule, str, str], ...] = ()
    exchanges: tuple[Mapping[str, Any], ...] = ()
    count: int = 1
    deciding: int | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The outcome of a run. `verdict` is "conforms", "broken", "not judged" or "waivers"; times in seconds.

    `command` is the command line that makes the run again, without secrets (`orderproof check --seed 7`), or only the
    name of the command. In a `strict` run a warning makes the target fail. `workers` processes shared the work. `shard`
    is which part of a run this is, and what it takes to put it together with the others; `shards` the parts that it was
    put together from.
    """

    command: str
    target: str
    profile: str
    seed: int
    started_at: str
    duration_s: float
    requests: int
    verdict: str
    exit_code: int
    rules: Sequence[RuleResult]
    blocks: Sequence[Block] = ()
    interrupted: str = ""
    coverage: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    strict: bool = False
    workers: int = 1
    shard: Mapping[str, Any] | None = None
    shards: Sequence[Mapping[str, Any]] = ()

    def count(self, verdict: Verdict) -> int:
        """How many rules have a verdict."""
        return sum(result.verdict is verdict for result in self.rules)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands: what is running, how much is done, what was found so far. Times in seconds."""

    phase: str
    detail: str
    requests: int
    findings: int
    elapsed_s: float
    budget_s: float | None = None
    done: int = 0
    total: int = 0
