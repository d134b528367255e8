"""Settings, choices and flavours: what is offered, and what is said about a wrong one."""

from __future__ import annotations

from dataclasses import fields

import pytest

from orderproof.sandbox.options import FLAVOURS, Open, OptionError, Settings, choices, open_choices, open_from


def test_the_first_value_of_a_choice_is_its_default() -> None:
    defaults = {one.name: one.default for one in fields(Open)}

    assert {name: values[0] for name, values in choices().items()} == defaults
    assert all(len(set(values)) == len(values) >= 2 for values in choices().values())


def test_every_value_of_every_choice_is_taken_by_some_flavour() -> None:
    taken = {(name, value) for flavour in FLAVOURS.values() for name, value in flavour.items()}
    others = {(name, values[1]) for name, values in choices().items()}

    assert {name for name, _ in others} == {name for name, _ in taken}


def test_assignments_change_a_flavour() -> None:
    chosen = open_choices(["location=path", "chunked=on"], "relative")

    assert (chosen.location, chosen.chunked, chosen.times) == ("path", "on", "offset")
    assert open_choices() == Open() == open_from({})


@pytest.mark.parametrize(
    ("assignments", "flavour", "message"),
    [
        (["locaton=path"], "recorded", "There is no choice 'locaton': did you mean 'location'\\?"),
        (
            ["location=up"],
            "recorded",
            "location='up' is no choice: take one of absolute, path, relative, prefixed.",
        ),
        (["location"], "recorded", "'location' is no choice: write it as NAME=VALUE"),
        ([], "strickt", "There is no flavour 'strickt': did you mean 'strict'\\?"),
        ([], "x", "There is no flavour 'x': there are recorded, strict, "),
    ],
)
def test_a_wrong_option_is_shown_with_the_way_out(assignments: list[str], flavour: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        open_choices(assignments, flavour)


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(OptionError, match="'a:b' has a colon"):
        Settings(username="a:b")
    with pytest.raises(OptionError, match="0 days is too short"):
        Settings(authorization_days=0)
