"""How likely a race is found under load, and how likely by as many requests when it is quiet.

A sandbox with a fault between calls at once is loaded again and again: by many users in two workers of Locust, by two
users, and by one. Each run ends after the same number of requests. It is found when a rule of the fault is seen broken.

    python -m benchmarks.load [--runs 10] [--requests 150] [--users 8] [FAULT ...]

With --correct, the correct servers of the gallery are loaded by some users in threads: every finding is a false one but
for those that a server of the gallery is known to be warned of.

    python -m benchmarks.load --correct [SERVER ...]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orderproof.catalogue import select
from orderproof.checking import Settings
from orderproof.load.running import Size, load
from orderproof.load.users import Company
from orderproof.sandbox.faults import FAULTS
from orderproof.sandbox.options import Settings as SandboxSettings
from orderproof.sandbox.server import background
from orderproof.target import Target
from tests.gallery.catalogue import gallery
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve

FAULT = "last-capture-wins"
LONGEST_SECONDS = 120.0


@dataclass(frozen=True)
class Outcome:
    """What one run came to: the rules found broken, the requests, how many of them a second."""

    rules: frozenset[str]
    requests: int
    per_second: float


def outcomes(fault: str | None, size: Size, runs: int) -> Iterator[Outcome]:
    """Load a fresh sandbox once for each seed."""
    rules = [rule for rule in select([]) if rule.judges == "server"]
    for seed in range(runs):
        with background(SandboxSettings(), fault=fault) as url:
            settings = Settings(Target(url, "sandbox", "sandbox"), rules, seed=seed)
            result = load(settings, size)
        broken = frozenset(block.rule.id for block in result.blocks)
        yield Outcome(broken, result.requests, result.coverage["load"]["total"]["per_second"])


def compare(fault: str, users: int, requests: int, runs: int) -> None:
    """Print how often a fault is found, by how much load."""
    expected = frozenset(FAULTS[fault].rules) if fault in FAULTS else frozenset()
    print(f"{fault}: {FAULTS[fault].lie if fault in FAULTS else 'as agreed'}")
    for many, processes in ((users, 2), (2, 1), (1, 1)):
        size = Size(many, 100.0, LONGEST_SECONDS, requests, processes)
        started = time.monotonic()
        seen = list(outcomes(fault if fault in FAULTS else None, size, runs))
        found = sum(bool(one.rules & expected) for one in seen)
        sent = sum(one.requests for one in seen) / runs
        rate = sum(one.per_second for one in seen) / runs
        requests = max(requests, round(sent))  # the quiet ones send no fewer
        named = " ".join(sorted(frozenset().union(*(one.rules for one in seen))))
        print(
            f"  {many:3} users, {processes} processes: found in {found} of {runs} runs; {sent:,.0f} requests each,"
            f" {rate:,.0f} a second, {(time.monotonic() - started) / runs:.0f} s a run; {named}",
            flush=True,
        )


def innocent(names: Iterable[str], users: int, turns: int = 4) -> None:
    """Print what correct servers were accused of."""
    for name in names:
        with serve(name) as url:
            company = Company(Target(url, *CREDENTIALS, orders=ORDERS_SOURCE), lambda *_: None)

            def play(_: int, company: Company = company) -> None:
                user = company.join()
                for _ in range(turns):
                    company.turn_of(user)

            with ThreadPoolExecutor(users) as pool:
                list(pool.map(play, range(users)))
        found = {one.rule for judge, _ in company.judges() for one in judge.findings}
        groups = sum(party.commons.count.groups for party in company.parties)
        rules = " ".join(sorted(found)) or "nothing"
        print(
            f"{name:36} {company.requests:5} requests, {groups:3} groups; {rules} {company.problem}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("faults", nargs="*", default=[FAULT], help="faults of the sandbox, or none")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--requests", type=int, default=150)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--correct", action="store_true", help="load the correct servers of the gallery")
    chosen = parser.parse_args()
    if chosen.correct:
        given = [] if chosen.faults == [FAULT] else chosen.faults
        innocent(given or gallery("correct", "warned"), chosen.users)
        return
    for fault in chosen.faults:
        compare(fault, chosen.users, chosen.requests, chosen.runs)


if __name__ == "__main__":
    main()
