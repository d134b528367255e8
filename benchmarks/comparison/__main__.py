"""Compare what orderproof and schemathesis find, on the same faults with the same time.

    python -m benchmarks.comparison [--seconds 60] [--only GLOB] [--again]

Each tool gets a fresh sandbox with the fault for so many seconds of wall clock: schemathesis's own command line with
the OpenAPI document, credentials and orders that exist (`hooks.py`); the same with a check that the order adds up; and
the profile `quick` of orderproof. A failure of schemathesis counts if it does not come up against a sandbox without a
fault, whatever it says; one of orderproof only if it names a rule that the fault is declared to break. Writes
`results.json` and `README.md` beside this file. Run it on a machine that does nothing else: a wall clock is the budget,
and generating values costs schemathesis more of the processor than playing sequences costs orderproof.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from orderproof.catalogue import select
from orderproof.checking import Settings, Watch, check
from orderproof.errors import CannotJudge
from orderproof.sandbox.faults import FAULTS
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import background
from orderproof.target import SANDBOX_CLOCK, Target

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results.json"
PAGE = HERE / "README.md"
BASELINE = "(no fault)"

CHOSEN = (
    "one-above-remaining",
    "refunds-not-counted",
    "captured-is-cancelled",
    "released-is-captured",
    "no-credentials-needed",
    "no-correlation-id",
    "capture-order-captured-amount-quoted",
    "quantities-as-text",
    "refunds-lower-captured",
    "booked-on-the-first",
    "description-cut",
    "address-replaced",
    "keys-ignored",
    "captures-at-once-not-held-together",
)
TOOLS = ("orderproof", "schemathesis", "schemathesis + invariants")

_VARYING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPTIONS = ("--auth", "sandbox:sandbox", "--seed", "0", "--continue-on-failure", "--no-color", "--no-shrink")


def main() -> None:
    """Run what has no result yet, and write results and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="*", metavar="GLOB")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in (BASELINE, *CHOSEN):
        for tool in TOOLS:
            known = results.setdefault(name, {})
            if fnmatchcase(name, options.only) and (options.again or tool not in known):
                known[tool] = run(tool, name, options.seconds)
                print(name, tool, json.dumps(known[tool])[:300], flush=True)
                RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text("\n".join(page(results)) + "\n", encoding="utf-8")


def run(tool: str, name: str, seconds: int) -> dict[str, Any]:
    """Run a tool against a sandbox with a fault; returns requests, seconds and what it said is wrong."""
    fault = None if name == BASELINE else name
    with background(SandboxSettings(), fault=fault) as url:
        started = time.monotonic()
        if tool == "orderproof":
            said = _orderproof(url, fault, seconds)
        else:
            said = _schemathesis(url, seconds, invariants=tool != "schemathesis")
        return {**said, "seconds": round(time.monotonic() - started, 1), "budget": seconds}


def _orderproof(url: str, fault: str | None, seconds: int) -> dict[str, Any]:
    rules = FAULTS[fault].rules if fault else ()
    roots: list[str] = []
    requests = [0]

    def sent(_: object) -> None:
        requests[0] += 1

    watch = Watch(
        finding=lambda found: roots.append(found.rule),
        exchange=sent,
        enough=lambda: not set(rules).isdisjoint(roots),
    )
    target = Target(url, "sandbox", "sandbox", orders="customer-token:sandbox", clock=SANDBOX_CLOCK)
    with suppress(CannotJudge):
        check(Settings(target, select([]), profile="quick", max_time=float(seconds)), watch)
    return {"requests": requests[0], "said": [rule for rule in roots if rule in rules or not fault]}


