"""The reduction: short sequences, few requests, nothing that was not seen to fail."""

from __future__ import annotations

import pytest

from orderproof.checks.findings import Finding
from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import draft
from orderproof.drivers.reduction import MOST_REQUESTS, Reduction, is_reducible, reduced
from orderproof.drivers.scenarios.registry import SCENARIOS
from orderproof.drivers.stage import Stage
from orderproof.drivers.terms import Term, fits, hint_for, term_for
from orderproof.drivers.walk import walk
from orderproof.judge import Judge
from orderproof.model.state import State
from orderproof.operations import OPERATIONS
from tests.drivers.sessions import Watched, watched


def first_root(watch: Watched, rule: str) -> Finding | None:
    found = (each for each in watch.judge.findings if each.rule == rule and each.follows is None)
    return next(found, None)


def cut_down(server: str, rule: str, *, seed: int = 1) -> tuple[Reduction, int]:
    """Walk until a rule breaks, and cut the sequence down; returns what the sequence took, too."""
    with watched(server, seed=seed) as watch:
        for stage in walk(watch.session, 4_000):
            finding = first_root(watch, rule)
            if finding is not None:
                break
            last = stage
        assert finding is not None, f"{rule} did not break in {watch.session.requests} requests"
        return reduced(watch.session, last.script, finding, Judge), len(last.performed)


@pytest.mark.parametrize(
    ("server", "rule", "calls"),
    [
        ("third-unchecked", "CAP-5", 3),
        ("third-refund-unchecked", "RFD-5", 4),
        ("released-is-captured", "REL-4", 3),
        ("released-is-not-refunded", "REL-4", 4),
        ("original-is-limit", "CAP-5", 2),
        ("limit-per-capture", "RFD-1", 4),
        ("rest-not-booked", "ORD-SUM-6", 4),
        ("release-drops-lines", "ORD-FIX-3", 2),
        ("refund-describes-capture", "ORD-FIX-2", 2),
    ],
)
def test_sequences_are_cut_down_to_a_few_calls(server: str, rule: str, calls: int) -> None:
    reduction, _ = cut_down(server, rule)
    assert len(reduction.sequence.commands) <= calls
    assert reduction.requests <= MOST_REQUESTS
    assert (rule, None, None) == (
        reduction.finding.rule,
        reduction.finding.follows,
        reduction.finding.flaky,
    )


def test_amounts_and_bodies_become_small_and_plain() -> None:
    reduction, _ = cut_down("original-is-limit", "CAP-5")
    assert [10] == [order["order_amount"] for order in reduction.sequence.orders]
    bodies = [command.body for command in reduction.sequence.commands]
    assert [["order_amount"], ["captured_amount"]] == [list(body) for body in bodies]


def test_what_is_reported_was_sent_to_fresh_orders_and_failed() -> None:
    with watched("third-unchecked", seed=1) as watch:
        last = None
        for stage in walk(watch.session, 4_000):
            if first_root(watch, "CAP-5"):
                break
            last = stage
        finding = first_root(watch, "CAP-5")
        assert finding is not None
        assert last is not None
        reduction = reduced(watch.session, last.script, finding, Judge)
    trail = reduction.finding.trail
    sent = [e.request.body for e in watch.history if e.scenario == reduction.finding.exchange.scenario]
    assert [e.request.body for e in trail] == sent[: len(trail)]
    assert [command.payload for command in reduction.sequence.commands] == [
        e.request.body for e in trail if e.request.target.endswith("/captures")
    ]
    # The orders of the reduction are no others' business: the run's own judge has not seen them.
    assert State().identity == watch.judge.state(str(reduction.finding.order_id)).identity


def test_other_orders_are_kept_where_they_matter() -> None:
    with watched("capture-of-latest-order") as watch:
        scenario = next(each for each in SCENARIOS if each.name == "two orders side by side")
        stage = Stage(watch.session, scenario.name)
        scenario.play(stage)
        finding = next(each for each in watch.judge.findings if each.follows is None)
        reduction = reduced(watch.session, stage.script, finding, Judge)
    assert 2 == len(reduction.sequence.orders)
    assert len(reduction.sequence.commands) <= 2
    assert reduction.finding.flaky is None


def test_a_write_to_another_order_is_found_with_few_requests() -> None:
    reduction, _ = cut_down("shared-shipping-info", "ORD-GET-2")
    assert (2, 2) == (len(reduction.sequence.orders), len(reduction.sequence.commands))
    assert reduction.requests <= 60


