"""Values as the contract compares them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orderproof.model.values import instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T08:33:46Z",
        "2026-03-01t08:33:46z",
        "2026-03-01T08:33:46.000000000Z",
        "2026-03-01T10:33:46+02:00",
    ],
)
def test_a_time_may_be_written_in_several_ways(text: str) -> None:
    assert datetime(2026, 3, 1, 8, 33, 46, tzinfo=UTC) == instant(text)


@pytest.mark.parametrize("text", ["2026-03-01T08:33:46", "2026-03-01", "z", 17, None])
def test_what_has_no_zone_is_no_time(text: object) -> None:
    assert instant(text) is None
