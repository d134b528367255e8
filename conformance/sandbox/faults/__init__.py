"""Sandboxes that are wrong on purpose, each in one way: what a conformance suite has to find.

`FAULTS` holds them by name, and `FAULTS_ACROSS` those that take several processes or a restart to show; `behaviour_of`
turns a name into the behaviour of a sandbox. Nothing in the sandbox itself knows of them.
"""

from __future__ import annotations

from orderproof.sandbox.faults import (
    across,
    authorizations,
    captures,
    concurrency,
    idempotency,
    mechanical,
    narrow,
    orders,
    refunds,
    shipping,
    wire,
)
from orderproof.sandbox.faults.registry import FAULTS, FAULTS_ACROSS, Fault, behaviour_of, faults_of

__all__ = [
    "FAULTS",
    "FAULTS_ACROSS",
    "Fault",
    "across",
    "authorizations",
    "behaviour_of",
    "captures",
    "concurrency",
    "faults_of",
    "idempotency",
    "mechanical",
    "narrow",
    "orders",
    "refunds",
    "shipping",
    "wire",
]
