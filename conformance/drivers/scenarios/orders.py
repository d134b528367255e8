"""Orders as they read: twice, side by side, and what belongs to which."""

from __future__ import annotations

from typing import Any

from orderproof.drivers.drafts import address
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage

_OTHER = frozenset({"other-order"})
_A_WHILE = 1.1
"""Seconds after which a time that is made up anew for each reading differs, even where it has no fraction."""


@scenario("reading twice")
def reading_twice(stage: Stage) -> None:
    order = new_order(stage)
    order.look_around()
    order.look_around()
    order.capture(order.remaining // 2)
    order.refund(order.refundable // 2)
    order.look_around()
    order.look_around()


@scenario("the same again after a while")
def after_a_while(stage: Stage) -> None:
    order = new_order(stage)
    part = {"captured_amount": order.remaining // 4}
    order.call("captureOrder", part, key="first")
    order.refund(order.refundable // 2)
    order.look_around()
    order.call("getOrder", delay=_A_WHILE)
    order.look_around()
    order.call("captureOrder", part, key="first")


@scenario("orders that nothing is done to")
def bystanders(stage: Stage) -> None:
    older = new_order(stage)
    older.capture(older.remaining // 2)
    older.refund(older.refundable // 2)
    busy, cancelled = new_order(stage), new_order(stage)
    younger = new_order(stage)
    younger.capture(younger.remaining // 3)
    cancelled.cancel()
    busy.read()
    busy.change_references(merchant_reference1="busy")
    busy.change_address(address(given_name="Busy"))
    busy.ship({"shipping_company": "Post"})
    busy.acknowledge()
    busy.extend()
    busy.update(busy.amount - 1)
    busy.capture(busy.remaining // 2)
    busy.ship({"shipping_company": "Post"}, capture=0)
    busy.call("triggerSendOut", capture=0)
    busy.refund(busy.refundable // 2)
    busy.release()
    for order in (older, younger):
        order.look_around()


@scenario("two orders side by side")
def side_by_side(stage: Stage) -> None:
    one, other = new_order(stage), new_order(stage, 7_000)
    one.capture(one.remaining // 2)
    other.read()
    other.capture(other.remaining // 3)
    one.read()
    one.refund(one.refundable // 2)
    other.read()
    other.refund(other.refundable)
    one.read()
    for order, stranger in ((one, other), (other, one)):
        for capture in range(len(stranger.seat.captures)):
            theirs: dict[str, Any] = {"capture": capture, "donor": stranger.position, "facts": _OTHER}
            order.call("getCapture", **theirs)
            order.call("triggerSendOut", **theirs)
            order.call("appendShippingInfo", {"shipping_info": [{"shipping_company": "Post"}]}, **theirs)
        for refund in range(len(stranger.seat.refunds)):
            order.call("getRefund", refund=refund, donor=stranger.position, facts=_OTHER)
    one.update(one.amount - 1)
    other.read()
    other.release()
    one.capture(one.remaining)
    one.look_around()
    other.look_around()


@scenario("three orders in turns")
def in_turns(stage: Stage) -> None:
    orders = [new_order(stage, amount) for amount in (3_000, 5_000, 8_000)]
    for _ in range(2):
        for order in orders:
            order.capture(order.remaining // 2)
        for order in orders:
            order.refund(order.refundable // 2)
    orders[0].release()
    for order in orders:
        order.capture(order.remaining + 1)
        order.look_around()
