"""Calls that are alike and no repeats: first of all, for what takes them for repeats goes wrong in many places."""

from __future__ import annotations

from orderproof.drivers.commands import NEW_KEY
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("captures of the same amount")
def captures(stage: Stage) -> None:
    _repeat(new_order(stage), "captureOrder", "captured_amount")


@scenario("refunds of the same amount")
def refunds(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining)
    _repeat(order, "refundOrder", "refunded_amount")


def _repeat(order: OrderHandle, operation: str, field: str) -> None:
    """Make two calls with the same amount, twice; calls that differ come before.

    What goes wrong with those, or with the third, is not due to being alike.
    """
    for amount in (5, 4, 3):
        order.call(operation, {field: amount})
    for amount, key in ((2, NEW_KEY), (1, None)):
        order.call(operation, {field: amount}, key=key, read=False)
        order.call(operation, {field: amount}, key=key)
