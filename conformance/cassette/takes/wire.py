"""What every operation refuses: credentials, ids, bodies."""

from __future__ import annotations

from orderproof import operations
from orderproof.cassette.takes.registry import take
from orderproof.cassette.takes.shipping import SHIPMENT
from orderproof.drivers.authorization import KINDS
from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import line
from orderproof.drivers.handle import new_order
from orderproof.drivers.stage import Stage
from orderproof.exchange import ABSENT

_INVENTED = frozenset({"invented-order"})


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
    "ShippingInfoAppend": {"shipping_info": [SHIPMENT]},
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
    order.ship(SHIPMENT)
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
