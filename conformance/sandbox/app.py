"""The sandbox as an ASGI application: credentials, limits and paths before a call, headers after it."""

from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any

from orderproof.sandbox.answers import PREFIX, json_answer, refused
from orderproof.sandbox.calls import INVALID, Answer, Call, Headers, Refusal, new_id
from orderproof.sandbox.requests import Disconnected, Receive, Request, request_of
from orderproof.sandbox.routes import CREATE, method_not_allowed, resolve
from orderproof.sandbox.service import Service
from orderproof.sandbox.validation import body_rules
from orderproof.sandbox.views import instant

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

CLOCK_PATH = "/_control/clock"
CALLS_PER_429 = 40

_log = logging.getLogger("orderproof.sandbox")


class Application:
    """Serves one sandbox over HTTP."""

    def __init__(self, service: Service) -> None:
        body_rules()  # read the contract now, so that the first request is not slower than the next
        self._service = service
        self._open = service.open
        self._around = service.behaviour.around
        pair = f"{service.settings.username}:{service.settings.password}".encode()
        self._credentials = base64.b64encode(pair)
        self._counted = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request of an ASGI server."""
        request = request_of(scope, receive)
        try:
            answer = await self._around(request, self._answer)
        except Disconnected:
            return
        except Exception:
            _log.exception("The sandbox itself failed on %s %s", request.method, request.path)
            answer = refused(
                Refusal(500, "INTERNAL_ERROR", "The sandbox itself failed; its log says how."), self._open
            )
        await self._send(answer, send)

    async def _answer(self, request: Request) -> Answer:
        self._service.clock.look()
        try:
            self._admit(request)
            if request.path == CLOCK_PATH:
                return await self._clock(request)
            self._count()
            return await self._operate(request)
        except Refusal as refusal:
            return refused(refusal, self._open)

    def _admit(self, request: Request) -> None:
        sent = request.headers.get(b"authorization", b"")
        if hmac.compare_digest(sent, b"Basic " + self._credentials):
            return
        scheme, _, credentials = sent.partition(b" ")
        if not hmac.compare_digest(credentials.strip(), self._credentials) or scheme.lower() != b"basic":
            challenge = ("www-authenticate", 'Basic realm="orderproof sandbox", charset="UTF-8"')
            raise Refusal(401, "UNAUTHORIZED", "User name and password are required.", headers=(challenge,))

    def _count(self) -> None:
        if self._open.rate_limit == "off":
            return
        self._counted += 1
        if self._counted % CALLS_PER_429 == 0:
            raise Refusal(
                429, "TOO_MANY_REQUESTS", "Too many requests: wait.", headers=(("retry-after", "0"),)
            )

    async def _operate(self, request: Request) -> Answer:
        path = request.path
        if self._open.location == "prefixed" and path.startswith(f"{PREFIX}/"):
            path = path.removeprefix(PREFIX)
        operation, (first, second) = resolve(request.method, path)
        call = Call(operation, first, second)
        if request.method in ("POST", "PATCH"):
            call = call._replace(
                key=request.header(b"klarna-idempotency-key"),
                media_type=request.media_type,
                raw=await request.body(),
                origin=request.origin,
            )
        return self._create(call) if operation == CREATE else await self._service.answer(call)

    def _create(self, call: Call) -> Answer:
        if call.order_id not in self._service.settings.tokens:
            raise Refusal(404, "NOT_FOUND", "There is no such token.")
        return self._service.create(call)

    async def _clock(self, request: Request) -> Answer:
        clock = self._service.clock
        if request.method not in ("GET", "HEAD", "POST"):
            raise method_not_allowed(request.method, {"GET": "", "POST": ""})
        if request.method == "POST":
            try:
                body = json.loads(await request.body())
            except (ValueError, RecursionError):
                raise Refusal(400, INVALID, "The body is not JSON.") from None
            clock.advance(body)
        now = clock.now()
        moved = self._service.store.clock_offset() / 1000
        return json_answer(200, {"now": instant(now), "advanced_seconds": moved}, self._open)

    async def _send(self, answer: Answer, send: Send) -> None:
        clock = self._service.clock
        headers = [(b"date", clock.date(clock.now())), (b"klarna-correlation-id", new_id().encode("ascii"))]
        headers += _on_the_wire(answer.headers)
        if answer.status != 204 and (self._open.chunked == "off" or not answer.body):
            headers.append((b"content-length", b"%d" % len(answer.body)))
        if self._open.connection == "close":
            headers.append((b"connection", b"close"))
        if self._open.extra_fields == "some":
            headers.append((b"transaction-id", new_id().encode("ascii")))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


@lru_cache(maxsize=256)
def _on_the_wire(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in headers)
