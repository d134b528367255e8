"""Compare what orderproof and schemathesis find, on the same faults with the same time.

    python -m benchmarks.comparison [--seconds 60] [--only GLOB] [--again]

Each tool gets a fresh sandbox with the fault for so many seconds of wall clock: the profile `quick` of orderproof, and
schemathesis's own command line with all phases and checks, the OpenAPI document, credentials, orders that exist, their
captures and refunds, amounts that orders can take, and a check that the order adds up, which a good engineer would
write (`hooks.py`). That run is shown twice: with and without what this check alone found.

A failure of schemathesis counts if it does not come up in any of four runs against a sandbox with no fault, one with
the same seed and three with others; whatever it says is good enough. One of orderproof counts only if it names a rule
that the fault is declared to break. Writes `results.json` and `README.md` beside this file. Run it on a machine that
does nothing else: a wall clock is the budget, and generating values costs schemathesis more of the processor than
playing sequences costs orderproof.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
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
BASELINES = tuple(f"(no fault, seed {seed})" for seed in range(4))

CHOSEN = (
    "one-above-remaining",
    "third-capture-unchecked",
    "refunds-not-counted",
    "captured-is-cancelled",
    "released-is-captured",
    "decrease-below-captured",
    "refunds-lower-captured",
    "booked-on-the-first",
    "description-cut",
    "address-replaced",
    "lines-gone-on-capture",
    "list-lacks-the-latest",
    "captures-of-any-order",
    "no-credentials-needed",
    "no-correlation-id",
    "capture-order-captured-amount-quoted",
    "quantities-as-text",
    "fails-on-null",
    "keys-ignored",
    "captures-at-once-not-held-together",
)
"""Some of each area; how each shows (always, in a state, for a value, in a sequence, at once) stands in the table."""

TOOLS = ("orderproof", "schemathesis")
COLUMNS = ("orderproof", "schemathesis", "schemathesis + check of sums")
OWN_CHECK = "order_adds_up"

_VARYING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OPTIONS = (
    *("--auth", "sandbox:sandbox", "--continue-on-failure", "--no-color", "--no-shrink"),
    # Without it every other request has invented credentials, and is answered 401 before it can show anything.
    *("--generation-with-security-parameters", "false"),
)


def main() -> None:
    """Run what has no result yet, and write results and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", default="*", metavar="GLOB")
    parser.add_argument("--again", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name, tool in product((*BASELINES, *CHOSEN), TOOLS):
        known = results.setdefault(name, {})
        if fnmatchcase(name, options.only) and (options.again or tool not in known):
            known[tool] = run(tool, name, options.seconds)
            print(name, tool, json.dumps(known[tool])[:300], flush=True)
            RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if any(set(TOOLS) <= results.get(name, {}).keys() for name in CHOSEN):
        PAGE.write_text("\n".join(page(results)) + "\n", encoding="utf-8")


def run(tool: str, name: str, seconds: int) -> dict[str, Any]:
    """Run a tool against a sandbox with a fault; returns requests, seconds and what it said is wrong."""
    fault = None if name in BASELINES else name
    seed = BASELINES.index(name) if fault is None else 0
    with background(SandboxSettings(), fault=fault) as url:
        started = time.monotonic()
        look = _orderproof if tool == "orderproof" else _schemathesis
        said = look(url, fault, seconds, seed)
        took = round(time.monotonic() - started, 1)
    today = datetime.now(UTC).date().isoformat()
    return {**said, "seconds": took, "budget": seconds, "date": today, "load": round(os.getloadavg()[0], 1)}


def _orderproof(url: str, fault: str | None, seconds: int, seed: int) -> dict[str, Any]:
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
        check(Settings(target, select([]), profile="quick", seed=seed, max_time=float(seconds)), watch)
    return {"requests": requests[0], "said": [rule for rule in roots if rule in rules or not fault]}


def _schemathesis(url: str, _: str | None, seconds: int, seed: int) -> dict[str, Any]:
    variables = {**os.environ, "COMPARISON_URL": url, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "hooks"}
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.ndjson"
        program = str(Path(sys.executable).with_name("schemathesis"))
        command = [program, "run", str(ROOT / "spec" / "openapi.yaml"), "--url", url, *_OPTIONS]
        command += ["--max-time", str(seconds), "--seed", str(seed)]
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


def found(results: dict[str, Any], name: str, column: str) -> list[str]:
    """What a tool said of a fault that it did not say of a sandbox without one."""
    tool = "orderproof" if column == "orderproof" else "schemathesis"
    usual = {one for baseline in BASELINES for one in results.get(baseline, {}).get(tool, {}).get("said", ())}
    new = [one for one in results[name][tool]["said"] if one not in usual]
    return [one for one in new if column != "schemathesis" or not one.startswith(OWN_CHECK)]


def page(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the page."""
    done = [name for name in CHOSEN if set(TOOLS) <= results.get(name, {}).keys()]
    runs = [
        results[name][tool] for name in (*BASELINES, *done) for tool in TOOLS if tool in results.get(name, {})
    ]
    yield "# orderproof and schemathesis on the same faults\n"
    yield (
        (__doc__ or "")
        .partition("\n\n")[2]
        .replace("    python", "```sh\npython", 1)
        .replace("[--again]\n", "[--again]\n```\n", 1)
    )
    yield f"Run on {_from_to(one['date'] for one in runs)} with schemathesis {version('schemathesis')} and orderproof"
    yield f"{version('orderproof')} on Python {sys.version.split()[0]}, {os.cpu_count()} processors, a load of"
    yield f"{_from_to(one['load'] for one in runs)} (what else the machine did included), "
    yield f"{_from_to(one['budget'] for one in runs)} seconds a run."
    yield f"Options of schemathesis: `{' '.join(_OPTIONS)} --seed 0`.\n"
    yield "| Fault | The lie | Shows | " + " | ".join(COLUMNS) + " |"
    yield "|---|---|---|" + "---|" * len(COLUMNS)
    for name in done:
        cells = [_cell(results, name, column) for column in COLUMNS]
        yield f"| `{name}` | {FAULTS[name].lie} | {FAULTS[name].when} | {' | '.join(cells)} |"
    totals = [
        f"**{sum(bool(found(results, name, each)) for name in done)} of {len(done)}**" for each in COLUMNS
    ]
    yield f"| **Found** | | | {' | '.join(totals)} |\n"
    yield from _reading(results, done)


def _from_to(values: Iterable[Any]) -> str:
    known = sorted(set(values))
    return f"{known[0]}" if known[0] == known[-1] else f"{known[0]} to {known[-1]}"


def _cell(results: dict[str, Any], name: str, column: str) -> str:
    tool = "orderproof" if column == "orderproof" else "schemathesis"
    said, requests = found(results, name, column), results[name][tool]["requests"]
    if not said:
        return f"no ({requests} requests)"
    words = said[0].split(" | ")
    what = words[0] if len(words) < 3 else f"{words[0]} on `{words[1]}`"
    return f"yes: {what} ({requests} requests)"


def _reading(results: dict[str, Any], done: list[str]) -> Iterator[str]:
    requests = median(results[name]["schemathesis"]["requests"] for name in done)
    usual = {
        one for each in BASELINES for one in results.get(each, {}).get("schemathesis", {}).get("said", ())
    }
    yield "## How to read it\n"
    yield f"- Against the sandbox without a fault schemathesis reports {len(usual)} kinds of failures, most of them an"
    yield "  answer 401 that the document does not list; they do not count. orderproof reports none there."
    yield f"- Schemathesis sent {requests:g} requests a run in the middle. They are those of its whole run; those of"
    yield "  orderproof are the ones until it stopped, at the first rule that the fault is declared to break."
    yield "- Where it names `positive_data_acceptance` on a call that the lie is not about, it has most likely met"
    yield "  a refusal that the state of an order asks for, which no run without a fault met. It counts all the same."
    yield "- The check of sums reads the order after each write, which costs that run a little time."
    yield "- The two do not set out to do the same. Schemathesis knows any API from its document alone; orderproof"
    yield "  knows this one. What schemathesis finds without being told anything of orders is what a document can say."
    yield "- More time would help both, and schemathesis more: it goes on with new values and sequences, where the"
    yield "  profile quick of orderproof ends after some seconds. Chance plays a part in single rows."


if __name__ == "__main__":
    main()
