"""Records the standard scenarios against a target, a cassette for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orderproof import __version__, spec
from orderproof.cassette.index import write_index
from orderproof.cassette.scrubbing import scrub
from orderproof.cassette.takes import TAKES, Take
from orderproof.cassette.writing import cassette_text, write_text
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge, UsageError
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

SHELF_ORIGIN = "http://sandbox.example"
"""Where the embedded sandbox stands in recordings of it: its own port is another one each time."""


@dataclass(frozen=True)
class Recorded:
    """What became of one scenario: its file, how many exchanges, rules that were broken, or why it was not recorded."""

    take: Take
    path: Path | None
    exchanges: int = 0
    broken: tuple[str, ...] = ()
    problem: str = ""


def chosen_takes(patterns: Sequence[str]) -> list[Take]:
    """Return the scenarios that a pattern names (`captures/*`); without one, all. Raises UsageError for none."""
    found = [take for take in TAKES if not patterns or any(fnmatchcase(take.name, p) for p in patterns)]
    if not found:
        known = ", ".join(take.name for take in TAKES)
        raise UsageError(f"no scenario is called {', '.join(map(repr, patterns))}; there are {known}")
    return found


def record(
    target: Target,
    folder: Path,
    takes: Iterable[Take],
    *,
    source: str = "",
    heard: Callable[[Recorded], None] = lambda _: None,
) -> list[Recorded]:
    """Play scenarios against a target and write a cassette for each into a folder, scrubbed, whole or not at all.

    `source` says in the cassettes where they come from, by default scheme and host; an embedded sandbox gets an
    address that stands for it. `heard` is told of each scenario when it is done. Raises UsageError where a file
    cannot be written.
    """
    done = []
    with Transport(target) as transport:
        for take in takes:
            done.append(_record_one(target, transport, folder, take, source))
            heard(done[-1])
    if any(entry.path for entry in done):
        write_index(folder)
    return done


def _record_one(target: Target, transport: Transport, folder: Path, take: Take, source: str) -> Recorded:
    if take.needs == "clock" and target.clock is None:
        return Recorded(take, None, problem="needs a target whose clock can be moved")
    judge = Judge()
    exchanges: list[Exchange] = []
    session = Session(
        sender=transport,
        target=target,
        supply=supply_from(target.orders),
        observe=judge.observe,
        record=exchanges.extend,
        state=judge.state,
        seed=0,
    )
    try:
        stage = Stage(session, take.name, follow=True)
        take.play(stage)
        stage.settle()
    except CannotJudge as error:
        return Recorded(take, None, problem=str(error))
    path = folder / f"{take.name}.yaml"
    write_text(path, _text(take, exchanges, judge, target, source))
    return Recorded(take, path, len(exchanges), tuple(sorted({finding.rule for finding in judge.findings})))


def _text(take: Take, exchanges: Sequence[Exchange], judge: Judge, target: Target, source: str) -> str:
    # The credentials of an embedded sandbox are words that stand in this manual too.
    used = [target.password, target.orders.partition(":")[2], target.authorization.partition(" ")[2]]
    secrets = [] if source else used
    clean = [replace(exchange, number=n) for n, exchange in enumerate(scrub(exchanges, secrets=secrets), 1)]
    broken = sorted({finding.rule for finding in judge.findings})
    header: dict[str, Any] = {
        "title": take.title,
        "recorded_from": source or _host(target.base_url),
        "recorded_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "suite": __version__,
        "contract": str(spec.openapi()["info"]["version"]),
        "scenario": take.name,
        "exchanges": len(clean),
        "probes": take.probes,
        "needs": [take.needs] if take.needs else [],
        "rules": sorted(rule for rule in judge.exercised if rule not in broken),
    }
    if broken:
        header["broken"] = broken
    if not source:
        return cassette_text(clean, header, target.base_url)
    return cassette_text(clean, header, SHELF_ORIGIN).replace(target.base_url, SHELF_ORIGIN)


def _host(base_url: str) -> str:
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"
