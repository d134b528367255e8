"""The weather: what happens to a client's calls on their way, one small script for each scenario."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from types import MappingProxyType
from typing import Literal

from orderproof.client import answers
from orderproof.client.answers import Rewrite
from orderproof.errors import UsageError
from orderproof.model.call import Call
from orderproof.operations import GENERAL_STATUSES, Operation

OWN_CODE = "its own"
"""Stands for the code that an operation documents for a refusal."""


class Where(Enum):
    """Where a connection is cut; the value completes "the connection was cut ..."."""

    BEFORE = "before the call took effect"
    AFTER = "after the call took effect, before its answer"
    MIDDLE = "in the middle of the answer"


@dataclass(frozen=True)
class Reply:
    """An answer in the server's place; the call takes no effect.

    `code` is the error code, or OWN_CODE; none for plain text. One that is for some operations alone meets those.
    """

    status: int
    code: str = ""
    text: str = ""
    retry_after: int | None = None

    def fits(self, operation: Operation) -> bool:
        """Say whether the operation documents this status and code; where it documents no code, any fits."""
        if not self.code:
            return True
        documented = operation.error_codes.get(self.status, ())
        known = self.status in operation.statuses or self.status in GENERAL_STATUSES
        return known and (not documented or self.code in (OWN_CODE, *documented))

    def code_for(self, operation: Operation) -> str:
        """Return the error code that this operation is answered with."""
        documented = operation.error_codes.get(self.status, ())
        return next(iter(documented), "NOT_ALLOWED") if self.code == OWN_CODE else self.code


@dataclass(frozen=True)
class Cut:
    """The connection ends without a whole answer."""

    where: Where


@dataclass(frozen=True)
class Hold:
    """The call takes effect, and its answer is held back until the client hangs up, or for some seconds."""


@dataclass(frozen=True)
class Reword:
    """The answer is written in another way that a client must be able to read."""

    how: Rewrite


@dataclass(frozen=True)
class Meddle:
    """Somebody else makes a call on the order, just before the client's first write to it."""

    operation: Literal["captureOrder", "cancelOrder"]


@dataclass(frozen=True)
class Shut:
    """Nobody listens on the port."""


Effect = Reply | Cut | Hold | Reword | Meddle | Shut


@dataclass(frozen=True)
class Scenario:
    """One weather: its `effect` meets the first call of its kind, `times` tries of it (0: every call).

    `puts_to_test` is the rule that the way in which the client copes is about.
    """

    name: str
    says: str
    effect: Effect | None = None
    times: int = 0
    puts_to_test: str = "CLI-READ-4"

    @property
    def is_benign(self) -> bool:
        """Say whether every answer is one that a client must be able to read."""
        return isinstance(self.effect, Reword) and self.puts_to_test != "CLI-SAFE-1"

    @property
    def ships(self) -> bool:
        """Say whether it is about shipping info too, which the captures made beforehand have then."""
        how = self.effect.how if isinstance(self.effect, Reword) else None
        return how in (answers.with_shipping_info, answers.with_unknowns)

    @property
    def is_documented_refusal(self) -> bool:
        """Say whether it answers with a documented error, which a client must handle."""
        return isinstance(self.effect, Reply) and bool(self.effect.code)


FAIR = Scenario("fair", "the sandbox answers as it is")

