"""Calls at once, to two processes on one PostgreSQL: judged as those to one, and found wrong without the row lock."""

from __future__ import annotations

from itertools import islice

import pytest

from orderproof.drivers import losses, races
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.judge import Judge
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

pytestmark = pytest.mark.postgres


def judged(base_url: str, scenarios: list[Scenario], seed: int) -> Judge:
    """Play scenarios until one of them brings a finding."""
    judge, target = Judge(), Target(base_url, "sandbox", "sandbox")
    with Transport(target) as transport:
        supply = supply_from(target.orders)
        session = Session(transport, target, supply, judge.observe, judge.state, seed=seed)
        session.observe_group = judge.observe_group
        for scenario in scenarios:
            stage = Stage(session, scenario.name)
            scenario.play(stage)
            stage.settle()
            if judge.findings:
                break
    return judge


def told(judge: Judge) -> list[str]:
    return [f"{each.rule}: {each.actual}" for each in judge.findings]


def test_two_processes_hold_calls_at_once_apart(database: str) -> None:
    with background(Settings(database=database), processes=2) as url:
        for seed in range(2):
            judge = judged(url, races.scenarios("quick"), seed)
            assert told(judge) == []
            assert all(judge.exercised[rule] for rule in ("CON-1", "CON-2", "CON-3", "CON-4", "IDM-5"))


def test_lost_answers_take_effect_once_in_two_processes(database: str) -> None:
    with background(Settings(database=database), processes=2) as url:
        scenarios = [Scenario(loss.name, loss.play) for loss in islice(losses.losses(), 0, None, 4)]
        assert told(judged(url, scenarios, 0)) == []


def test_without_the_row_lock_the_race_is_found(database: str) -> None:
    with background(Settings(database=database), processes=2, fault="no-row-lock") as url:
        found = [
            {each.rule for each in judged(url, races.scenarios("quick"), seed).findings} for seed in range(3)
        ]
    assert all(found), found
    assert {rule for rules in found for rule in rules} & {"CON-1", "CON-2", "CON-3", "CON-4"}


def test_one_process_alone_hides_the_missing_lock(database: str) -> None:
    with background(Settings(database=database), fault="no-row-lock") as url:
        assert told(judged(url, races.scenarios("quick"), 0)) == []
