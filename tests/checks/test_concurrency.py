"""Groups of calls are judged together: explained by some order, or blamed on one rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from orderproof.checks.findings import Finding
from orderproof.exchange import Exchange, Response
from orderproof.judge import Judge
from orderproof.model.call import Call
from tests.model.histories import (
    CANCEL,
    READ,
    START,
    Account,
    answered,
    capture,
    references,
    refund,
    refused,
    shipping,
    update,
)


def watched(account: Account) -> Judge:
    """A judge that has read the order."""
    judge = Judge()
    assert [] == judge.observe(account.exchange(READ, START - 5))
    return judge


def together(judge: Judge, calls: Sequence[Call]) -> list[Finding]:
    return judge.observe_group([call.exchange for call in calls])


def read(judge: Judge, account: Account, **shown: Any) -> list[Finding]:
    """Read the order afterwards, with some fields as a lying server would show them."""
    exchange = replace(account.exchange(READ, START + 5), group=None)
    assert exchange.response is not None
    body = json.dumps({**exchange.response.json, **shown}).encode()
    return judge.observe(replace(exchange, response=replace(exchange.response, body=body)))


def rules(findings: Sequence[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


@pytest.fixture
def account() -> Account:
    return Account()


def test_what_some_order_explains_is_exercised_and_holds(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(wish) for wish in (capture(6000), capture(6000), CANCEL)]
    assert [] == together(judge, calls)
    assert [] == read(judge, account)
    assert {"CON-1": 2, "CON-3": 2, "CON-4": 2} == {
        rule: count for rule, count in judge.exercised.items() if rule.startswith("CON-")
    }


def test_captures_above_what_remains_are_con_1(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(amount)) for amount in (6000, 100)]
    calls.append(answered(account.call(capture(7000)), 201, Capture_Id="second", Location="/second"))
    [finding] = together(judge, calls)
    assert ("CON-1", None) == (finding.rule, finding.follows)
    assert "captures that come to at most 10000, what remained before" == finding.expected
    expected = "captureOrder 6000 from 0.0 to 1000.0 ms: 201; captureOrder 7000 from 0.0 to 1000.0 ms: 201"
    assert expected == finding.actual
    assert {"CON-1"} == {each.follows for each in read(judge, account, captured_amount=13_100)}


def test_refunds_above_what_was_captured_are_con_2(account: Account) -> None:
    account.call(capture(5000))
    judge = watched(account)
    calls = [account.call(refund(3000))]
    calls.append(answered(account.call(refund(3000)), 201, Refund_Id="second", Location="/second"))
    assert ["CON-2"] == rules(together(judge, calls))


def test_cancel_and_capture_both_taken_are_con_3(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(3000)), answered(account.call(CANCEL), 204)]
    assert ["CON-3"] == rules(together(judge, calls))


def test_an_order_that_reads_as_the_loser_leaves_it_is_con_3(account: Account) -> None:
    judge = watched(account)
    assert [] == together(judge, [account.call(capture(3000)), account.call(CANCEL)])
    found = read(judge, account, status="CANCELLED", captures=[], captured_amount=0)
    assert "CON-3" == found[0].rule


def test_a_refusal_without_reason_is_con_4(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(3000)), refused(account.call(capture(3000)), "CAPTURE_NOT_ALLOWED")]
    assert ["CON-4"] == rules(together(judge, calls))


def test_a_lost_update_is_con_4_when_the_order_is_read(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(references(merchant_reference1="kept")), account.call(update(9000))]
    assert [] == together(judge, calls)
    found = read(judge, account, merchant_reference1="first")
    assert "CON-4" == found[0].rule
    assert (
        "and then it reads merchant_reference1 first, expected merchant_reference1 'kept'" in found[0].actual
    )
    assert "updateMerchantReferences" in found[0].actual
    assert "updateAuthorization" not in found[0].actual


def test_what_was_put_off_has_no_effect(account: Account) -> None:
    judge = watched(account)
    calls = [answered(account.call(capture(3000)), 409), answered(account.call(capture(3000)), 429)]
    assert [] == [rule for rule in rules(together(judge, calls)) if rule.startswith(("CON-", "IDM-"))]
    assert "CON-4" == read(judge, account)[0].rule


def test_a_reading_with_sums_that_do_not_hold_is_con_5(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(3000)), account.call(READ)]
    body = {**calls[1].exchange.response.json, "captures": []}  # type: ignore[union-attr]
    [finding] = together(judge, [calls[0], answered(calls[1], 200, body, Content_Type="application/json")])
    assert "CON-5" == finding.rule
    assert finding.actual.startswith(
        "captured_amount 3000, while its captures sum to 0, in getOrder from 0.0"
    )


def test_two_answers_to_one_key_are_idm_5(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(3000, key="one")) for _ in range(2)]
    other = answered(calls[1], 201, Capture_Id="another", Location="/another")
    assert ["IDM-5"] == rules(together(judge, [calls[0], other]))


def test_two_effects_of_one_key_are_idm_5(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(shipping("one")) for _ in range(2)]
    keyed = [with_key(call, "one") for call in calls]
    assert [] == together(judge, keyed)
    assert "IDM-5" == read(judge, account)[0].rule


def with_key(call: Call, key: str) -> Call:
    request = call.exchange.request
    headers = (*request.headers, ("Klarna-Idempotency-Key", key))
    return replace(call, exchange=replace(call.exchange, request=replace(request, headers=headers)))


def test_a_5xx_is_a_fault_by_itself(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(capture(3000)), answered(account.call(capture(3000)), 503)]
    assert ["GEN-ERR-3"] == rules(together(judge, calls))
    assert [] == read(judge, account)


def test_what_takes_too_long_to_explain_is_no_finding(account: Account) -> None:
    judge = watched(account)
    calls = [account.call(shipping(str(number))) for number in range(9)]
    assert [] == together(judge, calls)
    assert [] == read(judge, account)
    assert 0 == judge.exercised["CON-4"]


def test_calls_on_different_orders_are_judged_apart(account: Account) -> None:
    other = Account()
    judge = watched(account)
    judge.observe(other.exchange(READ, START - 5))
    found = together(judge, [account.call(capture(6000)), other.call(capture(6000))])
    assert [] == [*found, *read(judge, account), *read(judge, other)]


def test_calls_that_go_wrong_alone_are_no_fault_of_others(account: Account) -> None:
    judge = watched(account)
    alone = replace(account.call(capture(3000), sent=-3, answered=-2).exchange, group=None)
    assert [] == judge.observe(alone)
    before = replace(account.exchange(READ, START - 1), group=None)
    wrong = replace(before, response=_without(before, "description", "captures"))
    sequential = judge.observe(wrong)
    assert sequential
    other = Account()
    judge.observe(replace(other.exchange(READ, START - 1), group=None))
    calls = [
        other.call(capture(3000)),
        answered(other.call(capture(9000)), 201, Capture_Id="2", Location="/2"),
    ]
    [finding] = together(judge, calls)
    assert ("CON-1", sequential[0].rule) == (finding.rule, finding.follows)


def _without(exchange: Exchange, *names: str) -> Response:
    assert exchange.response is not None
    body = {name: value for name, value in exchange.response.json.items() if name not in names}
    return replace(exchange.response, body=json.dumps(body).encode())
