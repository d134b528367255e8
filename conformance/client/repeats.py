"""Which repeats of a call are retries of the client, and which may be what its own tests do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from orderproof.checks.findings import Finding
from orderproof.client.front import call_in
from orderproof.exchange import Exchange

RETRY_RULES = frozenset({"CLI-IDM-4", "CLI-RETRY-1", "CLI-RETRY-2"})

HANDS_SECONDS = 5.0
"""What a person starts again by hand comes no sooner, as a rule."""

Kind = tuple[str, bytes]


def kinds(exchanges: Iterable[Exchange]) -> Counter[Kind]:
    """Count the calls of a run by operation and body, whatever the order. All tries with one key are one call."""
    calls = {(_kind(exchange), _key(exchange) or exchange.number) for exchange in exchanges}
    return Counter(kind for kind, _ in calls if kind is not None)


def _kind(exchange: Exchange) -> Kind | None:
    call = call_in(exchange)
    return None if call is None else (call.name, exchange.request.body)


def is_in_doubt(
    finding: Finding,
    retries: Mapping[int, tuple[int, ...]],
    exchanges: Iterable[Exchange],
    fair: Iterable[Exchange],
) -> bool:
    """Say whether a finding about a retry may be about a command that makes the same call twice, as a test suite may.

    It is not where the key was kept, nor where the command made fewer such calls in fair weather: the client added one.
    """
    if finding.rule not in RETRY_RULES:
        return False
    known = list(exchanges)
    keys = {_key(entry) for entry in known if entry.number in retries.get(finding.exchange.number, ())}
    if finding.rule != "CLI-IDM-4" and _key(finding.exchange) in keys - {None}:
        return False
    kind = _kind(finding.exchange)
    return kind is None or kinds(known)[kind] <= kinds(fair)[kind]


def may_be_by_hand(finding: Finding, tries: Iterable[Exchange]) -> bool:
    """Say whether a finding about a retry may be about a person who has started the client once more."""
    last = max(tries, key=lambda entry: entry.number, default=None)
    if finding.rule not in RETRY_RULES or last is None:
        return False
    kept = _key(finding.exchange) is not None and _key(finding.exchange) == _key(last)
    return not kept and finding.exchange.sent_at - last.answered_at > HANDS_SECONDS


def _key(exchange: Exchange) -> str | None:
    return exchange.request.header("klarna-idempotency-key")
