"""How likely a fault between calls at once is found, and whether correct servers are left alone.

Each server of the gallery that is wrong only under load (most of them leave 5 milliseconds between check and write)
is raced once for each seed, with the races and nothing else, until it is found: until a finding names one of the
rules that the server declares. With --correct, the correct servers are raced, and lose answers, to the end: every
finding is a false one.

    python -m benchmarks.races [--profile quick] [--seeds 20] [--correct] [SERVER ...]
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orderproof.drivers import losses, races
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport
from tests.gallery.catalogue import find, gallery
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve


@dataclass(frozen=True)
class Outcome:
    """What one seed came to: the rules found broken, and how many requests it took."""

    rules: frozenset[str]
    requests: int


def outcome(
    url: str, scenarios: Sequence[Scenario], seed: int, enough: frozenset[str] = frozenset()
) -> Outcome:
    """Play scenarios against a server, until one of the rules that are enough is found broken."""
    judge = Judge()
    target = Target(url, *CREDENTIALS, orders=ORDERS_SOURCE)
    with Transport(target) as transport:
        session = Session(
            transport, target, supply_from(target.orders), judge.observe, judge.state, seed=seed
        )
        session.observe_group = judge.observe_group
        for scenario in scenarios:
            stage = Stage(session, scenario.name)
            scenario.play(stage)
            stage.settle()
            if any(finding.rule in enough for finding in judge.findings):
                break
    return Outcome(frozenset(finding.rule for finding in judge.findings), session.requests)


def guilty(names: Iterable[str], profile: str, seeds: int) -> None:
    """Print how often each server was found, and how many requests that took."""
    print(f"{'server':24} {'found':>9}  requests until then: median and most; rules found")
    for name in names:
        enough = find(name).rules
        with serve(name) as url:
            seen = [outcome(url, races.scenarios(profile), seed, enough) for seed in range(seeds)]
        found = sum(bool(one.rules & enough) for one in seen)
        requests = sorted(one.requests for one in seen)
        rules = " ".join(sorted(frozenset().union(*(one.rules for one in seen))))
        print(
            f"{name:24} {found:4}/{seeds:<4} {requests[seeds // 2]:6} {requests[-1]:6}; {rules}", flush=True
        )


def innocent(names: Iterable[str], profile: str, seeds: int) -> None:
    """Print how often each correct server was accused, and of what, in how many requests."""
    print(f"{'server':36} {'accused':>9}  requests; rules")
    for name in names:
        with serve(name) as url:
            seen = [outcome(url, _everything(profile, seed), seed) for seed in range(seeds)]
        accused = sum(bool(one.rules) for one in seen)
        rules = " ".join(sorted(frozenset().union(*(one.rules for one in seen))))
        print(f"{name:36} {accused:4}/{seeds:<4} {sum(one.requests for one in seen):9}; {rules}", flush=True)


def _everything(profile: str, seed: int) -> list[Scenario]:
    lost, _ = losses.scenarios(profile, random.Random(seed))
    return [*races.scenarios(profile), *lost]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "servers", nargs="*", help="names of servers of the gallery; all that fit when none is given"
    )
    parser.add_argument("--profile", choices=list(races.ROUNDS), default="standard")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--correct", action="store_true", help="race the correct servers")
    chosen = parser.parse_args()
    if chosen.correct:
        innocent(chosen.servers or gallery("correct", "warned"), chosen.profile, chosen.seeds)
    else:
        under_load = [name for name, server in gallery("defective").items() if server.when == "concurrency"]
        guilty(chosen.servers or under_load, chosen.profile, chosen.seeds)


if __name__ == "__main__":
    main()
