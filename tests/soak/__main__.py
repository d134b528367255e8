"""`python -m tests.soak`: an hour of the walk on SQLite, and on PostgreSQL where there is one, with random kills."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.postgresql.cluster import cluster, programs
from tests.soak.soaking import Soaked, soak

AN_HOUR = 3_600.0
PROCESSES_ON_POSTGRESQL = 2


def main(words: Sequence[str]) -> int:
    """Soak as the words say; 1 when something that was answered is lost, or took effect twice, or else is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=AN_HOUR, help="for all databases together")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="this one alone")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--fault", help="a fault of the sandbox, to see that it is found")
    chosen = parser.parse_args(words)
    kinds = [chosen.database] if chosen.database else _kinds()
    print(f"seed {chosen.seed}: {' and '.join(kinds)}, {chosen.seconds / len(kinds):.0f} s each", flush=True)
    broken = 0
    for kind in kinds:
        with _databases(kind) as databases:
            result = soak(
                databases,
                chosen.seconds / len(kinds),
                seed=chosen.seed,
                fault=chosen.fault,
                tell=lambda so_far, kind=kind: _say(kind, so_far),
            )
        _say(kind, result)
        _show(result)
        broken |= bool(result.findings)
    return broken


def _kinds() -> list[str]:
    if programs() is None or find_spec("psycopg") is None:
        print("PostgreSQL is left out: initdb or psycopg is not installed")
        return ["sqlite"]
    return ["sqlite", "postgresql"]


@contextmanager
def _databases(kind: str) -> Iterator[list[str]]:
    """The database of each process."""
    if kind == "postgresql":
        folder = programs()
        assert folder is not None, "initdb was not found"
        with cluster(folder) as url:
            yield [url] * PROCESSES_ON_POSTGRESQL
    else:
        with tempfile.TemporaryDirectory() as root:
            yield [str(Path(root, "soak.db"))]


def _say(kind: str, so_far: Soaked) -> None:
    print(f"{time.strftime('%H:%M:%S')} {kind:<10} {so_far}", flush=True)


def _show(result: Soaked) -> None:
    """Print the findings, the first one with the calls that led to it."""
    for finding in result.findings:
        print(f"× {finding.rule}  {finding.operation}: expected {finding.expected}, got {finding.actual}")
    for exchange in result.findings[0].trail[-30:] if result.findings else ():
        request = exchange.request
        body = request.body.decode("utf-8", "replace")[:200]
        print(f"  {request.method} {request.target} {body} → {exchange.status or exchange.fault}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
