"""Releasing the remaining authorization, and what works afterwards."""

from __future__ import annotations

from orderproof.drivers.drafts import address
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("no release without captures")
def without_captures(stage: Stage) -> None:
    order = new_order(stage)
    order.release()
    order.capture(order.remaining)
    order.release()


@scenario("a release")
def release(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 4, description="first")
    order.capture(order.remaining // 4, description="second")
    order.release()
    order.capture(1)
    order.refund(order.refundable // 2)
    order.capture(1)
    order.update(order.amount)
    order.update(order.amount + 1_000)
    order.release()
    order.cancel()
    order.extend()
    order.change_address(address(given_name="After"))
    order.change_references(merchant_reference1="after-release")
    order.ship({"shipping_company": "Post"}, capture=0)
    order.ship({"shipping_company": "Post"})
    order.refund(order.refundable + 1)
    order.refund(order.refundable)
    order.look_around()


@scenario("a release after a decrease")
def after_decrease(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(1_000)
    order.update(order.captured + 2_000)
    order.release()
    order.capture(1)
    order.capture(2_000)
    order.look_around()


@scenario("a release after an increase")
def after_increase(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(1_000)
    order.update(order.amount + 2_000)
    order.release()
    order.capture(1)
