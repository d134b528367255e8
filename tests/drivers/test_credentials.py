"""Wrong credentials are wrong, cover every operation, and bring to light who lets them pass."""

from __future__ import annotations

import pytest

from orderproof import operations
from orderproof.drivers import credentials
from orderproof.drivers.authorization import KINDS, authorization
from orderproof.model.call import call_of
from orderproof.target import Target
from tests.drivers.playing import broken, judged


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("password", ["secret", "12345", "", "{user}"])
def test_no_kind_comes_out_right(kind: str, password: str) -> None:
    target = Target("http://127.0.0.1", "merchant", password)
    assert authorization(kind, target) != target.authorization


def test_the_own_credentials_are_right() -> None:
    target = Target("http://127.0.0.1", "merchant", "secret")
    assert authorization("own", target) == target.authorization


@pytest.mark.parametrize("kind", ["none", "wrong-password"])
def test_every_operation_is_tried_even_in_the_quick_profile(kind: str) -> None:
    judge, history = judged("core", credentials.scenarios("quick"))
    calls = [call_of(exchange) for exchange in history if exchange.credentials == kind]
    assert broken(judge) == set()
    assert {call.name for call in calls if call is not None} == set(operations.OPERATIONS)


def test_every_kind_is_tried_in_every_profile() -> None:
    for profile in ("quick", "standard"):
        _, history = judged("core", credentials.scenarios(profile))
        assert {exchange.credentials for exchange in history} == {"own", *KINDS}


@pytest.mark.parametrize(
    ("server", "rule"),
    [
        ("no-credentials-needed", "GEN-AUTH-1"),
        ("any-password", "GEN-AUTH-2"),
        ("user-in-any-case", "GEN-AUTH-2"),
        ("user-with-more", "GEN-AUTH-2"),
        ("password-in-any-case", "GEN-AUTH-2"),
        ("open-cancel", "GEN-AUTH-1"),
        ("unauthorized-but-done", "GEN-AUTH-1"),
        ("unauthorized-shows-order", "GEN-AUTH-1"),
        ("order-before-credentials", "GEN-AUTH-1"),
        ("key-before-credentials", "GEN-AUTH-1"),
        ("no-challenge", "GEN-AUTH-3"),
    ],
)
def test_who_lets_strangers_in_is_found(server: str, rule: str) -> None:
    judge, _ = judged(server, credentials.scenarios("quick"))
    assert rule == next(finding.rule for finding in judge.findings if finding.follows is None)


def test_a_header_that_is_none_may_be_called_malformed() -> None:
    judge, _ = judged("core", credentials.scenarios("standard"))
    assert judge.exercised["GEN-AUTH-2"] > len(KINDS)
    assert broken(judge) == set()
