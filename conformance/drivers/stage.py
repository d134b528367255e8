"""A stage for one sequence of calls: its orders, its ids and keys, and a reading after every write."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any
from urllib.parse import urljoin, urlsplit

from orderproof import operations
from orderproof.drivers.authorization import authorization
from orderproof.drivers.commands import NEW_KEY, VARIATIONS, Command
from orderproof.drivers.proxy import Fate
from orderproof.drivers.session import Session
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Request
from orderproof.model.call import Call, call_of, created_id
from orderproof.model.reading import BOOKING_SECONDS

_AN_HOUR = 3_600.0


@dataclass
class Seat:
    """One order of the sequence: its id, and the captures and refunds that were made on it."""

    order_id: str
    captures: list[str] = field(default_factory=list)
    refunds: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Script:
    """What was performed on a stage: each command with the number of its exchange, and the orders asked for.

    Together they are what it takes to see the sequence again.
    """

    name: str
    drafts: tuple[Mapping[str, Any], ...]
    performed: tuple[tuple[int, Command], ...]


class Stage:
    """Performs commands in a session, under one scenario name.

    `performed` has each command with the number of its exchange, and `drafts` the orders that were asked for. What a
    command brings with it (a reading after a write, a `Location` followed) is not listed.
    """

    def __init__(self, session: Session, name: str, *, follow: bool = False) -> None:
        self.session = session
        self.name = name
        self.seats: list[Seat] = []
        self.drafts: list[Mapping[str, Any]] = []
        self.performed: list[tuple[int, Command]] = []
        self.chance = session.random(name)
        self._keys: dict[str, str] = {}
        self._follow = follow
        self._moved = 0.0

    @property
    def script(self) -> Script:
        """What was performed so far."""
        return Script(self.name, tuple(self.drafts), tuple(self.performed))

    def obtain(self, draft: Mapping[str, Any]) -> int:
        """Get a fresh order and read it; returns its position in the sequence. Raises CannotJudge."""
        order_id = self.session.supply.obtain(draft, self._send_as_merchant)
        self.drafts.append(draft)
        self.seats.append(Seat(order_id))
        self._look(len(self.seats) - 1)
        return len(self.seats) - 1

    def _send_as_merchant(self, request: Request) -> Exchange:
        headers = (("Authorization", self.session.target.authorization), *request.headers)
        whole = Request(headers=headers, body=request.body, method=request.method, target=request.target)
        return self.session.send(whole, scenario=self.name)

    def new_id(self) -> str:
        """A well-formed id that nobody else has, the same for the same seed."""
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def perform(self, command: Command) -> Exchange | None:
        """Make a call, and read the order after a write; None when an id that it needs does not exist.

        Raises CannotJudge when the command moves a clock that cannot be moved.
        """
        request = self.request(command)
        if request is None:
            return None
        if command.advance:
            self.move_clock(command.advance)
        if command.delay:
            time.sleep(command.delay)
        exchange = self._deliver(command, request)
        self.performed.append((exchange.number, self._as_it_was(command)))
        self._moved = 0.0
        call = call_of(exchange)
        if call is not None and call.operation.writes:
            self._note(command, call)
            if command.read:
                self._look(command.order)
        return exchange

    def perform_together(self, commands: Sequence[Command]) -> list[Exchange]:
        """Make calls that are under way at the same time, and read their order after them.

        Those that need an id that does not exist are left out, and so are those that get no connection.
        """
        known = [(command, self.request(command)) for command in commands]
        ready = [(command, request) for command, request in known if request is not None]
        if not ready:
            return []
        requests = [request for _, request in ready]
        delays = [command.delay for command, _ in ready]
        sent = self.session.send_together(requests, delays, [self._facts(command) for command, _ in ready])
        made = [(c, e) for (c, _), e in zip(ready, sent, strict=True) if e is not None]
        for command, exchange in made:
            self.performed.append((exchange.number, replace(command, group=exchange.group)))
            call = call_of(exchange)
            if call is not None:
                self._note(command, call, follow=False)
        for order in sorted({command.order for command in commands if command.read}):
            self._look(order)
        return [exchange for _, exchange in made]

    def play(self, commands: Iterable[Command]) -> None:
        """Perform commands one after the other, and those of one group together."""
        for group, together in groupby(commands, key=lambda command: command.group):
            if group is None:
                for command in together:
                    self.perform(command)
            else:
                self.perform_together(list(together))

    def _as_it_was(self, command: Command) -> Command:
        """The command with what went before it: how far the clock was moved, and how many orders there were."""
        there = len(self.seats)
        opened = there if there > max(command.order, command.donor or 0) + 1 else 0
        if command.advance == self._moved and command.opened == opened:
            return command
        return replace(command, advance=self._moved, opened=opened)

    def _deliver(self, command: Command, request: Request) -> Exchange:
        if command.lose is not None:
            return self.session.send_to_be_lost(request, Fate[command.lose], **self._facts(command))
        return self.session.send(request, **self._facts(command))

    def _facts(self, command: Command) -> dict[str, Any]:
        facts: dict[str, Any] = {"scenario": self.name}
        if command.facts:
            facts["facts"] = command.facts
        if command.credentials != "own":
            facts["credentials"] = command.credentials
        return facts

    def _note(self, command: Command, call: Call, *, follow: bool = True) -> None:
        made = created_id(call)
        if made is None or call.exchange.status != 201 or not self.seats:
            return
        seat = self.seats[command.order]
        known = seat.captures if call.name == "captureOrder" else seat.refunds
        if made not in known:
            known.append(made)
            if self._follow and follow:
                self.follow(call, made)

    def read(self, order: int = 0) -> Exchange | None:
        """Read the order."""
        return self.perform(Command("getOrder", order))

    def _look(self, order: int) -> None:
        """Read the order without a word of it: what was called before brings the reading with it."""
        command = Command("getOrder", order)
        request = self.request(command) if order < len(self.seats) else None
        if request is not None:
            self._deliver(command, request)

    def follow(self, call: Call, made: str) -> None:
        """Go where the `Location` of a 201 points, on the target's own host whatever host it names."""
        response = call.exchange.response
        location = response.header("location") if response is not None else None
        if not location:
            return
        base = urlsplit(self.session.target.base_url)
        absolute = urlsplit(urljoin(self.session.target.base_url + call.exchange.request.target, location))
        path = absolute.path + (f"?{absolute.query}" if absolute.query else "")
        prefixed = path.startswith(base.path + "/")
        kind = "capture" if call.name == "captureOrder" else "refund"
        request = Request(
            headers=self._headers(Command(f"get{kind.title()}")),
            body=b"",
            method="GET",
            target=path[len(base.path) :] if prefixed else path,
        )
        stands_for = {"operation": f"get{kind.title()}", "order_id": call.order_id, f"{kind}_id": made}
        self.session.send(request, prefixed=prefixed, scenario=self.name, stands_for=stands_for)

    @property
    def now(self) -> float:
        """The time by the target's clock, in seconds since the epoch."""
        return time.time() + self.session.clock + self.session.skew

    def until(self, moment: float) -> float:
        """Seconds by the target's clock until a moment, or a bit more.

        In whole hours: what is sent with one seed shall not depend on how fast the target is.
        """
        return math.ceil(max(0.0, moment - self.now) / _AN_HOUR) * _AN_HOUR

    def move_clock(self, seconds: float) -> None:
        """Move the target's clock forward. Raises CannotJudge when it cannot be moved, or does not answer 2xx."""
        control = self.session.target.clock
        if control is None:
            raise CannotJudge("the target's clock cannot be moved: the configuration has no [clock]")
        self.settle()
        body = {name: int(seconds) if value == "{seconds}" else value for name, value in control.body.items()}
        headers = (("Authorization", self.session.target.authorization), ("Content-Type", "application/json"))
        request = Request(
            headers=headers, body=json.dumps(body).encode(), method=control.method, target=control.path
        )
        # Whether a lost call moved the clock is not to be found out: it gets no connection that may be closing.
        self.session.sender.rest()
        exchange = self.session.send(request, scenario=self.name, advances=float(int(seconds)))
        if exchange.status is None or exchange.status >= 300:
            raise CannotJudge(
                f"the target's clock did not move: {control.path} was answered {exchange.status}"
            )
        self.session.clock += int(seconds)
        self._moved += int(seconds)

    def settle(self) -> None:
        """Read orders again whose refunds are not booked on their captures yet, until they are or time is up."""
        for position, seat in enumerate(self.seats):
            until = time.monotonic() + BOOKING_SECONDS + 1
            pause = 0.1
            while self.session.state(seat.order_id).bookings and time.monotonic() < until:
                time.sleep(pause)
                pause = min(2 * pause, 1.0)
                self._look(position)

    def imagined(self, command: Command) -> Call | None:
        """The call that a command would make, for the model to judge before it is made; None as in `request`."""
        ids = self._ids(command)
        if ids is None:
            return None
        headers = (("Content-Type", command.content_type or ""),)
        request = Request(headers=headers, body=command.payload, method="", target="")
        now = time.time() + self.session.skew
        exchange = Exchange(0, request, None, now, now, clock=self.session.clock, facts=command.facts)
        return Call(exchange, operations.OPERATIONS[command.operation], **ids)

    def request(self, command: Command) -> Request | None:
        """Write a command as a request; None when an id that it needs does not exist."""
        ids = self._ids(command)
        if ids is None:
            return None
        operation = operations.OPERATIONS[command.operation]
        return Request(
            headers=self._headers(command),
            body=command.payload,
            method=command.method or operation.method,
            target=operations.path_of(command.operation, **ids) + command.suffix,
        )

    def _ids(self, command: Command) -> dict[str, str] | None:
        seat = self.seats[command.order] if command.order < len(self.seats) else Seat("")
        donor = seat if command.donor is None else self.seats[command.donor]
        wanted = {
            "order_id": command.order_id or seat.order_id,
            "capture_id": _chosen(command.capture, donor.captures),
            "refund_id": _chosen(command.refund, donor.refunds),
        }
        needed = operations.OPERATIONS[command.operation].parameters
        ids = {name: wanted[name] for name in needed}
        return None if None in ids.values() else {name: str(value) for name, value in ids.items()}

    def _headers(self, command: Command) -> tuple[tuple[str, str], ...]:
        headers = [("Accept", "application/json"), ("User-Agent", "orderproof")]
        credentials = authorization(command.credentials, self.session.target)
        if credentials is not None:
            headers.append(("Authorization", credentials))
        if command.payload and command.content_type is not None:
            headers.append(("Content-Type", command.content_type))
        if command.key is not None and operations.OPERATIONS[command.operation].writes:
            headers.append(("Klarna-Idempotency-Key", self._key(command.key)))
        return (*headers, *command.headers)

    def _key(self, name: str) -> str:
        if name == NEW_KEY:
            return str(uuid.uuid4())
        base, _, variation = name.partition("~")
        key = self._keys.setdefault(base, str(uuid.uuid4()))
        return VARIATIONS[variation](key) if variation else key


def _chosen(which: int | str | None, known: list[str]) -> str | None:
    if isinstance(which, str):
        return which
    if which is None or not -len(known) <= which < len(known):
        return None
    return known[which]
