"""Takes credentials and personal data out of exchanges before they are written, and puts stable stand-ins there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from orderproof import spec
from orderproof.cassette.fakes import Fakes
from orderproof.exchange import ABSENT, REDACTED, Exchange, Headers, Message
from orderproof.model.call import call_of

_KEPT_HEADERS = re.compile(
    "accept(-.*)?|access-control-(allow|expose|max|request)-.*|age|allow|cache-control|capture-id|connection|content-.*|"
    "date|etag|expires|host|keep-alive|klarna-.*|location|pragma|refund-id|retry-after|server|strict-transport-security|"
    "transaction-id|transfer-encoding|user-agent|vary|www-authenticate|x-content-type-options|x-frame-options|"
    "x-xss-protection|x-request-id|x-correlation-id",
    re.IGNORECASE,
)
"""Headers whose values are written, as far as they have no secret in them; any other one may be a secret as a whole."""

_KINDS: tuple[tuple[str, str], ...] = (
    ("email", r"e[-_]?mail"),
    ("phone", r"phone|mobile|telefon|msisdn"),
    ("birthday", r"date_?of_?birth|birth_?(date|day)|^dob$"),
    (
        "number",
        r"national|^ssn$|personal_?(id|number)|organi[sz]ation_(registration|number)|vat_?id|social_?security",
    ),
    ("postal_code", r"postal_?code|post_?code|^zip"),
    (
        "token",
        r"token|secret|password|passwd|api_?key|authorization|cookie|session_?(id|key)|signature|credential",
    ),
    (
        "text",
        r"(given|family|first|last|full|middle|sur|user|customer|organi[sz]ation|company|contact|recipient)_?name|"
        r"street|address_?line|house_?(number|ext)|^care_?of|attention|user_input",
    ),
)
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("redacted", re.compile(r"(?<=://)[^/\s\"'@]+(?=@)")),
    ("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    (
        "token",
        re.compile(r"(?i)(?<=\bbasic )(?!realm)(?=\S*[\d=])[\w.~+/=-]{6,}|(?<=\bbearer )[\w.~+/=-]{6,}"),
    ),
    ("token", re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bklarna_\w+_(?:api|client)_[\w-]+")),
    ("token", re.compile(r"\bP?K\d{4,}_[0-9a-f]{6,}")),
    ("number", re.compile(r"(?<![\w-])\d{6,8}[-+]\d{4}(?![\w-])")),
    ("phone", re.compile(r"(?<!\w)\+\d[\d ()./-]{6,18}\d")),
)
_TOKEN_PATH = re.compile(r"(?<=/customer-token/v1/tokens/)[^/?#]+|(?<=/payments/v1/authorizations/)[^/?#]+")
_USER_INFO = re.compile(r"^[^/]+@")
_STRING_OR_NUMBER = re.compile(r'"((?:[^"\\]|\\.)*)(?:"(\s*:)?|\Z)|(?<=[:,\[\s])-?\d+(?=[,}\]\s]|$)')
_SHORTEST_KNOWN = 4


@cache
def _kind_of(name: str) -> str | None:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).casefold()
    return next((kind for kind, pattern in _KINDS if re.search(pattern, plain)), None)


@cache
def constants() -> frozenset[str]:
    """Return the words of the contract: members of its closed lists, and its error codes. They are nobody's secret."""
    return frozenset(_constants(spec.openapi()))


