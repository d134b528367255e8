"""Measure what a value of each strategy costs, in milliseconds of processor time.

    python benchmarks/strategies_speed.py [--values 500] [--rounds 3]

Each strategy is drawn from by a Hypothesis test that does nothing with the values, so the figure holds all that
Hypothesis does around a value: choosing, keeping track, and avoiding what it has drawn before. Phases other than
generation are off, and so is the example database. Printed is the median over the rounds, with the size of a value as
JSON. Processor time is used because it does not grow with what else the machine does; a busy machine still adds some.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

from orderproof import strategies as s

STRATEGIES: Mapping[str, SearchStrategy[Any]] = {
    "amounts": s.amounts(),
    "texts, 255": s.texts(max_length=255),
    "idempotency_keys": s.idempotency_keys(),
    "merchant_references": s.merchant_references(),
    "shipping_infos": s.shipping_infos(),
    "shipping_info_appends": s.shipping_info_appends(),
    "addresses": s.addresses(),
    "address_updates": s.address_updates(),
    "order_lines": s.order_lines(total=10000),
    "captures, no lines": s.captures(remaining=10000, with_lines=False),
    "captures": s.captures(remaining=10000),
    "refunds": s.refunds(refundable=10000),
    "spanning_refunds": s.spanning_refunds(captures=[4000, 6000]),
    "return_fee_refunds": s.return_fee_refunds(refundable=10000),
    "authorization_updates": s.authorization_updates(captured=2500, current=10000),
    "order_drafts": s.order_drafts(),
    "invalid_bodies": s.invalid_bodies(component="CaptureRequest", valid=s.full_body("CaptureRequest")),
}


def cost(strategy: SearchStrategy[Any], values: int, number: int) -> tuple[float, int]:
    """Return milliseconds of processor time a value, and the mean size of a value in bytes of JSON."""
    drawn: list[Any] = []

    @seed(number)
    @settings(
        max_examples=values,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value: Any) -> None:
        drawn.append(value)

    started = time.process_time()
    draw()
    spent = time.process_time() - started
    return spent / len(drawn) * 1000, round(statistics.mean(len(json.dumps(value)) for value in drawn))


def main() -> None:
    """Print one row for each strategy, and the time that the defects of a full body take together."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--values", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'strategy':24}{'ms a value':>12}{'bytes':>8}")
    for name, strategy in STRATEGIES.items():
        rounds = [cost(strategy, options.values, number) for number in range(options.rounds)]
        print(f"{name:24}{statistics.median(ms for ms, _ in rounds):12.2f}{rounds[0][1]:8}")
    body = s.full_body("CaptureRequest")
    for name, enumeration in (("body_defects", s.body_defects), ("body_boundaries", s.body_boundaries)):
        started = time.process_time()
        count = len(list(enumeration("CaptureRequest", body)))
        print(f"{name:24}{(time.process_time() - started) * 1000:12.2f} for all {count}")


if __name__ == "__main__":
    main()
