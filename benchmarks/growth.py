"""Measure what a request costs as a run gets longer: time, processor time and memory.

    python benchmarks/growth.py [--requests 100000]

A walk without end, as the profile `deep` has it, against the sandbox. What is printed is the cost since the line
before, and the largest memory so far; it should not depend on how much was done by then. On Linux.
"""

from __future__ import annotations

import argparse
import itertools
import time
from pathlib import Path

from orderproof.drivers.plan import drivers_of
from orderproof.drivers.session import Session
from orderproof.judge import Judge
from orderproof.ledger import Ledger
from orderproof.performing import End, Looks, perform
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

MARKS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)


def memory() -> float:
    """The most memory that this process has had in use, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def walk(session: Session, requests: int) -> None:
    """Walk until so many requests are sent, and print what they cost at each mark."""
    drivers = drivers_of("deep", 1, clock=False)
    number = next(number for number, driver in enumerate(drivers) if driver.name == "walk")
    ledger, marks = Ledger(), iter(mark for mark in (*MARKS, 1 << 60) if mark <= requests or mark == 1 << 60)
    mark, sent, clock, used = next(marks), 0, time.monotonic(), time.process_time()
    for position in itertools.count():
        if session.requests >= requests:
            return
        unit = drivers[number].unit(position, number)
        assert unit is not None
        outcome = perform(unit, session, Judge(), Looks())
        if outcome.end is not End.DONE or outcome.findings:
            raise SystemExit(f"the walk ended: {outcome.sentence or outcome.findings[0].rule}")
        ledger.absorb(outcome)
        if session.requests >= mark:
            count = session.requests - sent
            each = (time.monotonic() - clock) / count, (time.process_time() - used) / count
            print(
                f"{session.requests:9,} requests: {each[0] * 1000:.2f} ms each, {each[1] * 1000:.2f} ms of "
                f"processor time, at most {memory():.0f} MB",
                flush=True,
            )
            mark, sent, clock, used = next(marks), session.requests, time.monotonic(), time.process_time()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=100_000)
    chosen = parser.parse_args()
    with background(Settings()) as url:
        target, idle = Target(url, "sandbox", "sandbox"), Judge()
        with Transport(target) as transport:
            supply = supply_from(target.orders)
            walk(Session(transport, target, supply, idle.observe, idle.state, seed=1), chosen.requests)


if __name__ == "__main__":
    main()
