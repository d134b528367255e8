"""Users walk by themselves and call shared orders; what they see is judged, and carried as plain data."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orderproof.counterexample import counterexample_of, save
from orderproof.drivers.commands import Sequence as Calls
from orderproof.exchange import Request
from orderproof.judge import Judge
from orderproof.ledger import Ledger
from orderproof.load.carrying import outcomes, packed
from orderproof.load.users import PARTY_SIZE, Company, name_of
from orderproof.reproducing import reproduce
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.target import Target
from orderproof.transport import Delivery


def company(url: str, measured: list[tuple[str, Delivery]] | None = None, *, seed: int = 0) -> Company:
    def measure(name: str, delivery: Delivery) -> None:
        if measured is not None:
            measured.append((name, delivery))

    return Company(Target(url, "sandbox", "sandbox"), measure, seed=seed)


def turns(group: Company, users: int, number: int) -> None:
    """Give every user so many turns, all at once."""
    with ThreadPoolExecutor(users) as pool:

        def play(_: int) -> None:
            user = group.join()
            for _ in range(number):
                assert group.turn_of(user), group.problem

        list(pool.map(play, range(users)))


def broken(group: Company) -> Sequence[str]:
    return [f"{found.rule}: {found.actual}" for judge, _ in group.judges() for found in judge.findings]


def test_a_correct_server_is_left_alone() -> None:
    measured: list[tuple[str, Delivery]] = []
    with background(Settings()) as url:
        group = company(url, measured)
        turns(group, PARTY_SIZE + 1, 4)

    assert broken(group) == []
    assert len(group.parties) == 2
    assert group.requests == len(measured) > 100
    assert {"createOrder", "getOrder", "captureOrder"} <= {name for name, _ in measured}
    assert sum(party.commons.count.groups for party in group.parties) > 3


@pytest.fixture(scope="module")
def guilty() -> Company:
    """Users who saw captures that were lost."""
    with background(Settings(), fault="last-capture-wins") as url:
        for seed in range(5):
            group = company(url, seed=seed)
            turns(group, PARTY_SIZE, 6)
            if broken(group):
                break
    return group


def test_a_race_is_found(guilty: Company) -> None:
    found = [finding.rule for party in guilty.parties for finding in party.judge.findings]
    assert set(found) & {"CON-1", "CON-3", "CON-4", "IDM-5"}


def test_what_was_seen_survives_the_way_to_the_master_without_secrets(guilty: Company) -> None:
    text = json.dumps(packed(guilty))
    carried = outcomes(json.loads(text), process=3)
    judges = list(guilty.judges())

    assert "c2FuZGJveDpzYW5kYm94" not in text  # the credentials of Basic authentication
    assert [outcome.exercised for outcome in carried] == [judge.exercised for judge, _ in judges]
    assert [outcome.broken for outcome in carried] == [judge.broken for judge, _ in judges]
    assert [dict(outcome.scripts) for outcome in carried] == [dict(scripts) for _, scripts in judges]
    for outcome, (judge, _) in zip(carried, judges, strict=True):
        told = [(f.rule, f.actual, f.follows, f.exchange.number) for f in outcome.findings]
        assert told == [(f.rule, f.actual, f.follows, f.exchange.number) for f in judge.findings]


def test_the_sequence_of_a_race_can_be_sent_again(guilty: Company, tmp_path: Path) -> None:
    ledger = Ledger()
    for outcome in outcomes(json.loads(json.dumps(packed(guilty))), process=0):
        ledger.absorb(outcome)
    found = next(f for f in ledger.findings if f.follows is None and f.exchange.scenario in ledger.scripts)
    script = ledger.scripts[found.exchange.scenario]
    assert any(command.group is not None for _, command in script.performed)

    sequence = Calls(script.drafts, tuple(command for _, command in script.performed))
    file = save(tmp_path, counterexample_of(found, sequence, seed=0, scenario=script.name))
    with background(Settings()) as url:
        assert reproduce(file, Target(url, "sandbox", "sandbox")).exit_code == 0


def test_a_user_whose_target_is_gone_gets_no_other_turn() -> None:
    with background(Settings()) as url:
        group = company(url)
        user = group.join()
        assert group.turn_of(user)
    assert not all(group.turn_of(user) for _ in range(3))
    assert "stopped answering" in group.problem or "no order could be created" in group.problem


@pytest.mark.parametrize(
    ("method", "target", "name"),
    [
        ("POST", "/ordermanagement/v1/orders/x/captures", "captureOrder"),
        ("GET", "/ordermanagement/v1/orders/x?y=1", "getOrder"),
        ("POST", "/customer-token/v1/tokens/sandbox/order", "createOrder"),
        ("PUT", "/elsewhere", "other"),
    ],
)
def test_requests_are_called_by_their_operation(method: str, target: str, name: str) -> None:
    assert name_of(Request(headers=(), body=b"", method=method, target=target)) == name


def test_judges_of_users_are_of_the_selected_rules() -> None:
    with background(Settings()) as url:
        group = Company(Target(url, "sandbox", "sandbox"), lambda *_: None, only=["CON-4"])
        turns(group, 2, 2)
    assert {rule for judge, _ in group.judges() for rule in judge.exercised} <= {"CON-4"}
    assert isinstance(group.parties[0].judge, Judge)
