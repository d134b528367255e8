"""Calls as plain data, so that a sequence of them can be saved, cut, replayed and shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from orderproof.exchange import ABSENT

NEW_KEY = "new"
"""As `Command.key`: an idempotency key that no other call has."""

VARIATIONS: Mapping[str, Callable[[str], str]] = {
    "a": lambda key: f"{key[:-1]}a",
    "b": lambda key: f"{key[:-1]}b",
    "text": lambda key: f"Order #1, part {key}",
    "TEXT": lambda key: f"ORDER #1, PART {key}",
}
"""Keys that are much alike and not the same: after a tilde in the name of a key, as in `Command.key="part~a"`."""


@dataclass(frozen=True, slots=True)
class Command:
    """One call, of which only the ids are still open.

    `order` counts the orders of the sequence from 0, `capture` and `refund` those of the order, or of the order
    `donor` where that is given; a text in their place is an id as it stands. `order_id`, when given, stands in place
    of the order's own. `opened` orders are obtained before the call, if they were not yet, and in any case those that
    it names. `body` is a JSON value, `content` raw bytes in its place. `key` is "new", None for no idempotency key, or
    a name: the same name gives the same key. `credentials` is "own", "none", or the name of a wrong kind. `method`
    and `suffix` bend the request line for requests that no operation has. `advance` is by how many seconds the
    target's clock is moved before the call. `read` asks for a reading of the order after a write. Commands that follow
    each other with the same `group` are under way at the same time, each completed `delay` seconds after the first of
    them; one by itself is sent `delay` seconds late. `lose` names the `Fate` by which its answer is lost on purpose.
    """

    operation: str
    order: int = 0
    capture: int | str | None = None
    refund: int | str | None = None
    donor: int | None = None
    opened: int = 0
    body: Any = ABSENT
    content: bytes | None = None
    content_type: str | None = "application/json"
    key: str | None = NEW_KEY
    headers: tuple[tuple[str, str], ...] = ()
    credentials: str = "own"
    order_id: str | None = None
    method: str | None = None
    suffix: str = ""
    advance: float = 0.0
    facts: frozenset[str] = frozenset()
    read: bool = True
    group: int | None = None
    delay: float = 0.0
    lose: str | None = None

    @property
    def payload(self) -> bytes:
        """The bytes of the request body."""
        if self.content is not None:
            return self.content
        return (
            b""
            if self.body is ABSENT
            else json.dumps(self.body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        )


@dataclass(frozen=True, slots=True)
class Sequence:
    """Orders to obtain and calls to make, in order: a scenario, a walk, or a counterexample."""

    orders: tuple[Mapping[str, Any], ...]
    commands: tuple[Command, ...] = field(default=())


_DEFAULTS = {entry.name: entry.default for entry in fields(Command) if entry.name != "operation"}


_INTEGER = ((int,), "an integer")
_TEXT = ((str,), "a text")
_TEXT_OR_NULL = ((str, type(None)), "a text or null")
_PLACE = ((int, str), "an integer or an id")
_SECONDS = ((int, float), "a number of seconds")
_KINDS: Mapping[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(("order", "donor", "opened", "group"), _INTEGER),
    **dict.fromkeys(("operation", "content", "credentials", "order_id", "method", "suffix", "lose"), _TEXT),
    **dict.fromkeys(("content_type", "key"), _TEXT_OR_NULL),
    **dict.fromkeys(("capture", "refund"), _PLACE),
    **dict.fromkeys(("advance", "delay"), _SECONDS),
}


def command_record(command: Command) -> dict[str, Any]:
    """Return a command as JSON data, without what is as usual."""
    record: dict[str, Any] = {"operation": command.operation}
    for name, default in _DEFAULTS.items():
        value = getattr(command, name)
        if value is default or (value == default and type(value) is type(default)):
            continue
        if isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        record[name] = sorted(value) if isinstance(value, frozenset) else value
    return record


def command_from(record: Mapping[str, Any]) -> Command:
    """Read a command from JSON data.

    Raises ValueError for unknown fields and for values of the wrong type, KeyError without an operation.
    """
    unknown = set(record) - set(_DEFAULTS) - {"operation"}
    if unknown:
        raise ValueError(f"a step has unknown fields: {', '.join(sorted(unknown))}")
    for name, (kinds, wanted) in _KINDS.items():
        value = record.get(name)
        if name in record and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise ValueError(f"a step has {name} = {value!r}, which is not {wanted}")
    values = dict(record)
    if "content" in values:
        values["content"] = base64.b64decode(values["content"])
    if "facts" in values:
        values["facts"] = frozenset(values["facts"])
    if "headers" in values:
        values["headers"] = tuple((str(name), str(value)) for name, value in values["headers"])
    return Command(**values)
