"""The weather: every documented refusal can be met, and only where it is documented."""

from __future__ import annotations

from collections.abc import Iterator

from orderproof.client.weather import FAIR, SCENARIOS, Reply, chosen
from orderproof.operations import OPERATIONS

Refusal = tuple[str, int, str]


def documented() -> set[Refusal]:
    """Every error code that an operation documents, with its status."""
    return {
        (operation.id, status, code)
        for operation in OPERATIONS.values()
        for status, codes in operation.error_codes.items()
        for code in codes
    }


def met() -> Iterator[Refusal]:
    """Every refusal with a code that a scenario gives, whatever operation it meets."""
    for scenario in SCENARIOS.values():
        effect = scenario.effect
        if isinstance(effect, Reply) and effect.code:
            for operation in OPERATIONS.values():
                if effect.fits(operation):
                    yield operation.id, effect.status, effect.code_for(operation)


def test_every_documented_error_code_is_met_in_some_weather() -> None:
    assert documented() <= set(met())
    assert {"NOT_ALLOWED", "CAPTURE_NOT_ALLOWED", "CANCEL_NOT_ALLOWED", "REFUND_NOT_ALLOWED"} == {
        code for name, status, code in documented() if status == 403
    }


def test_no_operation_is_refused_with_the_code_of_another() -> None:
    known = {(name, status) for name, status, _ in documented()}
    assert {entry for entry in met() if entry[:2] in known} <= documented()


def test_no_operation_is_refused_with_a_status_that_it_does_not_document() -> None:
    assert not {name for name, status, _ in met() if status == 403} & {"getOrder", "getCaptures", "getRefund"}
    assert ("extendDueDate", 403, "NOT_ALLOWED") in set(met())


def test_fair_weather_comes_first_whatever_was_asked_for() -> None:
    assert [FAIR, SCENARIOS["503-once"]] == chosen(("503-once",))
    assert list(SCENARIOS.values()) == chosen(("503-once", "all"))
