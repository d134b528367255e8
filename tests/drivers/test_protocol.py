"""Wrong methods, optional headers and large bodies."""

from __future__ import annotations

import pytest

from orderproof import operations
from orderproof.drivers import protocol
from orderproof.model.validity import LARGE_BODY
from tests.drivers.playing import broken, judged


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_a_correct_server_passes(profile: str) -> None:
    judge, history = judged("core", protocol.scenarios(profile))
    assert broken(judge) == set()
    assert all(judge.exercised[rule] for rule in ("GEN-HTTP-3", "GEN-HTTP-5", "GEN-VAL-3", "GEN-VAL-4"))
    sizes = {len(exchange.request.body) for exchange in history}
    assert any(LARGE_BODY - 5_000 < size <= LARGE_BODY for size in sizes)
    assert max(sizes) >= 2_000_000


def test_every_path_meets_a_method_that_it_does_not_have() -> None:
    _, history = judged("core", protocol.scenarios("quick"))
    wrong = [each for each in history if operations.match(each.request.method, each.request.path) is None]
    tried = {tuple(operations.allowed_methods(each.request.path)) for each in wrong}
    assert len(wrong) == len({operation.template for operation in operations.OPERATIONS.values()})
    assert {(), ("GET", "POST"), ("GET",), ("POST",), ("PATCH",)} - tried == {()}


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ("wrong-method-is-not-found", "GEN-HTTP-3"),
        ("wrong-method-names-none", "GEN-HTTP-3"),
        ("integrator-refused", "GEN-HTTP-5"),
        ("keys-must-be-uuids", "GEN-HTTP-5"),
        ("unknown-headers-refused", "GEN-HTTP-5"),
        ("any-size", "GEN-VAL-3"),
        ("large-body-refused", "GEN-VAL-4"),
    ],
)
def test_who_minds_is_found(server: str, rule: str) -> None:
    judge, _ = judged(server, protocol.scenarios("quick"))
    assert rule in broken(judge)
