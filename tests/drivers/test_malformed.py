"""The grid of bodies: each is what it is meant to be, the slices are fair, and what servers do wrong comes to light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import pytest

from orderproof import operations
from orderproof.drivers import boundaries, invalid, limits, notations
from orderproof.drivers.grounds import Ground, component, lay, with_bodies
from orderproof.drivers.handle import OrderHandle
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Seat, Stage
from orderproof.exchange import Request
from orderproof.model.state import State
from orderproof.model.validity import Standing, Validity, is_odd, validity
from orderproof.strategies.specimens import full_body
from tests.drivers.playing import broken, judged

_JSON = "application/json"
_ODD = ("control characters", "markup", "an unknown field")


@dataclass(frozen=True)
class _Order:
    """As much of an order as a body depends on."""

    amount: int = 10_000
    seat: Seat = field(default_factory=lambda: Seat("order"))
    state: State = field(default_factory=State)


def _standing(operation: str, content: bytes, media_type: str | None = _JSON) -> Validity:
    headers = () if media_type is None else (("Content-Type", media_type),)
    return validity(
        operations.OPERATIONS[operation], Request(headers=headers, body=content, method="POST", target="/")
    )


def _written(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


@pytest.mark.parametrize("operation", with_bodies())
def test_every_defect_is_one_for_the_model_too(operation: str) -> None:
    valid = full_body(component(operation), amount=2, sign="B")
    assert _standing(operation, _written(valid)).standing is Standing.VALID
    defects = list(invalid.defects(operation, valid))
    assert len(defects) == len(invalid.whole()[operation])
    for defect in defects:
        assert _standing(operation, _written(defect.body)).standing is Standing.INVALID, defect.description


@pytest.mark.parametrize("operation", with_bodies())
def test_every_notation_is_as_wrong_as_it_is_said_to_be(operation: str) -> None:
    body = full_body(component(operation), amount=2, sign="B")
    optional = "required" not in operations.schema(component(operation))
    for notation in notations.whole()[operation]:
        found = _standing(operation, notation.written(body), notation.media_type)
        if notation.wrong and not (optional and notation.name == "nothing"):
            assert found.standing is Standing.INVALID, notation.name
        if found.standing is Standing.INVALID and notation.wrong:
            assert found.refusals == {400, 415, 422}, notation.name


@pytest.mark.parametrize("name", ["white space", "no white space", "escapes", "fields in another order"])
@pytest.mark.parametrize("operation", with_bodies())
def test_unusual_writing_is_valid(operation: str, name: str) -> None:
    body = full_body(component(operation), amount=2, sign="B")
    [notation] = [each for each in notations.NOTATIONS if each.name == name]
    assert notation.written(body) != _written(body) or len(body) == 1
    assert _standing(operation, notation.written(body)).standing is Standing.VALID


@pytest.mark.parametrize("operation", list(limits.whole()))
def test_every_limit_is_valid(operation: str) -> None:
    ground = Ground(cast(OrderHandle, _Order()), operation)
    for limit in limits.whole()[operation]:
        found = _standing(operation, _written(limit.body(ground)))
        arithmetic = found.reasons == ("an order line that does not add up",)
        place = "postal_code" in limit.name or limit.name.startswith("a place")
        assert found.standing is Standing.VALID or arithmetic or place, limit.name


def test_every_field_of_text_holds_every_phrase() -> None:
    for phrase in (*limits.PHRASES, *limits.WORDS):
        assert len(phrase.encode("utf-16-le")) <= 2 * 10
        assert not is_odd(phrase)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inside for text in _texts(each)]


@pytest.mark.parametrize("operation", list(limits.whole()))
def test_texts_of_many_scripts_hold_each_phrase_between_them(operation: str) -> None:
    ground = Ground(cast(OrderHandle, _Order()), operation)
    bodies = [limit.body(ground) for limit in limits.whole()[operation] if limit.name.startswith("texts of")]
    texts = "\n".join(_texts(bodies))
    assert [phrase for phrase in limits.PHRASES if phrase not in texts] == []


def test_the_same_seed_takes_the_same_slice_and_another_another() -> None:
    one, again, other = (invalid.part(Random(seed)) for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_slices_cover_the_grid_between_them() -> None:
    found: dict[str, set[int]] = {name: set() for name in with_bodies()}
    for seed in range(400):
        for name, numbers in invalid.part(Random(seed)).items():
            found[name] |= set(numbers)
    missed = {name: len(invalid.whole()[name]) - len(numbers) for name, numbers in found.items()}
    assert sum(missed.values()) <= 0.01 * sum(map(len, invalid.whole().values()))


def test_a_slice_has_every_bound_of_every_field_once() -> None:
    part = invalid.part(Random(0))
    tried = {name: list(invalid.defects(name, full_body(component(name), amount=2))) for name in part}
    chosen = [tried[name][number] for name, numbers in part.items() for number in numbers]
    too_long = [
        tuple(step for step in each.path if isinstance(step, str))
        for each in chosen
        if each.kind == "too_long"
    ]
    assert ("order_lines", "name") in too_long
    assert ("shipping_info", "tracking_uri") in too_long
    assert ("shipping_address", "title") in too_long
    assert too_long.count(("description",)) == 3


def test_the_quick_profile_says_how_much_it_takes() -> None:
    _, note = boundaries.scenarios("quick", Random(0))
    assert note.startswith(f"{boundaries.part(Random(0)).size} of {boundaries.whole().size} bodies")
    assert boundaries.scenarios("standard", Random(0))[1] == ""


@pytest.mark.parametrize(
    "server",
    [
        "core",
        "strict-lines",
        "addresses-checked",
        "unknown-fields-refused",
        "thirty-at-most",
        "state-before-body",
    ],
)
def test_a_correct_server_passes_a_slice(server: str) -> None:
    judge, _ = judged(server, boundaries.scenarios("quick", Random(3))[0])
    assert broken(judge) == set()
    assert judge.exercised["GEN-VAL-1"] > 100
    assert all(judge.exercised[rule] for rule in ("GEN-VAL-2", "GEN-VAL-4", "GEN-ERR-4"))


def _scripts(about: str) -> list[Scenario]:
    return [script for script in boundaries.scenarios("quick", Random(4))[0] if script.name == about]


@pytest.mark.parametrize(
    ("server", "rule", "about"),
    [
        ("text-for-amount", "GEN-VAL-1", "wrong bodies: captureOrder"),
        ("fractions-cut", "GEN-VAL-1", "wrong bodies: refundOrder"),
        ("missing-amount-captures-all", "GEN-VAL-1", "wrong bodies: captureOrder"),
        ("capture-reference-one-longer", "GEN-VAL-1", "wrong bodies: captureOrder"),
        ("city-one-longer", "GEN-VAL-1", "wrong bodies: updateConsumerDetails"),
        ("half-references", "GEN-ERR-4", "wrong bodies: updateMerchantReferences"),
        ("half-address", "GEN-ERR-4", "wrong bodies: updateConsumerDetails"),
        ("bodiless-shipping-taken", "GEN-VAL-2", "wrong bodies: appendShippingInfo"),
        ("fails-on-apostrophe", "GEN-ERR-3", "valid bodies: updateMerchantReferences"),
        ("fails-on-astral", "GEN-ERR-3", "valid bodies: refundOrder"),
        ("fails-on-full-text", "GEN-ERR-3", "valid bodies: updateMerchantReferences"),
        ("fails-on-foreign-city", "GEN-ERR-3", "valid bodies: updateConsumerDetails"),
        ("bytes-counted", "GEN-VAL-4", "valid bodies: updateMerchantReferences"),
        ("old-line-types", "GEN-VAL-4", "valid bodies: updateAuthorization"),
        ("old-shipping-methods", "GEN-VAL-4", "valid bodies: appendShippingInfo"),
        ("family-name-one-shorter", "GEN-VAL-4", "valid bodies: updateConsumerDetails"),
        ("empty-reference-refused", "GEN-VAL-4", "valid bodies: updateMerchantReferences"),
    ],
)
def test_who_misjudges_a_body_is_found_by_any_slice(server: str, rule: str, about: str) -> None:
    judge, _ = judged(server, _scripts(about))
    assert rule in broken(judge)


@pytest.mark.parametrize(
    "server", ["junk-after-body", "array-unwrapped", "latin-one", "broken-json-is-empty"]
)
def test_who_misreads_json_is_found(server: str) -> None:
    def play(stage: Stage) -> None:
        notations.probe(lay(stage, "updateMerchantReferences"), notations.NOTATIONS[:20], read_every=5)

    judge, _ = judged(server, [Scenario("notations", play)])
    assert broken(judge) == {"GEN-VAL-2"}


@pytest.mark.parametrize("operation", ["captureOrder", "refundOrder"])
def test_what_a_refused_call_made_is_the_root_among_calls_that_were_taken(operation: str) -> None:
    def play(stage: Stage) -> None:
        types = [each for each in notations.NOTATIONS if each.name.startswith("as ")]
        notations.probe(lay(stage, operation), types, read_every=20)

    judge, _ = judged("unsupported-type-but-done", [Scenario("notations", play)])
    assert {finding.rule for finding in judge.findings if finding.follows is None} == {"GEN-ERR-4"}


@pytest.mark.parametrize("server", ["fails-on-line-break", "fails-on-markup", "fails-on-unknown-field"])
@pytest.mark.parametrize("seed", range(3))
def test_who_fails_on_what_may_be_refused_is_found_by_any_slice(server: str, seed: int) -> None:
    def play(stage: Stage) -> None:
        for operation, chosen in notations.part(Random(seed)).items():
            notations.probe(lay(stage, operation), [one for one in chosen if one.name in _ODD], read_every=5)

    judge, _ = judged(server, [Scenario("notations", play)])
    assert "GEN-ERR-3" in broken(judge)


def test_a_server_that_takes_everything_is_left_soon() -> None:
    _, plain = judged("core", _scripts("wrong bodies: captureOrder"))
    _, lax = judged("null-for-absent", _scripts("wrong bodies: captureOrder"))
    assert len(lax) < 2 * len(plain)
