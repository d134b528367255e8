"""Checks by several processes against a server of the gallery, and what they leave."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from orderproof.catalogue import select
from orderproof.checking import Settings, Watch, check
from orderproof.exchange import Exchange, from_record
from orderproof.outcome import RunResult
from orderproof.target import SANDBOX_CLOCK, Target
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def checked(url: str, report: Path | None = None, watch: Watch | None = None, **options: Any) -> RunResult:
    """Check a server; options of the target are given by their names, all others are those of the run."""
    about = {name: options.pop(name) for name in ("orders", "rate", "clock") if name in options}
    target = Target(url, *CREDENTIALS, **{"orders": ORDERS_SOURCE, "clock": SANDBOX_CLOCK, **about})
    settings = Settings(target, select([]), profile="quick", seed=5, report=report, **options)
    return check(settings, watch or Watch())


def history(report: Path) -> list[Exchange]:
    """What a run sent, in the order in which it was written down."""
    lines = (report / "history.ndjson").read_text(encoding="utf-8").splitlines()
    return [from_record(json.loads(line)) for line in lines]


def sent(report: Path) -> Counter[tuple[str, str]]:
    """The requests of a run without ids, by the sequence that they are in; reductions left out."""
    return Counter(
        (exchange.scenario, _plain(exchange))
        for exchange in history(report)
        if ", try " not in exchange.scenario and exchange.scenario != "sanity"
    )


def _plain(exchange: Exchange) -> str:
    request = exchange.request
    return _IDS.sub("ID", f"{request.method} {request.target} {request.body.decode('latin-1')}")


def causes(result: RunResult) -> list[tuple[Any, ...]]:
    """The root causes as a reader sees them, without ids."""
    return [
        (block.rule.id, block.scenario, block.count, tuple(rule.id for rule, *_ in block.follows))
        for block in result.blocks
    ]
