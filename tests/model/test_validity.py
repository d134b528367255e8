"""What a request body is: valid, invalid, or open; and what it says, however hard it is to read."""

from __future__ import annotations

import json

import pytest

from orderproof.exchange import ABSENT, Request, read_json
from orderproof.model.validity import Standing, validity
from orderproof.operations import OPERATIONS

DEEP = {
    "arrays": b"[" * 100_000 + b'"a]\\"]"' + b"]" * 100_000,
    "objects": b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
}


def capture(body: bytes) -> Request:
    return Request(
        headers=(("Content-Type", "application/json"),), body=body, method="POST", target="/captures"
    )


@pytest.mark.parametrize("nested", DEEP)
def test_a_deep_body_may_be_refused_and_is_read_all_the_same(nested: str) -> None:
    request = capture(b'{"x": ' + DEEP[nested] + b', "captured_amount": 7}')
    assert 7 == request.json["captured_amount"]
    found = validity(OPERATIONS["captureOrder"], request)
    assert (Standing.OPEN, True) == (found.standing, {400, 422} <= found.refusals)


@pytest.mark.parametrize("nested", DEEP)
def test_a_deep_body_without_its_end_is_no_json(nested: str) -> None:
    request = capture(b'{"captured_amount": 7, "x": ' + DEEP[nested][:-1])
    assert ABSENT is request.json
    assert Standing.INVALID is validity(OPERATIONS["captureOrder"], request).standing


def test_what_is_missing_beside_a_deep_value_is_missing() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        read_json(b'{"x": ' + DEEP["arrays"] + b', "captured_amount":}')


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_of_thousands_of_digits_is_a_number(sign: str) -> None:
    doubts: list[str] = []
    value = read_json(f'{{"n": {sign}1{"0" * 9_000}, "m": 3}}'.encode(), doubts.append)
    assert (3, ["a number of thousands of digits"]) == (value["m"], doubts)
    assert abs(value["n"]) > 2**64
    assert (value["n"] < 0) is (sign == "-")


def test_an_ordinary_body_is_valid() -> None:
    body = json.dumps({"captured_amount": 7, "description": "All of it"}).encode()
    assert Standing.VALID is validity(OPERATIONS["captureOrder"], capture(body)).standing


@pytest.mark.parametrize("number", ["9" * 20, "9" * 5_000, "1e400", "-" + "9" * 5_000])
@pytest.mark.parametrize("body", ['{"captured_amount": %s}', '{"captured_amount": 7, "x": %s}'])
def test_a_number_that_not_every_reader_holds_may_be_no_json_to_one(body: str, number: str) -> None:
    found = validity(OPERATIONS["captureOrder"], capture((body % number).encode()))
    assert (Standing.OPEN, True) == (found.standing, 415 in found.refusals)
