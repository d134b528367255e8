"""Refunds: at the boundary of what was captured, across captures, and with a return fee."""

from __future__ import annotations

from orderproof.drivers.drafts import line, lines
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


def probe_boundary(order: OrderHandle) -> None:
    """Try one minor unit more than is left to refund: it must be refused, and change nothing."""
    order.refund(order.refundable + 1)


def captured_order(stage: Stage, amount: int = 10_000, **fields: str) -> OrderHandle:
    """An order that is captured whole, with lines."""
    order = new_order(stage, amount, **fields)
    order.capture(order.remaining, order_lines=lines(order.remaining))
    return order


@scenario("a refund without captures")
def without_captures(stage: Stage) -> None:
    order = new_order(stage)
    order.refund(1)
    order.refund(order.amount)
    order.refund(order.amount + 1)


@scenario("a whole refund")
def whole(stage: Stage) -> None:
    order = captured_order(stage)
    probe_boundary(order)
    order.refund(
        order.refundable,
        description="Everything came back",
        reference="return-1",
        order_lines=lines(order.refundable),
    )
    order.look_around()
    probe_boundary(order)
    order.capture(1)
    order.cancel()
    order.look_around()


@scenario("several refunds up to the exact rest")
def several(stage: Stage) -> None:
    order = captured_order(stage, 12_345)
    order.refund(order.refundable - 1)
    order.refund(2)
    order.refund(order.refundable)
    probe_boundary(order)
    order = captured_order(stage, 12_345)
    for share in (4, 3, 2):
        order.refund(order.refundable // share, description="d" * 255, reference="r" * 255)
        probe_boundary(order)
    order.refund(order.refundable)
    probe_boundary(order)
    order.look_around()


@scenario("refunds that span captures")
def spanning(stage: Stage) -> None:
    order = new_order(stage)
    for part in (1_000, 2_000, 3_000):
        order.capture(part)
    probe_boundary(order)
    order.refund(1_001)
    order.refund(2_500, reference="Ærø 東京 𝒳", order_lines=lines(2_500))
    probe_boundary(order)
    order.refund(order.refundable - 1)
    # Lines that sum to what is left: it is the amount that counts.
    order.refund(order.refundable + 1, order_lines=lines(order.refundable))
    order.refund(order.refundable)
    probe_boundary(order)
    order.look_around()


@scenario("refunds move nothing but the refunded amount")
def part_captured(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.refund(order.refundable // 2)
    order.update(order.captured - 1)
    order.refund(order.refundable)
    probe_boundary(order)
    order.look_around()


@scenario("refunds do not reopen an order")
def no_reopening(stage: Stage) -> None:
    order = captured_order(stage)
    order.refund(order.refundable // 2)
    order.capture(1)
    order.update(order.amount)
    order.release()
    order.cancel()


@scenario("refunds that do not exist")
def unknown(stage: Stage) -> None:
    order = captured_order(stage)
    order.call("getRefund", refund=stage.new_id())
    order.refund(order.refundable // 2)
    order.call("getRefund", refund=stage.new_id())
    order.call("getRefund", refund="no-such-refund")


@scenario("a refund of nothing")
def nothing(stage: Stage) -> None:
    order = captured_order(stage)
    order.refund(0)
    order.read()


def _with_fee(total: int, fee: int) -> dict[str, object]:
    return {"order_lines": [line(total), line(-fee, name="Return fee", type="return_fee", reference="fee")]}


@scenario("a return fee that fits")
def return_fee(stage: Stage) -> None:
    order = captured_order(stage)
    order.refund(order.refundable // 2 - 500, **_with_fee(order.refundable // 2, 500))
    order.look_around()


@scenario("return fees that do not fit")
def wrong_return_fee(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.refund(900, **_with_fee(1_000, 100))
    order.capture(order.remaining)
    order.refund(900, **_with_fee(1_000, 100))
    order = captured_order(stage, country="US")
    order.refund(900, **_with_fee(1_000, 100))
    order = captured_order(stage)
    order.refund(901, **_with_fee(1_000, 100))
    order.read()
