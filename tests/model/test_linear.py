"""An order of the calls is found where there is one, and only there."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderproof.model.call import Call
from orderproof.model.linear import Undecided, culprits, linearize
from orderproof.model.oracle import possible
from tests.gallery.correct import BookedLate, NewestFirst, OnceOnly, ZeroTaken
from tests.gallery.server import Fake
from tests.model.histories import (
    CANCEL,
    READ,
    RELEASE,
    START,
    Account,
    Wish,
    answered,
    as_call,
    capture,
    references,
    refund,
    refused,
    shipping,
    update,
)


@pytest.fixture
def account() -> Account:
    return Account()


def amounts(calls: tuple[Call, ...]) -> list[int]:
    return sorted(call.amount for call in calls)


def test_captures_that_fit_add_up(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(amount)) for amount in (1000, 2000, 3000)]
    assert {6000} == {state.captured for state in linearize(states, calls)}


def test_captures_above_what_remains_have_no_order(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(amount)) for amount in (6000, 100, 200)]
    calls.append(answered(account.call(capture(6000)), 201, Capture_Id="made-up"))
    assert () == linearize(states, calls)
    assert [6000, 6000] == amounts(culprits(states, calls))


def test_a_refusal_needs_a_reason_before_it(account: Account) -> None:
    states = account.states()
    late = account.call(capture(6000), sent=2, answered=3)
    early = refused(account.call(capture(5000), sent=0, answered=1), "CAPTURE_NOT_ALLOWED")
    assert () == linearize(states, [late, early])
    overlapping = replace(early, exchange=replace(early.exchange, answered_at=START + 2.5))
    assert linearize(states, [late, overlapping])


@pytest.mark.parametrize("status", [409, 429])
def test_busy_answers_have_no_effect(account: Account, status: int) -> None:
    states = account.states()
    calls = [account.call(capture(6000)), answered(account.call(capture(4000)), status)]
    assert {6000} == {state.captured for state in linearize(states, calls)}


@pytest.mark.parametrize("status", [0, 503])
def test_a_call_without_a_useful_answer_took_effect_or_did_not(account: Account, status: int) -> None:
    states = account.states()
    calls = [account.call(capture(6000)), answered(account.call(capture(4000)), status)]
    assert {6000, 10_000} == {state.captured for state in linearize(states, calls)}


def test_a_lost_call_may_take_effect_after_all_others(account: Account) -> None:
    states = account.states()
    lost = answered(account.call(capture(8000), sent=0, answered=1), 0)
    later = answered(account.call(capture(8000), sent=2, answered=3), 201, Capture_Id="later")
    assert {8000} == {state.captured for state in linearize(states, [lost, later])}


def test_cancel_and_capture_cannot_both_be_taken(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(100)), answered(account.call(CANCEL), 204)]
    assert () == linearize(states, calls)
    assert 2 == len(culprits(states, calls))


def test_readings_stand_between_writes(account: Account) -> None:
    states = account.states()
    first = account.call(capture(1000), sent=0, answered=9)
    between = account.call(READ, sent=0, answered=9)
    second = account.call(capture(2000), sent=0, answered=9)
    assert linearize(states, [first, second, between])
    stale = replace(between.exchange, sent_at=START + 10, answered_at=START + 11)
    assert () == linearize(states, [first, second, as_call(stale)])
    assert {"getOrder", "captureOrder"} == {
        call.name for call in culprits(states, [first, second, as_call(stale)])
    }


def test_calls_with_one_key_have_one_effect(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(1000, key="one")) for _ in range(5)]
    assert {1000} == {state.captured for state in linearize(states, calls)}


def test_the_order_of_appended_shipping_info_stays_open(account: Account) -> None:
    states = account.states()
    calls = [account.call(shipping(number)) for number in "abc"]
    assert 6 == len(linearize(states, calls))


def test_lost_updates_show_in_the_reading_after_them(account: Account) -> None:
    states = account.states()
    kept = account.call(references(merchant_reference1="kept"))
    reading = account.call(READ, sent=2, answered=3)
    lost = account.call(references(merchant_reference2="lost"))
    assert linearize(states, [kept, lost])
    assert () == linearize(states, [kept, lost, reading])
    assert (lost, reading) == culprits(states, [kept, lost, reading])


def test_a_search_that_takes_too_long_is_given_up(account: Account) -> None:
    states = account.states()
    calls = [account.call(shipping(str(number))) for number in range(8)]
    with pytest.raises(Undecided):
        linearize(states, calls, limit=1000)


def test_ten_captures_take_few_looks(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(1000 + number)) for number in range(10)]
    random.Random(1).shuffle(calls)
    assert linearize(states, calls, limit=200)


def test_ten_captures_with_one_key_take_few_looks(account: Account) -> None:
    states = account.states()
    calls = [account.call(capture(1000, key="one")) for _ in range(10)]
    mixed = [answered(call, 201, Capture_Id=f"id {number}") for number, call in enumerate(calls)]
    assert linearize(states, calls, limit=200)
    assert linearize(states, mixed, limit=200)


WISHES = st.one_of(
    st.integers(1, 6000).map(capture),
    st.integers(1, 6000).map(refund),
    st.integers(1, 12_000).map(update),
    st.sampled_from([capture(3000, key="one"), capture(0), refund(2000, key="two"), CANCEL, RELEASE, READ]),
    st.sampled_from(["a", "b"]).map(shipping),
    st.sampled_from([references(merchant_reference1="x"), references(merchant_reference1="")]),
    st.just(Wish("POST", "extend-authorization-time")),
    st.just(Wish("POST", "acknowledge")),
    st.just(Wish("PATCH", "customer-details", {"shipping_address": {"given_name": "New"}})),
)


@pytest.mark.parametrize("kind", [Fake, OnceOnly, ZeroTaken, NewestFirst, BookedLate])
@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    before=st.lists(WISHES, max_size=2),
    wishes=st.lists(WISHES, min_size=2, max_size=7),
    seed=st.integers(0, 2**32),
    lose=st.sampled_from([0.0, 0.0, 0.2]),
)
def test_what_a_correct_server_answers_is_always_explained(
    kind: Callable[[], Fake], before: list[Wish], wishes: list[Wish], seed: int, lose: float
) -> None:
    """Calls are answered one after the other, and recorded as overlapping: their true order explains them."""
    account = Account(kind())
    states = account.states()
    for number, wish in enumerate(before):
        states = possible(states, account.exchange(wish, START - 3 + number / 10))
    states = possible(states, account.exchange(READ, START - 1))
    calls = account.at_once(wishes, random.Random(seed), lose)
    try:
        after = linearize(states, calls)
    except Undecided:
        return
    assert after
    assert possible(after, account.exchange(READ, START + 2))
