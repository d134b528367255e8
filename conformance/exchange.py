"""One recorded request and its answer, and the redaction that every copy of it on disk goes through.

Everything that the suite knows about a server is a history: exchanges in the order in which they were sent.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

Headers = tuple[tuple[str, str], ...]

REDACTED = "REDACTED"
FACTS = {
    "invented-order": "the order id was made up by the suite: no such order can exist",
    "other-order": "the capture or refund id in the path belongs to another order",
    "optional-headers": "it carries optional headers, and the same call without them was taken just before",
    "twin-taken": "the same call without its defect was taken on such an order",
    "gave-up": "the answer (409 or 429) was met with patience until that ran out",
    "never-answered": "the connection ended in place of an answer each time it was sent, and others were answered",
    "scrubbed": "the recording that it is from has no credentials: they were taken out",
    "lost": "the answer was held back on purpose, after the server had the request",
    "cut": "the connection was cut on purpose, before the server had the request",
}
"""What an exchange can carry in `facts`, and what it means."""

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_DEEPEST = 100
_MANY_DIGITS = 4_000
_TOKEN_PATH = re.compile(r"(/customer-token/v1/tokens/|/payments/v1/authorizations/)[^/?#]+")


class Absent:
    """The type of `ABSENT`, which says that there is no JSON value at all (`None` is the JSON null)."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        # There is one alone, in other processes too.
        return "ABSENT"


ABSENT = Absent()


def read_json(content: bytes, doubt: Callable[[str], None] = lambda _: None, **hooks: Any) -> Any:
    """Read a JSON text, also one that is beyond what Python's reader goes along with. Raises ValueError.

    What is nested too deeply is read as null, an integer of thousands of digits as one that is about as large; each
    is told to `doubt`, for not every reader goes along. `hooks` are those of `json.loads`.
    """
    try:
        return json.loads(content, **hooks)
    except RecursionError:
        doubt("nested too deeply to read")
        return json.loads(_pruned(content), **hooks)
    except ValueError as error:
        # Python refuses to read integers of thousands of digits, which is its limit and not JSON's.
        if "integer string conversion" not in str(error):
            raise
        doubt("a number of thousands of digits")
        return json.loads(content, parse_int=_integer, **hooks)


def _pruned(content: bytes) -> bytes:
    """The text with null for all that is nested too deeply. Not balanced, it is no JSON before and after."""
    pieces, depth, begin = [], 0, 0
    for token in _NESTING.finditer(content):
        if token[0] in b"[{":
            depth += 1
            if depth == _DEEPEST:
                pieces += [content[begin : token.start()], b"null"]
                begin = len(content)
        elif token[0] in b"]}":
            if depth == _DEEPEST:
                begin = token.end()
            depth -= 1
    return b"".join([*pieces, content[begin:]])


