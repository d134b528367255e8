"""What passes between the parts of the sandbox: a call, the context it is judged in, a refusal, an answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

from orderproof.sandbox.options import Open

Headers = tuple[tuple[str, str], ...]

NOT_ALLOWED = "NOT_ALLOWED"
INVALID = "BAD_VALUE"
NOTHING: Mapping[str, Any] = MappingProxyType({})

_random = Random()  # seeded by the operating system, and by no one else
_VERSION_4 = 0x4000_8000_0000_0000_0000
_OTHER_BITS = ~0xF000_C000_0000_0000_0000


class Answer(NamedTuple):
    """What goes back to the client, without the headers that every answer gets."""

    status: int
    headers: Headers = ()
    body: bytes = b""


NO_CONTENT = Answer(204)


class Call(NamedTuple):
    """One call of an operation. `child_id` is the capture or refund in the path, empty where there is none.

    `raw` is the body as it came, `body` what was read from it: a valid value without the fields that the
    contract does not know; the names of those at the top stand in `unknown`. `origin` is the scheme and host
    that the client used, for writing `Location`.
    """

    operation: str
    order_id: str
    child_id: str = ""
    key: str = ""
    media_type: str = ""
    raw: bytes = b""
    body: Mapping[str, Any] = NOTHING
    unknown: tuple[str, ...] = ()
    origin: str = ""


def new_id() -> str:
    """Return a fresh random UUID, several times faster than the standard library makes one."""
    digits = f"{_random.getrandbits(128) & _OTHER_BITS | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


class Context(NamedTuple):
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
