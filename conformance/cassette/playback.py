"""A server that answers a client from recordings, and keeps account of what was asked."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from orderproof.cassette.comparison import FRAMING
from orderproof.cassette.matching import Line, Script, Stray
from orderproof.cassette.reading import Recording
from orderproof.cassette.source import LARGEST_BODY
from orderproof.errors import UsageError
from orderproof.exchange import Exchange, Headers, Request
from orderproof.sandbox.server import ServerError, base_url, listening
from orderproof.target import basic

MOST_EXCHANGES = 20_000
_STARTS_WITHIN_SECONDS = 10.0
_ADDRESSES = frozenset({"location", "content-location"})
_DROPPED = FRAMING | {"content-encoding"}


@dataclass
class Playback:
    """A script being played to a client.

    `authorization` is what counts as the right credentials; without it, any do. `strays` are the requests that the
    recording has no answer for.
    """

    script: Script
    authorization: str | None = None
    base_url: str = ""
    requests: int = 0
    strays: list[Stray] = field(default_factory=list)

    @property
    def unplayed(self) -> list[Line]:
        """The recorded exchanges that the client never asked for."""
        return [line for number, line in enumerate(self.script.lines) if number not in self.script.played]

    def answer(self, request: Request) -> tuple[int, Headers, bytes]:
        """Return status, headers and body for a request."""
        self.requests += 1
        now = time.time()
        asked = Exchange(self.requests, request, None, now, now, credentials=self._credentials(request))
        found = self.script.answer(asked)
        if isinstance(found, Stray):
            self.strays.append(found)
            return _not_recorded(found)
        response = found.exchange.response
        assert response is not None
        headers = tuple(self._header(*pair) for pair in response.headers if pair[0].lower() not in _DROPPED)
        return response.status, headers, response.body

    def _credentials(self, request: Request) -> str:
        given = request.header("authorization")
        if given is None:
            return "none"
        return "own" if self.authorization is None or given == self.authorization else "wrong"

    def _header(self, name: str, value: str) -> tuple[str, str]:
        """A header as recorded; one that leads to where the recording was made leads here instead."""
        if name.lower() not in _ADDRESSES or "://" not in value:
            return name, value
        parts = urlsplit(value)
        here = urlsplit(self.base_url)
        return name, parts._replace(scheme=here.scheme, netloc=here.netloc).geturl()


def _not_recorded(stray: Stray) -> tuple[int, Headers, bytes]:
    """501: not a refusal of the API's own, and nothing that a client would try again."""
    error = {
        "correlation_id": str(uuid.uuid4()),
        "error_code": "NOT_RECORDED",
        "error_messages": [str(stray)],
    }
    return 501, (("content-type", "application/json"),), json.dumps(error).encode()


def playback_of(recordings: Sequence[Recording], credentials: tuple[str, str] | None = None) -> Playback:
    """Return a playback of recordings. `credentials` are user and password that count as right; without, any do.

    Raises UsageError for a recording that cannot be read, and for too long ones.
    """
    script = Script()
    for recording in recordings:
        exchanges = [entry.exchange for entry in recording]
        if len(script.lines) + len(exchanges) > MOST_EXCHANGES:
            raise UsageError(
                f"there are over {MOST_EXCHANGES:,} exchanges in the recordings: serve fewer at a time"
            )
        script.add(recording.name, exchanges)
    return Playback(script, basic(*credentials) if credentials else None)


def serve(playback: Playback, host: str, port: int) -> None:
    """Serve until interrupted. Raises CannotJudge when the address cannot be listened on."""
    with listening(host, port) as listener:
        playback.base_url = base_url(host, listener)
        server = _server(playback)
        print(playback.base_url, flush=True)
        server.run(sockets=[listener])


@contextmanager
def served(
    recordings: Sequence[Recording], credentials: tuple[str, str] | None = None
) -> Generator[Playback]:
    """Serve recordings on a free port of this machine while a block lasts; `base_url` of what it yields says where."""
    playback = playback_of(recordings, credentials)
    with listening("127.0.0.1", 0) as listener:
        playback.base_url = base_url("127.0.0.1", listener)
        server = _server(playback)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            _wait_for(server)
            yield playback
        finally:
            server.should_exit = True
            thread.join(_STARTS_WITHIN_SECONDS)


def _wait_for(server: uvicorn.Server) -> None:
    until = time.monotonic() + _STARTS_WITHIN_SECONDS
    while not server.started:
        if time.monotonic() > until:
            raise ServerError("the playback did not start")
        time.sleep(0.01)


def _server(playback: Playback) -> uvicorn.Server:
    async def application(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        status, headers, body = playback.answer(_request(scope, await _body(receive)))
        raw = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        if status >= 200 and status != 204:
            raw.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(
        application,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


async def _body(receive: Any) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        size += len(message.get("body", b""))
        if size <= LARGEST_BODY:
            parts.append(message.get("body", b""))
    return b"".join(parts)


def _request(scope: Mapping[str, Any], body: bytes) -> Request:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    query = scope["query_string"].decode("latin-1")
    return Request(
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers),
        body=body,
        method=scope["method"],
        target=scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
    )
