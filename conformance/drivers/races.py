"""Races: calls on one order that are released together, again and again with other amounts, numbers and timings.

A fault between two calls shows only when one comes into the gap of another. So each race is run in several rounds:
all calls at the same moment, or some milliseconds apart, and with few or many of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import line, lines
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.ordinary import SHIPMENT, ordinary
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

ROUNDS: Mapping[str, int] = {"quick": 2, "standard": 6, "deep": 30}
"""How often each race is run, by profile. What this finds is measured in `benchmarks/races.py`."""

_SPREADS = (0.001, 0.003, 0.005)
"""Seconds over which the calls of a spread-out round begin."""


class NothingToShare(Exception):
    """The server refused what the race begins with: there is no amount for all of its calls."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a round of a race begins with: a fresh order, how many calls there shall be, which round it is."""

    order: OrderHandle
    size: int
    round: int
    chance: Random

    def call(self, operation: str, **body: object) -> Command:
        """A call on the order; without fields it has no body."""
        command = Command(operation, self.order.position)
        return replace(command, body=body) if body else command

    def capture(self, amount: int) -> Command:
        return self.call("captureOrder", captured_amount=amount)

    def refund(self, amount: int) -> Command:
        return self.call("refundOrder", refunded_amount=amount)

    def update(self, amount: int) -> Command:
        return self.call("updateAuthorization", order_amount=amount, order_lines=lines(amount))

    def parts(self, amount: int) -> list[int]:
        """Amounts above zero that sum to `amount`, all different but for chance. Raises NothingToShare."""
        if amount < self.size:
            raise NothingToShare
        cuts = sorted(self.chance.sample(range(1, amount), self.size - 1))
        return [high - low for low, high in zip([0, *cuts], [*cuts, amount], strict=True)]

    def too_much(self, amount: int) -> list[int]:
        """Amounts of which not all fit into `amount`: the whole each, a bit over half each, or different parts."""
        match self.round % 3:
            case 0:
                return [amount] * self.size
            case 1:
                return [amount // 2 + 1] * self.size
        return [part + amount // (2 * self.size) + 1 for part in self.parts(amount)]


@dataclass(frozen=True, slots=True)
class Race:
    """Calls at once: `calls` brings the order to where they begin and returns them, as many as one of `sizes` says.

    `weight` multiplies its rounds: where it matters which of different calls comes first, it takes more of them.
    """

    name: str
    sizes: Sequence[int]
    calls: Callable[[Start], list[Command]]
    weight: int = 1


RACES: list[Race] = []


def race(
    name: str, *sizes: int, weight: int = 1
) -> Callable[[Callable[[Start], list[Command]]], Callable[[Start], list[Command]]]:
    """Register the calls of a race under a name that reports show."""

    def register(calls: Callable[[Start], list[Command]]) -> Callable[[Start], list[Command]]:
        RACES.append(Race(name, sizes, calls, weight))
        return calls

    return register


def scenarios(profile: str) -> list[Scenario]:
    """Every race, in as many rounds as the profile has; the same round of all of them before the next."""
    rounds = ROUNDS[profile]
    numbers = range(rounds * max(entry.weight for entry in RACES))
    return [_round(entry, n) for n in numbers for entry in RACES if n < rounds * entry.weight]


def _round(entry: Race, number: int) -> Scenario:
    def play(stage: Stage) -> None:
        size = entry.sizes[number % len(entry.sizes)]
        try:
            calls = entry.calls(Start(new_order(stage), size, number, stage.chance))
        except NothingToShare:
            return
        stage.perform_together(_timed(calls, number, stage.chance))

    return Scenario(f"race of {entry.name}, round {number + 1}", play)


def _timed(calls: Sequence[Command], number: int, chance: Random) -> list[Command]:
    """Release calls at one moment, the last ones first or the first ones; or in any order over some milliseconds."""
    match number % 4:
        case 0:
            return list(reversed(calls))
        case 1:
            return list(calls)
        case 2:
            spread = chance.choice(_SPREADS)
            return [replace(call, delay=call.delay or chance.random() * spread) for call in calls]
    return chance.sample(list(calls), len(calls))


@race("captures that do not all fit", 2, 4, 10, 3, 2, 6)
def _captures_too_many(start: Start) -> list[Command]:
    return [start.capture(amount) for amount in start.too_much(start.order.remaining)]


@race("captures of what an earlier one left", 3, 2, 5)
def _captures_of_the_rest(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 3)
    return [start.capture(amount) for amount in start.too_much(start.order.remaining)]


@race("captures that all fit", 3, 2, 10, 5, 2, 4)
def _captures_that_fit(start: Start) -> list[Command]:
    share = 1 if start.round % 2 else 2
    return [start.capture(amount) for amount in start.parts(start.order.remaining // share)]


@race("refunds that do not all fit", 2, 4, 10, 3, 2, 6)
def _refunds_too_many(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining if start.round % 2 else start.order.remaining // 2)
    return [start.refund(amount) for amount in start.too_much(start.order.refundable)]


@race("refunds that all fit", 3, 2, 10, 5, 2, 4)
def _refunds_that_fit(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining)
    return [start.refund(amount) for amount in start.parts(start.order.refundable // 2)]


@race("cancel against captures", 2, 2, 3, 4, weight=2)
def _cancel_against_captures(start: Start) -> list[Command]:
    captures = [start.capture(start.order.remaining // start.size) for _ in range(start.size - 1)]
    return [start.call("cancelOrder"), *captures]


@race("release against captures", 2, 2, 3, 4, weight=2)
def _release_against_captures(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 3)
    share = start.size if start.round % 4 == 3 else 1
    captures = [start.capture(start.order.remaining // share) for _ in range(start.size - 1)]
    return [start.call("releaseRemainingAuthorization"), *captures]


@race("a decrease against captures", 2, 2, 3, 4, weight=2)
def _decrease_against_captures(start: Start) -> list[Command]:
    amount = start.order.amount
    captures = [start.capture(2 * amount // 3) for _ in range(start.size - 1)]
    return [start.update(amount // 2), *captures]


@race("updates of the amount", 2, 3, 4)
def _updates(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 4)
    return [start.update(start.order.amount - 100 * (n + 1)) for n in range(start.size)]


@race("a release against refunds and captures", 4, 5)
def _release_against_refunds(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 2)
    refunds = [start.refund(start.order.refundable // start.size) for _ in range(start.size - 2)]
    return [start.call("releaseRemainingAuthorization"), start.capture(start.order.remaining), *refunds]


@race("captures against refunds", 4, 6, 2)
def _captures_against_refunds(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 2)
    half = start.size // 2
    captures = [start.capture(start.order.remaining // half) for _ in range(half)]
    return [*captures, *(start.refund(start.order.refundable // half) for _ in range(half))]


@race("captures with one key", 3, 2, 10)
def _captures_with_one_key(start: Start) -> list[Command]:
    share = 3 if start.round % 2 else 1
    return [replace(start.capture(start.order.remaining // share), key="one")] * start.size


@race("refunds with one key", 3, 2, 10)
def _refunds_with_one_key(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 2)
    return [replace(start.refund(start.order.refundable // 3), key="one")] * start.size


@race("shipping info with one key", 3, 2, 6)
def _shipping_with_one_key(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 2)
    name = "appendShippingInfo" if start.round % 2 else "appendOrderShippingInfo"
    return [replace(ordinary(name, start.order), key="one")] * start.size


_OTHERS = (
    "updateAuthorization",
    "releaseRemainingAuthorization",
    "cancelOrder",
    "updateMerchantReferences",
    "updateConsumerDetails",
    "extendAuthorizationTime",
    "acknowledgeOrder",
    "triggerSendOut",
    "extendDueDate",
)


@race("other calls with one key", 3, 2, 5)
def _others_with_one_key(start: Start) -> list[Command]:
    name = start.chance.choice(_OTHERS)
    if name != "cancelOrder":
        start.order.capture(start.order.remaining // 2)
    if name == "extendDueDate":
        start.order.offered_days()
    return [replace(ordinary(name, start.order), key="one")] * start.size


def _reading(start: Start, writes: Sequence[Command]) -> list[Command]:
    """Calls with readings of the order around them, spread over the time that the calls may take."""
    moments = [start.chance.random() * 0.008 for _ in range(max(start.size - len(writes), 1))]
    return [*writes, *(replace(start.call("getOrder"), delay=moment) for moment in moments)]


@race("readings during captures", 5, 8, 10)
def _readings_during_captures(start: Start) -> list[Command]:
    part = start.order.remaining // 4
    return _reading(start, [start.capture(part), start.capture(part + 1)])


@race("readings during refunds", 5, 8, 10)
def _readings_during_refunds(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining)
    part = start.order.refundable // 4
    return _reading(start, [start.refund(part), start.refund(part + 1)])


@race("readings during other changes", 5, 8, 6)
def _readings_during_changes(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 4)
    release = start.call("releaseRemainingAuthorization")
    return _reading(start, [start.update(start.order.amount // 2), release])


@race("shipping info for the order", 2, 3, 4)
def _shipping(start: Start) -> list[Command]:
    parcels = [{**SHIPMENT, "tracking_number": f"parcel-{n}"} for n in range(start.size)]
    return [start.call("appendOrderShippingInfo", shipping_info=[parcel]) for parcel in parcels]


@race("shipping info for a capture", 2, 3, 4)
def _shipping_of_a_capture(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 2)
    parcels = [{**SHIPMENT, "tracking_number": f"parcel-{n}"} for n in range(start.size)]
    calls = (start.call("appendShippingInfo", shipping_info=[parcel]) for parcel in parcels)
    return [replace(call, capture=0) for call in calls]


@race("updates of different references", 2, 3, 4)
def _references(start: Start) -> list[Command]:
    names = ("merchant_reference1", "merchant_reference2")
    bodies = [{names[n % 2]: f"reference {n}"} for n in range(start.size)]
    return [start.call("updateMerchantReferences", **body) for body in bodies]


@race("updates of different fields of the address", 2, 3, 4)
def _addresses(start: Start) -> list[Command]:
    fields = ("given_name", "family_name", "street_address", "email")
    values = ("Other", "Person", "Elsewhere 2", "other@example.com")
    pairs = list(zip(fields, values, strict=True))[: start.size]
    return [start.call("updateConsumerDetails", shipping_address={name: value}) for name, value in pairs]


@race("calls of different kinds", 4, 6, 5, weight=2)
def _of_different_kinds(start: Start) -> list[Command]:
    start.order.capture(start.order.remaining // 4)
    part = start.order.remaining // 4
    calls = [
        start.capture(part),
        start.refund(start.order.refundable // 2),
        start.call("updateMerchantReferences", merchant_reference1="at once"),
        start.call("updateConsumerDetails", shipping_address={"given_name": "Another"}),
        start.call("appendOrderShippingInfo", shipping_info=[SHIPMENT]),
        start.update(start.order.amount - 1),
        start.call("extendAuthorizationTime"),
        start.call("acknowledgeOrder"),
    ]
    return start.chance.sample(calls, start.size)


@race("cancel against other changes", 3, 4, 2, weight=2)
def _cancel_against_changes(start: Start) -> list[Command]:
    changes = [
        start.update(start.order.amount - 100),
        start.call("updateMerchantReferences", merchant_reference2="at once"),
        start.call("extendAuthorizationTime"),
    ]
    return [start.call("cancelOrder"), *start.chance.sample(changes, start.size - 1)]


@race("captures with shipping info and lines", 2, 3)
def _whole_captures(start: Start) -> list[Command]:
    part = start.order.remaining // 4
    fields = {"order_lines": [line(part)], "shipping_info": [SHIPMENT]}
    capture = start.call("captureOrder", captured_amount=part, description="One of several", **fields)
    return [capture] * start.size
