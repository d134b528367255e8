"""Orders on which an operation is taken again and again, each time with a body of every field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from orderproof import operations
from orderproof.drivers.commands import Command
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.stage import Stage
from orderproof.exchange import Exchange
from orderproof.strategies.specimens import full_body

STEP = 2
"""What a body captures, refunds or takes off the order: one minor unit for each of its two lines."""

MOST_CALLS = 25
"""How many calls one order has to take: 30 captures and 30 refunds is what every server must allow."""

_AMOUNT = 10_000
_SOME_DAYS = 30


@dataclass(frozen=True)
class Ground:
    """An order that takes an operation. `proven`: it took the call with a valid body of every field."""

    order: OrderHandle
    operation: str
    proven: bool = False

    def body(self, *, sign: str = "B", full_length: bool = False) -> dict[str, Any]:
        """A valid body with every field of its schema, for the order as it is; `sign` is its text."""
        amount = max(self.order.amount - STEP, 0) if self.operation == "updateAuthorization" else STEP
        return full_body(
            component(self.operation), amount=amount, days=self._days, sign=sign, full_length=full_length
        )

    @property
    def _days(self) -> int:
        captures = self.order.seat.captures
        offered = self.order.state.options.get(captures[0], ()) if captures else ()
        return offered[0] if offered else _SOME_DAYS

    def call(self, **fields: Any) -> Exchange | None:
        """Make a call of the operation on the order; `fields` are those of a command."""
        on_capture = "capture_id" in operations.OPERATIONS[self.operation].parameters
        command = Command(self.operation, self.order.position, capture=0 if on_capture else None, **fields)
        return self.order.stage.perform(command)


def component(operation: str) -> str:
    """The name of the schema of an operation's body."""
    return operations.OPERATIONS[operation].request_schema or ""


def with_bodies() -> list[str]:
    """The ids of the operations that take a body."""
    return [name for name in operations.OPERATIONS if component(name)]


def was_taken(exchange: Exchange | None) -> bool:
    """Say whether a call was answered with a success."""
    return exchange is not None and exchange.status is not None and exchange.status < 300


def lay(stage: Stage, operation: str) -> Ground:
    """Get an order, bring it to where it takes the operation, and make the call once."""
    order = new_order(stage, _AMOUNT)
    if operation in _PREPARATIONS:
        _PREPARATIONS[operation](order)
    ground = Ground(order, operation)
    # In other texts than those to come: what a refused call writes all the same has to show.
    taken = was_taken(ground.call(body=ground.body(sign="A")))
    if operation == "extendDueDate":
        taken = taken and bool(order.offered_days())
    return Ground(order, operation, proven=taken)


def _captured_whole(order: OrderHandle) -> None:
    order.capture(order.remaining)


def _captured_in_part(order: OrderHandle) -> None:
    order.capture(order.remaining // 2)


def _with_due_date(order: OrderHandle) -> None:
    order.capture(order.remaining // 2)
    order.offered_days()


_PREPARATIONS: Mapping[str, Callable[[OrderHandle], None]] = {
    "refundOrder": _captured_whole,
    "appendShippingInfo": _captured_in_part,
    "extendDueDate": _with_due_date,
}
