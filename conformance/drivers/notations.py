"""Bodies as bytes: what is no JSON, what is JSON and no object, and rightful but unusual ways to write one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from orderproof import operations
from orderproof.drivers.grounds import STEP, Ground, component, with_bodies
from orderproof.drivers.invalid import TWIN_TAKEN
from orderproof.strategies.specimens import full_body

Body = Mapping[str, Any]

_JSON = "application/json"
_DEEP = 20_000
_MANY_DIGITS = 5_000
_TEXTS = ("description", "merchant_reference1")


@dataclass(frozen=True)
class Notation:
    """A way to send a body: the bytes, and the media type. `wrong`: it is no JSON object, whoever reads it."""

    name: str
    written: Callable[[Body], bytes]
    media_type: str | None = _JSON
    wrong: bool = False

    def suits(self, body: Body) -> bool:
        """Say whether a body can be sent so: odd text needs a field for it."""
        return self.name not in _IN_TEXTS or any(name in body for name in _TEXTS)


def _text(body: Body) -> str:
    return json.dumps(body, ensure_ascii=False)


def _plain(body: Body) -> bytes:
    return _text(body).encode()


def _around(before: str, after: str) -> Callable[[Body], bytes]:
    return lambda body: (before + _text(body) + after).encode()


def _beside(member: bytes) -> Callable[[Body], bytes]:
    """Write the body with one more member, which the schema does not know."""
    return lambda body: b"{" + member + b", " + _plain(body)[1:]


def _instead(value: str, *names: str) -> Callable[[Body], bytes]:
    """Write the body with other characters in place of its first value, or of the first of those named."""

    def written(body: Body) -> bytes:
        place = next((name for name in names if name in body), next(iter(body)))
        members = (
            f"{json.dumps(name)}: {value if name == place else _text(item)}" for name, item in body.items()
        )
        return f"{{{', '.join(members)}}}".encode()

    return written


_NOTHING = "nothing"
_WRONG: Mapping[str, Callable[[Body], bytes]] = {
    _NOTHING: lambda body: b"",
    "form fields": lambda body: b"captured_amount=2&reference=B",
    "cut short": lambda body: _plain(body)[:-1],
    "half of it": lambda body: _plain(body)[: len(_plain(body)) // 2],
    "more after it": _around("", " and more"),
    "twice": lambda body: _plain(body) * 2,
    "single quotes": lambda body: _plain(body).replace(b'"', b"'"),
    "a comma too many": lambda body: _plain(body)[:-1] + b",}",
    "bytes that are not UTF-8": _beside(b'"x": "\xff"'),
    "an array around it": _around("[", "]"),
    "it as a text": lambda body: json.dumps(_text(body)).encode(),
    "null": lambda body: b"null",
    "true": lambda body: b"true",
    "a number": lambda body: b"2",
    "an empty array": lambda body: b"[]",
    "not a number": _instead("NaN"),
    "an endless number": _instead("Infinity"),
    "a leading zero": _instead("02"),
    "a leading plus": _instead("+2"),
    "a hexadecimal number": _instead("0x2"),
}
_DOUBTFUL: Mapping[str, Callable[[Body], bytes]] = {
    "deep arrays": _beside(b'"x": ' + b"[" * _DEEP + b"]" * _DEEP),
    "deep objects": _beside(b'"x": ' + b'{"a": ' * _DEEP + b"1" + b"}" * _DEEP),
    "each field twice": lambda body: _plain(body)[:-1] + b", " + _plain(body)[1:],
    "an unknown field": _beside(b'"x": {"y": [null, 1.5, "z"]}'),
    "an exponent beyond bounds": _instead("1e400"),
    "thousands of digits": _instead("1" + "0" * _MANY_DIGITS),
    "more than 32 bits": _instead("2147483648"),
    "more than 32 bits below zero": _instead("-2147483649"),
    "53 bits": _instead("9007199254740992"),
    "minus zero": _instead("-0"),
    "half a surrogate pair": _instead('"\\ud800"', *_TEXTS),
    "a zero character": _instead('"A\\u0000B"', *_TEXTS),
    "control characters": _instead('"A\\r\\nB\\t\\u0007\\u007f\\u200d\\u2028"', *_TEXTS),
    "markup": _instead('"A <b>B</b> &amp; <!-- C -->"', *_TEXTS),
    "UTF-16": lambda body: _text(body).encode("utf-16"),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + _plain(body),
}
_RIGHTFUL: Mapping[str, Callable[[Body], bytes]] = {
    "white space": lambda body: b"\r\n\t " + json.dumps(body, indent="\t").encode() + b"\n \n",
    "no white space": lambda body: json.dumps(body, separators=(",", ":")).encode(),
    "escapes": lambda body: _text(body).replace("/", "\\/").replace("e", "\\u0065").encode(),
    "fields in another order": lambda body: _text(dict(reversed(list(body.items())))).encode(),
}
_IN_TEXTS = ("half a surrogate pair", "a zero character", "control characters", "markup")
_MEDIA_TYPES = (
    None,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/xml",
    "json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
)

NOTATIONS: Sequence[Notation] = (
    *(Notation(name, written, wrong=True) for name, written in _WRONG.items()),
    *(Notation(name, written) for name, written in (*_RIGHTFUL.items(), *_DOUBTFUL.items())),
    *(Notation(f"as {media_type}", _plain, media_type) for media_type in _MEDIA_TYPES),
)
"""Every way to send a body that is tried, those first that no server takes."""


def whole() -> Mapping[str, Sequence[Notation]]:
    """All notations that suit each operation."""
    return {
        name: [notation for notation in NOTATIONS if notation.suits(_body(name))] for name in with_bodies()
    }


def part(chance: Random) -> Mapping[str, Sequence[Notation]]:
    """Each notation for one operation, chosen by chance, and for another if that requires no field of its body.

    No body at all is tried for every operation.
    """
    chosen: dict[str, list[Notation]] = {name: [NOTATIONS[0]] for name in with_bodies()}
    optional = [name for name in with_bodies() if "required" not in operations.schema(component(name))]
    for notation in NOTATIONS[1:]:
        suited = [name for name in with_bodies() if notation.suits(_body(name))]
        some = {chance.choice(suited), *([chance.choice(optional)] if notation.wrong else [])}
        for name in sorted(some):
            chosen[name].append(notation)
    return chosen


def _body(operation: str) -> Body:
    return full_body(component(operation), amount=STEP)


def probe(ground: Ground, notations: Sequence[Notation], *, read_every: int) -> None:
    """Send the body that the order takes in each of the notations.

    The order is read after every few that must be refused, and after each that may be taken: between two readings there
    are not both, or nobody could say which of them changed something.
    """
    wrong = [notation for notation in notations if _must_be_refused(notation, ground.operation)]
    others = [notation for notation in notations if notation not in wrong]
    for count, notation in enumerate([*wrong, *others], 1):
        ground.call(
            content=notation.written(ground.body()),
            content_type=notation.media_type,
            facts=TWIN_TAKEN if notation.wrong and ground.proven else frozenset(),
            read=count % read_every == 0 or count >= len(wrong),
        )


def _must_be_refused(notation: Notation, operation: str) -> bool:
    """Say whether nobody may take it: no body at all will do where no field is required."""
    has_required = bool(operations.schema(component(operation)).get("required"))
    return notation.wrong and (has_required or notation.name != _NOTHING)