def _schemathesis(url: str, seconds: int, *, invariants: bool) -> dict[str, Any]:
    variables = {**os.environ, "COMPARISON_URL": url, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks"}
    if invariants:
        variables["COMPARISON_INVARIANTS"] = "1"
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.ndjson"
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            str(ROOT / "spec" / "openapi.yaml"),
        ]
        command += ["--url", url, "--max-time", str(seconds), *_OPTIONS]
        command += ["--report", "ndjson", "--report-ndjson-path", str(report)]
        subprocess.run(
            command, env=variables, cwd=folder, capture_output=True, timeout=seconds * 4 + 60, check=False
        )
        scenarios = [json.loads(line).get("ScenarioFinished") for line in report.read_text().splitlines()]
    recorders = [one["recorder"] for one in scenarios if one]
    return {
        "requests": sum(len(one.get("interactions", ())) for one in recorders),
        "said": sorted(set().union(*(_failures(one) for one in recorders))),
    }


def _failures(recorder: dict[str, Any]) -> Iterator[str]:
    for checks in recorder.get("checks", {}).values():
        for one in checks:
            if one["status"] == "failure":
                failure = one["failure_info"]["failure"]
                first = _VARYING.sub("ID", (failure.get("message") or "").partition("\n")[0])
                yield f"{one['name']} | {failure.get('operation')} | {failure.get('title')} | {first}"


def found(results: dict[str, Any], name: str, tool: str) -> list[str]:
    """What a tool said of a fault that it does not say of a sandbox without one."""
    usual = results.get(BASELINE, {}).get(tool, {}).get("said", ())
    return [one for one in results[name][tool]["said"] if one not in usual]


def page(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page."""
    done = [name for name in CHOSEN if set(TOOLS) <= results.get(name, {}).keys()]
    budgets = sorted({results[name][tool]["budget"] for name in done for tool in TOOLS})
    yield "# orderproof and schemathesis on the same faults\n"
    yield (
        (__doc__ or "")
        .partition("\n\n")[2]
        .replace("    python", "```sh\npython", 1)
        .replace("[--again]\n", "[--again]\n```\n", 1)
    )
    yield f"schemathesis {version('schemathesis')}, orderproof {version('orderproof')}, Python "
    yield f"{sys.version.split()[0]}, {os.cpu_count()} processors. Seconds of each run: {', '.join(map(str, budgets))}."
    yield f"Options of schemathesis: `{' '.join(_OPTIONS)}`, all phases and checks, `hooks.py` loaded.\n"
    yield "| Fault | The lie | Shows | " + " | ".join(TOOLS) + " |"
    yield "|---|---|---|" + "---|" * len(TOOLS)
    for name in done:
        cells = [_cell(results, name, tool) for tool in TOOLS]
        yield f"| `{name}` | {FAULTS[name].lie} | {FAULTS[name].when} | {' | '.join(cells)} |"
    totals = [
        f"**{sum(bool(found(results, name, tool)) for name in done)} of {len(done)}**" for tool in TOOLS
    ]
    yield f"| **Found** | | | {' | '.join(totals)} |\n"
    yield from _reading(results, done)


def _cell(results: dict[str, Any], name: str, tool: str) -> str:
    said, requests = found(results, name, tool), results[name][tool]["requests"]
    if not said:
        return f"no ({requests} requests)"
    words = said[0].split(" | ")
    what = words[0] if len(words) < 3 else f"{words[0]} on `{words[1]}`"
    return f"yes: {what} ({requests} requests)"


def _reading(results: dict[str, Any], done: list[str]) -> Iterator[str]:
    yield "## How to read it\n"
    for tool in TOOLS:
        usual = len(results.get(BASELINE, {}).get(tool, {}).get("said", ()))
        yield f"- {tool}: {usual} kinds of failures against the sandbox without a fault, which do not count."
    yield (
        "- The two do not set out to do the same. Schemathesis knows any API from its document alone; orderproof\n"
        "  knows this one. What schemathesis finds without being told anything of orders is what a document can say.\n"
        "- Requests of schemathesis are those of its whole run, those of orderproof the ones until it stopped.\n"
        "- The wall clock is the budget, so that a busy machine costs both. More time would help both."
    )


if __name__ == "__main__":
    main()
