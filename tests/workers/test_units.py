"""The units of a run: what each does depends on its place alone, and shards share them out."""

from __future__ import annotations

import re
from itertools import islice

import pytest

from orderproof.drivers.plan import PROFILES, Unit, drivers_of
from orderproof.errors import UsageError
from orderproof.judge import Judge
from orderproof.performing import End, Looks, perform
from orderproof.sharding import Shard, shard_from, units_of
from tests.drivers.sessions import watched, without_ids

_PREFIX = re.compile(r"/orders/<\d+>")


def places(profile: str, shard: Shard | None = None) -> list[tuple[int, int]]:
    """The places of a profile, the first of them where a walk has no end."""
    drivers = enumerate(drivers_of(profile, 7))
    units = (unit for number, driver in drivers for unit in islice(units_of(driver, number, shard), 400))
    return [unit.place for unit in units]


def unit_at(place: tuple[int, int]) -> Unit:
    number, position = place
    unit = drivers_of("quick", 7)[number].unit(position, number)
    assert unit is not None
    return unit


@pytest.mark.parametrize("profile", ["quick", "standard"])
def test_shards_together_do_everything_once(profile: str) -> None:
    shards = [places(profile, Shard(number, 4)) for number in range(1, 5)]
    assert sorted(places(profile)) == sorted(place for shard in shards for place in shard)


def test_every_shard_has_its_part_of_each_large_driver() -> None:
    for number in range(1, 5):
        drivers = [place[0] for place in places("standard", Shard(number, 4))]
        assert all(drivers.count(driver) for driver in (0, 5, 6, 7, 8)), number


def test_a_walk_without_end_goes_on_in_every_shard() -> None:
    walk = next(driver for driver in drivers_of("deep") if driver.name == "walk")
    assert PROFILES["deep"].walk is None
    assert 10 == len(list(islice(units_of(walk, 8, Shard(2, 3)), 10)))


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "1/4/2", "", "-1/4"])
def test_a_shard_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not of the form K/N with K from 1 to N"):
        shard_from(text)


@pytest.mark.parametrize("place", [(0, 3), (8, 1), (10, 1)])
def test_a_unit_sends_the_same_whatever_was_done_before(place: tuple[int, int]) -> None:
    sent = []
    for before in ((), ((0, 5), (8, 0), (10, 0))):
        with watched("core", seed=7) as watch:
            for other in before:
                perform(unit_at(other), watch.session, Judge(), Looks())
            watch.history.clear()
            outcome = perform(unit_at(place), watch.session, Judge(), Looks())
            assert End.DONE is outcome.end, outcome.sentence
            sent.append(without_ids(watch.history))
    assert sent[0] == sent[1]
    assert len(sent[0]) > 10