def test_what_does_not_fail_again_is_flaky_and_not_dropped() -> None:
    with watched("core") as watch:
        stage = Stage(watch.session, "a sequence")
        stage.obtain({"order_amount": 100, "purchase_country": "SE", "purchase_currency": "SEK"} | _REST)
        stage.perform(Command("captureOrder", body={"captured_amount": 60}))
        exchange = watch.history[-1]
        trail = tuple(watch.history)
        order_id = stage.seats[0].order_id
        made_up = Finding("CAP-5", "expected", "actual", exchange, "captureOrder", order_id, trail)
        reduction = reduced(watch.session, stage.script, made_up, Judge)
    failures, tries = reduction.finding.flaky or (0, 0)
    assert (1, 4) == (failures, tries)
    assert ["captureOrder"] == [command.operation for command in reduction.sequence.commands]


_REST = {
    "locale": "sv-SE",
    "order_tax_amount": 0,
    "order_lines": [{"name": "A", "quantity": 1, "unit_price": 100, "total_amount": 100}],
}


def test_races_and_lost_answers_are_left_as_they_are() -> None:
    with watched("core") as watch:
        stage = Stage(watch.session, "a race")
        stage.obtain({"order_amount": 100, "purchase_country": "SE", "purchase_currency": "SEK"} | _REST)
        stage.perform_together([Command("captureOrder", body={"captured_amount": 60}) for _ in range(2)])
        last = watch.history[-1]
        finding = Finding("CON-1", "expected", "actual", last, None, None, tuple(watch.history))
    assert not is_reducible(finding)


def order(**amounts: int) -> State:
    return State(order={"status": "PART_CAPTURED", "original_order_amount": 100, **amounts})


@pytest.mark.parametrize(
    ("operation", "amount", "term"),
    [
        ("captureOrder", 40, Term("remaining")),
        ("captureOrder", 41, Term("remaining", 1)),
        ("captureOrder", 39, Term("remaining", -1)),
        ("captureOrder", 55, Term("remaining", 15)),
        ("captureOrder", 70, Term("remaining before")),
        ("captureOrder", 7, None),
        ("refundOrder", 60, Term("refundable")),
        ("refundOrder", 61, Term("refundable", 1)),
        ("refundOrder", 5, None),
        ("updateAuthorization", 60, Term("captured")),
        ("updateAuthorization", 50, Term("captured", -10)),
        ("updateAuthorization", 80, None),
    ],
)
def test_an_amount_is_known_by_what_it_means(operation: str, amount: int, term: Term | None) -> None:
    state = order(order_amount=100, captured_amount=60, remaining_authorized_amount=40, refunded_amount=0)
    assert term == term_for(operation, amount, state, before=70)


def test_a_hint_tells_what_single_captures_took() -> None:
    captures = [{"captured_amount": 20}, {"captured_amount": 40}]
    state = State(order={"captured_amount": 60, "captures": captures})
    assert Term("largest capture", 1) == hint_for("refundOrder", 41, state)
    assert Term("first capture") == hint_for("refundOrder", 20, state)
    assert hint_for("refundOrder", 33, state) is None


def test_amounts_have_the_bounds_of_the_document() -> None:
    assert [False, True, True, False] == [
        fits("captureOrder", amount) for amount in (-1, 0, 200_000_000, 200_000_001)
    ]
    assert {"captureOrder", "refundOrder", "updateAuthorization"} <= set(OPERATIONS)


def test_a_sequence_without_orders_is_cut_down_too() -> None:
    with watched("unknown-order-forbidden") as watch:
        stage = Stage(watch.session, "unknown orders")
        for _ in range(3):
            nobody = Command("getOrder", order_id=stage.new_id(), facts=frozenset({"invented-order"}))
            stage.perform(nobody)
        finding = first_root(watch, "GEN-404-1")
        assert finding is not None
        reduction = reduced(watch.session, stage.script, finding, Judge)
    assert ((), 1) == (reduction.sequence.orders, len(reduction.sequence.commands))


def test_an_order_that_reads_wrong_at_once_needs_no_call() -> None:
    with watched("amounts-as-text") as watch:
        stage = Stage(watch.session, "a fresh order")
        stage.obtain(draft(100, country="US"))
        stage.perform(Command("captureOrder", body={"captured_amount": 60}))
        finding = first_root(watch, "GEN-HTTP-1")
        assert finding is not None
        reduction = reduced(watch.session, stage.script, finding, Judge)
    assert ([draft(10)], ()) == (list(reduction.sequence.orders), reduction.sequence.commands)


def test_a_body_is_cut_down_to_what_matters() -> None:
    with watched("fails-on-apostrophe") as watch:
        stage = Stage(watch.session, "a capture with much in it")
        stage.obtain(draft(10_000))
        body = {
            "captured_amount": 5_000,
            "reference": "r" * 50,
            "description": "It's a long story of many words",
        }
        stage.perform(Command("captureOrder", body={**body, "order_lines": []}))
        finding = first_root(watch, "GEN-ERR-3")
        assert finding is not None
        reduction = reduced(watch.session, stage.script, finding, Judge)
    (command,) = reduction.sequence.commands
    assert {"captured_amount", "description"} == set(command.body)
    assert "'" in command.body["description"]
    assert len(command.body["description"]) <= 8
