"""An order on a stage, with the words that scenarios are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import draft
from orderproof.drivers.stage import Seat, Stage
from orderproof.exchange import ABSENT, Exchange
from orderproof.model.state import State


@dataclass(frozen=True)
class OrderHandle:
    """One order of a sequence. Amounts are in minor units, as the model has them after what was seen so far."""

    stage: Stage
    position: int

    @property
    def seat(self) -> Seat:
        return self.stage.seats[self.position]

    @property
    def state(self) -> State:
        return self.stage.session.state(self.seat.order_id)

    @property
    def amount(self) -> int:
        return self.state.amount("order_amount")

    @property
    def remaining(self) -> int:
        return self.state.remaining

    @property
    def captured(self) -> int:
        return self.state.captured

    @property
    def refundable(self) -> int:
        return self.state.refundable

    def call(self, operation: str, body: Any = ABSENT, **fields: Any) -> Exchange | None:
        """Make any call on the order."""
        return self.stage.perform(Command(operation, self.position, body=body, **fields))

    def read(self) -> None:
        self.call("getOrder")

    def look_around(self) -> None:
        """Read everything that the order has: itself, the list of captures, each capture, each refund."""
        self.read()
        self.call("getCaptures")
        for position in range(len(self.seat.captures)):
            self.call("getCapture", capture=position)
        for position in range(len(self.seat.refunds)):
            self.call("getRefund", refund=position)

    def capture(self, amount: int, **fields: Any) -> None:
        """Capture an amount; `fields` go into the body."""
        self.call("captureOrder", {"captured_amount": amount, **fields})

    def refund(self, amount: int, **fields: Any) -> None:
        """Refund an amount; `fields` go into the body."""
        self.call("refundOrder", {"refunded_amount": amount, **fields})

    def update(self, amount: int, **fields: Any) -> None:
        """Set the order amount; `fields` go into the body."""
        self.call("updateAuthorization", {"order_amount": amount, **fields})

    def change_address(self, address: Mapping[str, Any]) -> None:
        self.call("updateConsumerDetails", {"shipping_address": dict(address)})

    def change_references(self, **references: Any) -> None:
        self.call("updateMerchantReferences", references)

    def acknowledge(self) -> None:
        self.call("acknowledgeOrder")

    def extend(self) -> None:
        self.call("extendAuthorizationTime")

    def release(self) -> None:
        self.call("releaseRemainingAuthorization")

    def cancel(self) -> None:
        self.call("cancelOrder")

    def ship(self, *items: Mapping[str, Any], capture: int | str | None = None) -> None:
        """Append shipping info to the order, or to one of its captures."""
        operation = "appendOrderShippingInfo" if capture is None else "appendShippingInfo"
        self.call(operation, {"shipping_info": list(items)}, capture=capture)

    def offered_days(self, capture: int = 0) -> tuple[int, ...]:
        """Read the due-date options of a capture; returns the numbers of days on offer."""
        self.call("getOptionsForExtendDueDate", capture=capture)
        if capture >= len(self.seat.captures):
            return ()
        return self.state.options.get(self.seat.captures[capture], ())

    def extend_due_date(self, days: int, capture: int | str = 0) -> None:
        self.call("extendDueDate", {"number_of_days": days}, capture=capture)


def new_order(stage: Stage, amount: int = 10_000, **fields: Any) -> OrderHandle:
    """Get a fresh order over an amount. Raises CannotJudge when there is none to be had."""
    return OrderHandle(stage, stage.obtain(draft(amount, **fields)))
