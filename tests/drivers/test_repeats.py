"""Repeats of every call, with their key and without, and what they bring to light."""

from __future__ import annotations

from collections import defaultdict

import pytest

from orderproof import operations
from orderproof.drivers import repeats
from orderproof.model.call import call_of
from tests.drivers.playing import broken, judged

_WRITES = {name for name, operation in operations.OPERATIONS.items() if operation.writes}


def test_every_operation_that_writes_is_repeated_with_its_key() -> None:
    judge, history = judged("core", repeats.scenarios())
    calls = [call for call in map(call_of, history) if call is not None and call.key]
    times = defaultdict(list)
    for call in calls:
        times[call.name, call.key].append(call.exchange.request.body)
    again = {name for (name, _), bodies in times.items() if len(bodies) > len(set(bodies))}
    otherwise = {name for (name, _), bodies in times.items() if len(set(bodies)) > 1}
    assert broken(judge) == set()
    assert again == _WRITES
    assert otherwise >= {name for name in _WRITES if operations.OPERATIONS[name].request_schema} - {
        "extendDueDate"
    }


def test_a_key_stays_with_its_operation_order_and_capture() -> None:
    _, history = judged("core", repeats.scenarios())
    places = defaultdict(set)
    for call in map(call_of, history):
        if call is not None and call.key:
            places[call.key].add((call.name, call.order_id, call.child))
    assert all(len(found) == 1 for found in places.values())


def test_keys_are_new_in_every_run() -> None:
    keys = [
        {
            exchange.request.header("klarna-idempotency-key")
            for exchange in judged("core", repeats.scenarios())[1]
        }
        for _ in range(2)
    ]
    assert keys[0] & keys[1] == {None}


@pytest.mark.parametrize(
    "server", ["keys-for-all", "keys-spent-by-refusals", "once-only", "increases-refused"]
)
def test_a_correct_server_passes(server: str) -> None:
    judge, _ = judged(server, repeats.scenarios())
    assert broken(judge) == set()
    assert all(judge.exercised[rule] for rule in ("IDM-1", "IDM-2", "IDM-3", "IDM-4", "IDM-6"))


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ("keys-ignored", "IDM-1"),
        ("order-shipping-keys-ignored", "IDM-1"),
        ("capture-keys-ignored", "IDM-2"),
        ("refused-keys-forgotten", "IDM-6"),
    ],
)
def test_who_forgets_a_key_is_found(server: str, rule: str) -> None:
    judge, _ = judged(server, repeats.scenarios())
    assert rule in broken(judge)
