"""One ordinary call of each of the 18 operations, for drivers that bend the credentials, the ids or the key of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderproof import operations
from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import line
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.stage import Stage
from orderproof.exchange import ABSENT

SHIPMENT: Mapping[str, str] = {"shipping_company": "Post", "shipping_method": "Home", "tracking_number": "1"}
_SOME_DAYS = 30


@dataclass(frozen=True)
class Subjects:
    """Two orders that together take every call: `captured` has a capture and a refund, `fresh` has neither."""

    captured: OrderHandle
    fresh: OrderHandle

    def order_for(self, operation: str) -> OrderHandle:
        """The order that takes a call of the operation."""
        return self.fresh if operation in ("cancelOrder", "acknowledgeOrder") else self.captured

    def read(self) -> None:
        """Read both orders."""
        self.captured.read()
        self.fresh.read()


def subjects(stage: Stage) -> Subjects:
    """Get two orders, capture a part of the first, refund a part of that, and read what due dates it offers."""
    captured, fresh = new_order(stage), new_order(stage)
    captured.capture(captured.remaining // 2)
    captured.refund(captured.refundable // 2)
    captured.offered_days()
    return Subjects(captured, fresh)


def reads() -> list[str]:
    """The ids of the operations that read."""
    return [name for name, operation in operations.OPERATIONS.items() if not operation.writes]


def writes() -> list[str]:
    """The ids of the operations that write, in an order in which one leaves the next possible."""
    last = ["releaseRemainingAuthorization", "cancelOrder"]
    return [name for name, known in operations.OPERATIONS.items() if known.writes and name not in last] + last


def ordinary(operation: str, order: OrderHandle) -> Command:
    """A call of an operation that the order takes, as far as the contract goes; its body names small amounts."""
    known = operations.OPERATIONS[operation]
    body = _BODIES.get(operation)
    return Command(
        operation,
        order.position,
        capture=0 if "capture_id" in known.parameters else None,
        refund=0 if "refund_id" in known.parameters else None,
        body=ABSENT if body is None else body(order),
    )


def _update(order: OrderHandle) -> dict[str, Any]:
    amount = max(order.amount - 1, 0)
    return {"order_amount": amount, "order_lines": [line(amount)]}


def _days(order: OrderHandle) -> int:
    captures = order.seat.captures
    offered = order.state.options.get(captures[0], ()) if captures else ()
    return offered[0] if offered else _SOME_DAYS


_BODIES: Mapping[str, Callable[[OrderHandle], Any]] = {
    "captureOrder": lambda order: {"captured_amount": 1, "order_lines": [line(1)], "reference": "part"},
    "refundOrder": lambda order: {"refunded_amount": 1, "description": "One came back"},
    "updateAuthorization": _update,
    "updateConsumerDetails": lambda order: {"shipping_address": {"given_name": "Another"}},
    "updateMerchantReferences": lambda order: {"merchant_reference1": "another"},
    "appendOrderShippingInfo": lambda order: {"shipping_info": [SHIPMENT]},
    "appendShippingInfo": lambda order: {"shipping_info": [SHIPMENT]},
    "extendDueDate": lambda order: {"number_of_days": _days(order)},
}
