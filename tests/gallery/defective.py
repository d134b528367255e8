"""Servers with exactly one defect each, by area."""

from tests.gallery import (
    lies_bodies,
    lies_captures,
    lies_orders,
    lies_races,
    lies_reading,
    lies_refunds,
    lies_repeats,
    lies_wire,
)

AREAS = (
    lies_wire,
    lies_bodies,
    lies_reading,
    lies_orders,
    lies_captures,
    lies_refunds,
    lies_repeats,
    lies_races,
)
