"""What has changed between a recorded answer and a new one to the same request.

Values that differ from run to run are recognised by where they come from: text that the client never sent and that
is no word of the contract is the server's own (ids, times, references, messages). It may differ, as long as equal
stays equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orderproof.cassette.scrubbing import constants
from orderproof.exchange import ABSENT, Exchange, Response
from orderproof.model.call import Call, call_of
from orderproof.model.values import Shape, instant, is_empty, shape

FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""Headers of the connection, not of the answer: a server may frame each message as it likes."""

_UNKNOWN = Shape()
_INDEX = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is otherwise than recorded.

    `kind` is status, code, amount, state or type; media (the media type); text (words that the client sent); name
    (words of the server's own that no longer go together); less, or more. `place` is a header, or a path into the
    body.
    """

    kind: str
    place: str
    recorded: str
    now: str

    @property
    def general(self) -> str:
        """The place without positions in lists."""
        return _INDEX.sub("[]", self.place)


@dataclass
class Counterparts:
    """Which text of the new run stands for which of the recording.

    `sent` are the texts that the client chose: they read back as they are. `ids` pairs orders, captures and refunds,
    `names` whatever else the server calls things; both are paired as they appear.
    """

    sent: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def bind(self, recorded: str | None, now: str | None) -> None:
        """Pair two ids, unless the recorded one has a partner."""
        if recorded and now:
            self.ids.setdefault(recorded, now)

    def say(self, value: Any) -> None:
        """Take note of every text in what the client sent."""
        if isinstance(value, str):
            self.sent.add(value)
        children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        for child in children:
            self.say(child)

    def partners(self, recorded: Any, now: Any) -> bool:
        """Say whether two objects are the same thing in the two runs: an id of the one is paired with the other's."""
        if not isinstance(recorded, Mapping) or not isinstance(now, Mapping):
            return False
        shared = [(recorded[name], now[name]) for name in recorded if name.endswith("_id") and name in now]
        return any(isinstance(was, str) and self.ids.get(was) == new for was, new in shared)


def changes(recorded: Exchange, now: Exchange, counterparts: Counterparts) -> list[Change]:
    """Return what has changed from a recorded exchange to a new one of the same request."""
    was, new = recorded.response, now.response
    if was is None:
        return []
    if new is None:
        return [Change("status", "status", str(was.status), now.fault or "no answer")]
    found = list(_heads(was, new))
    call = call_of(recorded)
    if was.status == new.status and was.status != 201:
        found += _bodies(was, new, call, counterparts)
    return found


def _heads(was: Response, new: Response) -> Iterator[Change]:
    if was.status != new.status:
        yield Change("status", "status", _status(was), _status(new))
        return
    before, after = ({name.lower(): value for name, value in r.headers} for r in (was, new))
    for name in sorted((set(before) ^ set(after)) - FRAMING):
        kind = "less" if name in before else "more"
        yield Change(kind, f"header {name}", before.get(name, "absent"), after.get(name, "absent"))
    if was.media_type and new.media_type and was.media_type != new.media_type:
        yield Change("media", "header content-type", was.media_type, new.media_type)


def _status(response: Response) -> str:
    body = response.json
    code = body.get("error_code") if isinstance(body, Mapping) else None
    return f"{response.status} {code}" if isinstance(code, str) else str(response.status)


def _bodies(was: Response, new: Response, call: Call | None, counterparts: Counterparts) -> Iterator[Change]:
    if was.json is ABSENT or new.json is ABSENT:
        if was.json is not new.json:
            gone = new.json is ABSENT
            yield Change(
                "less" if gone else "more", "body", _brief(was.json), "no JSON" if gone else _brief(new.json)
            )
        return
    component = call.operation.response_schemas.get(was.status) if call else None
    form = shape(component) if component else _UNKNOWN
    yield from _values(was.json, new.json, "", form, counterparts)


def _values(was: Any, new: Any, path: str, form: Shape, counterparts: Counterparts) -> Iterator[Change]:
    if is_empty(was) or is_empty(new):
        if not (is_empty(was) and is_empty(new)):
            yield Change("more" if is_empty(was) else "less", path or "body", _brief(was), _brief(new))
    elif _json_type(was) != _json_type(new):
        yield Change("type", path, f"{_json_type(was)} {_brief(was)}", f"{_json_type(new)} {_brief(new)}")
    elif isinstance(was, dict):
        yield from _objects(was, new, path, form, counterparts)
    elif isinstance(was, list):
        yield from _lists(was, new, path, form.items or _UNKNOWN, counterparts)
    elif isinstance(was, str):
        yield from _texts(was, new, path, form, counterparts)
    elif was != new:
        yield Change("state" if isinstance(was, bool) else "amount", path, str(was), str(new))


def _objects(
    was: Mapping[str, Any], new: Mapping[str, Any], path: str, form: Shape, counterparts: Counterparts
) -> Iterator[Change]:
    fields = form.fields or {}
    for name in dict.fromkeys((*was, *new)):
        place = f"{path}.{name}" if path else name
        child = fields.get(name, _UNKNOWN)
        yield from _values(was.get(name, ABSENT), new.get(name, ABSENT), place, child, counterparts)


def _lists(
    was: list[Any], new: list[Any], path: str, form: Shape, counterparts: Counterparts
) -> Iterator[Change]:
    for index, (one, other) in enumerate(_paired(was, new, counterparts)):
        place = f"{path}[{index}]"
        if one is ABSENT or other is ABSENT:
            yield Change("state", place, _brief(one), _brief(other))
        else:
            yield from _values(one, other, place, form, counterparts)


def _paired(was: list[Any], new: list[Any], counterparts: Counterparts) -> Iterable[tuple[Any, Any]]:
    """Pair items by their ids, as servers list them oldest or newest first; the others by position."""
    left = list(new)
    pairs: list[tuple[Any, Any]] = []
    alone: list[Any] = []
    for item in was:
        partner = next((other for other in left if counterparts.partners(item, other)), ABSENT)
        if partner is ABSENT:
            alone.append(item)
        else:
            left.remove(partner)
            pairs.append((item, partner))
    length = max(len(alone), len(left))
    padded = ([*side, *[ABSENT] * (length - len(side))] for side in (alone, left))
    return [*pairs, *zip(*padded, strict=True)]


def _texts(was: str, new: str, path: str, form: Shape, counterparts: Counterparts) -> Iterator[Change]:
    before, after = (unicodedata.normalize("NFC", text) for text in (was, new))
    if form.notation == "code":
        before, after = before.casefold(), after.casefold()
    if before == after:
        return
    if path == "error_code":
        yield Change("code", path, was, new)
    elif was in constants() or new in constants():
        yield Change("state", path, was, new)
    elif was in counterparts.sent:
        yield Change("text", path, was, new)
    elif instant(was) is not None:
        if instant(new) is None:
            yield Change("type", path, f"time {was}", f"text {_brief(new)}")
    elif (
        " " not in was
        and (partner := counterparts.ids.get(was) or counterparts.names.setdefault(was, new)) != new
    ):
        yield Change("name", path, f"{_brief(was)}, which was {_brief(partner)} before", _brief(new))


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "array", str: "text", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")


def _brief(value: Any) -> str:
    text = "absent" if value is ABSENT else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
