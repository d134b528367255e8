"""Calls that are made again: with their idempotency key, with another one, with none, with another body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import cycle
from typing import Any

from orderproof.drivers.commands import NEW_KEY, Command
from orderproof.drivers.drafts import line
from orderproof.drivers.grounds import was_taken
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.ordinary import SHIPMENT, ordinary, subjects, writes
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_MINDED = frozenset({"optional-headers"})
_ALIKE = (("a", "b"), ("text", "TEXT"))
_ADDING = ("captureOrder", "refundOrder", "appendOrderShippingInfo", "appendShippingInfo")


def scenarios() -> list[Scenario]:
    """Repeats of all calls that write, of refused ones, and equal calls that are no repeats."""
    return [
        Scenario("every call again with its key", _every_call_again),
        Scenario("refused calls again with their keys", _refused_calls_again),
        Scenario("equal calls with keys of their own or none", _equal_calls),
    ]


def _every_call_again(stage: Stage) -> None:
    orders = subjects(stage)
    made: list[Command] = []
    # A capture comes first: what a repeat does shows best where it does something twice.
    for name in sorted(writes(), key=lambda name: name != "captureOrder"):
        command = replace(ordinary(name, orders.order_for(name)), key=name)
        for repeat in (command, command, *_with_another_body(command, orders.captured)):
            stage.perform(repeat)
        made.append(command)
    # Once more at the end, when most of them would be refused: a key outlives the state that its call met.
    for command in made:
        stage.perform(replace(command, read=False))
    orders.read()


def _with_another_body(command: Command, order: OrderHandle) -> list[Command]:
    other = _OTHER_BODIES.get(command.operation)
    return [] if other is None else [replace(command, body=other(order))]


def _update(order: OrderHandle) -> dict[str, Any]:
    amount = max(order.amount - 2, 0)
    return {"order_amount": amount, "order_lines": [line(amount)]}


_OTHER_BODIES: Mapping[str, Callable[[OrderHandle], Any]] = {
    "captureOrder": lambda order: {"captured_amount": 2, "description": "Another body"},
    "refundOrder": lambda order: {"refunded_amount": 2},
    "updateAuthorization": _update,
    "updateConsumerDetails": lambda order: {"shipping_address": {"family_name": "Other"}},
    "updateMerchantReferences": lambda order: {
        "merchant_reference1": "yet another",
        "merchant_reference2": "b",
    },
    "appendOrderShippingInfo": lambda order: {"shipping_info": [{**SHIPMENT, "tracking_number": "2"}]},
    "appendShippingInfo": lambda order: {"shipping_info": [{**SHIPMENT, "tracking_number": "2"}]},
}


def _refused_calls_again(stage: Stage) -> None:
    """Repeat refused calls when they would be taken, and an invalid one with a valid body."""
    order = new_order(stage)
    too_much = Command("captureOrder", body={"captured_amount": order.remaining + 1}, key="capture")
    refused = (too_much, _keyed("refundOrder", order), _keyed("releaseRemainingAuthorization", order))
    for command in (*refused, *refused):
        stage.perform(command)
    order.update(order.amount + 1_000)
    stage.perform(too_much)
    order.capture(min(2, order.remaining))
    for command in refused[1:]:
        stage.perform(command)
    invalid = Command("captureOrder", body={"captured_amount": "1"}, key="invalid")
    for command in (invalid, invalid, replace(invalid, body={"captured_amount": 1})):
        stage.perform(command)


def _keyed(name: str, order: OrderHandle) -> Command:
    return replace(ordinary(name, order), key=name)


def _equal_calls(stage: Stage) -> None:
    orders = subjects(stage)
    for name, (one, other) in zip(_ADDING, cycle(_ALIKE), strict=False):
        command = ordinary(name, orders.captured)
        taken = False
        for first, second in ((NEW_KEY, NEW_KEY), (None, None), (f"{name}~{one}", f"{name}~{other}")):
            # A key that is no UUID is refused by who minds the header, and not for what the call says.
            command = replace(command, facts=_MINDED if taken and one == "text" else frozenset())
            stage.perform(replace(command, key=first, read=False))
            taken = was_taken(stage.perform(replace(command, key=second)))
