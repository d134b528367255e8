"""Recorded requests, written anew for another run: its ids, its keys, its credentials."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, unquote

from orderproof.cassette.comparison import FRAMING, Counterparts
from orderproof.drivers.authorization import KINDS, authorization
from orderproof.exchange import REDACTED, Exchange, Headers, Request
from orderproof.model.call import Call, call_of
from orderproof.model.state import State
from orderproof.target import Target

_KEY = "klarna-idempotency-key"
_OWN = FRAMING | {"accept-encoding", "authorization", "cookie", "host", "proxy-authorization"}
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass
class Rewriter:
    """Puts the ids and keys of this run in the place of the recorded ones.

    `counterparts` knows the ids as they come to be. Keys are new ones, the same for the same: a key that a target
    has seen in an earlier run would be taken for a repeat.
    """

    target: Target
    counterparts: Counterparts
    keys: dict[str, str] = field(default_factory=dict)

    def request(self, recorded: Exchange, state: State, before: State) -> Request:
        """Return a request for this run. `state` is the order's in this run, `before` was the recorded one's."""
        call = call_of(recorded)
        request = recorded.request
        body = _UUID.sub(self._id, request.body.decode("latin-1")).encode("latin-1")
        if call is not None and call.name == "extendDueDate":
            body = self._with_days(call, state, before, body)
        return replace(request, target=self._path(request.target), body=body, headers=self._headers(recorded))

    def _id(self, found: re.Match[str]) -> str:
        return self.counterparts.ids.get(found[0], found[0])

    def _path(self, target: str) -> str:
        path, mark, query = target.partition("?")
        return "/".join(map(self._segment, path.split("/"))) + mark + query

    def _segment(self, segment: str) -> str:
        partner = self.counterparts.ids.get(unquote(segment))
        return segment if partner is None else quote(partner, safe="")

    def _headers(self, recorded: Exchange) -> Headers:
        kept = []
        for name, value in recorded.request.headers:
            if name.lower() == _KEY:
                kept.append((name, self._key(value)))
            elif name.lower() not in _OWN and value != REDACTED:
                kept.append((name, value))
        kind = recorded.credentials if recorded.credentials in ("own", *KINDS) else "wrong-password"
        credentials = authorization(kind, self.target)
        return (*kept, *([("Authorization", credentials)] if credentials is not None else []))

    def _key(self, recorded: str) -> str:
        return self.keys.setdefault(recorded, str(uuid.uuid4()) if recorded else recorded)

    def _with_days(self, call: Call, state: State, before: State, body: bytes) -> bytes:
        """A number of days that the target has on offer for one that was on offer, and one that is not for another."""
        sent = call.body
        capture = call.capture_id or ""
        was, now = before.options.get(capture), state.options.get(self.counterparts.ids.get(capture, capture))
        days = sent.get("number_of_days") if isinstance(sent, Mapping) else None
        if was is None or now is None or not isinstance(days, int):
            return body
        if days in was and now:
            return _json({**sent, "number_of_days": now[min(was.index(days), len(now) - 1)]})
        if days not in was and days in now:
            return _json({**sent, "number_of_days": next(n for n in range(1, 1_000) if n not in now)})
        return body


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
