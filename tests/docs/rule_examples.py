"""Finds an example of each rule being broken: `docs/rules/examples.json`.

    python -m tests.docs.rule_examples [RULE…]

Servers are shown by a sandbox with a fault, clients by a sample with a slip.

It takes some minutes. The pages of the rules are then made by `python -m tests.docs.rule_pages`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orderproof.catalogue import Rule, select
from orderproof.checking import Settings, Watch, check
from orderproof.checks.findings import Finding
from orderproof.client.flows import flow_named
from orderproof.client.judging import Settings as ClientSettings
from orderproof.client.judging import Watch as ClientWatch
from orderproof.client.judging import judge_client, sandbox
from orderproof.client.outing import Plan
from orderproof.client.weather import chosen
from orderproof.errors import CannotJudge
from orderproof.outcome import Block
from orderproof.sandbox.faults import FAULTS, Fault, faults_of
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import background
from orderproof.target import SANDBOX_CLOCK, Target
from tests.client.conftest import HOLD, python
from tests.client.test_samples import SLIPS

FILE = Path(__file__).resolve().parents[2] / "docs" / "rules" / "examples.json"
_SECONDS = 90.0
_MOST_TRIES = 3
_MOST_STEPS = 8


def main(wanted: Sequence[str]) -> None:
    """Find examples for rules (all without a word), and write them beside those that are there."""
    found = examples()
    for rule in select(wanted):
        example = _example(rule) if rule.judges == "server" else _example_of_client(rule)
        if example is not None:
            found[rule.id] = example
        print(f"{rule.id}: {example['of'] if example else 'no example'}", flush=True)
        text = json.dumps(dict(sorted(found.items())), ensure_ascii=False, indent=1)
        FILE.write_text(text + "\n", encoding="utf-8")


def examples() -> dict[str, dict[str, Any]]:
    """Return the examples that were found, by rule."""
    data: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    return data


def _example(rule: Rule) -> dict[str, Any] | None:
    """Return the shortest way in which one of the first faults of a rule shows; None if none does soon."""
    faults = sorted(faults_of(rule.id), key=lambda fault: fault.mechanical)
    # Among all rules a finding may be folded under another's; by itself it never is.
    for rules, profile in ((select([]), "quick"), ([rule], "quick"), ([rule], "standard")):
        for fault in faults[:_MOST_TRIES]:
            block = _block(fault, rule.id, rules, profile)
            if block is not None:
                return _data(f"found in a sandbox with `{fault.name}`", block)
    return None


def _example_of_client(rule: Rule) -> dict[str, Any] | None:
    """Return how a sample with one of the first slips breaks a rule; None if none does."""
    with sandbox() as stock:
        for slip, flow, weather, _ in sorted(SLIPS, key=lambda slip: rule.id not in slip[3]):
            plan = Plan(python(), flow_named(flow), {"SLIP": slip}, timeout=60.0, hold=HOLD, show=False)
            result = judge_client(ClientSettings(plan, chosen([weather]), [rule]), ClientWatch(), stock)
            if result.blocks:
                said = f"of a client with the slip “{slip}”, in the flow `{flow}` and the weather `{weather}`"
                return _data(said, result.blocks[0])
    return None


def _block(fault: Fault, rule: str, rules: Sequence[Rule], profile: str) -> Block | None:
    seen: list[str] = []

    def noted(finding: Finding) -> None:
        seen.append(finding.rule)

    watch = Watch(finding=noted, enough=lambda: rule in seen)
    with background(SandboxSettings(), fault=fault.name) as url:
        target = Target(url, "sandbox", "sandbox", "customer-token:sandbox", timeout=5.0, clock=SANDBOX_CLOCK)
        settings = Settings(target, rules, profile=profile, seed=0, max_time=_SECONDS)
        try:
            result = check(settings, watch)
        except CannotJudge:
            return None
    return next((block for block in result.blocks if block.rule.id == rule), None)


def _data(of: str, block: Block) -> dict[str, Any]:
    steps = [[step.request, step.answer, step.deciding] for step in block.steps[-_MOST_STEPS:]]
    return {
        "of": of,
        "sent": block.sent,
        "steps": steps,
        "expected": block.expected,
        "actual": block.actual,
    }


if __name__ == "__main__":
    assert FAULTS, "the sandbox has no faults"
    main(sys.argv[1:])
