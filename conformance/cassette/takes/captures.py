"""Captures: whole, in parts, and with shipping info."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.cassette.takes.shipping import SHIPMENT
from orderproof.drivers.drafts import lines
from orderproof.drivers.handle import new_order
from orderproof.drivers.stage import Stage

_RETURN = {"return_shipping_company": "Post", "return_tracking_number": "9876543210"}


@take("captures/full", "an order is acknowledged, captured whole, and takes no further capture")
def _full_capture(stage: Stage) -> None:
    order = new_order(stage)
    order.acknowledge()
    order.capture(
        order.remaining,
        description="Everything at once",
        reference="shipment-1",
        order_lines=lines(order.remaining),
    )
    order.look_around()
    order.capture(1)
    order.change_references(merchant_reference1="after-capture")
    order.cancel()


@take("captures/partial", "an order is captured in five parts up to the last minor unit")
def _partial_captures(stage: Stage) -> None:
    order = new_order(stage, 12_345)
    for share in (4, 3, 3, 2):
        amount = order.remaining // share
        order.capture(amount, description=f"One part in {share}", order_lines=lines(amount))
        order.capture(order.remaining + 1)
    order.capture(order.remaining)
    order.capture(1)
    order.acknowledge()
    order.look_around()


@take("captures/shipping-info", "a capture with shipping info, and further shipping info later")
def _shipping_info(stage: Stage) -> None:
    order = new_order(stage)
    order.ship({**SHIPMENT, "tracking_uri": "https://tracking.example.com/1"})
    order.capture(order.remaining // 2, shipping_info=[SHIPMENT])
    order.ship(_RETURN, {"tracking_number": "3"}, capture=0)
    order.ship({"tracking_number": "4", "shipping_method": "PickUpPoint"}, capture=0)
    order.ship({"tracking_number": "5"})
    order.call("triggerSendOut", capture=0)
    order.look_around()
