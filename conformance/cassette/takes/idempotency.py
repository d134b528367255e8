"""Calls that come again with their keys."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.handle import new_order
from orderproof.drivers.stage import Stage


@take(
    "idempotency/repeats",
    "calls repeated with their keys take effect once, with other keys twice",
    probes=True,
)
def _repeats(stage: Stage) -> None:
    order = new_order(stage)
    for _ in range(2):
        order.call("captureOrder", {"captured_amount": 3_000}, key="one")
    order.call("captureOrder", {"captured_amount": 3_000})
    for _ in range(2):
        order.call("refundOrder", {"refunded_amount": 1_000}, key="two")
    order.call("refundOrder", {"refunded_amount": 1_000})
    for _ in range(2):
        order.call("captureOrder", {"captured_amount": 8_000}, key="refused")
    order.look_around()


@take(
    "idempotency/other-bodies",
    "a key that comes back with another body is answered as the first",
    probes=True,
)
def _other_bodies(stage: Stage) -> None:
    order = new_order(stage)
    for amount in (1_000, 2_000):
        order.call("captureOrder", {"captured_amount": amount}, key="capture")
    for amount in (500, 700):
        order.call("refundOrder", {"refunded_amount": amount}, key="refund")
    for reference in ("first", "second"):
        order.call("updateMerchantReferences", {"merchant_reference1": reference}, key="reference")
    order.look_around()
