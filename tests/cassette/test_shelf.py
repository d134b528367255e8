"""The shelf is whole, says where it comes from, and is played by vcrpy in a user's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
import vcr
import yaml
from vcr.cassette import Cassette
from vcr.serializers import yamlserializer

from orderproof import __version__, cassettes, spec
from orderproof.cassette.reading import Recording
from orderproof.cassette.recording import chosen_takes, record
from orderproof.cassette.takes import TAKES
from orderproof.cassette.writing import write_text
from orderproof.catalogue import AREAS, catalogue
from orderproof.errors import UsageError
from orderproof.target import Target


def test_there_is_a_cassette_for_each_scenario() -> None:
    assert sorted(take.name for take in TAKES) == sorted(cassettes.names())
    assert {name.partition("/")[0] for name in cassettes.names()} <= set(AREAS)
    folder = Path(str(files("orderproof.cassettes")))
    stored = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.glob("*/*.yaml")}
    assert set(cassettes.names()) == stored


@pytest.mark.parametrize("name", cassettes.names())
def test_a_cassette_says_where_it_comes_from(name: str) -> None:
    recording = Recording(cassettes.path(name), name)
    count = sum(1 for _ in recording)
    header = recording.own
    assert "the sandbox of orderproof" == header["recorded_from"]
    assert str(spec.openapi()["info"]["version"]) == header["contract"]
    assert header["suite"]
    assert (name, count) == (header["scenario"], header["exchanges"])
    assert set(header["rules"]) <= set(catalogue())
    assert "broken" not in header
    listed = {field: value for field, value in cassettes.index()[name].items() if field != "name"}
    assert {field: header[field] for field in listed} == listed


def test_every_server_rule_that_a_lone_client_can_see_is_witnessed() -> None:
    witnessed = {rule for entry in cassettes.index().values() for rule in entry["rules"]}
    assert len(witnessed) >= 85
    assert {
        "CAP-5",
        "RFD-5",
        "CAN-4",
        "IDM-1",
        "IDM-3",
        "EXP-1",
        "REL-4",
        "GEN-AUTH-1",
        "GEN-404-1",
    } <= witnessed


def test_every_error_code_that_a_lone_client_can_meet_is_recorded() -> None:
    text = "".join(cassettes.path(name).read_text(encoding="utf-8") for name in cassettes.names())
    responses = spec.openapi()["components"]["responses"].values()
    documented = {code for response in responses for code in response.get("x-error-codes", ())}
    # These need calls at the same time, an account that asks for it, or a body of two megabytes.
    rare = {"CONFLICT", "INVALID_ADDRESS", "UNPROCESSABLE_ENTITY", "REQUEST_TOO_LARGE", "TOO_MANY_REQUESTS"}
    assert documented - rare == {code for code in documented - rare if f'"{code}"' in text}


@pytest.mark.parametrize("name", cassettes.names())
def test_vcrpy_reads_it(name: str) -> None:
    cassette = Cassette.load(path=str(cassettes.path(name)), serializer=yamlserializer)
    ours = [entry.exchange for entry in Recording(cassettes.path(name))]
    assert len(ours) == len(cassette.requests) == len(cassette.responses)
    for exchange, request, response in zip(ours, cassette.requests, cassette.responses, strict=True):
        assert (exchange.request.method, exchange.request.body) == (request.method, request.body or b"")
        assert request.uri.endswith(exchange.request.target)
        assert exchange.response is not None
        assert exchange.response.status == response["status"]["code"]
        assert exchange.response.body == response["body"]["string"]


@pytest.fixture
def recorded_capture() -> Iterator[Cassette]:
    """What the documentation shows: a cassette of the shelf, played to the code under test."""
    path = cassettes.path("captures/full")
    with vcr.use_cassette(
        str(path), record_mode="none", match_on=["method", "path"], allow_playback_repeats=True
    ) as cassette:
        yield cassette


def test_a_client_of_a_user_is_answered_from_the_shelf(recorded_capture: Cassette) -> None:
    order = recorded_capture.requests[1].path
    with httpx.Client(base_url="https://api.playground.klarna.com") as client:
        before = client.get(order).json()
        made = client.post(
            f"{order}/captures", json={"captured_amount": before["remaining_authorized_amount"]}
        )
        capture = client.get(f"{order}/captures/{made.headers['Capture-Id']}").json()
    assert (201, before["order_amount"]) == (made.status_code, capture["captured_amount"])


def test_a_name_that_is_not_on_the_shelf() -> None:
    with pytest.raises(
        ValueError, match="no cassette is called 'captures/none'; there are authorizations/amounts"
    ):
        cassettes.path("captures/none")


def test_recording_is_whole_or_not_at_all(
    sandbox: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (done,) = record(sandbox, tmp_path, chosen_takes(["captures/full"]))
    assert done.path is not None
    before = done.path.read_text(encoding="utf-8")
    monkeypatch.setattr("os.fsync", _no_space)
    with pytest.raises(UsageError, match="cannot be written: No space left"):
        write_text(done.path, "half")
    assert before == done.path.read_text(encoding="utf-8")
    assert ["full.yaml"] == [path.name for path in done.path.parent.iterdir()]


def _no_space(handle: int) -> None:
    raise OSError(28, "No space left on device")


def test_what_is_recorded_of_a_target_names_it(sandbox: Target, tmp_path: Path) -> None:
    (done,) = record(sandbox, tmp_path, chosen_takes(["captures/full"]))
    assert done.path is not None
    data = yaml.safe_load(done.path.read_text(encoding="utf-8"))
    header = data["metadata"]["orderproof"]
    assert (sandbox.base_url, __version__) == (header["recorded_from"], header["suite"])
    assert all(i["request"]["uri"].startswith(sandbox.base_url) for i in data["interactions"])
    (listed,) = yaml.safe_load((tmp_path / "index.yaml").read_text(encoding="utf-8"))["cassettes"]
    assert ("captures/full", header["rules"]) == (listed["name"], listed["rules"])


def test_a_scenario_that_there_is_not() -> None:
    with pytest.raises(
        UsageError, match="no scenario is called 'captures/nothing'; there are authorizations/amounts"
    ):
        chosen_takes(["captures/nothing"])
