"""Ids that lead nowhere are judged where every server can tell, and only there."""

from __future__ import annotations

import pytest

from orderproof import operations
from orderproof.drivers import identifiers
from orderproof.exchange import Exchange, Request
from orderproof.model.call import call_of
from tests.drivers.playing import broken, judged


def _read_of(order_id: str) -> Exchange:
    path = operations.path_of("getOrder", order_id=order_id)
    return Exchange(1, Request(headers=(), body=b"", method="GET", target=path), None, 0.0, 0.0)


@pytest.mark.parametrize(
    "order_id", ["..", ".", "a/b", "a\\b", "a;b", "a%2fb", "a\x00", "a\nb", "i" * 10_000]
)
def test_an_id_that_a_router_may_cut_names_no_operation(order_id: str) -> None:
    assert call_of(_read_of(order_id)) is None


@pytest.mark.parametrize(
    "order_id", ["0", "not-an-id", "ordër-東京-𝒳", "order with blanks", "'order'", "i" * 300]
)
def test_any_other_id_is_one(order_id: str) -> None:
    call = call_of(_read_of(order_id))
    assert call is not None
    assert call.order_id == order_id


@pytest.mark.parametrize(
    "server", ["core", "malformed-id-is-not-found", "malformed-part-id-is-bad-request", "bare-not-found"]
)
def test_a_correct_server_passes(server: str) -> None:
    judge, _ = judged(server, identifiers.scenarios("standard"))
    assert broken(judge) == set()


def test_every_operation_meets_an_unknown_order() -> None:
    judge, history = judged("core", identifiers.scenarios("quick"))
    calls = [call_of(exchange) for exchange in history if "invented-order" in exchange.facts]
    assert {call.name for call in calls if call is not None} == set(operations.OPERATIONS)
    rules = ("GEN-404-1", "GEN-404-2", "GEN-ID-1", "CAP-7", "CAP-8", "RFD-7", "DUE-4", "SHP-3", "SND-2")
    assert all(judge.exercised[rule] for rule in rules)


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ("unknown-order-forbidden", "GEN-404-1"),
        ("nameless-not-found", "GEN-404-2"),
        ("malformed-id-in-words", "GEN-ID-1"),
        ("id-by-its-start", "GEN-ID-1"),
        ("malformed-id-is-empty-order", "GEN-ID-1"),
        ("html-not-found", "GEN-ERR-1"),
    ],
)
def test_who_answers_otherwise_is_found(server: str, rule: str) -> None:
    judge, _ = judged(server, identifiers.scenarios("standard"))
    assert rule in broken(judge)


def test_an_order_that_is_not_there_is_the_root_of_how_it_reads() -> None:
    judge, _ = judged("unknown-order-is-empty", identifiers.scenarios("quick"))
    assert {finding.rule for finding in judge.findings if finding.follows is None} == {"GEN-404-1"}
    assert len(broken(judge)) > 1
