"""The front: what a client takes for the server. It hears every byte, makes the weather, and asks the sandbox."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from orderproof.checks.conduct import tidied
from orderproof.client.answers import Place, with_unknowns, without_unknowns
from orderproof.client.arriving import Arrival, Arrivals
from orderproof.client.forwarding import answer_bytes, begun, forward, unpacked
from orderproof.client.listening import Listener
from orderproof.client.weather import Cut, Effect, Hold, Meddle, Reply, Reword, Shut, Sky, Where
from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Headers, Request, Response
from orderproof.model.call import Call, call_of

JSON: Headers = (("Content-Type", "application/json"),)
_CORRELATION = "6d2c0e2a-7b1e-4c57-9d7f-{:012d}"


@dataclass(frozen=True)
class Heard:
    """A request with the answer that the client got, the one that the sandbox gave, and whether weather met it."""

    exchange: Exchange
    taken: Response | None
    met: bool = False


@dataclass(frozen=True)
class Setting:
    """What a front stands before, and how.

    `hold` is how long an answer is held back at most, in seconds. `meddle` makes somebody else's call on an order
    and says whether it took effect. `page` answers requests that are not for the API. `numbers` count the exchanges.
    """

    sandbox: str
    scenario: str = ""
    tls: ssl.SSLContext | None = None
    hold: float = 8.0
    heard: Callable[[Heard], None] = lambda _: None
    meddle: Callable[[str, str], bool] = lambda operation, order_id: False
    page: Callable[[Request], Response | None] = lambda _: None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


class Front:
    """Listens for one client in one scenario. A context manager; `base_url` is what the client is told."""

    def __init__(
        self, setting: Setting, sky: Sky, *, host: str = "127.0.0.1", port: int = 0, elsewhere: str = ""
    ) -> None:
        self._setting = setting
        self._sky = sky
        self._lock = threading.Lock()
        self._listener = Listener(
            self._serve, host=host, port=port, tls=setting.tls, shut=isinstance(sky.effect, Shut)
        )
        scheme, name = ("https", "localhost") if setting.tls else ("http", host)
        shown = "localhost" if setting.tls and host == "127.0.0.1" else f"[{host}]" if ":" in host else name
        self.base_url = f"{scheme}://{shown}:{self._listener.port}"
        self._place = Place(self.base_url, elsewhere)
        self.error: CannotJudge | None = None

    @property
    def notes(self) -> list[str]:
        """What went wrong below HTTP, each a clause."""
        return list(self._listener.notes)

    def __enter__(self) -> Front:
        self._listener.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._listener.__exit__(None, None, None)

    def _serve(self, arrival: Arrival, arrivals: Arrivals, connection: socket.socket) -> bool:
        page = self._setting.page(arrival.request)
        if page is not None:
            connection.sendall(answer_bytes(page, arrival.request.method, close=arrival.last))
            return not arrival.last
        with self._lock:
            number = next(self._setting.numbers)
        now = time.time()
        facts = frozenset(f"framing:{fault}" for fault in arrival.faults)
        request = arrival.request
        if isinstance(self._sky.effect, Reword) and self._sky.effect.how is with_unknowns:
            request = without_unknowns(unpacked(request), self._place.own)
        sent = Exchange(number, request, None, now, now, scenario=self._setting.scenario, facts=facts)
        try:
            return self._answer(sent, arrival, arrivals, connection)
        except CannotJudge as error:
            self.error = self.error or error
            return False

    def _answer(
        self, sent: Exchange, arrival: Arrival, arrivals: Arrivals, connection: socket.socket
    ) -> bool:
        if not arrival.whole:
            bad = Response(JSON, b"", 400)
            self._deliver(sent, bad, None, connection, last=True)
            return False
        call = call_in(sent)
        # A request without credentials is answered 401, whatever else there is to say to it.
        effect = self._sky.over(call) if sent.request.header("authorization") is not None else None
        if isinstance(effect, Reply) and call is not None:
            answer = _reply(effect, call, sent.number)
            return self._deliver(sent, answer, None, connection, last=arrival.last, met=True)
        if isinstance(effect, Cut) and effect.where is Where.BEFORE:
            return self._lost(sent, None, f"the connection was cut {effect.where.value}", "cut")
        if isinstance(effect, Meddle) and call is not None:
            self._meddle(effect, call)
        taken = self._forwarded(sent.request)
        if isinstance(effect, Cut):
            return self._cut(sent, taken, effect, connection)
        if isinstance(effect, Hold) and arrivals.has_hung_up(self._setting.hold):
            held = time.time() - sent.sent_at
            return self._lost(sent, taken, f"the client hung up after {held:.1f} s without an answer", "lost")
        shown, met = self._worded(sent, taken)
        return self._deliver(sent, shown, taken, connection, last=arrival.last, met=met or effect is not None)

    def _meddle(self, effect: Meddle, call: Call) -> None:
        if not self._setting.meddle(effect.operation, call.order_id):
            self._sky.passed_by()

    def _forwarded(self, request: Request) -> Response:
        taken = forward(self._setting.sandbox, unpacked(request))
        # In the letter case that most servers use: lower case is a weather of its own.
        headers = [(name.title(), value) for name, value in taken.headers]
        if self._setting.tls is not None:
            headers = [(n, re.sub("^http:", "https:", v) if n == "Location" else v) for n, v in headers]
        return replace(taken, headers=tuple(headers))

    def _worded(self, sent: Exchange, taken: Response) -> tuple[Response, bool]:
        effect: Effect | None = self._sky.effect
        if not isinstance(effect, Reword) or call_in(sent) is None:
            return taken, False
        shown = effect.how(sent.request, taken, self._place_for(sent.request))
        if shown == taken:
            return taken, False
        self._sky.reworded()
        return shown, True

    def _place_for(self, request: Request) -> Place:
        """Where this client takes us to be: it may have come by another name of ours."""
        scheme, host = self.base_url.partition("://")[0], request.header("host")
        return replace(self._place, base_url=f"{scheme}://{host}") if host else self._place

    def _cut(self, sent: Exchange, taken: Response, effect: Cut, connection: socket.socket) -> bool:
        if effect.where is Where.MIDDLE:
            with contextlib.suppress(OSError):
                connection.sendall(begun(answer_bytes(taken, sent.request.method, close=False)))
        return self._lost(sent, taken, f"the connection was cut {effect.where.value}", "lost")

    def _lost(self, sent: Exchange, taken: Response | None, fault: str, fact: str) -> bool:
        lost = replace(sent, answered_at=time.time(), fault=fault, facts=sent.facts | {fact})
        self._setting.heard(Heard(lost, taken, met=True))
        return False

    def _deliver(
        self,
        sent: Exchange,
        answer: Response,
        taken: Response | None,
        connection: socket.socket,
        *,
        last: bool,
        met: bool = False,
    ) -> bool:
        # The time is taken first: the client's own pause must not be measured shorter than it was.
        answered = replace(sent, response=answer, answered_at=time.time())
        self._setting.heard(Heard(answered, taken, met))
        with contextlib.suppress(OSError):
            connection.sendall(answer_bytes(answer, sent.request.method, close=last))
            return not last
        return False


def call_in(exchange: Exchange) -> Call | None:
    """The call that a request means, a stray slash forgiven; None where it means none."""
    request = replace(exchange.request, target=tidied(exchange.request.path))
    return call_of(replace(exchange, request=request))


def _reply(effect: Reply, call: Call, number: int) -> Response:
    headers: Headers = (("Klarna-Correlation-Id", _CORRELATION.format(number)),)
    if effect.retry_after is not None:
        headers = (*headers, ("Retry-After", str(effect.retry_after)))
    if not effect.code:
        return Response((*headers, ("Content-Type", "text/plain")), effect.text.encode(), effect.status)
    error = {
        "error_code": effect.code_for(call.operation),
        "error_messages": [f"{call.name} was not possible."],
        "correlation_id": _CORRELATION.format(number),
    }
    return Response((*headers, *JSON), json.dumps(error).encode(), effect.status)


class Elsewhere:
    """Another host, by name, that a `Location` can point to. `requests` are those that came, as exchanges."""

    def __init__(self, *, named: str) -> None:
        self.requests: list[Exchange] = []
        self._listener = Listener(self._serve)
        self.base_url = f"http://{named}:{self._listener.port}"

    def __enter__(self) -> Elsewhere:
        self._listener.__enter__()
        return self

    def __exit__(self, *details: object) -> None:
        self._listener.__exit__(None, None, None)

    def _serve(self, arrival: Arrival, arrivals: Arrivals, connection: socket.socket) -> bool:
        now = time.time()
        answer = Response(JSON, b"{}", 404)
        self.requests.append(Exchange(len(self.requests) + 1, arrival.request, answer, now, now))
        connection.sendall(answer_bytes(answer, arrival.request.method, close=True))
        return False
