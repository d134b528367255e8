"""The standard scenarios that are recorded, one for each cassette of the shelf; a module for each area of the rules."""

from orderproof.cassette.takes import (  # noqa: F401  each module registers its takes when it is imported
    authorizations,
    captures,
    customers,
    idempotency,
    orders,
    refunds,
    shipping,
    wire,
)
from orderproof.cassette.takes.registry import TAKES, Take

__all__ = ["TAKES", "Take"]
