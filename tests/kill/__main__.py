"""`python -m tests.kill`: run faults or correct variants against the suite, and write data and page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain, product
from random import Random
from typing import TypeVar

from orderproof.catalogue import catalogue
from orderproof.sandbox.faults import FAULTS, Fault, faults_of
from orderproof.sandbox.options import FLAVOURS, Open, choices, open_choices
from tests.kill.data import EXACT, MATRIX, PAGE, VARIANTS, conformities, exactness, rows, write
from tests.kill.page import MIXTURE, page
from tests.kill.trial import LONGEST_SECONDS, Conformity, Exactness, Row, judged, reddened, tried

PROFILES = ("quick", "standard")
Outcome = TypeVar("Outcome", Row, Conformity)
TRIED_FOR_EXACTNESS = 3
SHARED_REQUESTS = 1_000
"""So many requests, and some more, are the same in every profile."""


def main(words: Sequence[str]) -> int:
    """Run what the words ask for; 1 if a MUST fault survived the standard profile, or a correct variant was accused."""
    options = _parser().parse_args(words)
    if options.variants:
        _judge_variants(
            options.only, options.again, options.profile or ("quick",), options.seeds, options.jobs
        )
    elif options.exact:
        _find_exact(options.only, options.again)
    elif not options.page:
        profiles = options.profile or PROFILES
        _try_faults(profiles, options.only, options.again, options.max_time, options.jobs)
    PAGE.write_text(page(rows(), exactness(), conformities()), encoding="utf-8")
    return 0 if _is_good() else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument(
        "--profile",
        action="append",
        choices=PROFILES,
        help="this one alone (repeatable; variants: else quick)",
    )
    parser.add_argument(
        "--only", default="*", metavar="GLOB", help="faults, rules or variants of this name alone"
    )
    parser.add_argument("--again", action="store_true", help="run those too that have a row already")
    parser.add_argument(
        "--max-time",
        type=float,
        default=LONGEST_SECONDS,
        metavar="SECONDS",
        help="for one fault; what has neither been found nor come to its end by then gets no row",
    )
    parser.add_argument("--variants", action="store_true", help="correct variants in place of faults")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="for each rule the fault that turns the fewest others red, and where",
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="variants: run the seeds 0 to N-1")
    parser.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="faults and variants: run so many at once"
    )
    parser.add_argument("--page", action="store_true", help="run nothing, write the page from the data")
    return parser


def in_turn() -> list[Fault]:
    """Every fault: the first of each rule, the second of each, and so on: a run cut short has looked at every rule."""
    turn: dict[str, int] = {}
    ranked: list[tuple[int, Fault]] = []
    for fault in sorted(FAULTS.values(), key=lambda each: each.mechanical):
        turn[fault.rule] = turn.get(fault.rule, 0) + 1
        ranked.append((turn[fault.rule], fault))
    return [fault for _, fault in sorted(ranked, key=lambda each: each[0])]


def _try_faults(profiles: Sequence[str], only: str, again: bool, max_time: float, jobs: int) -> None:
    known = {(row.fault, row.profile): row for row in rows() if row.fault in FAULTS}
    for profile in profiles:
        wanted = [fault for fault in in_turn() if fnmatchcase(fault.name, only)]
        wanted = [fault for fault in wanted if again or (fault.name, profile) not in known]
        shared = {fault.name: _as_in_quick(known.get((fault.name, "quick")), profile) for fault in wanted}
        trials = [partial(_tried, name, profile, max_time) for name, row in shared.items() if row is None]
        for row in chain(filter(None, shared.values()), _results(trials, jobs)):
            if row.found or "time was over" not in row.note:
                known[row.fault, profile] = row
                write(known.values(), MATRIX)
            _say(
                f"{profile:<9} {'found   ' if row.found else 'SURVIVED'} {row.fault:<46} {row.rule:<11} "
                f"{' '.join(row.by):<40} {row.requests:>5} requests {row.seconds:>6} s {row.note}"
            )


def _tried(fault: str, profile: str, max_time: float) -> Row:
    """Try a fault by its name: the fault itself cannot be sent to another process."""
    return tried(FAULTS[fault], profile, max_time=max_time)


def _results(trials: Sequence[Callable[[], Outcome]], jobs: int) -> Iterator[Outcome]:
    """What each trial returns, as it comes: with several jobs, from as many processes at once."""
    if jobs == 1:
        yield from (trial() for trial in trials)
        return
    with ExitStack() as leaving:
        pool = leaving.enter_context(ProcessPoolExecutor(jobs))
        leaving.callback(pool.shutdown, wait=False, cancel_futures=True)
        under_way: list[Future[Outcome]] = [pool.submit(trial) for trial in trials]
        yield from (one.result() for one in as_completed(under_way))


def _as_in_quick(row: Row | None, profile: str) -> Row | None:
    """The row of another profile for what quick found in the scenarios that all profiles begin with; None if not so."""
    if row is None or profile == "quick" or not row.found or row.requests > SHARED_REQUESTS:
        return None
    return replace(row, profile=profile)


def _find_exact(only: str, again: bool) -> None:
    """Try faults of each rule, up to the first that names no other rule as a root cause."""
    known = {one.rule: one for one in exactness() if one.fault in FAULTS}
    for rule in (rule.id for rule in catalogue().values() if rule.judges == "server"):
        if not fnmatchcase(rule, only) or (rule in known and known[rule].exact and not again):
            continue
        known[rule] = _most_exact(rule)
        write(known.values(), EXACT)


def _most_exact(rule: str) -> Exactness:
    found: list[Exactness] = []
    for fault in _promising(rule):
        found.append(reddened(fault))
        _say(f"{rule:<11} {fault.name:<46} {' '.join(found[-1].roots)} | {' '.join(found[-1].red)}")
        if found[-1].exact:
            break
    return min(found, key=lambda one: one.rank)


def _promising(rule: str) -> list[Fault]:
    """A few faults of a rule: those first for which the rule was the only one named, and soon."""
    by = {row.fault: (row.by != (rule,), row.requests) for row in rows() if row.profile == "quick"}
    return sorted(faults_of(rule), key=lambda one: by.get(one.name, (False, 0)))[:TRIED_FOR_EXACTNESS]


def variants() -> Iterator[tuple[str, Open]]:
    """Every value of every choice that is not the default, each alone, and every flavour."""
    for name, values in choices().items():
        for value in values[1:]:
            yield f"{name}={value}", open_choices([f"{name}={value}"])
    for flavour in FLAVOURS:
        yield flavour, open_choices(flavour=flavour)


def mixtures(seed: int) -> Iterator[tuple[str, Open]]:
    """Sandboxes that take all choices at once, each as chance has it: among them they have every value of each."""
    chance = Random(f"mixtures {seed}")
    orders = {name: chance.sample(values, len(values)) for name, values in choices().items()}
    for number in range(max(map(len, orders.values()))):
        chosen = [f"{name}={values[number % len(values)]}" for name, values in orders.items()]
        yield f"{MIXTURE} {number}", open_choices(chosen)


def _judge_variants(only: str, again: bool, profiles: Sequence[str], seeds: int, jobs: int) -> None:
    known = {(one.variant, one.profile, one.seed): one for one in conformities()}
    trials = [
        partial(judged, name, chosen, profile=profile, seed=seed)
        for servers in (mixtures, lambda _: variants())
        for seed, profile in product(range(seeds), profiles)
        for name, chosen in servers(seed)
        if fnmatchcase(name, only) and (again or (name, profile, seed) not in known)
    ]
    for one in _results(trials, jobs):
        known[one.variant, one.profile, one.seed] = one
        write(known.values(), VARIANTS)
        verdict = "ACCUSED " + " ".join(one.accused) if one.accused else "conforms"
        _say(
            f"{one.profile:<9} {one.variant:<46} seed {one.seed} {verdict} {one.requests:>5} requests "
            f"{one.seconds:>6} s {one.detail}"
        )


def _is_good() -> bool:
    musts = [row for row in rows() if row.profile == "standard" and catalogue()[row.rule].level == "MUST"]
    return all(row.found for row in musts) and not any(one.accused for one in conformities())


def _say(line: str) -> None:
    print(line.rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
