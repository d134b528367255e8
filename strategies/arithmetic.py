"""The arithmetic of order lines: totals, tax, and lines that sum to an amount.

All amounts are integers in minor units. A line holds when its total is quantity times unit price less the
discount, and its tax is within one unit of a - a * 10000 / (10000 + t), a being the total and t the rate
in hundredths of a per cent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from orderproof.strategies import schema

Line = dict[str, Any]
Rounding = Literal["half up", "up", "down"]

RETURN_FEE = "return_fee"
NEGATIVE_TYPES = ("discount", "gift_card", "store_credit", RETURN_FEE)
SALES_TAX = "sales_tax"
# The largest integer that every JSON implementation keeps exact (RFC 8259, 6).
LARGEST_INTEGER = 2**53
FIELDS = ("quantity", "unit_price", "total_discount_amount", "tax_rate", "total_amount", "total_tax_amount")


def tax_within(total: int, rate: int, rounding: Rounding = "half up") -> int:
    """Return the tax that is contained in a total, rounded to a whole unit."""
    whole, rest = divmod(total * rate, 10000 + rate)
    if rounding == "half up":
        return whole + (2 * rest >= 10000 + rate)
    return whole + (rounding == "up" and rest > 0)


def total_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """Return the sum of the totals of some lines."""
    return sum(line["total_amount"] for line in lines)


def tax_of(lines: Sequence[Mapping[str, Any]]) -> int:
    """Return the tax of an order of these lines: that within each, and the whole of a sales-tax line."""
    return sum(
        line["total_amount"] if line.get("type") == SALES_TAX else line.get("total_tax_amount", 0)
        for line in lines
    )


def plain_line(total: int) -> Line:
    """Return the plainest line that comes to a total: one piece named "A", a discount when negative."""
    line: Line = {"name": "A", "quantity": 1, "unit_price": total, "total_amount": total}
    return {"type": "discount", **line} if total < 0 else line


def settled(line: Mapping[str, Any], field: str, value: int) -> Line:
    """Return the line with another value in one of `FIELDS`, the others moved so that it still holds.

    The others stay within the bounds of the OpenAPI document. The total may come out different:
    `balanced` makes up for it in the other lines.
    """
    numbers = {"quantity": 1, "total_discount_amount": 0, **{key: line[key] for key in FIELDS if key in line}}
    numbers |= _solution(numbers, field, value)
    if field == "total_tax_amount":
        numbers.pop("tax_rate", None)
    elif "tax_rate" in numbers:
        numbers["total_tax_amount"] = tax_within(numbers["total_amount"], numbers["tax_rate"])
    else:
        numbers.pop("total_tax_amount", None)
    rest = {key: content for key, content in line.items() if key not in FIELDS}
    if numbers["total_amount"] >= 0 and rest.get("type") in (*NEGATIVE_TYPES, SALES_TAX):
        del rest["type"]
    return rest | numbers


def balanced(lines: Sequence[Line], total: int, *, keep: int) -> list[Line]:
    """Return the lines with plain ones added to sum to a total; the line at `keep` stays where it is.

    Where that would make more lines than the OpenAPI document allows, those behind it are left out first.
    """
    limit, most = schema.largest(schema.PRICE), schema.most("CaptureRequest.order_lines")
    kept = [*lines] if len(lines) < most else [*lines[: keep + 1]]
    missing = total - total_of(kept)
    while missing:
        part = min(missing, limit)
        kept.append(plain_line(part))
        missing -= part
    return kept


def _solution(line: Mapping[str, int], field: str, value: int) -> dict[str, int]:
    """Return the numbers of a line in which one is given and the total stays where it was, if it can."""
    limit, total = schema.largest(schema.PRICE), max(line["total_amount"], 1)
    if field == "quantity":
        return _numbers(value, 0, 0)
    if field == "unit_price":
        return _numbers(1, value, min(max(value - total, 0), limit))
    if field == "total_discount_amount":
        pieces, price = _divided(min(total, limit // 2) + value, limit)
        return _numbers(pieces, price, value)
    if field == "tax_rate":
        return {field: value}
    total = value if field == "total_amount" else min(value, limit)
    pieces, price = _divided(total, limit)
    return {field: value} | _numbers(pieces, price, pieces * price - total)


def _divided(amount: int, limit: int) -> tuple[int, int]:
    """Return a quantity and a price within the limit that come to an amount, or to one more."""
    return (1, amount) if amount <= limit else (2, -(-amount // 2))


def _numbers(quantity: int, price: int, discount: int) -> dict[str, int]:
    return {
        "quantity": quantity,
        "unit_price": price,
        "total_discount_amount": discount,
        "total_amount": quantity * price - discount,
    }