_SCENARIOS = (
    FAIR,
    Scenario("503-once", "the first try of a write is answered 503", Reply(503, text="try later"), 1),
    Scenario("503-thrice", "three tries of a write are answered 503", Reply(503, text="try later"), 3),
    Scenario("503-often", "eight tries of a write are answered 503", Reply(503, text="try later"), 8),
    Scenario(
        "429",
        "a write is answered 429 with Retry-After",
        Reply(429, "TOO_MANY_REQUESTS", retry_after=1),
        1,
        "CLI-READ-2",
    ),
    Scenario("409", "a write is answered 409, as one in flight", Reply(409, "CONFLICT"), 1, "CLI-READ-2"),
    Scenario("refused", "nobody listens on the port", Shut()),
    Scenario("cut-before", "the connection is cut before a write takes effect", Cut(Where.BEFORE), 1),
    Scenario("cut-after", "a write takes effect, and its answer is lost", Cut(Where.AFTER), 1),
    Scenario("cut-middle", "the answer to a write breaks off", Cut(Where.MIDDLE), 1),
    Scenario("slow", "a write takes effect, and its answer takes long", Hold(), 1),
    Scenario("403", "every write is refused with its documented code", Reply(403, OWN_CODE), 0, "CLI-READ-2"),
    Scenario("403-text", "every write is refused in plain text", Reply(403, text="Forbidden")),
    Scenario("400", "every write is refused as malformed", Reply(400, "INVALID_ORDER_ID"), 0, "CLI-READ-2"),
    Scenario("422", "every write is refused as invalid", Reply(422, "UNPROCESSABLE_ENTITY"), 0, "CLI-READ-2"),
    Scenario("404", "every call is answered 404", Reply(404, "NO_SUCH_ORDER"), 0, "CLI-READ-2"),
    Scenario(
        "404-capture",
        "every call about one capture is answered 404",
        Reply(404, "NO_SUCH_CAPTURE"),
        0,
        "CLI-READ-2",
    ),
    Scenario(
        "404-not-found",
        "calls about one capture or refund are answered 404, with the general code",
        Reply(404, "NOT_FOUND"),
        0,
        "CLI-READ-2",
    ),
    Scenario(
        "unknown",
        "fields, line types and headers that are new",
        Reword(answers.with_unknowns),
        0,
        "CLI-READ-1",
    ),
    Scenario("lower-case", "header names in lower case", Reword(answers.in_lower_case), 0, "CLI-READ-3"),
    Scenario("charset", "a charset on the media type", Reword(answers.with_charset), 0, "CLI-READ-3"),
    Scenario(
        "location-absolute", "Location is a whole URL", Reword(answers.absolute_location), 0, "CLI-READ-3"
    ),
    Scenario("location-relative", "Location is a path", Reword(answers.relative_location), 0, "CLI-READ-3"),
    Scenario(
        "location-elsewhere",
        "Location points to another host",
        Reword(answers.location_elsewhere),
        0,
        "CLI-SAFE-1",
    ),
    Scenario("created-bare", "201 without a body", Reword(answers.bare_created), 0, "CLI-READ-2"),
    Scenario("created-body", "201 with a body", Reword(answers.with_body_on_created), 0, "CLI-READ-2"),
    Scenario("no-content-bare", "204 without headers", Reword(answers.bare_no_content), 0, "CLI-READ-2"),
    Scenario("null-fields", "optional fields are null", Reword(answers.with_nulls), 0, "CLI-READ-2"),
    Scenario("absent-fields", "optional fields are absent", Reword(answers.without_empties), 0, "CLI-READ-2"),
    Scenario("shipped", "captures carry shipping info", Reword(answers.with_shipping_info), 0, "CLI-READ-2"),
    Scenario("captured-elsewhere", "somebody else captures the order first", Meddle("captureOrder"), 1),
    Scenario("cancelled-elsewhere", "somebody else cancels the order first", Meddle("cancelOrder"), 1),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({entry.name: entry for entry in _SCENARIOS})
"""Every weather, by name."""


def chosen(names: tuple[str, ...]) -> list[Scenario]:
    """Return the scenarios of these names, fair weather first, which the others are held against; `all` for all.

    Raises UsageError for an unknown name.
    """
    if "all" in names:
        return list(SCENARIOS.values())
    for name in names:
        if name not in SCENARIOS:
            near = get_close_matches(name, SCENARIOS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SCENARIOS)}, and all"
            raise UsageError(f"there is no scenario {name!r}: {hint}")
    return [entry for entry in _SCENARIOS if entry is FAIR or entry.name in names]


class Sky:
    """Where a scenario stands: which of a client's calls it meets, and how often it did."""

    def __init__(self, scenario: Scenario, *, reads: bool = False) -> None:
        self._scenario = scenario
        self._reads = reads
        self._lock = threading.Lock()
        self._first: tuple[str, str] | None = None
        self.met = 0

    @property
    def effect(self) -> Effect | None:
        return self._scenario.effect

    def over(self, call: Call | None) -> Effect | None:
        """Return what happens to a call, or None when it goes its way."""
        effect = self._scenario.effect
        if effect is None or call is None or isinstance(effect, Reword | Shut):
            return None
        with self._lock:
            if not self._meets(call):
                return None
            self.met += 1
            return effect

    def _meets(self, call: Call) -> bool:
        effect = self._scenario.effect
        if isinstance(effect, Reply) and not effect.fits(call.operation):
            return False
        if self._scenario.times == 0:
            unknown = isinstance(effect, Reply) and effect.status == 404
            return call.operation.writes or self._reads or unknown
        if call.operation.writes is self._reads:
            return False
        identity = (call.operation.method, call.exchange.request.path)
        self._first = self._first or identity
        return identity == self._first and self.met < self._scenario.times

    def reworded(self) -> None:
        """Note that an answer was written in another way."""
        with self._lock:
            self.met += 1

    def passed_by(self) -> None:
        """Take back that a call was met: nothing came of it."""
        with self._lock:
            self.met -= 1
