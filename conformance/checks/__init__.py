"""The checks: pure functions from histories to marks, one module for each file of the rule catalogue."""

from orderproof.checks import (  # noqa: F401  each module registers its checks when it is imported
    authorizations,
    captures,
    clients,
    concurrency,
    customers,
    idempotency,
    orders,
    refunds,
    shipping,
    wire,
)
