"""A sandbox on a database that is killed without a warning and started again at the same address."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from subprocess import Popen

from orderproof.exchange import Request
from orderproof.target import Target
from orderproof.transport import Delivery, Transport

PAUSES = (0.3, 5.0)
"""Seconds between two kills, at least and at most."""

COMES_BACK_WITHIN_SECONDS = 60.0
SETTLES_WITHIN_SECONDS = 0.1
"""What a database may need to finish, or to undo, what a process that was killed had told it."""

_CREATES = "/customer-token/"


@dataclass
class Victim:
    """One sandbox process; `kills` counts how often it died."""

    database: str
    fault: str | None = None
    kills: int = 0
    alive: threading.Event = field(default_factory=threading.Event)
    _process: Popen[str] | None = None
    _port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, at the address that it had before if it had one, and wait until it listens."""
        if not self._port:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                self._port = listener.getsockname()[1]
        words = ["--port", str(self._port), "--database", self.database]
        words += ["--fault", self.fault] if self.fault else []
        command = [sys.executable, "-m", "orderproof", "sandbox", *words]
        self._process = Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line == self.url, f"the sandbox did not come back: {line!r}"
        self.alive.set()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process is not None
        self.alive.clear()
        self._process.kill()
        self._process.communicate()
        self.kills += 1


@contextmanager
def victims(databases: Sequence[str], seed: int, fault: str | None = None) -> Generator[list[Victim]]:
    """Run a sandbox for each database, and kill one of them now and then while the block lasts."""
    made = [Victim(database, fault) for database in databases]
    done, chance = threading.Event(), random.Random(f"{seed}/kills")
    for victim in made:
        victim.start()

    def go_on() -> None:
        while not done.wait(chance.uniform(*PAUSES)):
            victim = chance.choice(made)
            victim.kill()
            victim.start()

    killer = threading.Thread(target=go_on)
    killer.start()
    try:
        yield made
    finally:
        done.set()
        killer.join()
        for victim in made:
            victim.kill()


class Survivor:
    """Sends to the victims in turns, and waits for those that are gone.

    A request that cannot have reached anyone is sent again; one whose answer was lost is not, but for the creation of
    an order, which nobody knows of then. `lost` counts these answers.
    """

    def __init__(self, victims: Sequence[Victim]) -> None:
        self.lost = 0
        self._ways = [(one, Transport(Target(one.url, "sandbox", "sandbox"))) for one in victims]
        self._turn = 0

    def send(self, request: Request, *, prefixed: bool = True) -> Delivery:
        """Send a request once."""
        while True:
            self._turn += 1
            victim, transport = self._ways[self._turn % len(self._ways)]
            assert victim.alive.wait(COMES_BACK_WITHIN_SECONDS), "the sandbox did not come back"
            delivery = transport.send(request, prefixed=prefixed)
            if delivery.response is not None:
                return delivery
            if delivery.sent:
                self.lost += 1
                threading.Event().wait(SETTLES_WITHIN_SECONDS)
                if not request.target.startswith(_CREATES):
                    return delivery

    def rest(self) -> None:
        """Close the connections that are kept alive."""
        for _, transport in self._ways:
            transport.rest()
