"""Amounts: their bounds, the values beside a boundary, and what they shrink to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import amounts, boundary_amounts, schema
from orderproof.strategies.amounts import amounts_within
from tests.strategies.drawing import drawn_from, minimal

HIGHEST = schema.largest("CaptureRequest.captured_amount")


def test_amounts_are_those_that_the_document_allows() -> None:
    drawn = drawn_from(amounts(), count=1000)
    assert (0, HIGHEST) == (min(drawn), max(drawn))
    assert len(set(drawn)) > 200


@pytest.mark.parametrize(("low", "high"), [(0, 0), (3, 4), (10, 1000), (HIGHEST - 1, HIGHEST)])
def test_amounts_keep_the_bounds_that_are_asked_for(low: int, high: int) -> None:
    drawn = drawn_from(amounts(min_value=low, max_value=high), count=100)
    assert (low, high) == (min(drawn), max(drawn))


def test_boundary_amounts_are_the_three_beside_it_within_the_bounds() -> None:
    assert {99, 100, 101} == set(drawn_from(boundary_amounts(near=100)))
    assert {0, 1} == set(drawn_from(boundary_amounts(near=0)))
    assert {HIGHEST - 1, HIGHEST} == set(drawn_from(boundary_amounts(near=HIGHEST)))
    assert {5} == set(drawn_from(boundary_amounts(near=4, min_value=5, max_value=9)))


@pytest.mark.parametrize(
    ("size", "low", "high"), [("any", 1, 70), ("part", 1, 69), ("whole", 70, 70), ("over", 71, HIGHEST)]
)
def test_sizes_say_how_much_of_a_limit_is_taken(size: str, low: int, high: int) -> None:
    drawn = drawn_from(amounts_within(limit=70, size=size), count=300)  # type: ignore[arg-type]
    assert (low, high) == (min(drawn), max(drawn))


def test_amounts_shrink_to_the_smallest() -> None:
    assert 0 == minimal(amounts())
    assert 1 == minimal(amounts_within(limit=500))
    assert 501 == minimal(amounts_within(limit=500, size="over"))
    assert 100 == minimal(boundary_amounts(near=100))
    assert 345 == minimal(amounts(), lambda amount: amount >= 345)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: amounts(min_value=5, max_value=3), "max_value=3 is below 5"),
        (lambda: amounts(max_value=1.5), "max_value=1.5 is not an integer"),  # type: ignore[arg-type]
        (lambda: boundary_amounts(near=12, max_value=10), "near=12 is above 11"),
        (lambda: boundary_amounts(near="R"), "near='R' is not an integer"),  # type: ignore[arg-type]
        (lambda: amounts_within(limit=0), "no amount is size='any' of limit=0"),
        (lambda: amounts_within(limit=1, size="part"), "no amount is size='part' of limit=1"),
        (lambda: amounts_within(limit=HIGHEST, size="over"), f"size='over' of limit={HIGHEST}"),
        (lambda: amounts_within(limit=9, size="half"), "size='half' is none of"),  # type: ignore[arg-type]
    ],
)
def test_misuse_is_refused_at_once(call: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
