"""Answers and orders that need not be made again while the order is the same."""

from __future__ import annotations

from collections import OrderedDict

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.orders import Order

MOST = 1024


class HeldAnswers:
    """Holds the answers for the orders that were read last.

    An order is a value: while it is the same one, and time has not changed how it reads, so is the answer.
    """

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Order, float, Answer]] = {}

    def answer(self, order: Order, now: int) -> Answer | None:
        """Return the answer held for exactly this value of an order, or None."""
        held = self._answers.get(order.order_id)
        return held[2] if held is not None and held[0] is order and now < held[1] else None

    def hold(self, order: Order, until: float, answer: Answer) -> None:
        """Hold the answer for this value of an order until a time in milliseconds."""
        self._answers.pop(order.order_id, None)
        self._answers[order.order_id] = (order, until, answer)
        if len(self._answers) > MOST:
            del self._answers[next(iter(self._answers))]


class HeldOrders:
    """Holds the orders that were read last from a database, each with the version that it has there."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, tuple[int, Order]] = OrderedDict()

    def version(self, order_id: str) -> int:
        """Return the version of an order that is held; 0, which no version is, when there is none."""
        return self._orders[order_id][0] if order_id in self._orders else 0

    def order(self, order_id: str) -> Order:
        """Return an order that is held."""
        return self._orders[order_id][1]

    def hold(self, version: int, order: Order) -> Order:
        """Hold a version of an order, and return the order."""
        self._orders[order.order_id] = (version, order)
        self._orders.move_to_end(order.order_id)
        if len(self._orders) > MOST:
            self._orders.popitem(last=False)
        return order
