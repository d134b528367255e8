"""The standard scenarios that are recorded: one for each cassette of the shelf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orderproof import operations
from orderproof.drivers.authorization import KINDS
from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import address, line, lines
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.stage import Stage
from orderproof.exchange import ABSENT
from orderproof.model.values import instant

_DAY = 86_400.0
_INVENTED = frozenset({"invented-order"})
_SHIPMENT = {"shipping_company": "Post", "shipping_method": "Home", "tracking_number": "1234567890"}
_RETURN = {"return_shipping_company": "Post", "return_tracking_number": "9876543210"}


@dataclass(frozen=True, slots=True)
class Take:
    """A script for one cassette. `name` is its place on the shelf, an area of the rules and a word.

    `probes` says that it has requests that no client should send: they are there to be refused. `needs` names the
    capability of the target without which it cannot be played.
    """

    name: str
    title: str
    play: Callable[[Stage], None]
    probes: bool = False
    needs: str | None = None


TAKES: list[Take] = []

_Play = Callable[[Stage], None]


def take(
    name: str, title: str, *, probes: bool = False, needs: str | None = None
) -> Callable[[_Play], _Play]:
    """Register a script under its place on the shelf."""

    def register(play: _Play) -> _Play:
        TAKES.append(Take(name, title, play, probes, needs))
        return play

    return register


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
    order.ship({**_SHIPMENT, "tracking_uri": "https://tracking.example.com/1"})
    order.capture(order.remaining // 2, shipping_info=[_SHIPMENT])
    order.ship(_RETURN, {"tracking_number": "3"}, capture=0)
    order.ship({"tracking_number": "4", "shipping_method": "PickUpPoint"}, capture=0)
    order.ship({"tracking_number": "5"})
    order.call("triggerSendOut", capture=0)
    order.look_around()


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
    full = _captured(stage)
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


@take("customers/address-and-references", "address and references change, field by field")
def _address_and_references(stage: Stage) -> None:
    order = new_order(stage)
    order.change_address({"given_name": "Anna", "phone": "+46700000001"})
    order.change_address(address(street_address="Andragatan 2", postal_code="411 03", city="Göteborg"))
    order.change_address({"phone": ""})
    order.change_references(merchant_reference1="first")
    order.change_references(merchant_reference2="second")
    order.change_references(merchant_reference1="")
    order.capture(order.remaining // 2)
    order.change_references(merchant_reference1="after-capture")
    order.change_address({"family_name": "Andersson"})
    order.look_around()


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
    order.ship(_SHIPMENT, capture=capture)
    order.call("triggerSendOut", capture=capture)
    order.call("getOptionsForExtendDueDate", capture=capture)
    order.extend_due_date(30, capture=capture)


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


@take(
    "wire/credentials",
    "every operation without credentials, and some with wrong ones of each kind",
    probes=True,
)
def _credentials(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(order.remaining // 2)
    order.refund(order.refundable // 2)
    for operation in operations.OPERATIONS.values():
        body = _BODIES[operation.request_schema] if operation.request_schema else ABSENT
        order.call(operation.id, body, capture=0, refund=0, credentials="none", read=False)
    order.read()
    for kind in KINDS:
        order.call("getOrder", credentials=kind)
        order.call("captureOrder", {"captured_amount": 1}, credentials=kind, read=False)
    order.read()
    order.call("captureOrder", {"captured_amount": "1"}, credentials="none")
    stage.perform(Command("getOrder", order_id=stage.new_id(), facts=_INVENTED, credentials="none"))


@take("wire/unknown-orders", "every operation on an order that does not exist, and ids that are none")
def _unknown_orders(stage: Stage) -> None:
    unknown = stage.new_id()
    for operation in operations.OPERATIONS.values():
        stage.perform(
            Command(
                operation.id,
                order_id=unknown,
                capture=stage.new_id(),
                refund=stage.new_id(),
                body=_BODIES[operation.request_schema] if operation.request_schema else ABSENT,
                facts=_INVENTED,
                read=False,
            )
        )
    for order_id in ("no-such-order", "1"):
        stage.perform(Command("getOrder", order_id=order_id, facts=_INVENTED))


_BODIES = {
    "CaptureRequest": {"captured_amount": 1},
    "RefundRequest": {"refunded_amount": 1},
    "AuthorizationUpdate": {"order_amount": 1},
    "CustomerDetailsUpdate": {"shipping_address": {"given_name": "Nobody"}},
    "MerchantReferencesUpdate": {"merchant_reference1": "none"},
    "ShippingInfoAppend": {"shipping_info": [_SHIPMENT]},
    "DueDateExtension": {"number_of_days": 14},
}


@take(
    "wire/invalid-bodies", "bodies outside the schema or no JSON, and a method that a path lacks", probes=True
)
def _invalid_bodies(stage: Stage) -> None:
    order = new_order(stage)
    order.capture(100)
    order.refund(50)
    order.update(order.amount - 1)
    order.change_address({"given_name": "Anna"})
    order.change_references(merchant_reference1="first")
    order.ship(_SHIPMENT)
    for operation, body in _INVALID:
        order.call(operation, body, facts=_TWIN)
    order.call("captureOrder", content=b'{"captured_amount": 100', facts=_TWIN)
    order.call("captureOrder", facts=_TWIN)
    order.call("captureOrder", content=b"captured_amount=100", content_type="text/plain", facts=_TWIN)
    order.call("getOrder", method="DELETE")


_TWIN = frozenset({"twin-taken"})
_INVALID: tuple[tuple[str, object], ...] = (
    ("captureOrder", {}),
    ("captureOrder", {"captured_amount": "100"}),
    ("captureOrder", {"captured_amount": 100.5}),
    ("captureOrder", {"captured_amount": -1}),
    ("captureOrder", {"captured_amount": 200_000_001}),
    ("captureOrder", {"captured_amount": 100, "reference": "r" * 256}),
    ("captureOrder", {"captured_amount": 100, "order_lines": [{**line(100), "type": "thing"}]}),
    ("captureOrder", [{"captured_amount": 100}]),
    ("refundOrder", {"refunded_amount": None}),
    ("updateAuthorization", {"order_amount": True}),
    ("updateConsumerDetails", {"shipping_address": "Testgatan 1"}),
    ("updateMerchantReferences", {"merchant_reference1": "r" * 256}),
    ("appendOrderShippingInfo", {"shipping_info": []}),
    ("appendOrderShippingInfo", {"shipping_info": [{"shipping_method": "Homer"}]}),
)
