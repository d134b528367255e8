"""Captures: at the boundary of what remains, after each kind of change, and as they read back."""

from __future__ import annotations

from orderproof.drivers.drafts import address, line, lines
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage


def probe_boundary(order: OrderHandle) -> None:
    """Try one minor unit more than remains: it must be refused, and change nothing."""
    order.capture(order.remaining + 1)


@scenario("a whole capture")
def whole(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(
        order.remaining,
        description="Everything at once",
        reference="shipment-1",
        order_lines=lines(order.remaining),
        shipping_info=[
            {"shipping_company": "Post", "shipping_method": "Home", "tracking_number": "1234567890"}
        ],
    )
    order.look_around()
    probe_boundary(order)
    order.capture(order.amount)
    order.update(order.amount + 1)
    order.update(order.amount - 1)
    order.release()
    order.cancel()
    order.acknowledge()
    order.extend()
    order.change_references(merchant_reference1="after-capture")
    order.change_address({"given_name": "Later"})
    order.look_around()


@scenario("a capture of one less than remains")
def one_less(stage: Stage) -> None:
    order = new_order(stage)
    probe_boundary(order)
    order.capture(order.remaining - 1)
    # Lines that sum to what remains: it is the amount that counts.
    order.capture(order.remaining + 1, order_lines=lines(order.remaining))
    order.capture(order.remaining + order.captured)
    order.capture(order.remaining)
    probe_boundary(order)
    order.look_around()


@scenario("several captures up to the exact rest")
def several(stage: Stage) -> None:
    order = new_order(stage, 12_345)
    for share in (4, 3, 2):
        order.capture(order.remaining // share, description=f"one part in {share}")
        probe_boundary(order)
    order.cancel()
    order.capture(order.remaining)
    probe_boundary(order)
    order.look_around()


@scenario("a capture of the smallest amount")
def smallest(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(1)
    probe_boundary(order)
    order.capture(1)
    order.look_around()


@scenario("an order over the largest amount")
def largest(stage: Stage) -> None:
    order = new_order(stage, 200_000_000)
    order.capture(order.remaining - 1)
    order.capture(2)
    order.capture(order.remaining)
    order.refund(order.refundable)
    order.look_around()


@scenario("captures with and without lines, texts and shipping info")
def contents(stage: Stage) -> None:
    order = new_order(stage)
    part = order.remaining // 5
    order.capture(part)
    order.capture(part, description="d" * 255, reference="r" * 255, order_lines=[])
    discount = line(-part, name="Discount", type="discount")
    order.capture(part, order_lines=[line(2 * part), discount], reference="Ærø 東京 𝒳")
    # An accent by itself, blanks in a row: a server that tidies texts up gives back others than it got.
    order.capture(part // 2, description="Zoe\u0308's  100 % \"o'k\"", reference="A\u030a/B\\C")
    order.capture(part, shipping_info=[_full_item(n) for n in range(3)], description="")
    # A server may refuse lines that sum to less; one that takes them takes the amount, not their sum.
    order.capture(part // 4, order_lines=lines(part // 8))
    order.look_around()


def _full_item(number: int) -> dict[str, str]:
    return {
        "shipping_company": "Post",
        "shipping_method": "PickUpPoint",
        "tracking_number": f"tracking-{number}",
        "tracking_uri": f"https://tracking.example.com/{number}",
        "return_shipping_company": "Return Post",
        "return_tracking_number": f"return-{number}",
        "return_tracking_uri": f"https://tracking.example.com/return/{number}",
    }


@scenario("captures after decreases")
def after_decreases(stage: Stage) -> None:
    order = new_order(stage)
    order.update(order.amount - 1_000, order_lines=lines(order.amount - 1_000))
    probe_boundary(order)
    order.capture(order.amount // 2)
    probe_boundary(order)
    order.update(order.amount - 500)
    probe_boundary(order)
    order.capture(order.remaining)
    probe_boundary(order)


@scenario("captures after an increase")
def after_increase(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.update(order.amount + 2_000, order_lines=lines(order.amount + 2_000))
    probe_boundary(order)
    order.capture(order.remaining - 2_000)
    order.capture(order.remaining)
    probe_boundary(order)


@scenario("captures after a decrease to what was captured")
def after_decrease_to_captured(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 3)
    order.update(order.captured - 1)
    order.update(order.captured)
    probe_boundary(order)
    order.refund(order.refundable)
    order.look_around()


@scenario("captures between refunds")
def between_refunds(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 3)
    order.refund(order.refundable // 2)
    probe_boundary(order)
    order.capture(order.remaining // 2)
    order.refund(order.refundable - 1)
    probe_boundary(order)
    order.capture(order.remaining)
    probe_boundary(order)
    order.refund(order.refundable + 1)
    order.refund(order.refundable)
    order.look_around()


@scenario("a capture of nothing")
def nothing(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(0)
    order.read()


@scenario("captures that do not exist")
def unknown(stage: Stage) -> None:
    order = new_order(stage)
    for capture in (stage.new_id(), "no-such-capture"):
        order.call("getCapture", capture=capture)
        order.call("triggerSendOut", capture=capture)
        order.ship({"shipping_company": "Post"}, capture=capture)
        order.call("getOptionsForExtendDueDate", capture=capture)
        order.extend_due_date(30, capture=capture)
        if not order.captured:
            order.capture(order.remaining // 2)
            order.call("getCapture", capture=stage.new_id())
            order.call("triggerSendOut", capture=stage.new_id())
            order.ship({"shipping_company": "Post"}, capture=stage.new_id())
            order.call("getOptionsForExtendDueDate", capture=stage.new_id())
            order.extend_due_date(30, capture=stage.new_id())


@scenario("captures keep the addresses of their time")
def addresses(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 3)
    order.change_address(address("US"))
    order.capture(order.remaining // 3)
    order.change_address({"given_name": "Third", "street_address": "Elsewhere 3"})
    order.capture(order.remaining)
    order.look_around()


@scenario("calls without an idempotency key")
def without_keys(stage: Stage) -> None:
    order = new_order(stage)
    part = order.remaining // 4
    for _ in range(2):
        order.call("captureOrder", {"captured_amount": part}, key=None)
    for _ in range(2):
        order.call("refundOrder", {"refunded_amount": part // 2}, key=None)
    order.call("releaseRemainingAuthorization", key=None)
    order.look_around()
