"""Orders side by side, and what time does to them."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.handle import new_order
from orderproof.drivers.stage import Stage
from orderproof.model.values import instant

_DAY = 86_400.0


@take("orders/two-orders", "two orders side by side, and what belongs to which")
def _two_orders(stage: Stage) -> None:
    one, other = new_order(stage), new_order(stage, 7_000)
    one.capture(one.remaining // 2)
    other.capture(other.remaining // 3)
    other.refund(other.refundable)
    one.read()
    foreign = frozenset({"other-order"})
    one.call("getCapture", capture=0, donor=other.position, facts=foreign)
    one.call("getRefund", refund=0, donor=other.position, facts=foreign)
    one.call("getRefund", refund=stage.new_id())
    other.release()
    one.capture(one.remaining)
    one.look_around()
    other.look_around()


@take("orders/expired", "an order expires with a part captured, and another with nothing", needs="clock")
def _expired(stage: Stage) -> None:
    order, untouched = new_order(stage), new_order(stage)
    order.capture(order.remaining // 2)
    expiry = instant((order.state.order or {}).get("expires_at"))
    days = 60.0 if expiry is None else (expiry.timestamp() - stage.now) / _DAY + 1
    stage.move_clock(days * _DAY)
    for late in (order, untouched):
        late.read()
        late.capture(1)
        late.update(late.amount - 1)
        late.extend()
    order.refund(order.refundable // 2)
    order.look_around()
    untouched.look_around()
