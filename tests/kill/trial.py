"""One run of the suite against one sandbox, with a fault or with a freedom of the contract taken."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from orderproof.catalogue import catalogue, select
from orderproof.checking import Settings, Watch, check
from orderproof.checks.findings import Finding
from orderproof.counterexample import load
from orderproof.errors import CannotJudge
from orderproof.outcome import RunResult, Verdict
from orderproof.sandbox.faults import Fault
from orderproof.sandbox.options import Open
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.target import SANDBOX_CLOCK, Target
from tests.kill.scripts import only
from tests.kill.serving import sandbox

LONGEST_SECONDS = 300.0


@dataclass(frozen=True)
class Row:
    """What came of one fault in one profile.

    `found` says whether a rule that the fault breaks was named as a root cause, `by` which rules were named up to then.
    `requests` and `seconds` are those until it was found, or of the whole run; `calls` the length of the
    counterexample, None if there is none that can be sent again.
    """

    fault: str
    rule: str
    when: str
    profile: str
    found: bool
    by: tuple[str, ...]
    requests: int
    seconds: float
    calls: int | None
    note: str = ""


@dataclass(frozen=True)
class Exactness:
    """The most exact fault of a rule, and the scenario that brings it to light.

    `red` are all rules that it turns red there, in order; `roots` are those of them that are named as root causes.
    """

    rule: str
    fault: str
    scenario: str
    red: tuple[str, ...]
    roots: tuple[str, ...]

    @property
    def alone(self) -> bool:
        """Say whether its rule is the only one that turns red."""
        return self.red == (self.rule,)

    @property
    def exact(self) -> bool:
        """Say whether its rule is the only one that is named as a root cause: the others follow from it."""
        return self.roots == (self.rule,)

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """Lower is more exact."""
        return (not self.exact, self.rule not in self.roots, len(self.roots), len(self.red))


@dataclass
class _Lookout:
    """Notes when a rule that a fault breaks is first found."""

    rules: tuple[str, ...]
    started: float = field(default_factory=time.monotonic)
    requests: int = 0
    roots: list[str] = field(default_factory=list)
    found_at: tuple[int, float] | None = None

    def sent(self, _: object) -> None:
        self.requests += 1

    def finding(self, found: Finding) -> None:
        if self.found_at is None:
            self.roots.append(found.rule)
            if found.rule in self.rules:
                self.found_at = (self.requests, time.monotonic() - self.started)


def target_at(url: str) -> Target:
    """The sandbox at a URL as a target that can do all that a sandbox can."""
    return Target(
        url, "sandbox", "sandbox", orders="customer-token:sandbox", timeout=5.0, clock=SANDBOX_CLOCK
    )


def wanted(fault: Fault) -> tuple[str, ...]:
    """The rules by which a fault counts as found: those that it breaks, for a MUST none that would only warn."""
    if catalogue()[fault.rule].level != "MUST":
        return fault.rules
    return tuple(rule for rule in fault.rules if catalogue()[rule].level == "MUST")


def tried(fault: Fault, profile: str, *, seed: int = 0, max_time: float = LONGEST_SECONDS) -> Row:
    """Run a profile against a sandbox with a fault until a rule that it breaks is found, or to the end."""
    lookout = _Lookout(wanted(fault))
    watch = Watch(finding=lookout.finding, exchange=lookout.sent, enough=lambda: lookout.found_at is not None)
    note, result = "", None
    with TemporaryDirectory() as folder, sandbox(SandboxSettings(), fault.name) as url:
        lookout.started = time.monotonic()
        settings = Settings(
            target_at(url),
            select([]),
            profile=profile,
            seed=seed,
            max_time=max_time,
            report=Path(folder),
        )
        try:
            result = check(settings, watch)
            note = result.interrupted or next((one for one in result.notes if "time was over" in one), "")
        except CannotJudge as error:
            note = f"not judged: {error}"
        calls = _length(result, lookout.rules, Path(folder))
    requests, seconds = lookout.found_at or (lookout.requests, time.monotonic() - lookout.started)
    return Row(
        fault=fault.name,
        rule=fault.rule,
        when=fault.when,
        profile=profile,
        found=lookout.found_at is not None,
        by=tuple(dict.fromkeys(lookout.roots)),
        requests=requests,
        seconds=round(seconds, 2),
        calls=calls,
        note=note,
    )


def _length(result: RunResult | None, rules: tuple[str, ...], folder: Path) -> int | None:
    """The number of calls, the creation of orders aside, of the saved counterexample of a rule."""
    blocks = [] if result is None else result.blocks
    file = next((block.file for block in blocks if block.rule.id in rules and block.file), None)
    return None if file is None else len(load(folder / file).sequence.commands)


def reddened(fault: Fault) -> Exactness:
    """Look for the scenario that brings a fault to light in the profile quick, and play that alone and to its end."""
    lookout = _Lookout((fault.rule,))
    where: dict[str, str] = {}

    def found(finding: Finding) -> None:
        lookout.finding(finding)
        where.setdefault(finding.rule, finding.exchange.scenario)

    _quick(fault, Watch(finding=found, enough=lambda: lookout.found_at is not None))
    scenario = where.get(fault.rule, "")
    with only(scenario):
        result = _quick(fault, Watch())
    roots = tuple(block.rule.id for block in result.blocks)
    return Exactness(fault.rule, fault.name, scenario, red_in(result), roots)


def _quick(fault: Fault, watch: Watch) -> RunResult:
    with sandbox(SandboxSettings(), fault.name) as url:
        settings = Settings(target_at(url), select([]), profile="quick", max_time=LONGEST_SECONDS)
        return check(settings, watch)


def red_in(result: RunResult) -> tuple[str, ...]:
    """The rules that a run says are broken, and those that it could not judge for a fault of its own."""
    red = (Verdict.FAILED, Verdict.WARNED, Verdict.ERROR)
    return tuple(one.rule.id for one in result.rules if one.verdict in red)


@dataclass(frozen=True)
class Conformity:
    """What the suite says of a correct variant: the rules that it accuses (none, if the suite is right)."""

    variant: str
    profile: str
    seed: int
    accused: tuple[str, ...]
    requests: int
    seconds: float
    detail: str = ""


def judged(name: str, chosen: Open, *, profile: str = "quick", seed: int = 0) -> Conformity:
    """Run a profile against a sandbox that takes a freedom of the contract."""
    started = time.monotonic()
    with sandbox(SandboxSettings(open=chosen)) as url:
        settings = Settings(target_at(url), select([]), profile=profile, seed=seed, max_time=LONGEST_SECONDS)
        result = check(settings, Watch())
    return Conformity(
        variant=name,
        profile=profile,
        seed=seed,
        accused=red_in(result) or (("interrupted",) if result.interrupted else ()),
        requests=result.requests,
        seconds=round(time.monotonic() - started, 2),
        detail="; ".join(_said(result)),
    )


def _said(result: RunResult) -> Sequence[str]:
    blocks = [f"{b.rule.id}: {b.sent}; expected {b.expected}; got {b.actual}" for b in result.blocks]
    return [*blocks, *([result.interrupted] if result.interrupted else [])]
