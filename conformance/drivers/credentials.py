"""Credentials that are missing or wrong, on every operation: nothing may be shown, nothing may be done."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from orderproof.drivers.authorization import KINDS
from orderproof.drivers.commands import Command
from orderproof.drivers.ordinary import Subjects, ordinary, reads, subjects, writes
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_WITH_EVERY_CALL = ("none", "wrong-password")
_OTHERS = tuple(kind for kind in KINDS if kind not in _WITH_EVERY_CALL)
_INVENTED = frozenset({"invented-order"})


def scenarios(profile: str) -> list[Scenario]:
    """Every operation without credentials and with a wrong password, and every other kind of wrong credentials.

    The quick profile tries the other kinds on two operations each, which the seed chooses: one reads, one writes.
    """
    first = Scenario("credentials that are missing or wrong", partial(_main_kinds, others=profile == "quick"))
    if profile == "quick":
        return [first]
    return [first, *(Scenario(f"credentials: {kind}", partial(_one_kind, kind=kind)) for kind in _OTHERS)]


def _main_kinds(stage: Stage, *, others: bool) -> None:
    orders = subjects(stage)
    for kind in _WITH_EVERY_CALL:
        _every_call(stage, orders, kind)
        orders.read()  # before a call with the right ones, which would be blamed for what was done without them
        _twice_wrong(stage, orders, kind)
        orders.read()
    for kind in _OTHERS if others else ():
        _two_calls(stage, orders, kind)


def _one_kind(stage: Stage, *, kind: str) -> None:
    orders = subjects(stage)
    _every_call(stage, orders, kind)
    orders.read()


def _every_call(stage: Stage, orders: Subjects, kind: str) -> None:
    # Refused writes are read after together: what one of them did anyway shows as well after the last.
    for name in (*reads(), *writes()):
        stage.perform(replace(ordinary(name, orders.order_for(name)), credentials=kind, read=False))


def _two_calls(stage: Stage, orders: Subjects, kind: str) -> None:
    for name in (stage.chance.choice(reads()), stage.chance.choice(writes())):
        stage.perform(replace(ordinary(name, orders.order_for(name)), credentials=kind))


def _twice_wrong(stage: Stage, orders: Subjects, kind: str) -> None:
    """Make calls that are wrong in another way too, or were taken before: it is the credentials that count."""
    captured = orders.captured
    known = replace(ordinary("captureOrder", captured), key=f"taken before {kind}", read=False)
    for repeat in (known, replace(known, credentials=kind)):
        stage.perform(repeat)
    for name in ("getOrder", "captureOrder", "updateMerchantReferences"):
        unknown = replace(ordinary(name, captured), order_id=stage.new_id(), facts=_INVENTED)
        stage.perform(replace(unknown, credentials=kind, read=False))
    for command in (
        Command("captureOrder", captured.position, body={"captured_amount": "1"}),
        Command("captureOrder", captured.position, body={"captured_amount": captured.amount}),
        Command("updateMerchantReferences", captured.position, content=b'{"merchant_reference1":'),
        Command("cancelOrder", captured.position),
        Command("getCapture", captured.position, capture=stage.new_id()),
    ):
        stage.perform(replace(command, credentials=kind, read=False))
