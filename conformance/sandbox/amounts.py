"""Reasons to refuse a call because of the amounts and order lines that it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orderproof.sandbox.calls import INVALID, NOT_ALLOWED, Call, Context, Refusal
from orderproof.sandbox.orders import (
    Order,
    captured_amount,
    is_fully_captured,
    refunded_amount,
    remaining_amount,
)

Check = Callable[[Order, Call, Context], Refusal | None]

CAPTURE = "CAPTURE_NOT_ALLOWED"
REFUND = "REFUND_NOT_ALLOWED"

RETURN_FEE_COUNTRIES = frozenset(
    ("AT", "AU", "CZ", "DE", "DK", "ES", "FI", "FR", "GR", "IE", "IT", "NL", "NO", "PT", "SE")
)


def open_refusal(choice: str, code: str, message: str) -> Refusal | None:
    """Return the refusal that a choice such as `403` or `422` asks for, or None for `taken` and `ignored`."""
    if not choice.isdigit():
        return None
    return Refusal(int(choice), code if choice == "403" else INVALID, message)


def within_remaining(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse to capture more than what remains authorized."""
    amount, left = call.body["captured_amount"], remaining_amount(order)
    if amount <= left:
        return None
    return Refusal(
        403, CAPTURE, f"Cannot capture {amount}: {left} remains authorized on order {order.order_id}."
    )


def capture_of_nothing(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse to capture 0, where the sandbox is told to."""
    if call.body["captured_amount"] > 0:
        return None
    return open_refusal(context.open.capture_zero, CAPTURE, "captured_amount: there is nothing to capture.")


def shipping_delay(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse delayed shipping, where the sandbox is told to."""
    if not call.body.get("shipping_delay"):
        return None
    message = "shipping_delay: delayed shipping is not enabled for this account."
    return open_refusal(context.open.shipping_delay, CAPTURE, message)


def within_captured(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse to refund more than what was captured and not yet refunded."""
    amount, left = call.body["refunded_amount"], captured_amount(order) - refunded_amount(order)
    if amount <= left:
        return None
    message = f"Cannot refund {amount}: {left} is captured and not yet refunded on order {order.order_id}."
    return Refusal(403, REFUND, message)


def refund_of_nothing(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse to refund 0, where the sandbox is told to."""
    if call.body["refunded_amount"] > 0:
        return None
    return open_refusal(context.open.refund_zero, REFUND, "refunded_amount: there is nothing to refund.")


def return_fee(order: Order, call: Call, context: Context) -> Refusal | None:
    """Hold a refund with a return fee to the conditions of "Refund orders and manage authorizations"."""
    lines = call.body.get("order_lines", ())
    if not any(line.get("type") == "return_fee" for line in lines):
        return None
    if order.purchase_country.upper() not in RETURN_FEE_COUNTRIES:
        return Refusal(403, REFUND, f"A return fee is not possible in {order.purchase_country.upper()}.")
    if order.released or len(order.captures) != 1 or not is_fully_captured(order):
        return Refusal(403, REFUND, "A return fee needs an order that was captured whole in one capture.")
    if _sum_of(lines) != call.body["refunded_amount"]:
        return Refusal(403, REFUND, "With a return fee the order lines must sum to refunded_amount.")
    return None


def not_below_captured(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse an order amount below what is captured."""
    amount, captured = call.body["order_amount"], captured_amount(order)
    if amount >= captured:
        return None
    return Refusal(
        403, NOT_ALLOWED, f"order_amount {amount} is below the {captured} captured on {order.order_id}."
    )


def increase(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse a higher order amount, where the sandbox is told that the risk check says no."""
    if context.open.increase == "taken" or call.body["order_amount"] <= order.order_amount:
        return None
    return Refusal(403, NOT_ALLOWED, "The higher order amount was not approved.")


def same_amount(order: Order, call: Call, context: Context) -> Refusal | None:
    """Refuse the order amount that is there already, where the sandbox is told to."""
    if context.open.same_amount == "taken" or call.body["order_amount"] != order.order_amount:
        return None
    return Refusal(403, NOT_ALLOWED, f"The order amount is {order.order_amount} already.")


def lines_add_up(code: str, amount: str) -> Check:
    """Return the check that the lines hold and sum to a field, where the sandbox is told to ask."""

    def check(order: Order, call: Call, context: Context) -> Refusal | None:
        lines = call.body.get("order_lines", ())
        if not lines or (all(map(_line_holds, lines)) and _sum_of(lines) == call.body[amount]):
            return None
        return open_refusal(
            context.open.line_arithmetic, code, f"order_lines: they do not add up to {amount}."
        )

    return check


def _sum_of(lines: Iterable[Mapping[str, Any]]) -> int:
    return sum(line["total_amount"] for line in lines)


def _line_holds(line: Mapping[str, Any]) -> bool:
    total, discount = line["total_amount"], line.get("total_discount_amount", 0)
    if total != line["quantity"] * line["unit_price"] - discount:
        return False
    if "tax_rate" not in line or "total_tax_amount" not in line:
        return True
    rate, tax = line["tax_rate"], line["total_tax_amount"]
    # tax = total - total * 10000 / (10000 + rate), give or take 1, multiplied out to stay in integers
    return bool(abs(tax * (10000 + rate) - total * rate) <= 10000 + rate)