def _constants(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for name in ("enum", "x-error-codes"):
            yield from (value for value in node.get(name, ()) if isinstance(value, str))
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    for child in children:
        yield from _constants(child)


def scrub(exchanges: Sequence[Exchange], *, secrets: Iterable[str] = ()) -> list[Exchange]:
    """Return the exchanges of one recording without credentials, tokens and personal data.

    `secrets` are texts that must not appear anywhere: the credentials in use. Postal codes of requests that were
    taken are seen first, so that they are replaced by such as fit.
    """
    scrubber = Scrubber(secrets)
    for refused in (False, True):
        for exchange in exchanges:
            if (exchange.status in (400, 422)) is refused:
                scrubber.learn(exchange)
    return [scrubber.scrubbed(exchange) for exchange in exchanges]


def discreet(text: str, *exchanges: Exchange) -> str:
    """Return text about exchanges without what is secret in them."""
    scrubber = Scrubber()
    for exchange in exchanges:
        scrubber.learn(exchange)
    return scrubber.text(text)


class Scrubber:
    """Replaces what is secret, alike in every exchange; what it learned is found in free text too."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._fakes = Fakes()
        self._known: dict[str, str] = {text: REDACTED for text in secrets if len(text) >= _SHORTEST_KNOWN}
        self._countries: dict[str, tuple[str, str]] = {}
        self._pattern: re.Pattern[str] | None = None

    def learn(self, exchange: Exchange) -> None:
        """Take note of what is secret in an exchange."""
        messages: list[Message] = [exchange.request, *([exchange.response] if exchange.response else [])]
        call = call_of(exchange)
        for message in messages:
            if isinstance(message.json, dict | list):
                fits = exchange.status not in (400, 422)
                self._learn_places(message.json, call.order_id if call else "", fits=fits)
            self._text_of(message)
        self._pattern = None

    def _learn_places(self, value: Any, order_id: str, *, fits: bool) -> None:
        if isinstance(value, dict):
            country = value.get("country") or value.get("purchase_country")
            if isinstance(country, str) and country:
                self._countries[order_id] = (country, _text(value.get("region")))
            code = value.get("postal_code")
            if isinstance(code, str) and code:
                known = self._countries.get(order_id, ("", ""))
                self._fakes.postal_code(code, *(known if fits else (None,)))
        for child in value.values() if isinstance(value, dict) else value:
            if isinstance(child, dict | list):
                self._learn_places(child, order_id, fits=fits)

    def scrubbed(self, exchange: Exchange) -> Exchange:
        """Return an exchange without what is secret. `Content-Length` follows the body."""
        request = replace(exchange.request, target=self._target(exchange.request.target))
        request = replace(request, **self._message(exchange.request))
        response = exchange.response
        if response is not None:
            response = replace(response, **self._message(response))
        return replace(exchange, request=request, response=response)

    def text(self, text: str) -> str:
        """Return free text without what is known or looks like a secret."""
        for kind, pattern in _PATTERNS:
            text = pattern.sub(lambda found, kind=kind: self._replaced(kind, found[0]), text)  # type: ignore[misc]
        return self._known_pattern().sub(lambda found: self._known[found[0]], text)

    def _known_pattern(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._known, key=len, reverse=True)
            words = "|".join(map(re.escape, longest_first)) or r"(?!)"
            self._pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)")
        return self._pattern

    def _replaced(self, kind: str, value: str) -> str:
        if not value or value == REDACTED:
            return value
        if kind == "redacted":
            return REDACTED
        make: Callable[[str], str] = getattr(self._fakes, kind)
        fake = make(value)
        if sum(map(str.isalnum, value)) >= _SHORTEST_KNOWN:
            # What is shown to people is often in capitals, or no longer is.
            for written in (str, str.upper, str.title):
                if written(value) not in constants():
                    self._known.setdefault(written(value), written(fake))
        return fake

    def _message(self, message: Message) -> dict[str, Any]:
        body = self._text_of(message)
        headers = tuple(self._header(name, value) for name, value in message.headers)
        return {"headers": _with_length(headers, len(message.body), len(body)), "body": body}

    def _header(self, name: str, value: str) -> tuple[str, str]:
        if name.lower() in ("authorization", "proxy-authorization"):
            scheme, blank, _ = value.partition(" ")
            return name, f"{scheme} {REDACTED}" if blank else REDACTED
        if not _KEPT_HEADERS.fullmatch(name):
            return name, REDACTED
        return name, self._target(value) if name.lower() == "location" else self._free(value)

    def _free(self, value: str) -> str:
        return value if value in constants() else self.text(value)

    def _target(self, target: str) -> str:
        path, mark, query = target.partition("?")
        path = _TOKEN_PATH.sub(lambda found: self._fakes.token(found[0]), path)
        scheme, separator, rest = path.rpartition("://")
        if separator:
            rest = _USER_INFO.sub("", rest)
        rest = "/".join(_again(segment, self._segment, unquote, _quoted) for segment in rest.split("/"))
        return scheme + separator + rest + mark + self._pairs(query)

    def _segment(self, segment: str) -> str:
        return self.text(segment) if "@" in segment or segment in self._known else segment

    def _pairs(self, text: str) -> str:
        """A query, or the body of a form."""
        return "&".join(self._pair(*pair.partition("=")) for pair in text.split("&"))

    def _pair(self, name: str, equals: str, value: str) -> str:
        kind = _kind_of(unquote_plus(name))
        change = (lambda text: self._replaced(kind, text)) if kind else self._free
        return name + equals + _again(value, change, unquote_plus, quote_plus)

    def _text_of(self, message: Message) -> bytes:
        """The body without what is secret. JSON stays as it is written, but for the values that change."""
        text = message.body.decode("utf-8", "surrogateescape")
        if message.media_type == "application/x-www-form-urlencoded":
            found = self._pairs(text)
        else:
            found = self._json(text, between=message.json is ABSENT)
        return found.encode("utf-8", "surrogateescape")

    def _json(self, text: str, *, between: bool = False) -> str:
        """JSON, or text that may have some in it: then what stands `between` the strings is looked at too."""
        kind: str | None = None
        parts: list[str] = []
        end = 0
        for found in _STRING_OR_NUMBER.finditer(text):
            gap = text[end : found.start()]
            parts.append(self.text(gap) if between else gap)
            end = found.end()
            if found[2] is not None:
                kind = _kind_of(found[1])
                parts.append(found[0])
            elif found[1] is None:
                parts.append(found[0] if kind is None else _integer(self._fakes.number(found[0])))
            else:
                parts.append(self._string(found[0], kind))
        return "".join([*parts, self.text(text[end:]) if between else text[end:]])

    def _string(self, token: str, kind: str | None) -> str:
        """A JSON string in quotes, of which the second may be missing."""
        closed = len(token) > 1 and token.endswith('"')
        try:
            value: str = json.loads(token, strict=False)
        except ValueError:
            value = token[1:-1] if closed else token[1:]
        changed = self._replaced(kind, value) if kind else self._nested(value)
        if changed == value:
            return token
        written = json.dumps(changed, ensure_ascii="\\u" in token)
        return written if closed else written[:-1]

    def _nested(self, value: str) -> str:
        return self._json(value) if value[:1] in ("{", "[") else self._free(value)


def _integer(digits: str) -> str:
    """Digits as JSON writes an integer: without a zero before others."""
    return re.sub(r"(?<!\d)0(?=\d)", "1", digits)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _quoted(text: str) -> str:
    return quote(text, safe="@:")


def _again(
    text: str, change: Callable[[str], str], decode: Callable[[str], str], encode: Callable[[str], str]
) -> str:
    """Change encoded text; where nothing changes it stays encoded as it was."""
    plain = decode(text)
    changed = change(plain)
    return text if changed == plain else encode(changed)


def _with_length(headers: Headers, before: int, after: int) -> Headers:
    if before == after:
        return headers
    return tuple(
        (name, str(after)) if name.lower() == "content-length" and value == str(before) else (name, value)
        for name, value in headers
    )
