"""What passes between the parts of the sandbox: a call, the context it is judged in, a refusal, an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from orderproof.sandbox.options import Open

Headers = tuple[tuple[str, str], ...]

NOT_ALLOWED = "NOT_ALLOWED"
INVALID = "BAD_VALUE"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client, without the headers that every answer gets."""

    status: int
    headers: Headers = ()
    body: bytes = b""


NO_CONTENT = Answer(204)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation. `child_id` is the capture or refund in the path, empty where there is none.

    `raw` is the body as it came, `body` what was read from it: a valid value without the fields that the
    contract does not know; the names of those at the top stand in `unknown`. `origin` is the scheme and host
    that the client used, for writing `Location`.
    """

    operation: str
    order_id: str
    child_id: str = ""
    key: str | None = None
    media_type: str = ""
    raw: bytes = b""
    body: Mapping[str, Any] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    origin: str = ""


def new_id() -> str:
    """Return a fresh random id."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision depends on besides order and call: the time, in milliseconds, and the settings."""

    now: int
    open: Open
    authorization_days: int = 28
    due_date_options: tuple[tuple[int, int], ...] = ()
    new_id: Callable[[], str] = new_id


class Refusal(Exception):
    """A call that is answered with an error: status, a code for programs, sentences for people."""

    def __init__(self, status: int, code: str, *messages: str, headers: Headers = ()) -> None:
        super().__init__(status, code, *messages)
        self.status = status
        self.code = code
        self.messages = messages
        self.headers = headers
