"""What time does to an order; for targets whose clock can be moved."""

from __future__ import annotations

from orderproof.drivers.drafts import address
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage
from orderproof.model.values import instant

_DAY = 86_400.0


def _pass(stage: Stage, days: float) -> None:
    stage.move_clock(days * _DAY)


@scenario("an order that expires", needs="clock")
def expired(stage: Stage) -> None:
    order, untouched, whole, released = (new_order(stage) for _ in range(4))
    order.capture(order.remaining // 2)
    whole.capture(whole.remaining)
    released.capture(released.remaining // 2)
    released.release()
    expiry = instant((order.state.order or {}).get("expires_at"))
    days = 365.0 if expiry is None else stage.until(expiry.timestamp()) / _DAY + 1
    _pass(stage, days)
    for each in (order, untouched, whole, released):
        each.read()
    # Where nothing remains, nothing expires.
    whole.refund(1)
    released.refund(1)
    order.capture(1)
    order.update(order.amount - 1)
    order.extend()
    order.refund(order.refundable // 2)
    _move_on(order)
    order.change_references(merchant_reference1="expired")
    order.change_address(address(given_name="Late"))
    order.cancel()
    order.release()
    untouched.capture(untouched.amount)
    untouched.update(untouched.amount)
    untouched.extend()
    untouched.cancel()
    order.look_around()
    untouched.look_around()


def _move_on(order: OrderHandle) -> None:
    """Make the calls on an order that has expired with a refund, those that it refuses first."""
    order.capture(1)
    order.update(order.amount - 1)
    order.extend()
    order.refund(order.refundable + 1)
    order.refund(1)
    order.acknowledge()
    order.ship({"shipping_company": "Post"})
    order.ship({"shipping_company": "Post"}, capture=0)
    order.call("triggerSendOut", capture=0)
    days = order.offered_days()
    order.extend_due_date(max(days, default=30) + 1)
    if days:
        order.extend_due_date(days[0])


@scenario("an order that is extended until it may not be", needs="clock")
def extended(stage: Stage) -> None:
    order = new_order(stage)
    for _ in range(9):
        _pass(stage, 20)
        order.read()
        order.extend()
    _pass(stage, 2)
    order.extend()
    order.read()


@scenario("a key that is old", needs="clock")
def old_key(stage: Stage) -> None:
    order = new_order(stage)
    amount = order.remaining // 4
    order.call("captureOrder", {"captured_amount": amount}, key="old")
    order.call("extendAuthorizationTime", key="old extension")
    _pass(stage, 0.97)
    order.read()
    order.call("captureOrder", {"captured_amount": amount}, key="old")
    order.call("extendAuthorizationTime", key="old extension")
    order.look_around()
