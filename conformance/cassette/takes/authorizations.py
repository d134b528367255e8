"""The authorization: changed, released, cancelled and extended."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.drafts import lines
from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.refunds import captured_order
from orderproof.drivers.stage import Stage


@take("authorizations/amounts", "the authorization is decreased and increased, before and after a capture")
def _amounts(stage: Stage) -> None:
    order = new_order(stage)
    order.update(order.amount - 1_000, description="One thing less", order_lines=lines(order.amount - 1_000))
    order.capture(order.remaining + 1)
    order.update(order.amount + 3_000, order_lines=lines(order.amount + 3_000))
    order.capture(order.remaining // 4)
    order.capture(order.remaining // 2)
    order.update(order.captured - 1)
    order.update(order.amount - 500)
    order.capture(order.remaining)
    order.update(order.amount + 1)
    order.look_around()


@take("authorizations/release", "the remaining authorization is released, and is gone")
def _release(stage: Stage) -> None:
    order = new_order(stage)
    order.release()
    order.capture(order.remaining // 3)
    order.acknowledge()
    order.capture(order.remaining // 3)
    order.release()
    order.capture(1)
    order.update(order.amount + 1)
    order.release()
    order.cancel()
    order.change_references(merchant_reference2="after-release")
    order.refund(order.refundable)
    order.look_around()
    full = captured_order(stage)
    full.release()


@take("authorizations/cancel", "an order is cancelled and takes nothing more; one with a capture is not")
def _cancel(stage: Stage) -> None:
    order = new_order(stage)
    order.acknowledge()
    order.acknowledge()
    order.update(order.amount - 1)
    order.cancel()
    order.cancel()
    order.capture(1)
    order.refund(1)
    order.update(order.amount - 1)
    order.extend()
    order.release()
    order.change_address({"given_name": "Late"})
    order.change_references(merchant_reference1="late")
    order.look_around()
    kept = new_order(stage)
    kept.capture(1)
    kept.cancel()


@take("authorizations/extension", "the authorization is extended, twice on one day, and not once cancelled")
def _extension(stage: Stage) -> None:
    order = new_order(stage)
    order.extend()
    order.extend()
    order.capture(order.remaining // 2)
    order.extend()
    order.look_around()
    cancelled = new_order(stage)
    cancelled.cancel()
    cancelled.extend()
