"""Due dates, and captures that there are not."""

from __future__ import annotations

from orderproof.cassette.takes.registry import take
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.stage import Stage

SHIPMENT = {"shipping_company": "Post", "shipping_method": "Home", "tracking_number": "1234567890"}
"""A shipment as a shop appends it."""


@take("shipping/due-date", "the due date is extended by a number of days on offer, and not by another")
def _due_date(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining)
    offered = order.offered_days()
    order.extend_due_date(next(days for days in range(1, 1_000) if days not in offered))
    if offered:
        order.extend_due_date(offered[0])
    order.offered_days()
    order.look_around()


@take("shipping/refusals", "captures that an order does not have")
def _shipping_refusals(stage: Stage) -> None:
    order = new_order(stage)
    _try_capture(order, stage.new_id())
    order.capture(order.remaining // 2)
    _try_capture(order, stage.new_id())
    order.look_around()


def _try_capture(order: OrderHandle, capture: str) -> None:
    order.call("getCapture", capture=capture)
    order.ship(SHIPMENT, capture=capture)
    order.call("triggerSendOut", capture=capture)
    order.call("getOptionsForExtendDueDate", capture=capture)
    order.extend_due_date(30, capture=capture)
