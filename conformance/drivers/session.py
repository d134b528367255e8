"""Sends what drivers make, with patience and within limits, and tells every exchange to whoever listens."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, Protocol

from orderproof.coverage import Coverage
from orderproof.drivers.proxy import Fate, lose
from orderproof.drivers.volley import volley
from orderproof.errors import CannotJudge, OutOfTime
from orderproof.exchange import Exchange, Request
from orderproof.model.state import State
from orderproof.model.validity import LARGE_BODY
from orderproof.pace import Pace
from orderproof.supply import Supply
from orderproof.target import Target
from orderproof.transport import Delivery

PATIENCE = 8
"""How often a 429 or 409 is met with waiting before it counts as the answer."""

LONGEST_WAIT = 60.0
_SILENCES = 5
_TRIES = 3
"""How often a request is sent in all that gets no answer."""

_PLAIN_HEADERS = frozenset(
    {"accept", "user-agent", "authorization", "content-type", "klarna-idempotency-key"}
)
_PLAIN_PATH = re.compile(r"[\w/-]+", re.ASCII)


class Sender(Protocol):
    """What delivers a request: the transport, or something between it and the target."""

    def send(self, request: Request, *, prefixed: bool = True) -> Delivery:
        """Send a request once."""

    def rest(self) -> None:
        """Close the connections that are kept alive."""


@dataclass
class Session:
    """One run against one target: numbering, rate, patience, time.

    Every exchange goes to `record` and then to `observe` as it happens, those that were under way together at once to
    both (without an `observe_group`, each by itself to `observe`); `state` gives the most plausible state of an order.
    `coverage` knows which transitions of the life cycle were taken so far. `deadline` is a reading of the monotonic
    clock. `numbers` are those of the exchanges. `turn` is called before so many requests go out, and comes back when
    they may; without one, the rate of the target holds for this session alone.
    """

    sender: Sender
    target: Target
    supply: Supply
    observe: Callable[[Exchange], object]
    state: Callable[[str], State]
    record: Callable[[Sequence[Exchange]], object] = lambda _: None
    observe_group: Callable[[Sequence[Exchange]], object] | None = None
    coverage: Coverage = field(default_factory=Coverage)
    seed: int = 0
    deadline: float | None = None
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    turn: Callable[[int], object] | None = None
    requests: int = 0
    clock: float = 0.0
    skew: float = 0.0
    _aside: int = 0
    _silences: int = 0
    _waited: float = 0.0
    _gave_up: int = 0

    def __post_init__(self) -> None:
        if self.turn is None:
            self.turn = Pace(self.target.rate).wait

    @contextmanager
    def aside(
        self,
        observe: Callable[[Exchange], object],
        state: Callable[[str], State],
        observe_group: Callable[[Sequence[Exchange]], object] | None = None,
    ) -> Iterator[None]:
        """While it lasts, another judge looks on: what is sent counts and is recorded, and is no part of the run."""
        before = self.requests
        with self.watched(observe, state, observe_group, self.coverage):
            try:
                yield
            finally:
                self._aside += self.requests - before

    @contextmanager
    def watched(
        self,
        observe: Callable[[Exchange], object],
        state: Callable[[str], State],
        observe_group: Callable[[Sequence[Exchange]], object] | None,
        coverage: Coverage,
    ) -> Iterator[None]:
        """While it lasts, another judge looks on, and another coverage counts."""
        own = self.observe, self.state, self.observe_group, self.coverage
        self.observe, self.state, self.observe_group, self.coverage = observe, state, observe_group, coverage
        try:
            yield
        finally:
            self.observe, self.state, self.observe_group, self.coverage = own

    @property
    def spent(self) -> int:
        """The requests that were sent for the run itself: not those sent aside, nor the tries that were repeated.

        How often a target asks for patience depends on what else it is asked at the time; a budget must not.
        """
        return self.requests - self._aside

    def random(self, name: str) -> random.Random:
        """Chance for one sequence, which depends on the seed and the name alone."""
        return random.Random(f"{self.seed}/{name}")

    def send(self, request: Request, *, prefixed: bool = True, **facts: Any) -> Exchange:
        """Send a request until it has an answer that is more than "try again"; every try is observed."""
        hung_up = 0
        for attempt in range(PATIENCE + 1):
            delivery = self._once(request, prefixed)
            exchange = self._exchange(request, delivery, facts)
            hung_up += delivery.hung_up
            if exchange.response is None and not self._may_repeat(exchange):
                if hung_up == attempt + 1 >= _TRIES and _is_plain(request) and self._still_answers():
                    exchange = replace(exchange, facts=exchange.facts | {"never-answered"})
                break
            if exchange.response is not None and exchange.status not in (409, 429):
                break
            if attempt >= self._patience(exchange):
                exchange = replace(exchange, facts=exchange.facts | {"gave-up"})
                self._gave_up += exchange.status == 409
                break
            self._tell(exchange)
            self._aside += 1
            self._wait(exchange, attempt)
        self._tell(exchange)
        return exchange

    def send_together(
        self, requests: Sequence[Request], delays: Sequence[float], facts: Sequence[Mapping[str, Any]]
    ) -> list[Exchange | None]:
        """Send requests so that they are under way at the same time, once each: 409 and 429 are answers here.

        `delays` are the seconds after the first at which each is completed. None stands for a request that could not
        be sent, for want of a connection. Waits afterwards when a 429 asks for it.
        """
        self._hold_to_limits(len(requests))
        self.sender.rest()
        deliveries = volley(self.target, requests, delays)
        exchanges = _grouped(
            self._exchange(request, delivery, known) if delivery.sent else None
            for request, delivery, known in zip(requests, deliveries, facts, strict=True)
        )
        self._count_silences(next((d for d in deliveries if d.response is not None), deliveries[0]))
        self._tell_together([exchange for exchange in exchanges if exchange is not None])
        return exchanges

    def _patience(self, exchange: Exchange) -> int:
        """Less with every 409 that never went away: a target that means it would take all the time there is."""
        return max(PATIENCE >> self._gave_up, 2) if exchange.status == 409 else PATIENCE

    def _tell_together(self, exchanges: Sequence[Exchange]) -> None:
        self.record(exchanges)
        if self.observe_group is not None:
            self.observe_group(exchanges)
        else:
            for exchange in exchanges:
                self.observe(exchange)
        limited = [exchange for exchange in exchanges if exchange.status == 429]
        if limited:
            self._wait(max(limited, key=lambda exchange: _retry_after(exchange) or 0.0), 0)

    def send_to_be_lost(self, request: Request, fate: Fate, **facts: Any) -> Exchange:
        """Send a request once, through a proxy that loses the answer."""
        self._hold_to_limits()
        self.sender.rest()
        delivery = lose(self.target, request, fate)
        known = frozenset(facts.pop("facts", ())) | {"lost" if delivery.sent else "cut"}
        exchange = self._exchange(request, delivery, {**facts, "facts": known})
        self._tell(exchange)
        return exchange

    def _tell(self, exchange: Exchange) -> None:
        self.record((exchange,))
        self.observe(exchange)

    def _once(self, request: Request, prefixed: bool) -> Delivery:
        self._hold_to_limits()
        delivery = self.sender.send(request, prefixed=prefixed)
        self._count_silences(delivery)
        return delivery

    def _exchange(self, request: Request, delivery: Delivery, facts: Mapping[str, Any]) -> Exchange:
        self.requests += 1
        exchange = Exchange(
            number=next(self.numbers),
            request=request,
            response=delivery.response,
            sent_at=delivery.sent_at,
            answered_at=delivery.answered_at,
            fault=delivery.fault,
            clock=self.clock,
            **facts,
        )
        if exchange.dated is not None:
            self.skew = exchange.skew
        return exchange

    def _may_repeat(self, exchange: Exchange) -> bool:
        """A lost answer is asked for again where that is safe: a read, or a call with an idempotency key."""
        safe = (
            exchange.request.method == "GET" or exchange.request.header("klarna-idempotency-key") is not None
        )
        return safe and self._silences < _TRIES

    def _hold_to_limits(self, requests: int = 1) -> None:
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise OutOfTime
        if self.turn is not None:
            self.turn(requests)

    def _count_silences(self, delivery: Delivery) -> None:
        if delivery.response is not None:
            self._silences = 0
            return
        self._silences += 1
        self._waited += delivery.answered_at - delivery.sent_at
        if self._silences >= _SILENCES and not self._still_answers():
            raise CannotJudge(
                f"the target stopped answering after {self.requests} requests: {delivery.fault}"
            )

    def _still_answers(self) -> bool:
        """Ask for an order that nobody has: a target that hangs up on what it cannot read is not gone for that.

        Where it takes its time to be silent, that is not worth the patience.
        """
        if self._waited > LONGEST_WAIT:
            return False
        self._hold_to_limits()
        self.requests += 1
        self._aside += 1
        path = f"/ordermanagement/v1/orders/{uuid.uuid4()}"
        question = Request((("Authorization", self.target.authorization),), b"", "GET", path)
        if self.sender.send(question).response is not None:
            self._silences = 0
        return not self._silences

    def _wait(self, exchange: Exchange, attempt: int) -> None:
        seconds = _retry_after(exchange)
        if seconds is None:
            seconds = min(0.05 * 2**attempt, 5.0)
        time.sleep(min(seconds, LONGEST_WAIT))


def _is_plain(request: Request) -> bool:
    """Say whether no gateway has a reason to turn a request away: not for its path, its headers or its size."""
    names = {name.lower() for name, _ in request.headers}
    return (
        names <= _PLAIN_HEADERS
        and _PLAIN_PATH.fullmatch(request.target) is not None
        and len(request.body) <= LARGE_BODY
    )


def _grouped(exchanges: Iterable[Exchange | None]) -> list[Exchange | None]:
    """Mark exchanges as those of one group, by the number of the first of them."""
    made = list(exchanges)
    group = next((exchange.number for exchange in made if exchange is not None), None)
    return [None if exchange is None else replace(exchange, group=group) for exchange in made]


def _retry_after(exchange: Exchange) -> float | None:
    """Seconds that a `Retry-After` asks for, in either of its forms (RFC 9110, 10.2.3)."""
    text = exchange.response.header("retry-after") if exchange.response is not None else None
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    # A date is one of the target's own clock, which need not be ours.
    now = _date(exchange, "date") or exchange.answered_at + exchange.clock
    until = _date(exchange, "retry-after")
    return None if until is None else max(0.0, until - now)


def _date(exchange: Exchange, header: str) -> float | None:
    text = exchange.response.header(header) if exchange.response is not None else None
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except ValueError:
        return None
