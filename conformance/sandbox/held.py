"""Answers that are made once for each value of an order."""

from __future__ import annotations

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.orders import Order


class HeldAnswers:
    """Holds the answer that reads an order, one for each.

    An order is a value: while it is the same one, and time has not changed how it reads, so is the answer.
    """

    def __init__(self) -> None:
        self._answers: dict[str, tuple[Order, float, Answer]] = {}

    def answer(self, order: Order, now: int) -> Answer | None:
        """Return the answer held for exactly this value of an order, or None."""
        held = self._answers.get(order.order_id)
        return held[2] if held is not None and held[0] is order and now < held[1] else None

    def hold(self, order: Order, until: float, answer: Answer) -> Answer:
        """Hold the answer for this value of an order until a time in milliseconds, and return it."""
        self._answers[order.order_id] = (order, until, answer)
        return answer
