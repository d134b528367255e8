"""Scripted sequences that put every rule of an order's life to the test on purpose."""

from orderproof.drivers.scenarios import (  # noqa: F401  each module registers its scenarios when it is imported
    alike,
    authorizations,
    cancellations,
    captures,
    customers,
    expiry,
    orders,
    refunds,
    releases,
    shipping,
    volume,
)