def _integer(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    return int(text) if len(text) < _MANY_DIGITS else sign * 10**_MANY_DIGITS


@dataclass(frozen=True)
class Message:
    """What a request and a response have in common: headers and a body."""

    headers: Headers
    body: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header, its name in any letter case, or None."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def media_type(self) -> str:
        """The `Content-Type` without its parameters, in lower case; empty when there is none."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def json(self) -> Any:
        """The body as a JSON value, or ABSENT when it is empty or not JSON."""
        if not self.body:
            return ABSENT
        try:
            return read_json(self.body)
        except ValueError:
            return ABSENT


@dataclass(frozen=True)
class Request(Message):
    """A request as it was sent: the target is the path with its query, still percent-encoded."""

    method: str
    target: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Response(Message):
    """An answer as it was received, its body decoded from any transfer or content coding."""

    status: int


@dataclass(frozen=True)
class Exchange:
    """A request, and the answer to it or the reason why there is none.

    `sent_at` and `answered_at` are seconds since the epoch. `scenario` names the driver's sequence that it belongs
    to. `fault` says why there is no response (timeout, connection lost). `clock` is the number of seconds by which the
    target's clock had been moved when it was sent, `advances` by how much it moved it further. Exchanges of one
    `group` were under way at the same time. `credentials` is "own", or the name of what was sent in their place.
    `stands_for` gives the operation and ids of a request whose path does not show them (a followed `Location`).
    `facts` are what the sender knows and the bytes do not show: see `FACTS`.
    """

    number: int
    request: Request
    response: Response | None
    sent_at: float
    answered_at: float
    scenario: str = ""
    fault: str | None = None
    clock: float = 0.0
    advances: float = 0.0
    group: int | None = None
    credentials: str = "own"
    stands_for: Mapping[str, str] | None = None
    facts: frozenset[str] = frozenset()

    @property
    def status(self) -> int | None:
        """The status code of the answer, or None when it was lost."""
        return None if self.response is None else self.response.status

    @cached_property
    def dated(self) -> datetime | None:
        """When the target says that it answered, from its `Date` header."""
        text = self.response.header("date") if self.response is not None else None
        try:
            moment = parsedate_to_datetime(text) if text else None
        except ValueError:
            return None
        return moment if moment is not None and moment.tzinfo else None

    @property
    def skew(self) -> float:
        """Seconds by which the target's clock is ahead of ours, what it was moved aside; 0 when it gives no date."""
        if self.dated is None:
            return 0.0
        ahead = self.dated.timestamp() - self.answered_at
        # Some targets move their Date with their clock and some do not: the likelier is the one closer to ours.
        return min(ahead, ahead - self.clock, key=abs)


def redacted_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Replace the values of headers that carry credentials."""
    return tuple((name, REDACTED if name.lower() in _SECRET_HEADERS else value) for name, value in headers)


def redacted_target(target: str) -> str:
    """Replace the customer token or authorization token in a request target."""
    return _TOKEN_PATH.sub(rf"\g<1>{REDACTED}", target)


_OPTIONAL: dict[str, Any] = {
    "fault": None,
    "clock": 0.0,
    "advances": 0.0,
    "group": None,
    "credentials": "own",
    "stands_for": None,
    "facts": frozenset(),
}


def _body_record(body: bytes) -> dict[str, str]:
    if not body:
        return {}
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode("ascii")}


def _message_record(message: Message) -> dict[str, Any]:
    return {
        "headers": [list(pair) for pair in redacted_headers(message.headers)],
        **_body_record(message.body),
    }


def record(exchange: Exchange) -> dict[str, Any]:
    """Return the exchange as JSON data without secrets: a line of `history.ndjson`."""
    data: dict[str, Any] = {
        "number": exchange.number,
        "scenario": exchange.scenario,
        "sent_at": exchange.sent_at,
        "answered_at": exchange.answered_at,
        "request": {
            "method": exchange.request.method,
            "target": redacted_target(exchange.request.target),
            **_message_record(exchange.request),
        },
        "response": None
        if exchange.response is None
        else {"status": exchange.response.status, **_message_record(exchange.response)},
    }
    for name, default in _OPTIONAL.items():
        value = getattr(exchange, name)
        if value != default:
            data[name] = sorted(value) if isinstance(value, frozenset) else value
    return data


def _body_of(data: Mapping[str, Any]) -> bytes:
    if "body_base64" in data:
        return base64.b64decode(data["body_base64"])
    return str(data.get("body", "")).encode("utf-8")


def from_record(data: Mapping[str, Any]) -> Exchange:
    """Read a line of `history.ndjson` back. Raises KeyError or ValueError on data of another shape."""
    request, response = data["request"], data["response"]
    return Exchange(
        number=int(data["number"]),
        request=Request(
            headers=tuple((str(k), str(v)) for k, v in request["headers"]),
            body=_body_of(request),
            method=str(request["method"]),
            target=str(request["target"]),
        ),
        response=None
        if response is None
        else Response(
            headers=tuple((str(k), str(v)) for k, v in response["headers"]),
            body=_body_of(response),
            status=int(response["status"]),
        ),
        sent_at=float(data["sent_at"]),
        answered_at=float(data["answered_at"]),
        scenario=str(data.get("scenario", "")),
        **{name: data[name] for name in _OPTIONAL if name in data and name != "facts"},
        facts=frozenset(data.get("facts", ())),
    )
