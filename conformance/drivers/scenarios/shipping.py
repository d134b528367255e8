"""Shipping info, messages to the customer, and due dates."""

from __future__ import annotations

from orderproof.drivers.handle import new_order
from orderproof.drivers.scenarios.registry import scenario
from orderproof.drivers.stage import Stage

_ITEM = {"shipping_company": "Post", "shipping_method": "Home", "tracking_number": "1"}
_INVALID_LISTS: tuple[list[object], ...] = (
    [],
    [{}] * 501,
    [{"shipping_company": "c" * 101}],
    [{"tracking_uri": "https://example.com/" + "u" * 1005}],
    [{"shipping_method": "Hom"}],
    [{"shipping_method": "Homer"}],
)


@scenario("shipping info of an order")
def on_the_order(stage: Stage) -> None:
    order = new_order(stage)
    order.ship(_ITEM)
    # An item that is there already: it is another parcel.
    order.ship({"tracking_number": "2"}, {"tracking_number": "3", "return_tracking_number": "r3"}, _ITEM)
    order.capture(order.remaining // 2)
    order.ship({"shipping_company": "c" * 100, "tracking_uri": "https://example.com/" + "u" * 1004})
    order.look_around()


@scenario("shipping info of captures")
def on_captures(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 4, shipping_info=[_ITEM])
    order.capture(order.remaining // 4)
    order.ship({"tracking_number": "2"}, {"tracking_number": "3"}, _ITEM, capture=0)
    order.ship({"tracking_number": "4"}, capture=1)
    order.ship({"tracking_number": "5"}, capture=0)
    order.refund(order.refundable)
    order.ship({"tracking_number": "6"}, capture=1)
    order.look_around()


@scenario("shipping info out of bounds")
def out_of_bounds(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    for items in _INVALID_LISTS:
        body = {"shipping_info": items}
        order.call("appendOrderShippingInfo", body)
        order.call("appendShippingInfo", body, capture=0)
    order.ship(*[{"tracking_number": str(number)} for number in range(500)])
    order.ship({"tracking_number": "last"})


@scenario("sending out")
def sending_out(stage: Stage) -> None:
    order = new_order(stage)
    order.call("triggerSendOut", capture=stage.new_id())
    order.capture(order.remaining // 2)
    order.call("triggerSendOut", capture=0)
    order.call("triggerSendOut", capture=0)
    order.capture(order.remaining // 2)
    order.call("triggerSendOut", capture=0)
    order.release()
    order.refund(order.refundable)
    order.call("triggerSendOut", capture=0)
    order.call("triggerSendOut", capture=1)
    order.look_around()


@scenario("due dates")
def due_dates(stage: Stage) -> None:
    order = new_order(stage)
    order.call("getOptionsForExtendDueDate", capture=stage.new_id())
    order.extend_due_date(30, capture=stage.new_id())
    order.capture(order.remaining // 2)
    order.capture(order.remaining)
    offered = order.offered_days(0)
    not_offered = next(days for days in range(1, 1_000) if days not in offered)
    for days in (not_offered, 0, -1):
        order.extend_due_date(days)
    if offered:
        order.extend_due_date(offered[-1])
    order.offered_days(0)
    again = order.offered_days(1)
    if again:
        order.extend_due_date(again[0], capture=1)
    order.look_around()
