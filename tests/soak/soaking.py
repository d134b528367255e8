"""The walk against victims, with a look back at earlier orders after each kill."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Command
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Seat, Stage
from orderproof.drivers.walk import walk
from orderproof.errors import OutOfTime
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import Target
from tests.soak.victim import Survivor, Victim, victims

REMEMBERED = 4_000
LOOKED_BACK_AT = 10
LOOKED_BACK_AT_LAST = 300
_TELLS_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak came to: what was sent, how often a sandbox died, how many answers that cost, what was found."""

    requests: int
    kills: int
    lost: int
    looked_back: int
    findings: Sequence[Finding]

    def __str__(self) -> str:
        return (
            f"{self.requests:,} requests, {self.kills} kills, {self.lost} answers lost,"
            f" {self.looked_back:,} looks back, {len(self.findings)} findings"
        )


class Soak:
    """A walk under way, under one judge who remembers over all kills."""

    def __init__(self, killed: Sequence[Victim], seed: int, seconds: float) -> None:
        self.judge = Judge()
        self.killed = killed
        self.sender = Survivor(killed)
        target = Target(killed[0].url, "sandbox", "sandbox")
        self.session = Session(
            sender=self.sender,
            target=target,
            supply=supply_from(target.orders),
            observe=self.judge.observe,
            state=self.judge.state,
            observe_group=self.judge.observe_group,
            seed=seed,
            deadline=time.monotonic() + seconds,
        )
        self._orders: deque[str] = deque(maxlen=REMEMBERED)
        self._chance = random.Random(f"{seed}/looks")
        self._looked_back = 0

    def soaked(self) -> Soaked:
        """What it came to so far."""
        kills = sum(victim.kills for victim in self.killed)
        return Soaked(
            self.session.requests, kills, self.sender.lost, self._looked_back, tuple(self.judge.findings)
        )

    def go_on(self, tell: Callable[[Soaked], object]) -> None:
        """Walk until something is found or the time is over, and look back at last."""
        kills, told, last = 0, time.monotonic(), None
        try:
            for stage in walk(self.session, None):
                if last is not None:
                    self._orders += [seat.order_id for seat in last.seats]
                last = stage
                if self.judge.findings:
                    return
                if self.soaked().kills > kills:
                    kills = self.soaked().kills
                    self._look_back(LOOKED_BACK_AT)
                if time.monotonic() - told > _TELLS_EVERY:
                    told = time.monotonic()
                    tell(self.soaked())
        except OutOfTime:
            self.session.deadline = None
            self._look_back(LOOKED_BACK_AT_LAST)

    def _look_back(self, most: int) -> None:
        """Read earlier orders again: nobody called them, so they must read as they did."""
        chosen = self._chance.sample(list(self._orders), min(most, len(self._orders)))
        for order_id in chosen:
            stage = Stage(self.session, f"look back at {order_id}")
            stage.seats.append(Seat(order_id))
            stage.perform(Command("getOrder"))
            self._looked_back += 1


def soak(
    databases: Sequence[str],
    seconds: float,
    *,
    seed: int = 0,
    fault: str | None = None,
    tell: Callable[[Soaked], object] = lambda _: None,
) -> Soaked:
    """Walk against a sandbox on each of the databases (the same one, for several processes) while they are killed."""
    with victims(databases, seed, fault) as killed:
        under_way = Soak(killed, seed, seconds)
        under_way.go_on(tell)
        return under_way.soaked()
