"""Ids that lead nowhere: unknown, malformed, another order's, and such as no router need hand on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from orderproof import operations
from orderproof.drivers.commands import Command
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.ordinary import ordinary, reads, writes
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_INVENTED = frozenset({"invented-order"})
_OTHER = frozenset({"other-order"})
_MALFORMED = (
    "not-an-id",
    "0",
    "-1",
    "null",
    "zzzzzzzz-zzzz-4zzz-8zzz-zzzzzzzzzzzz",
    "i" * 300,
    "order with blanks",
    "ordër-東京-𝒳",
    "'order'",
)
_UNROUTABLE = (
    ".",
    "..",
    "../orders",
    "captures/../..",
    "%2e%2e%2f",
    "a\\b",
    "a;b=c",
    "a?b=c",
    "a#b",
    "\x00",
    "a\r\nb",
    "i" * 10_000,
)


def scenarios(profile: str) -> list[Scenario]:
    """Unknown, malformed and foreign ids; the quick profile tries most of them on one operation each."""
    thorough = profile != "quick"
    return [
        Scenario("orders that nobody has", _unknown_orders),
        Scenario("malformed order ids", partial(_malformed_orders, thorough=thorough)),
        Scenario("ids that no router need hand on", partial(_unroutable, thorough=thorough)),
        Scenario("malformed ids of captures and refunds", partial(_malformed_parts, thorough=thorough)),
        Scenario("captures and refunds of another order", _foreign_parts),
    ]


def _elsewhere(name: str, order: OrderHandle, order_id: str) -> Command:
    """An ordinary call with another order id, and ids of a capture and a refund that nobody has."""
    made_up: dict[str, Any] = {
        part: order.stage.new_id() for part in ("capture", "refund") if _has(name, part)
    }
    command = replace(ordinary(name, order), order_id=order_id, facts=_INVENTED, read=False)
    return replace(command, **made_up)


def _has(name: str, part: str) -> bool:
    return f"{part}_id" in operations.OPERATIONS[name].parameters


def _unknown_orders(stage: Stage) -> None:
    order = new_order(stage)
    for name in operations.OPERATIONS:
        stage.perform(_elsewhere(name, order, stage.new_id()))
    order.read()


def _variants(known: str, stage: Stage, *, thorough: bool) -> tuple[str, ...]:
    """Malformed ids: beginnings of one, a known one with a digit too many, and others."""
    # What two quick runs send with one seed is the same but for whole ids of the server: there one of ours is cut.
    whole = known if thorough else stage.new_id()
    return (whole[:-1], f"{known}0", whole[:8], *_MALFORMED)


def _malformed_orders(stage: Stage, *, thorough: bool) -> None:
    order = new_order(stage)
    for position, order_id in enumerate(_variants(order.seat.order_id, stage, thorough=thorough)):
        for name in operations.OPERATIONS if thorough or position == 0 else _one(stage, position):
            stage.perform(_elsewhere(name, order, order_id))
    order.read()


def _one(stage: Stage, position: int) -> list[str]:
    """An operation that reads and one that writes, by turns."""
    return [stage.chance.choice(writes() if position % 2 else reads())]


def _unroutable(stage: Stage, *, thorough: bool) -> None:
    """Server, gateway and router may each answer these in their own way, but none of them may fail."""
    order = new_order(stage)
    known = order.seat.order_id
    for position, order_id in enumerate((*_UNROUTABLE, f"{known}/captures", f"{known}\x00")):
        for name in ("getOrder", "captureOrder", "appendShippingInfo") if thorough else _one(stage, position):
            stage.perform(_elsewhere(name, order, order_id))
    order.read()


def _malformed_parts(stage: Stage, *, thorough: bool) -> None:
    order = _with_parts(stage)
    names = [name for name in operations.OPERATIONS if _has(name, "capture") or _has(name, "refund")]
    known = order.seat.captures[0] if order.seat.captures else stage.new_id()
    for part_id in (*_variants(known, stage, thorough=thorough), "..", f"{known}/x"):
        for name in names if thorough else [stage.chance.choice(names)]:
            part: dict[str, Any] = {"capture" if _has(name, "capture") else "refund": part_id}
            stage.perform(replace(ordinary(name, order), **part, read=False))
    order.read()


def _with_parts(stage: Stage) -> OrderHandle:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.refund(order.refundable // 2)
    return order


def _foreign_parts(stage: Stage) -> None:
    owner, other, bare = _with_parts(stage), _with_parts(stage), new_order(stage)
    for order in (other, bare):
        for name in operations.OPERATIONS:
            if _has(name, "capture") or _has(name, "refund"):
                command = replace(ordinary(name, order), donor=owner.position, facts=_OTHER, read=False)
                stage.perform(command)
    for order in (owner, other, bare):
        order.read()
