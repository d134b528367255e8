"""Idempotency keys: which calls share an answer, which answers a key holds, and for how long."""

from __future__ import annotations

from hashlib import sha256

from orderproof.sandbox.calls import Answer, Call
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import DAY

Scope = tuple[str, str, str, str]

LIFETIME = DAY
LONGEST_KEY = 100


def scope_of(call: Call, chosen: Open) -> Scope | None:
    """Return what a key stands for: operation, order, capture and the key itself.

    None for a call without a key.
    """
    if not call.key:
        return None
    key = call.key if len(call.key) <= LONGEST_KEY else f"sha256:{sha256(call.key.encode()).hexdigest()}"
    if chosen.key_scope == "merchant":
        return ("", "", "", key)
    return (call.operation, call.order_id, call.child_id, key)


def is_kept(answer: Answer, chosen: Open) -> bool:
    """Tell whether a key holds this answer: one of a call that was taken, or refused by state."""
    if answer.status in (400, 404, 415, 422):
        return chosen.key_after_invalid == "spent"
    return answer.status < 300 or answer.status == 403
