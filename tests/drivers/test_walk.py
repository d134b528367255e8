"""The walk: what it sends, where it goes, and that chance comes from the seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from orderproof.drivers.drafts import draft
from orderproof.drivers.handle import new_order
from orderproof.drivers.moves import Move
from orderproof.drivers.stage import Stage
from orderproof.drivers.tour import Tally, Tour
from orderproof.drivers.walk import walk
from orderproof.errors import CannotJudge
from orderproof.judge import Judge
from orderproof.model.call import call_of
from orderproof.operations import OPERATIONS
from orderproof.supply import OutOfOrders, Send
from tests.drivers.sessions import Watched, watched, without_ids

_ALWAYS_HIGH = (1 << 128) - 1


def roots(judge: Judge) -> set[str]:
    return {finding.rule for finding in judge.findings if finding.follows is None}


def sent(server: str, seed: int, requests: int = 400) -> list[str]:
    with watched(server, seed=seed) as watch:
        for _ in walk(watch.session, requests):
            pass
        return without_ids(watch.history)


def test_one_seed_sends_the_same_requests() -> None:
    assert sent("core", 7) == sent("core", 7)


def test_another_seed_sends_others() -> None:
    assert sent("core", 7, 100) != sent("core", 8, 100)


@pytest.fixture(scope="module")
def long_walk() -> Watched:
    with watched("core", seed=3) as watch:
        for _ in walk(watch.session, 1_500):
            pass
        return watch


def test_a_correct_server_breaks_nothing(long_walk: Watched) -> None:
    assert ([], {}) == (long_walk.judge.findings, long_walk.judge.errors)


def test_every_operation_is_called(long_walk: Watched) -> None:
    calls = [call for call in map(call_of, long_walk.history) if call is not None]
    assert set(OPERATIONS) == {call.name for call in calls}


def test_a_call_that_is_repeated_stays_with_its_capture() -> None:
    with watched("core") as watch:
        order = new_order(Stage(watch.session, "two captures"))
        tour = Tour(lambda _: _ALWAYS_HIGH, order.stage, Tally(), before=[order.remaining])
        order.capture(10)
        order.capture(20)
        tour.make(0, Move("triggerSendOut", "last capture", which={"capture": -1}))
        order.capture(30)
        tour.perform(tour.keyed[-1])
        sent_out = [e.request.path for e in watch.history if e.request.path.endswith("/trigger-send-out")]
    assert 2 == len(sent_out)
    assert sent_out[0] == sent_out[1]


def test_the_limit_is_kept(long_walk: Watched) -> None:
    # A call that was under way is followed by its reading, and a sequence ends with a look at its orders.
    assert 1_500 <= long_walk.session.requests < 1_510


def test_orders_are_read_after_each_write(long_walk: Watched) -> None:
    calls = [call for call in map(call_of, long_walk.history) if call is not None]
    after = [later for call, later in pairwise(calls) if call.operation.writes]
    assert {"GET"} == {call.exchange.request.method for call in after}


def test_the_guide_leaves_little_of_the_life_cycle_out(long_walk: Watched) -> None:
    record = long_walk.session.coverage.record(clock=False)
    assert record["taken"] >= 0.6 * record["reachable"], record["missed"]


@pytest.mark.parametrize("server", ["core", "clock-behind", "clock-ahead"])
def test_a_walk_over_time_lets_orders_expire(server: str) -> None:
    with watched(server, seed=1) as watch:
        for _ in walk(watch.session, 300, over_time=True):
            pass
        stages = {transition.stage for transition in watch.session.coverage.seen}
    assert [] == watch.judge.findings
    assert "EXPIRED" in {stage.partition(",")[0] for stage in stages}


@pytest.mark.parametrize(
    "server",
    [
        "third-unchecked",
        "third-refund-unchecked",
        "released-is-captured",
        "released-is-not-refunded",
        "original-is-limit",
        "limit-per-capture",
        "rest-not-booked",
        "shared-references",
    ],
)
def test_faults_that_only_show_in_sequences_are_found(server: str) -> None:
    with watched(server, seed=1) as watch:
        for _ in walk(watch.session, 2_000):
            if roots(watch.judge):
                break
        find = roots(watch.judge)
    assert find, f"nothing was found in {watch.session.requests} requests"


class PlainOrdersOnly:
    """Takes orders for 10,000 in Sweden and nothing else."""

    def __init__(self, supply: Any) -> None:
        self._supply = supply
        self.refused = 0

    def obtain(self, wanted: Mapping[str, Any], send: Send) -> str:
        if wanted != draft():
            self.refused += 1
            raise CannotJudge("no such orders here")
        return str(self._supply.obtain(wanted, send))


def test_an_order_that_the_source_refuses_is_replaced_by_an_ordinary_one() -> None:
    with watched("core", seed=2) as watch:
        supply = PlainOrdersOnly(watch.session.supply)
        watch.session.supply = supply
        for _ in walk(watch.session, 200):
            pass
    assert 1 == supply.refused
    assert watch.session.requests >= 200


def test_a_source_that_runs_dry_ends_the_walk() -> None:
    class Dry:
        def obtain(self, wanted: Mapping[str, Any], send: Send) -> str:
            raise OutOfOrders("there are none left")

    with watched("core") as watch:
        watch.session.supply = Dry()
        with pytest.raises(OutOfOrders):
            list(walk(watch.session, 100))
