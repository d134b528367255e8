"""Measure what workers bring: the time of a check with one and with several, and the processor time of all of them.

    python benchmarks/workers.py [--profile standard] [--workers 1 2] [--rounds 3]

The sandbox runs in a process of its own and is not counted, but takes its share of the machine. On Linux.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time

from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background

_SUBREAPER = 36
"""The option of prctl by which orphans of our children become our children: their time counts then."""

Figures = tuple[float, float]
"""Seconds that went by, and seconds of processor time."""


def measured(command: list[str]) -> Figures:
    """Run a command to the end of its last process; returns what it and all that it started took."""
    if ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise SystemExit("processes that outlive their parent cannot be counted on this system")
    started = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    seconds = time.monotonic() - started
    if done.returncode:
        raise SystemExit(f"the check ended with exit code {done.returncode}")
    try:
        while True:
            os.wait()
    except ChildProcessError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, used.ru_utime + used.ru_stime


def checked(workers: int, profile: str, seed: int) -> Figures:
    """Check a fresh sandbox, measured by a process of its own."""
    with background(Settings()) as url:
        words = ["--base-url", url, "--profile", profile, "--seed", str(seed), "--workers", str(workers)]
        own = [sys.executable, __file__, "--measure", "--", *words]
        shown = subprocess.run(own, stdout=subprocess.PIPE, text=True, check=True).stdout
    seconds, used = map(float, shown.split())
    return seconds, used


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.measure:
        print(*measured([sys.executable, "-m", "orderproof", "check", "--quiet", *chosen.words]))
        return
    figures: dict[int, list[Figures]] = {workers: [] for workers in chosen.workers}
    for seed in range(1, chosen.rounds + 1):
        for workers, known in figures.items():
            known.append(checked(workers, chosen.profile, seed))
            print(
                f"{workers} workers: {known[-1][0]:6.1f} s, {known[-1][1]:6.1f} s of processor time",
                flush=True,
            )
    first = figures[chosen.workers[0]]
    for workers, known in figures.items():
        time_ratio, used_ratio = (
            statistics.median(one[n] / other[n] for one, other in zip(known, first, strict=True))
            for n in (0, 1)
        )
        print(
            f"{workers} against {chosen.workers[0]}: time {time_ratio:.2f}, processor time {used_ratio:.2f}"
        )


if __name__ == "__main__":
    main()
