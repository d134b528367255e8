"""Calls on a shared order go in together, come out as one group, and are settled with nobody inside."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from orderproof.exchange import Exchange, Request, Response
from orderproof.judge import Judge
from orderproof.load.commons import MOST_TOGETHER, Commons

PATIENCE = 5.0


def exchange(number: int, status: int | None = None, *facts: str) -> Exchange:
    request = Request(headers=(), body=b"", method="GET", target="/ordermanagement/v1/orders/x")
    response = None if status is None else Response(headers=(), body=b"", status=status)
    return Exchange(number, request, response, float(number), float(number), facts=frozenset(facts))


class Noted(Judge):
    """A judge that only takes down what it is shown."""

    def __init__(self) -> None:
        super().__init__(only=())
        self.seen: list[list[int]] = []

    def observe(self, exchange: Exchange) -> list[object]:  # type: ignore[override]
        self.seen.append([exchange.number])
        return []

    def observe_group(self, exchanges: Sequence[Exchange]) -> list[object]:  # type: ignore[override]
        assert len({one.group for one in exchanges}) == 1
        self.seen.append([one.number for one in exchanges])
        return []


def test_who_comes_alone_is_judged_alone() -> None:
    judge, settled = Noted(), list[object]()
    commons = Commons(judge, settled.append)
    for number in (1, 2):
        with commons.visit():
            commons.note(exchange(number))

    assert judge.seen == [[1], [2]]
    assert len(settled) == 2
    assert (commons.count.alone, commons.count.together, commons.count.groups) == (2, 0, 0)


def test_who_comes_together_is_judged_together_and_in_the_order_of_sending() -> None:
    judge = Noted()
    commons = Commons(judge, lambda _: None)
    everyone = threading.Barrier(3)

    def call(number: int) -> None:
        with commons.visit():
            everyone.wait(PATIENCE)
            commons.note(exchange(number))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(call, (3, 1, 2)))

    assert judge.seen == [[1, 2, 3]]
    assert (commons.count.together, commons.count.groups) == (3, 1)


def test_that_patience_with_a_busy_order_ran_out_counts_only_for_who_was_alone() -> None:
    shown: list[Sequence[Exchange] | None] = []
    commons = Commons(Noted(), shown.append)
    for others in ((), (2,)):
        with commons.visit():
            commons.note(exchange(1, 409, "gave-up"))
            for number in others:
                commons.note(exchange(number))

    assert [[sorted(one.facts) for one in group or ()] for group in shown] == [[["gave-up"]], [[], []]]


def test_a_full_group_lets_nobody_in_until_it_is_settled() -> None:
    commons = Commons(Noted(), lambda _: None)
    inside, entered, leave = threading.Semaphore(0), list[int](), threading.Event()

    def call(number: int) -> None:
        with commons.visit():
            entered.append(number)
            inside.release()
            leave.wait(PATIENCE)

    with ThreadPoolExecutor(MOST_TOGETHER + 2) as pool:
        calls = [pool.submit(call, number) for number in range(MOST_TOGETHER + 2)]
        for _ in range(MOST_TOGETHER):
            assert inside.acquire(timeout=PATIENCE)
        assert not inside.acquire(timeout=0.2)
        assert len(entered) == MOST_TOGETHER
        leave.set()
        for done in calls:
            done.result(PATIENCE)
    assert len(entered) == MOST_TOGETHER + 2


def test_what_settling_sends_is_judged_as_it_comes() -> None:
    judge = Noted()

    def settle(group: Sequence[Exchange] | None) -> None:
        commons.note(exchange(9))

    commons = Commons(judge, settle)
    with commons.visit():
        commons.note(exchange(1))
    commons.alone(lambda: commons.note(exchange(2)))

    assert judge.seen == [[1], [9], [2]]


def fail(commons: Commons) -> None:
    with commons.visit():
        commons.note(exchange(1))
        raise ZeroDivisionError


def test_of_a_group_with_a_call_that_nobody_saw_the_end_of_nothing_is_said() -> None:
    judge, settled = Noted(), list[object]()
    commons = Commons(judge, settled.append)
    with pytest.raises(ZeroDivisionError):
        fail(commons)
    with commons.visit():
        commons.note(exchange(2))

    assert judge.seen == [[2]]
    assert settled[0] is None
    assert settled[1] is not None


def test_a_fault_in_settling_does_not_close_the_commons() -> None:
    def settle(group: Sequence[Exchange] | None) -> None:
        raise ZeroDivisionError

    commons = Commons(Noted(), settle)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), commons.visit():
            pass
