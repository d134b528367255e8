"""Text: what is in it, how long it is, and what it shrinks to."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis.errors import InvalidArgument

from orderproof.strategies import field_texts, full_texts, schema, texts
from orderproof.strategies.formats import email_of, emails, lengthened, phones, urls
from tests.strategies.drawing import check_each, drawn_from, minimal


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def assert_plain(text: str) -> None:
    assert text == unicodedata.normalize("NFC", text)
    assert text == text.strip()
    assert not set("<>&") & set(text)
    assert not {unicodedata.category(character)[0] for character in text} & {"C"}


def test_text_survives_normalization_trimming_and_escaping() -> None:
    def check(text: str) -> None:
        assert_plain(text)
        assert 1 <= len(text) <= utf16_units(text) <= 255

    check_each(texts(max_length=255), check)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 10, 255])
def test_full_text_has_its_length(length: int) -> None:
    def check(text: str) -> None:
        assert_plain(text)
        assert length == utf16_units(text)

    check_each(full_texts(length=length), check, count=100)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (1, 2), (3, 3), (5, 64), (0, 10)])
def test_text_keeps_its_bounds(low: int, high: int) -> None:
    def check(text: str) -> None:
        assert low <= utf16_units(text) <= high
        assert len(text) <= high

    check_each(texts(min_length=low, max_length=high), check, count=200)


def test_text_is_of_many_kinds() -> None:
    drawn = drawn_from(texts(max_length=100), count=400)
    scripts = {unicodedata.name(character).split()[0] for text in drawn for character in text}
    assert {
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "HEBREW",
        "ARABIC",
        "DEVANAGARI",
        "THAI",
        "CJK",
        "HANGUL",
    } <= scripts
    assert any(character > "\uffff" for text in drawn for character in text), "astral"
    assert any(unicodedata.combining(character) for text in drawn for character in text), "combining"
    assert any(" " in text for text in drawn), "blanks between words"
    assert 10 <= sum(utf16_units(text) == 100 for text in drawn) <= 100, "full length"


def test_field_text_is_bounded_by_the_document() -> None:
    for field in ("OrderLine.quantity_unit", "ProductIdentifiers.category_path", "Address.title"):
        drawn = drawn_from(field_texts(field=field), count=300)
        assert schema.longest(field) == max(map(utf16_units, drawn))


def test_text_shrinks_to_what_a_person_would_write() -> None:
    words = texts(max_length=255)
    assert "A" == minimal(words)
    assert "AAAA" == minimal(words, lambda text: len(text) > 3)
    assert "A" * 127 == minimal(words, lambda text: len(text) > 100)
    assert "😀" == minimal(words, lambda text: any(character > "\uffff" for character in text))
    assert "q̃" == minimal(words, lambda text: any(map(unicodedata.combining, text)))
    assert "" == minimal(texts(min_length=0, max_length=9))
    assert "A" * 20 == minimal(full_texts(length=20))


def test_formatted_text_fits_and_shrinks() -> None:
    check_each(
        urls(max_length=60),
        lambda text: assert_prefix_and_length(text, "https://example.com/", 60),
        count=200,
    )
    check_each(emails(max_length=100), lambda text: assert_mailbox(text, 100), count=200)
    assert "https://example.com/A" == minimal(urls(max_length=60))
    assert "a@example.com" == minimal(emails(max_length=100))
    assert "+1 555 0100" == minimal(phones())


def assert_prefix_and_length(text: str, prefix: str, most: int) -> None:
    assert text.startswith(prefix)
    assert len(prefix) < len(text) <= most


def assert_mailbox(text: str, most: int) -> None:
    mailbox, _, host = text.partition("@")
    assert 1 <= len(mailbox) <= 64
    assert all(1 <= len(label) <= 63 for label in host.split("."))
    assert len(text) <= most


def test_email_of_a_length_has_it_and_is_well_formed() -> None:
    for length in range(13, 200):
        assert length == len(email_of(length))
        assert_mailbox(email_of(length), length)


def test_lengthened_text_keeps_its_beginning() -> None:
    assert "BeAA" == lengthened("OrderLine.name", "Be", 4)
    assert "https://example.com/AA" == lengthened("OrderLine.image_url", "", 22)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: texts(max_length=0), "max_length=0 is below 1"),
        (lambda: texts(min_length=6, max_length=5), "min_length=6 is above 5"),
        (lambda: texts(max_length="5"), "max_length='5' is not an integer"),  # type: ignore[arg-type]
        (lambda: texts(max_length=True), "max_length=True is not an integer"),
        (lambda: full_texts(length=-1), "length=-1 is below 1"),
        (lambda: urls(max_length=20), "max_length=20 is below 21"),
        (lambda: emails(max_length=12), "max_length=12 is below 13"),
        (lambda: field_texts(field="CaptureRequest.nonsense"), "'CaptureRequest.nonsense' is no field"),
        (lambda: field_texts(field="Nonsense.name"), "'Nonsense' is no component"),
        (lambda: field_texts(field="Address.country"), "no maxLength for 'Address.country'"),
    ],
)
def test_misuse_is_refused_at_once(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InvalidArgument) as caught:
        call()
    assert message in str(caught.value)
