"""A finding: one rule seen broken, with the exchanges that show it."""

from __future__ import annotations

from dataclasses import dataclass

from orderproof.exchange import Exchange


@dataclass(frozen=True)
class Finding:
    """One rule, what was expected and what came, in which exchange, on which order.

    `trail` are the exchanges of the same scenario up to the deciding one. `follows` names the rule of the finding
    that this one follows from; None for a root cause, which may be due to one of the `suspects`, operations and
    symptoms, should that turn out to break another rule by itself. `symptom` says in general what went wrong, where it
    may break other rules too. `flaky` says how often it failed in how many tries, when it was tried again.
    """

    rule: str
    expected: str
    actual: str
    exchange: Exchange
    operation: str | None
    order_id: str | None
    trail: tuple[Exchange, ...] = ()
    follows: str | None = None
    flaky: tuple[int, int] | None = None
    suspects: tuple[str, ...] = ()
    symptom: str = ""
