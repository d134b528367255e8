"""Ways to draw from a strategy in a test, and the two judges of what was drawn: the schema and the arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import jsonschema_rs
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.strategies import SearchStrategy

from orderproof import spec

T = TypeVar("T")

# Everything is said here, because the environment variable CI changes Hypothesis's defaults. Filtering too much still
# fails a test: values are to be valid by construction.
_SETTINGS = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def check_each(strategy: SearchStrategy[T], check: Callable[[T], None], *, count: int = 1000) -> None:
    """Draw `count` values, or all there are, and check each."""
    drawn = 0

    @settings(_SETTINGS, max_examples=count)
    @given(strategy)
    def run(value: T) -> None:
        nonlocal drawn
        drawn += 1
        check(value)

    run()
    assert drawn > 0


def minimal(strategy: SearchStrategy[T], condition: Callable[[T], object] = lambda value: True) -> T:
    """Return what a value shrinks to while a condition holds."""
    return find(
        strategy, lambda value: bool(condition(value)), settings=settings(_SETTINGS, max_examples=5000)
    )


def drawn_from(strategy: SearchStrategy[T], *, count: int = 200) -> list[T]:
    """Return `count` values, or all there are."""
    values: list[T] = []
    check_each(strategy, values.append, count=count)
    return values


@cache
def _validator(component: str) -> Any:
    components = spec.openapi()["components"]
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{component}", "components": components}
    )


def schema_errors(component: str, body: Any) -> list[tuple[str | int, ...]]:
    """Return the paths at which a body breaks its schema, each once."""
    return list(
        dict.fromkeys(tuple(error.instance_path) for error in _validator(component).iter_errors(body))
    )


def assert_valid(component: str, body: Any) -> None:
    """Fail unless a body keeps its schema."""
    assert [] == [error.message for error in _validator(component).iter_errors(body)]


def assert_line_holds(line: Mapping[str, Any]) -> None:
    """Fail unless total and tax of a line follow from its other numbers."""
    total = line["total_amount"]
    assert total == line["quantity"] * line["unit_price"] - line.get("total_discount_amount", 0)
    if "tax_rate" in line:
        exact = total - total * 10000 / (10000 + line["tax_rate"])
        assert abs(line["total_tax_amount"] - exact) <= 1


def assert_lines_hold(lines: Sequence[Mapping[str, Any]], total: int) -> None:
    """Fail unless every line holds and together they sum to a total."""
    for line in lines:
        assert_line_holds(line)
    assert total == sum(line["total_amount"] for line in lines)


def assert_sound(component: str, amount: str, body: Mapping[str, Any]) -> None:
    """Fail unless a body keeps its schema and its lines, if it has any, hold and sum to the amount."""
    assert_valid(component, body)
    if "order_lines" in body:
        assert_lines_hold(body["order_lines"], body[amount])
