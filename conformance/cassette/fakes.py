"""Stand-ins for personal data: the same for the same value, of the same form, and without a way back."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from secrets import token_bytes

from orderproof import spec

_SHORTEST = 6
_DOMAIN = "@example.com"
_LONGEST_POSTAL_CODE = 10
_FIRST_BIRTHDAY = date(1930, 1, 1)
_BIRTHDAYS = 25_000


@dataclass
class Fakes:
    """Makes stand-ins under a key that is known to nobody once it is gone.

    What was equal stays equal, also in another Unicode normalisation; what was different stays different but for a
    chance of about one in 26 to the number of letters. Length, letter case, and every character that is no letter or
    digit stay: what was too long, or had markup in it, is so still.
    """

    key: bytes = field(default_factory=lambda: token_bytes(32), repr=False)
    postal_codes: dict[str, str] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return other letters for letters and other digits for digits; at least six of them."""
        chance = self._chance(value)
        found = [_other(character, chance) for character in unicodedata.normalize("NFC", value)]
        count = sum(map(str.isalnum, found))
        if count:
            found += [next(_letters(chance)) for _ in range(_SHORTEST - count)]
        return "".join(found)

    def email(self, value: str) -> str:
        """Return an address at a domain that nobody has; what is no address is replaced as text."""
        if value.count("@") != 1 or value.startswith("@"):
            return self.text(value)
        chance = self._chance(value)
        local = max(_SHORTEST, len(value) - len(_DOMAIN))
        return "".join(next(_letters(chance)) for _ in range(local)) + _DOMAIN

    def phone(self, value: str) -> str:
        """Return another number with the same beginning: a plus sign and two digits, or a zero."""
        kept = 3 if value.startswith("+") else 1 if value.startswith("0") else 0
        return value[:kept] + self._digits(value[kept:], self._chance(value))

    def number(self, value: str) -> str:
        """Return other digits for digits, in a number that must look like one."""
        return self._digits(value, self._chance(value))

    def birthday(self, value: str) -> str:
        """Return another date for a date."""
        try:
            date.fromisoformat(value)
        except ValueError:
            return self.text(value)
        days = next(self._chance(value)) * 256 + next(self._chance(value + "."))
        return (_FIRST_BIRTHDAY + timedelta(days=days % _BIRTHDAYS)).isoformat()

    def token(self, value: str) -> str:
        """Return a token that opens nothing."""
        chance = self._chance(value)
        return "token-" + "".join(f"{next(chance):02x}" for _ in range(8))

    def postal_code(self, value: str, country: str | None = None, region: str = "") -> str:
        """Return the postal code of another place in the country and region, or one of the same form.

        The first call with a value decides. An order's address fits its country as it did before, as far as there are
        places to take; without a country it may not.
        """
        if value not in self.postal_codes:
            fitting = self._places(country, region) if len(value) <= _LONGEST_POSTAL_CODE else []
            taken = set(self.postal_codes.values())
            free = [code for code in fitting if code not in taken]
            others = [code for code in free if code != value] or free
            chance = next(self._chance(value))
            self.postal_codes[value] = others[chance % len(others)] if others else self._same_form(value)
        return self.postal_codes[value]

    def _places(self, country: str | None, region: str) -> list[str]:
        wanted = ((country or "").casefold(), region.casefold())
        places = spec.read("places.yaml")
        return [
            p["postal_code"]
            for p in places
            if (p["country"].casefold(), p.get("region", "").casefold()) == wanted
        ]

    def _same_form(self, value: str) -> str:
        chance = self._chance(value)
        return "".join(_other(character, chance) for character in value)

    def _digits(self, value: str, chance: Iterator[int]) -> str:
        return "".join(str(next(chance) % 10) if c.isdecimal() else _other(c, chance) for c in value)

    def _chance(self, value: str) -> Iterator[int]:
        """An endless sequence of bytes that depends on the value and the key alone."""
        seed = unicodedata.normalize("NFC", value).encode("utf-8", "surrogatepass")
        block = blake2b(seed, key=self.key).digest()
        while True:
            yield from block
            block = blake2b(block, key=self.key).digest()


def _letters(chance: Iterator[int]) -> Iterator[str]:
    while True:
        yield string.ascii_lowercase[next(chance) % 26]


def _other(character: str, chance: Iterator[int]) -> str:
    """Another character of the same kind. One outside the BMP stays outside, as lengths may be counted in UTF-16."""
    if character.isdecimal():
        return str(next(chance) % 10)
    if not (character.isalnum() or unicodedata.category(character).startswith("M")):
        return character
    if ord(character) > 0xFFFF:
        return "\U0001d4b3"
    letter = next(_letters(chance))
    return letter.upper() if character.isupper() else letter
