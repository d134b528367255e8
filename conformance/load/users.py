"""The users of a load: each walks by itself on its own orders, in turns with calls on the orders of its party."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from orderproof.coverage import Coverage
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script, Stage
from orderproof.drivers.walk import Strand, walk
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Request
from orderproof.judge import Judge
from orderproof.load.party import Party
from orderproof.operations import match
from orderproof.pace import Pace
from orderproof.supply import OutOfOrders, Supply, supply_from
from orderproof.target import Target
from orderproof.transport import Delivery, Transport

__all__ = ["PARTY_SIZE", "Company", "Meter", "User"]

PARTY_SIZE = 4
"""Users who share their orders."""

CALLS_PER_TURN = 16
_ORDERS_REMEMBERED = 100
_BYTES = 1 << 16
_MOST_USERS = 100_000

Measure = Callable[[str, Delivery], object]
"""Is told of each request: what it is called, and what became of it."""


class Meter:
    """Sends for several users at once, each over connections of its own, and has each request measured."""

    def __init__(self, target: Target, measure: Measure) -> None:
        self._target = target
        self._measure = measure
        self._own = threading.local()
        self._opened = ExitStack()

    def _transport(self) -> Transport:
        if not hasattr(self._own, "transport"):
            self._own.transport = self._opened.enter_context(Transport(self._target))
        return cast(Transport, self._own.transport)

    def close(self) -> None:
        """Close the connections of all users, who send nothing any more."""
        self._opened.close()

    def send(self, request: Request, *, prefixed: bool = True) -> Delivery:
        """Send a request once."""
        delivery = self._transport().send(request, prefixed=prefixed)
        self._measure(name_of(request), delivery)
        return delivery

    def rest(self) -> None:
        """Close the connections of this user."""
        self._transport().rest()


def name_of(request: Request) -> str:
    """Return what reports call a request: its operation, or what it is for."""
    path = request.target.partition("?")[0]
    found = match(request.method, path)
    if found is not None:
        return found[0].id
    return "createOrder" if path.startswith("/customer-token/") else "other"


@dataclass
class User:
    """One user: a walk of its own, and a party."""

    number: int
    party: Party
    judge: Judge
    session: Session
    scripts: dict[str, Script] = field(default_factory=dict)
    turns: int = 0
    _walk: Iterator[Stage] | None = None
    _stage: Stage | None = None

    def turn(self) -> None:
        """Call the order of the party some times, or walk one sequence, in turns. Raises CannotJudge."""
        self.turns += 1
        if self.turns % 2:
            self._join_in()
        else:
            self._walk_on()

    def _walk_on(self) -> None:
        if self._walk is None:
            self._walk = walk(self.session, None, strand=Strand(self.number, _MOST_USERS))
            self._stage = next(self._walk)
        known, stage = len(self.judge.findings), self._stage
        self._stage = next(self._walk)
        if len(self.judge.findings) > known and stage is not None:
            self.scripts[stage.name] = stage.script

    def _join_in(self) -> None:
        name = f"user {self.number + 1}, turn {self.turns}"

        @settings(database=None, deadline=None)
        @given(st.data())
        def calls(data: st.DataObject) -> None:
            for number in range(CALLS_PER_TURN):
                self.party.act(data.draw, f"{name}, call {number + 1}")

        cast(Any, calls).hypothesis.fuzz_one_input(self.session.random(name).randbytes(_BYTES))


class Company:
    """All users of one process and their parties.

    `first` is the number of the first user, so that no two processes have the same ones; `rate` how many requests a
    second they may send together.
    """

    def __init__(
        self,
        target: Target,
        measure: Measure,
        *,
        seed: int = 0,
        only: list[str] | None = None,
        first: int = 0,
        rate: float | None = None,
    ) -> None:
        self.users: list[User] = []
        self._joining = threading.Lock()
        self.parties: list[Party] = []
        self.problem = ""
        self.note = ""
        self._target = target
        self._supply: Supply = supply_from(target.orders)
        self._meter = Meter(target, measure)
        self._pace = Pace(rate)
        self._seed = seed
        self._only = only
        self._first = first
        self._coverage = Coverage()
        self._sessions: list[Session] = []

    def join(self) -> User:
        """Take in one more user, into the last party or a new one."""
        with self._joining:
            number = self._first + len(self.users)
            if len(self.users) % PARTY_SIZE == 0:
                self.parties.append(Party(f"party of user {number + 1}", self._judge(), self._session))
            judge = self._judge()
            session = self._session(judge, lambda exchange: self._observe(judge, exchange))
            self.users.append(User(number, self.parties[-1], judge, session))
            return self.users[-1]

    def _judge(self) -> Judge:
        return Judge(only=self._only, orders=_ORDERS_REMEMBERED)

    def _session(self, judge: Judge, observe: Callable[[Exchange], object]) -> Session:
        session = Session(
            sender=self._meter,
            target=self._target,
            supply=self._supply,
            observe=observe,
            state=judge.state,
            coverage=self._coverage,
            seed=self._seed,
            turn=self._pace.wait,
        )
        self._sessions.append(session)
        return session

    def _observe(self, judge: Judge, exchange: Exchange) -> None:
        judge.observe(exchange)
        step = judge.step
        if step is not None and step.call is not None and step.assessment is not None:
            self._coverage.observe(step.call, step.assessment, judge.states(step.call.order_id))

    def turn_of(self, user: User) -> bool:
        """Give a user a turn; returns whether it can have another.

        What went wrong is kept in `problem`, that there are no more orders in `note`.
        """
        try:
            user.turn()
        except OutOfOrders as error:
            self.note = self.note or str(error)
            return False
        except CannotJudge as error:
            self.problem = self.problem or str(error)
            return False
        except Exception as error:  # ours: what was found stands, and the others go on
            self.problem = self.problem or f"a fault of orderproof, {type(error).__name__}: {error}"
            return False
        return True

    def close(self) -> None:
        """Close the connections of all users, once they are done."""
        self._meter.close()

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(session.requests for session in self._sessions)

    def judges(self) -> Iterator[tuple[Judge, Mapping[str, Script]]]:
        """Every judge, with the sequences on which it found something."""
        for user in self.users:
            yield user.judge, user.scripts
        for party in self.parties:
            yield party.judge, party.scripts
