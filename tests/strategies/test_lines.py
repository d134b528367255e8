"""Order lines: that they hold, sum, carry the right signs and tax, and shrink to one plain line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from orderproof.strategies import order_lines, schema
from orderproof.strategies.arithmetic import NEGATIVE_TYPES, balanced, settled, tax_of, tax_within
from tests.strategies.drawing import (
    assert_line_holds,
    assert_lines_hold,
    assert_valid,
    check_each,
    drawn_from,
    minimal,
    schema_errors,
)

HIGHEST = schema.largest("OrderLine.unit_price")
MOST = schema.most("CaptureRequest.order_lines")
Lines = list[dict[str, Any]]


def assert_sound(lines: Lines, total: int) -> None:
    assert_lines_hold(lines, total)
    assert_valid("CaptureRequest", {"captured_amount": total, "order_lines": lines})
    assert tax_of(lines) >= 0
    for line in lines:
        assert (line["unit_price"] < 0) == (line.get("type") in NEGATIVE_TYPES)


@pytest.mark.parametrize("total", [0, 1, 7, 12345, HIGHEST])
def test_lines_hold_and_sum_to_any_total(total: int) -> None:
    check_each(order_lines(total=total), lambda lines: assert_sound(lines, total), count=200)


@pytest.mark.parametrize("total", [0, 3, 12345, HIGHEST])
def test_lines_of_the_united_states_leave_tax_to_one_line(total: int) -> None:
    def check(lines: Lines) -> None:
        assert_sound(lines, total)
        assert ["sales_tax"] == [line["type"] for line in lines if line.get("type") == "sales_tax"]
        assert not any("tax_rate" in line or "total_tax_amount" in line for line in lines)
        assert lines[-1]["total_amount"] == tax_of(lines)

    check_each(order_lines(total=total, country="US"), check, count=100)


@pytest.mark.parametrize("fee", [1, 500])
def test_a_return_fee_is_taken_off_in_one_line(fee: int) -> None:
    def check(lines: Lines) -> None:
        assert_sound(lines, 1000)
        assert [-fee] == [line["total_amount"] for line in lines if line.get("type") == "return_fee"]

    check_each(order_lines(total=1000, return_fee=fee), check, count=100)


@pytest.mark.parametrize(
    ("low", "high", "country"),
    [(1, 1, None), (2, 2, "US"), (3, 3, None), (7, 9, "US"), (20, 30, None), (MOST, MOST, None)],
)
def test_lists_have_the_size_that_is_asked_for(low: int, high: int, country: str | None) -> None:
    def check(lines: Lines) -> None:
        assert low <= len(lines) <= high
        assert_sound(lines, 999)

    check_each(order_lines(total=999, min_size=low, max_size=high, country=country), check, count=40)


def test_lines_are_of_many_kinds() -> None:
    lines = [line for drawn in drawn_from(order_lines(total=10000), count=400) for line in drawn]
    kinds = {line.get("type") for line in lines}
    assert {None, *schema.members("OrderLine.type")} - {"sales_tax", "return_fee"} == kinds
    assert set(schema.component("OrderLine")["properties"]) == {name for line in lines for name in line}
    assert set(schema.component("ProductIdentifiers")["properties"]) == {
        name for line in lines for name in line.get("product_identifiers", {})
    }
    assert any(line.get("total_discount_amount", 0) > 0 for line in lines)
    assert any(line["quantity"] > 1 for line in lines)
    assert any(line.get("total_tax_amount", 0) < 0 for line in lines)


def test_lines_shrink_to_what_a_person_would_write() -> None:
    lines = order_lines(total=10000)
    plain = {"name": "A", "quantity": 1, "unit_price": 10000, "total_amount": 10000}
    assert [plain] == minimal(lines)
    assert [{**plain, "tax_rate": 2500, "total_tax_amount": 2000}] == minimal(
        lines, lambda drawn: any(line.get("tax_rate") for line in drawn)
    )
    assert [{**plain, "quantity": 2, "unit_price": 5000}] == minimal(
        lines, lambda drawn: any(line["quantity"] > 1 for line in drawn)
    )
    discount = {"type": "discount", "name": "A", "quantity": 1, "unit_price": -1, "total_amount": -1}
    assert [{**plain, "unit_price": 10001, "total_amount": 10001}, discount] == minimal(
        lines, lambda drawn: any(line["unit_price"] < 0 for line in drawn)
    )


@pytest.mark.parametrize(
    ("total", "rate", "tax"),
    [
        (10000, 2500, 2000),
        (100, 700, 7),
        (1, 10000, 1),
        (-100, 2500, -20),
        (0, 2500, 0),
        (333, 0, 0),
        (50, -1, 0),
    ],
)
def test_tax_is_what_the_total_contains(total: int, rate: int, tax: int) -> None:
    assert tax == tax_within(total, rate)


def test_rounding_up_and_down_stay_within_one() -> None:
    numbers = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**5))

    def check(pair: tuple[int, int]) -> None:
        total, rate = pair
        down, half, up = (tax_within(total, rate, how) for how in ("down", "half up", "up"))
        assert down <= half <= up <= down + 1
        assert abs(half * (10000 + rate) - total * rate) * 2 <= 10000 + rate

    check_each(numbers, check, count=300)


@pytest.mark.parametrize(
    "field", ["quantity", "unit_price", "total_discount_amount", "total_amount", "total_tax_amount"]
)
def test_a_settled_line_holds_around_its_new_number(field: str) -> None:
    bounds = schema.field(f"OrderLine.{field}")
    numbers = st.integers(bounds.get("minimum", -HIGHEST) - 1, bounds.get("maximum", 10**6) + 1)
    lines = order_lines(total=5000, min_size=1, max_size=1)

    def check(pair: tuple[Lines, int]) -> None:
        (line,), number = pair
        changed = settled(line, field, number)
        assert number == changed[field]
        assert_line_holds(changed)
        assert {("order_lines", 0, field)} >= set(
            schema_errors("RefundRequest", {"refunded_amount": 1, "order_lines": [changed]})
        )
        assert 5000 == sum(each["total_amount"] for each in balanced([changed], 5000, keep=0))

    check_each(st.tuples(lines, numbers), check, count=100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: order_lines(total=-1), "total=-1 is below 0"),
        (lambda: order_lines(total=HIGHEST + 1), f"total={HIGHEST + 1} is above {HIGHEST}"),
        (lambda: order_lines(total=1, min_size=3, max_size=2), "min_size=3 is above 2"),
        (lambda: order_lines(total=1, max_size=MOST + 1), f"max_size={MOST + 1} is above {MOST}"),
        (lambda: order_lines(total=1, max_size=1, country="US"), "max_size=1 is below 2"),
        (lambda: order_lines(total=HIGHEST, return_fee=1), "return_fee=1 is above 0"),
        (lambda: order_lines(total=1, country="XX"), "country='XX' is none of"),
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
