"""Which recorded exchange answers a client's request: by operation, ids and the meaning of the body.

An order's recorded calls fall into stretches. What changed the order ends a stretch; within one, readings and refused
calls may come in any sequence and number, or not at all. Different orders do not wait for each other, except where the
clock was moved for all of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orderproof import operations
from orderproof.cassette.continuity import addressed
from orderproof.exchange import ABSENT, Exchange, Request
from orderproof.model.call import Call, call_of
from orderproof.model.values import Shape, shape
from orderproof.shown import shown_request

_KEY = "klarna-idempotency-key"
_UNKNOWN = Shape()
_AGAIN = frozenset({403})


@dataclass(frozen=True)
class Line:
    """One recorded exchange as a part to play, in a file named `recording`.

    `stretch` is its place in the life of its order, `age` counts how often the clock was moved before. `ends` says
    that it changed the order and so ends the stretch, `moves_clock` that it ended the age, `creates` that it made an
    order; `repeats`: its idempotency key had been used for the same call before.
    """

    exchange: Exchange
    recording: str
    order_id: str
    stretch: int
    age: int
    ends: bool = False
    moves_clock: bool = False
    creates: bool = False
    repeats: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return f"entry {self.exchange.number} of {self.recording}"


@dataclass(frozen=True)
class Stray:
    """A request that the recording has no answer for: the nearest recorded one, and what differs from it."""

    request: Exchange
    nearest: Line | None
    difference: str

    def __str__(self) -> str:
        shown = shown_request(self.request)
        if self.nearest is None:
            return f"{shown}: {self.difference}"
        return f"{shown}: {self.difference} ({self.nearest.place}: {shown_request(self.nearest.exchange)})"


@dataclass
class Script:
    """Everything that was recorded, and how far a client has come in it."""

    lines: list[Line] = field(default_factory=list)
    played: set[int] = field(default_factory=set)
    _age: dict[str, int] = field(default_factory=dict)
    _stretches: dict[str, int] = field(default_factory=dict)
    _spent: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _by_request: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def add(self, recording: str, exchanges: Sequence[Exchange]) -> None:
        """Add a recording."""
        for line in _lines(recording, exchanges):
            self._by_request.setdefault(_request_line(line.exchange), []).append(len(self.lines))
            self.lines.append(line)

    def answer(self, request: Exchange) -> Line | Stray:
        """Return the recorded exchange that answers a request, and move on; or say why there is none."""
        found = addressed(request) or request
        first = self._spent.get(_keyed(found)) if found.request.header(_KEY) else None
        candidates = [n for n in self._candidates(found) if self.lines[n].repeats is (first is not None)]
        fitting = [n for n in candidates if not difference(self.lines[n].exchange, found)]
        ready = [n for n in fitting if self._is_due(n)]
        if not ready and first is not None and self._holds(first):
            return self.lines[first]
        if not ready:
            return self._stray(request, found, fitting)
        chosen = next((n for n in ready if n not in self.played), ready[-1])
        self._play(chosen, found)
        return self.lines[chosen]

    def _candidates(self, request: Exchange) -> list[int]:
        return self._by_request.get(_request_line(request), [])

    def _is_due(self, number: int) -> bool:
        line = self.lines[number]
        if line.creates and number in self.played:
            return False
        in_age = line.age == self._age.get(line.recording, 0)
        return in_age and line.stretch == self._stretches.get(line.order_id, 0)

    def _holds(self, number: int) -> bool:
        """Say whether an answer is given again when its key comes again: a success is, and a refusal by state."""
        status = self.lines[number].exchange.status or 0
        return status < 300 or status in _AGAIN

    def _play(self, number: int, request: Exchange) -> None:
        line = self.lines[number]
        self.played.add(number)
        if line.ends:
            self._stretches[line.order_id] = line.stretch + 1
        if line.moves_clock:
            self._age[line.recording] = line.age + 1
        if request.request.header(_KEY):
            self._spent.setdefault(_keyed(request), number)

    def _stray(self, request: Exchange, found: Exchange, fitting: Sequence[int]) -> Stray:
        if fitting:
            line = self.lines[fitting[-1]]
            over = line.creates or line.stretch < self._stretches.get(line.order_id, 0)
            return Stray(request, line, self._over(line) if over else self._too_early(line))
        nearest = self._nearest(found)
        if nearest is None:
            return Stray(request, None, "no such operation was recorded")
        return Stray(
            request, nearest, difference(nearest.exchange, found) or _other_ids(nearest.exchange, found)
        )

    def _over(self, line: Line) -> str:
        return (
            "it was answered already"
            if line.ends or line.creates
            else "it was recorded before the order changed"
        )

    def _too_early(self, line: Line) -> str:
        now = self._stretches.get(line.order_id, 0)
        before = (
            x
            for x in self.lines
            if x.order_id == line.order_id and x.ends and x.stretch == now < line.stretch
        )
        moves = (x for x in self.lines if x.recording == line.recording and x.moves_clock)
        first = next(before, None) or next(moves, None)
        where = f"after {first.place}, which was not asked for" if first else "at another time"
        return f"it was recorded {where}"

    def _nearest(self, request: Exchange) -> Line | None:
        """The recorded request that differs least: on the same path, or else of the same operation."""
        same = [self.lines[n] for n in self._candidates(request)]
        kind = _operation(request)
        alike = same or [
            line for line in self.lines if kind is not None and _operation(line.exchange) == kind
        ]
        now = {line.order_id: self._stretches.get(line.order_id, 0) for line in alike}
        due_first = sorted(alike, key=lambda line: abs(line.stretch - now[line.order_id]))
        return min(due_first, key=lambda line: len(list(_differences(line.exchange, request))), default=None)


def _request_line(exchange: Exchange) -> tuple[str, str]:
    return exchange.request.method, exchange.request.path


def _keyed(exchange: Exchange) -> tuple[str, str, str]:
    return (exchange.request.header(_KEY) or "", *_request_line(exchange))


def _lines(recording: str, exchanges: Sequence[Exchange]) -> Iterator[Line]:
    stretches: dict[str, int] = {}
    age = 0
    keys: set[tuple[str, str, str]] = set()
    for recorded in exchanges:
        exchange = addressed(recorded) or recorded
        if exchange.response is None:
            continue
        call = call_of(exchange)
        order_id = call.order_id if call is not None else ""
        stretch = stretches.get(order_id, 0)
        repeats = bool(exchange.request.header(_KEY)) and _keyed(exchange) in keys
        ends = _has_effect(exchange, call) and not repeats
        creates = call is None and exchange.request.method == "POST" and "/order" in exchange.request.path
        moves = bool(exchange.advances)
        keys.add(_keyed(exchange))
        yield Line(exchange, recording, order_id, stretch, age, ends, moves, creates, repeats)
        stretches[order_id] = stretch + ends
        age += moves


def _has_effect(exchange: Exchange, call: Call | None) -> bool:
    """Say whether it changed an order. Making one, or moving the clock, changes none that was there."""
    taken = exchange.response is not None and exchange.response.status < 300
    return taken and call is not None and call.operation.writes


def _operation(exchange: Exchange) -> str | None:
    call = call_of(exchange)
    return call.name if call is not None else None


def difference(recorded: Exchange, request: Exchange) -> str:
    """Say how a request differs from a recorded one in what it means; empty where it does not."""
    found = list(_differences(recorded, request))
    more = f", and {len(found) - 3} more" if len(found) > 3 else ""
    return "; ".join(found[:3]) + more


def _differences(recorded: Exchange, request: Exchange) -> Iterator[str]:
    if (kind := _credentials(request)) != (was := _credentials(recorded)):
        yield f"it has {kind} credentials, recorded were {was}"
    one, other = recorded.request, request.request
    if one.target.partition("?")[2] != other.target.partition("?")[2]:
        yield f"its query is {other.target.partition('?')[2]!r}, recorded was {one.target.partition('?')[2]!r}"
    if one.method == "GET":
        return
    before, after = _meaning(recorded), _meaning(request)
    if before is ABSENT or after is ABSENT:
        if one.body != other.body:
            yield "its body is another one, and one of the two is no JSON"
    else:
        yield from _values(before, after, "")


def _credentials(exchange: Exchange) -> str:
    kind = exchange.credentials
    return {"own": "the right", "none": "no"}.get(kind, "wrong")


def _meaning(exchange: Exchange) -> Any:
    """The body as its meaning compares: an empty one as {}, letter case of codes aside; ABSENT where it is no JSON."""
    request: Request = exchange.request
    if not request.body:
        return {}
    if request.media_type and not request.media_type.endswith("json"):
        return ABSENT
    matched = operations.match(request.method, request.path)
    schema = matched[0].request_schema if matched else None
    return _plain(request.json, shape(schema) if schema else _UNKNOWN)


def _plain(value: Any, form: Shape) -> Any:
    if isinstance(value, dict):
        fields = form.fields or {}
        return {name: _plain(item, fields.get(name, _UNKNOWN)) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, form.items or _UNKNOWN) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value)
        return text.casefold() if form.notation == "code" else text
    return value


def _values(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys((*before, *after)):
            yield from _values(
                before.get(name, ABSENT), after.get(name, ABSENT), f"{path}.{name}" if path else name
            )
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _values(one, other, f"{path}[{index}]")
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield f"{path or 'the body'} is {_brief(after)}, recorded was {_brief(before)}"


def _brief(value: Any) -> str:
    text = "absent" if value is ABSENT else repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _other_ids(recorded: Exchange, request: Exchange) -> str:
    return f"its path is {request.request.path}, recorded was {recorded.request.path}"
