"""Refunds: whole, in parts, across captures, and with a return fee."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.drafts import line, lines
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.stage import Stage


@take("refunds/whole", "a captured order is refunded whole, and takes no further refund")
def _whole_refund(stage: Stage) -> None:
    order = _captured(stage)
    order.refund(
        order.refundable,
        description="Everything came back",
        reference="return-1",
        order_lines=lines(order.refundable),
    )
    order.refund(1)
    order.capture(1)
    order.look_around()


def _captured(stage: Stage, amount: int = 10_000, *, country: str = "SE") -> OrderHandle:
    order = new_order(stage, amount, country=country)
    order.capture(order.remaining)
    return order


@take("refunds/partial", "refunds in parts up to what was captured, and none before")
def _partial_refunds(stage: Stage) -> None:
    order = new_order(stage, 12_345)
    order.refund(1)
    order.capture(order.remaining // 2)
    order.refund(order.refundable // 3, description="One part in 3")
    order.refund(order.refundable + 1)
    order.update(order.captured - 1)
    order.capture(order.remaining + 1)
    order.cancel()
    order.capture(order.remaining)
    order.refund(order.refundable - 1)
    order.refund(order.refundable)
    order.look_around()


@take("refunds/spanning", "a refund that spans several captures")
def _spanning_refund(stage: Stage) -> None:
    order = new_order(stage)
    for amount in (1_000, 2_000, 3_000):
        order.capture(amount)
    order.refund(2_500, reference="return-1", order_lines=lines(2_500))
    order.refund(order.refundable + 1)
    order.refund(order.refundable)
    order.look_around()


@take("refunds/return-fee", "a return fee that is taken, and three that are not", probes=True)
def _return_fee(stage: Stage) -> None:
    _refund_with_fee(_captured(stage), 2_000, 500)
    part = new_order(stage)
    part.capture(part.remaining // 2)
    _refund_with_fee(part, 2_000, 500)
    _refund_with_fee(_captured(stage, country="US"), 2_000, 500)
    _refund_with_fee(_captured(stage), 2_000, 500, off_by=1)


def _refund_with_fee(order: OrderHandle, total: int, fee: int, *, off_by: int = 0) -> None:
    both = [line(total), line(-fee, name="Return fee", type="return_fee", reference="fee")]
    order.refund(total - fee + off_by, order_lines=both)
