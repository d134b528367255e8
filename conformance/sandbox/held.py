"""Answers to reading that need not be written again while the order is the same."""

from __future__ import annotations

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
