"""Calls at once with one key, between calls of other kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orderproof.drivers.commands import Command
from orderproof.drivers.handle import new_order
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

TOO_MUCH = Command("captureOrder", body={"captured_amount": 10_001}, key="one", read=False)
UPDATE = Command("updateAuthorization", body={"order_amount": 20_000}, read=False)


def judged(play: Callable[[Stage], list[Exchange]]) -> Judge:
    """Judge calls that were made one after the other as if they had been under way together."""
    judge = Judge()
    with background(Settings()) as url, Transport(Target(url, "sandbox", "sandbox")) as transport:
        target = Target(url, "sandbox", "sandbox")
        session = Session(transport, target, supply_from(target.orders), judge.observe, judge.state)
        stage = Stage(session, "at once")
        new_order(stage)
        with session.aside(lambda _: None, judge.state):
            calls = play(stage)
    last = max(call.answered_at for call in calls)
    judge.observe_group([replace(call, group=1, answered_at=last) for call in calls])
    return judge


def called(stage: Stage, *commands: Command) -> list[Exchange]:
    made = [stage.perform(command) for command in commands]
    return [exchange for exchange in made if exchange is not None]


def test_a_refusal_that_spent_no_key_may_differ_after_another_call() -> None:
    def play(stage: Stage) -> list[Exchange]:
        refused, update, taken = called(stage, TOO_MUCH, UPDATE, replace(TOO_MUCH, key="two"))
        # That a refusal is repeated with its key is a SHOULD.
        return [refused, update, replace(taken, request=refused.request)]

    assert [f"{found.rule}: {found.actual}" for found in judged(play).findings] == []


def test_one_key_with_two_answers_and_nothing_between_them_is_wrong() -> None:
    def play(stage: Stage) -> list[Exchange]:
        capture = Command("captureOrder", body={"captured_amount": 1}, key="one", read=False)
        first, second = called(stage, capture, replace(capture, key="two"))
        return [first, replace(second, request=first.request)]

    assert {found.rule for found in judged(play).findings} == {"IDM-5"}
