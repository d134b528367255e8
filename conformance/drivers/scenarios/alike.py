"""Calls that are alike and no repeats: first of all, for what takes them for repeats goes wrong in many places."""

from __future__ import annotations

from orderproof.drivers.commands import NEW_KEY
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


@scenario("captures of the same amount")
def same_amount(stage: Stage) -> None:
    order = new_order(stage)
    # Captures that differ come before: what goes wrong with these, or with the third, is not due to being alike.
    for amount in (5, 4, 3):
        order.capture(amount)
    for amount, key in ((2, NEW_KEY), (1, None)):
        order.call("captureOrder", {"captured_amount": amount}, key=key, read=False)
        order.call("captureOrder", {"captured_amount": amount}, key=key)
