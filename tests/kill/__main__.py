"""`python -m tests.kill`: run faults or correct variants against the suite, and write data and page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from orderproof.sandbox.faults import FAULTS, Fault
from orderproof.sandbox.options import FLAVOURS, Open, choices, open_choices
from tests.kill.data import MATRIX, PAGE, VARIANTS, conformities, rows, write
from tests.kill.page import page
from tests.kill.trial import LONGEST_SECONDS, judged, tried

PROFILES = ("quick", "standard")


def main(words: Sequence[str]) -> int:
    """Run what the words ask for; 1 if a MUST fault survived the standard profile, or a correct variant was accused."""
    options = _parser().parse_args(words)
    if options.variants:
        _judge_variants(options.only, options.again, options.seeds)
    elif not options.page:
        _try_faults(options.profile or PROFILES, options.only, options.again, options.max_time)
    PAGE.write_text(page(rows(), conformities()), encoding="utf-8")
    return 0 if _is_good() else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument(
        "--profile", action="append", choices=PROFILES, help="run this one alone (repeatable)"
    )
    parser.add_argument("--only", default="*", metavar="GLOB", help="faults or variants of this name alone")
    parser.add_argument("--again", action="store_true", help="run those too that have a row already")
    parser.add_argument(
        "--max-time",
        type=float,
        default=LONGEST_SECONDS,
        metavar="SECONDS",
        help="for one fault; what has neither been found nor come to its end by then gets no row",
    )
    parser.add_argument("--variants", action="store_true", help="correct variants in place of faults")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="variants: run the seeds 0 to N-1")
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


def _try_faults(profiles: Sequence[str], only: str, again: bool, max_time: float) -> None:
    known = {(row.fault, row.profile): row for row in rows() if row.fault in FAULTS}
    for profile in profiles:
        for fault in in_turn():
            if not fnmatchcase(fault.name, only) or ((fault.name, profile) in known and not again):
                continue
            row = tried(fault, profile, max_time=max_time)
            if row.found or "time was over" not in row.note:
                known[fault.name, profile] = row
                write(known.values(), MATRIX)
            _say(
                f"{profile:<9} {'found   ' if row.found else 'SURVIVED'} {row.fault:<46} {row.rule:<11} "
                f"{' '.join(row.by):<40} {row.requests:>5} requests {row.seconds:>6} s {row.note}"
            )


def variants() -> Iterator[tuple[str, Open]]:
    """Every value of every choice that is not the default, each alone, and every flavour."""
    for name, values in choices().items():
        for value in values[1:]:
            yield f"{name}={value}", open_choices([f"{name}={value}"])
    for flavour in FLAVOURS:
        yield flavour, open_choices(flavour=flavour)


def _judge_variants(only: str, again: bool, seeds: int) -> None:
    known = {(one.variant, one.seed): one for one in conformities()}
    for seed in range(seeds):
        for name, chosen in variants():
            if not fnmatchcase(name, only) or ((name, seed) in known and not again):
                continue
            one = judged(name, chosen, seed=seed)
            known[name, seed] = one
            write(known.values(), VARIANTS)
            verdict = "ACCUSED " + " ".join(one.accused) if one.accused else "conforms"
            _say(
                f"{name:<46} seed {seed} {verdict} {one.requests:>5} requests {one.seconds:>6} s {one.detail}"
            )


def _is_good() -> bool:
    from orderproof.catalogue import catalogue

    musts = [row for row in rows() if row.profile == "standard" and catalogue()[row.rule].level == "MUST"]
    return all(row.found for row in musts) and not any(one.accused for one in conformities())


def _say(line: str) -> None:
    print(line.rstrip(), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
