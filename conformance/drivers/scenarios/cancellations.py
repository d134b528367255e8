"""Cancelling, and everything that a cancelled order refuses."""

from __future__ import annotations

from orderproof.drivers.drafts import address
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("a cancelled order")
def cancelled(stage: Stage) -> None:
    order = new_order(stage)
    order.cancel()
    order.capture(1)
    order.capture(order.amount)
    order.refund(1)
    order.update(order.amount - 1)
    order.update(order.amount + 1)
    order.extend()
    order.release()
    order.change_address(address(given_name="Late"))
    order.change_references(merchant_reference1="late")
    order.cancel()
    order.acknowledge()
    order.ship({"shipping_company": "Post"})
    order.look_around()


@scenario("cancelling after changes that capture nothing")
def after_changes(stage: Stage) -> None:
    order = new_order(stage)
    order.acknowledge()
    order.update(order.amount - 1)
    order.extend()
    order.ship({"shipping_company": "Post"})
    order.change_references(merchant_reference2="before-cancel")
    order.cancel()
    order.capture(1)
    order.read()


@scenario("no cancelling after a capture")
def after_capture(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(1)
    order.cancel()
    order.refund(order.refundable)
    order.cancel()
    order.release()
    order.cancel()
    order.look_around()
