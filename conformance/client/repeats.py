"""Which repeats of a call are retries of the client, and which may be what its own tests do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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
    exchanges: Sequence[Exchange],
    fair: Sequence[Exchange] | None,
) -> bool:
    """Say whether a finding about a retry may be about a command that makes the same call twice, as a test suite may.

    It is not where the command made fewer such calls in `fair` weather: the client added one. Nor is it where the key
    was kept, unless a key was used as often in fair weather, by a test of what a key is for. `fair` is None for the run
    in fair weather itself.
    """
    if finding.rule not in RETRY_RULES:
        return False
    keys = {_key(entry) for entry in exchanges if entry.number in retries.get(finding.exchange.number, ())}
    key, kind = _key(finding.exchange), _kind(finding.exchange)
    if finding.rule != "CLI-IDM-4" and key in keys - {None}:
        usual = max(_uses(fair or (), kind).values(), default=0)
        return _uses(exchanges, kind)[key] <= usual
    return kind is None or kinds(exchanges)[kind] <= kinds(exchanges if fair is None else fair)[kind]


def _uses(exchanges: Iterable[Exchange], kind: Kind | None) -> Counter[str | None]:
    """Count the requests of a kind by their key."""
    return Counter(key for entry in exchanges if (key := _key(entry)) is not None and _kind(entry) == kind)


def may_be_by_hand(finding: Finding, tries: Iterable[Exchange]) -> bool:
    """Say whether a finding about a retry may be about a person who has started the client once more."""
    last = max(tries, key=lambda entry: entry.number, default=None)
    if finding.rule not in RETRY_RULES or last is None:
        return False
    kept = _key(finding.exchange) is not None and _key(finding.exchange) == _key(last)
    return not kept and finding.exchange.sent_at - last.answered_at > HANDS_SECONDS


def _key(exchange: Exchange) -> str | None:
    return exchange.request.header("klarna-idempotency-key")
