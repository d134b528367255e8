"""What a process of a load is told: where to send, as whom, how much, and which part it has."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum

from orderproof.target import Target

__all__ = ["DEFAULT_PORT", "Brief", "Role"]

DEFAULT_PORT = 5557
"""Where a master of Locust listens."""


class Role(Enum):
    """The part of a process."""

    ALONE = "alone"
    MASTER = "master"
    WORKER = "worker"


@dataclass(frozen=True)
class Brief:
    """All that a process of a load has to know.

    `users` in all, of whom `spawn_rate` begin each second; `run_time` in seconds; `requests` is after how many it ends
    before that. A master waits for so many `workers`. `rate` limits the requests a second of this process.
    """

    target: Target
    rules: tuple[str, ...]
    role: Role = Role.ALONE
    users: int = 8
    spawn_rate: float = 8.0
    run_time: float = 60.0
    requests: int | None = None
    workers: int = 1
    master_host: str = "127.0.0.1"
    master_port: int = DEFAULT_PORT
    seed: int = 0
    rate: float | None = None

    def to_text(self) -> str:
        """Return the brief as a line of JSON; the credentials are in it."""
        return json.dumps({**asdict(self), "role": self.role.value})

    @classmethod
    def from_text(cls, text: str) -> Brief:
        """Read a line that `to_text` made."""
        data = json.loads(text)
        target = Target(**{**data.pop("target"), "clock": None})
        return cls(target, tuple(data.pop("rules")), Role(data.pop("role")), **data)
