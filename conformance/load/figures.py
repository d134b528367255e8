"""What a load came to in numbers: throughput, latencies, calls judged together, how late the clients were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["PERCENTILES", "Figures", "Latencies", "percentile"]

PERCENTILES: Mapping[str, float] = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Latencies:
    """Requests of one kind, how many a second, how many unanswered, and how long answers took in milliseconds."""

    name: str
    requests: int
    per_second: float
    unanswered: int
    mean_ms: float
    max_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a load.

    `total` is over all operations. Of the calls on shared orders, `calls_together` were judged as members of `groups`,
    `calls_alone` had nobody beside them. `late_ms` is by how much the clients themselves came late (95th percentile):
    latencies are too long by about as much.
    """

    users: int
    processes: int
    seconds: float
    total: Latencies
    operations: Sequence[Latencies]
    calls_alone: int
    calls_together: int
    groups: int
    late_ms: float

    def record(self) -> dict[str, Any]:
        """Return the figures as JSON data."""
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies; 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
