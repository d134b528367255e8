"""As much as every server must take on one order. It comes last: it takes many requests, and few faults need them."""

from __future__ import annotations

from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.captures import probe_boundary
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage
from orderproof.model.forecast import MANY


@scenario("thirty captures and thirty refunds")
def many(stage: Stage) -> None:
    order = new_order(stage, 100 * MANY)
    for number in range(MANY):
        order.capture(100, reference=f"part-{number + 1}")
    probe_boundary(order)
    order.call("getCaptures")
    for capture in (0, MANY - 1):
        order.call("getCapture", capture=capture)
    for number in range(MANY):
        order.refund(100, reference=f"back-{number + 1}")
    order.refund(1)
    order.call("getCaptures")
    for refund in (0, MANY - 1):
        order.call("getRefund", refund=refund)
