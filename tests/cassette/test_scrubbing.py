"""Nothing secret is left in a recording, and what the rules look at is left as it was."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderproof import operations, spec
from orderproof.cassette.fakes import Fakes
from orderproof.cassette.reading import Recording
from orderproof.cassette.recording import chosen_takes, record
from orderproof.cassette.scrubbing import scrub
from orderproof.exchange import Exchange, Request, Response
from orderproof.model.validity import place_fits
from orderproof.target import Target
from tests.cassette.conftest import ORDER_ID, an_order

PATH = f"/ordermanagement/v1/orders/{ORDER_ID}"
SECRETS = {
    "password": "hunter2hunter2",
    "basic": "cGxhbnRlZDpzZWNyZXQ9",
    "bearer": "eyJhbGciOiJub25lIn0.eyJwbGFudGVkIjoxfQ.c2lnbmF0dXJl",
    "cookie": "session=planted-cookie-1",
    "api_key": "planted-api-key-7",
    "customer_token": "0b1c2d3e-planted-token",
    "given_name": "Zebulonia",
    "family_name": "Quackenbush",
    "organization": "Plantagenet Holdings",
    "street": "Plantvägen 77",
    "postal_code": "987 65",
    "email": "zebulonia.quackenbush@corp.test",
    "phone": "+46709998877",
    "birthday": "1971-03-09",
    "national_id": "19710309-1234",
}


def planted() -> dict[str, Any]:
    return {
        "organization_name": SECRETS["organization"],
        "given_name": SECRETS["given_name"],
        "family_name": SECRETS["family_name"],
        "street_address": SECRETS["street"],
        "postal_code": SECRETS["postal_code"],
        "city": "Stad",
        "country": "SE",
        "email": SECRETS["email"],
        "phone": SECRETS["phone"],
    }


def exchange(
    number: int, method: str, target: str, sent: bytes, body: bytes, status: int = 200, **more: str
) -> Exchange:
    headers = (
        ("Authorization", f"Basic {SECRETS['basic']}"),
        ("Cookie", SECRETS["cookie"]),
        ("X-Api-Key", SECRETS["api_key"]),
        ("Content-Type", "application/json"),
    )
    request = Request(headers, sent, method, target)
    length = ("Content-Length", str(len(body)))
    answer = Response((*more.items(), ("Content-Type", "application/json"), length), body, status)
    return Exchange(number, request, answer, float(number), float(number) + 0.5)


def everywhere() -> list[Exchange]:
    """Exchanges with a secret in every place that there is."""
    nested = json.dumps({"customer": {"email": SECRETS["email"], "ssn": SECRETS["national_id"]}})
    order = an_order(
        billing_address=planted(),
        shipping_address=planted(),
        customer={
            "date_of_birth": SECRETS["birthday"],
            "national_identification_number": SECRETS["national_id"],
        },
        merchant_data=nested,
        merchant_reference1=f"for {SECRETS['family_name']}",
    )
    text = json.dumps(order, ensure_ascii=False).encode()
    escaped = json.dumps(order).encode()
    message = (
        f"{SECRETS['given_name']} {SECRETS['family_name']} at {SECRETS['street']} has {SECRETS['phone']}"
    )
    error = {"correlation_id": "x", "error_code": "NOT_ALLOWED", "error_messages": [message]}
    query = f"?access_token={SECRETS['password']}&email={quote(SECRETS['email'])}&q={quote(SECRETS['given_name'])}"
    form = f"password={SECRETS['password']}&who={quote(SECRETS['family_name'])}".encode()
    formed = exchange(6, "POST", "/session", form, b"<p>" + SECRETS["email"].encode() + b"</p>")
    typed = Request((("Content-Type", "application/x-www-form-urlencoded"),), form, "POST", "/session")
    return [
        exchange(1, "POST", f"/customer-token/v1/tokens/{SECRETS['customer_token']}/order", text, b"{}"),
        exchange(2, "GET", PATH, b"", text, Location=f"http://user:{SECRETS['password']}@host{PATH}"),
        exchange(
            3,
            "GET",
            PATH + query,
            b"",
            escaped,
            **{"Set-Cookie": SECRETS["cookie"], "X-It": SECRETS["bearer"]},
        ),
        exchange(4, "PATCH", f"{PATH}/customer-details", text[:-30], json.dumps(error).encode(), 400),
        exchange(
            5, "POST", f"{PATH}/captures", json.dumps({"description": message}).encode(), b"\xff\xfe" + text
        ),
        Exchange(6, typed, formed.response, 6.0, 6.5),
        exchange(
            7, "GET", f"{PATH}/{quote(SECRETS['email'])}", b"", f"Bearer {SECRETS['bearer']}".encode(), 404
        ),
        exchange(8, "POST", f"{PATH}/refunds", json.dumps([f"Basic {SECRETS['basic']}"]).encode(), b""),
    ]


def dumped(exchanges: Sequence[Exchange]) -> list[str]:
    """Every text of the exchanges, bodies byte for byte: a cassette hides those that are no text in base64."""
    texts = []
    for found in exchanges:
        messages = [found.request, *([found.response] if found.response else [])]
        texts += [found.request.target, *(value for m in messages for _, value in m.headers)]
        texts += [message.body.decode("utf-8", "replace") for message in messages]
    return [text.casefold() for text in texts]


@pytest.mark.parametrize("name", SECRETS)
def test_no_secret_is_left_anywhere(name: str) -> None:
    forms = [f.casefold() for f in (SECRETS[name], quote(SECRETS[name]), json.dumps(SECRETS[name])[1:-1])]
    before, after = dumped(everywhere()), dumped(scrub(everywhere(), secrets=[SECRETS["password"]]))
    assert any(form in text for form in forms for text in before)
    assert [] == [text for form in forms for text in after if form in text]


def test_no_secret_is_left_in_a_body_that_breaks_off_or_is_no_json() -> None:
    whole = json.dumps(planted(), ensure_ascii=False)
    broken_off = whole[: whole.index(SECRETS["street"]) + len(SECRETS["street"])]
    for body in (whole[:-40], broken_off, f"while reading {whole}", f"\ufeff{whole}"):
        (after,) = scrub([exchange(1, "PATCH", PATH, body.encode(), b"", 400)])
        text = after.request.body.decode()
        assert [] == [
            n for n in ("given_name", "family_name", "street", "organization") if SECRETS[n] in text
        ]


def test_no_name_is_left_in_capitals_nor_a_password_in_an_address() -> None:
    page = f"<h1>{SECRETS['given_name'].upper()} {SECRETS['family_name'].upper()}</h1>".encode()
    away = f"https://shop:s3cret-pass@host.example{PATH}"
    body = json.dumps(planted(), ensure_ascii=False).encode()
    (after,) = scrub([exchange(1, "PATCH", PATH, body, page, 500, Location=away)])
    assert after.response is not None
    text = after.response.body.decode() + (after.response.header("location") or "")
    assert f"https://host.example{PATH}" in text
    assert [] == [n for n in ("given_name", "family_name") if SECRETS[n].upper() in text]


def test_what_the_rules_look_at_stays() -> None:
    was, now = everywhere()[1], scrub(everywhere())[1]
    assert was.response is not None
    assert now.response is not None
    kept = {
        "order_id",
        "status",
        "order_amount",
        "order_lines",
        "klarna_reference",
        "created_at",
        "captures",
        "locale",
    }
    assert {n: was.response.json[n] for n in kept} == {n: now.response.json[n] for n in kept}
    assert [] == operations.reading_problems("Order", now.response.json)
    assert str(len(now.response.body)) == now.response.header("content-length")
    assert "Basic REDACTED" == now.request.header("authorization")


def test_what_was_equal_stays_equal() -> None:
    orders = [found.response.json for found in scrub(everywhere())[1:3] if found.response is not None]
    assert orders[0]["billing_address"] == orders[0]["shipping_address"] == orders[1]["billing_address"]
    created = scrub(everywhere())[0].request.json
    assert created["billing_address"]["email"] != SECRETS["email"]


def test_an_address_fits_its_country_as_before() -> None:
    answer = scrub(everywhere())[1].response
    assert answer is not None
    assert place_fits(answer.json["billing_address"])


def test_a_postal_code_that_was_refused_is_not_made_to_fit() -> None:
    body = json.dumps({"shipping_address": {"country": "SE", "postal_code": "123456789"}}).encode()
    (after,) = scrub([exchange(1, "PATCH", f"{PATH}/customer-details", body, b"{}", 400)])
    assert not place_fits(after.request.json["shipping_address"])


def test_bytes_stay_as_they_are_where_nothing_is_secret() -> None:
    body = b'{ "captured_amount" : 1.0e2,\t"captured_amount": 00, "reference": "\\u00e6", "x": [1, 2.50] }'
    (after,) = scrub([exchange(1, "POST", f"{PATH}/captures", body, b"", 201)])
    assert body == after.request.body


def test_scrubbing_again_changes_no_meaning() -> None:
    once = scrub(everywhere())
    assert [len(e.request.body) for e in once] == [len(e.request.body) for e in scrub(once)]


@given(st.text(min_size=1, max_size=120))
def test_a_fake_has_the_form_of_the_value(value: str) -> None:
    fakes = Fakes(b"key")
    plain, fake = unicodedata.normalize("NFC", value), fakes.text(value)
    assert fake == fakes.text(unicodedata.normalize("NFD", value))
    assert fake[len(plain) :].isalpha() or len(fake) == len(plain)
    odd = re.compile(r"[\W_]")
    assert odd.findall(_without_marks(plain)) == odd.findall(_without_marks(fake))
    utf_16 = [len(text.encode("utf-16-le", "surrogatepass")) for text in (plain, fake[: len(plain)])]
    assert utf_16[0] == utf_16[1]


def _without_marks(text: str) -> str:
    return "".join("a" if unicodedata.category(c).startswith("M") else c for c in text)


@given(
    st.lists(st.text(st.characters(codec="ascii", categories=["L"]), min_size=6), unique=True, max_size=30)
)
def test_different_values_stay_different(values: list[str]) -> None:
    fakes = Fakes(b"key")
    assert len(values) == len({fakes.text(value) for value in values})


@pytest.mark.parametrize(
    "place", spec.read("places.yaml"), ids=lambda place: f"{place['postal_code']} {place['city']}"
)
def test_a_postal_code_of_every_country_has_a_stand_in(place: dict[str, str]) -> None:
    fake = Fakes(b"key").postal_code("QQ99 9", place["country"], place.get("region", ""))
    assert place_fits({"country": place["country"], "postal_code": fake, "region": place.get("region", "")})


def test_fakes_cannot_be_told_without_the_key() -> None:
    assert Fakes().text("Zebulonia") != Fakes().text("Zebulonia")
    assert "key" not in repr(Fakes(b"key"))


def test_a_recording_has_none_of_the_credentials_in_use(sandbox: Target, tmp_path: Path) -> None:
    (done,) = record(sandbox, tmp_path, chosen_takes(["captures/full"]))
    assert done.path is not None
    text = done.path.read_text(encoding="utf-8")
    for secret in (
        sandbox.authorization.partition(" ")[2],
        "klara@example.com",
        "Testgatan",
        "tokens/sandbox",
    ):
        assert secret not in text
    assert done.exchanges == sum(1 for _ in Recording(done.path))
