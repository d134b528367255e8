"""Measure how many requests a second the walk sends, against a bare loop over the same HTTP client.

    python benchmarks/walk.py [--requests 4000] [--rounds 10] [--seed 1]

Both aim at one sandbox in a process of its own, and take turns of equal numbers of requests, so that a busy machine
slows both alike. The walk is as in a check: Hypothesis draws the calls, every answer goes to the judge and to the
coverage of the life cycle. The bare loop sends what a walk sends the most, a read and a small write in turns, with
`httpx.Client` and nothing around it, and parses the JSON of the reads. Printed are the medians over the rounds, and
the ratio of the two.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator

import httpx

from orderproof.coverage import Coverage
from orderproof.drivers.drafts import draft
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.drivers.walk import walk
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport


def judged_session(target: Target, transport: Transport, seed: int) -> Session:
    """Return a session whose exchanges are judged and counted as in a check."""
    judge, coverage = Judge(), Coverage()

    def observe(exchange: Exchange) -> None:
        judge.observe(exchange)
        step = judge.step
        if step is not None and step.call is not None and step.assessment is not None:
            coverage.observe(step.call, step.assessment, judge.states(step.call.order_id))

    return Session(
        sender=transport,
        target=target,
        supply=supply_from(target.orders),
        observe=observe,
        state=judge.state,
        coverage=coverage,
        seed=seed,
    )


def walked(session: Session, sequences: Iterator[Stage], requests: int) -> float:
    """Walk for about so many requests; returns requests a second."""
    before, started = session.requests, time.perf_counter()
    while session.requests - before < requests:
        next(sequences)
    return (session.requests - before) / (time.perf_counter() - started)


def bare_loop(target: Target, order_id: str, requests: int) -> float:
    """Read and write one order in turns with nothing but the HTTP client; returns requests a second."""
    path = f"{target.base_url}/ordermanagement/v1/orders/{order_id}"
    with httpx.Client(auth=(target.username, target.password), trust_env=False) as client:
        turns: tuple[Callable[[], object], ...] = (
            lambda: client.get(path).json(),
            lambda: client.patch(f"{path}/merchant-references", json={"merchant_reference1": "A"}),
        )
        started = time.perf_counter()
        for number in range(requests):
            turns[number % 2]()
        return requests / (time.perf_counter() - started)


def main() -> None:
    """Run both in turns, and print the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    share = options.requests // options.rounds
    with background(Settings()) as base_url:
        target = Target(base_url, "sandbox", "sandbox")
        with Transport(target) as transport:
            session = judged_session(target, transport, options.seed)
            stage = Stage(session, "bare")
            stage.obtain(draft())
            sequences = walk(session, None)
            walked(session, sequences, share)
            rounds = [
                (walked(session, sequences, share), bare_loop(target, stage.seats[0].order_id, share))
                for _ in range(options.rounds)
            ]
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(one / other for one, other in rounds)
    print(f"walk {ours:.0f} requests/s, bare loop {bare:.0f} requests/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
