"""A client of the sandbox inside the test's own process, without a socket in between."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from orderproof.sandbox.app import Application
from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.options import Settings
from orderproof.sandbox.service import Service
from orderproof.sandbox.store import MemoryStore, Store

OWN = "Basic " + base64.b64encode(b"sandbox:sandbox").decode()
BIG = 1_000_000


def line(amount: int, **more: Any) -> dict[str, Any]:
    """Return an order line that comes to an amount."""
    return {"name": "Lamp", "quantity": 1, "unit_price": amount, "total_amount": amount, **more}


def draft(amount: int = 10000, **more: Any) -> dict[str, Any]:
    """Return a draft of an order."""
    return {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_amount": amount,
        "order_tax_amount": 0,
        "order_lines": [line(amount)],
        **more,
    }


@dataclass(frozen=True)
class Reply:
    """An answer of the sandbox; names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error_code"])

    @property
    def message(self) -> str:
        return " ".join(self.json["error_messages"])


class Client:
    """Sends requests to an application, one at a time."""

    def __init__(
        self, settings: Settings | None = None, store: Store | None = None, behaviour: Behaviour = AS_AGREED
    ) -> None:
        self.service = Service(settings or Settings(), store or MemoryStore(), behaviour)
        self.app = Application(self.service)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Give back the event loop."""
        self._loop.close()

    def send(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        """Send a request; `body` is bytes or a JSON value, headers are keywords with underscores, None for none."""
        return self._loop.run_until_complete(self.sending(method, path, body, **headers))

    async def sending(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        """Send a request within a running event loop."""
        sent: dict[str, str | None] = {"host": "sandbox.test", "authorization": OWN}
        if body is not None:
            sent["content-type"] = "application/json"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        messages: list[Mapping[str, Any]] = []

        async def send(message: Mapping[str, Any]) -> None:
            messages.append(message)

        await self.app(_scope(method, path, sent), _receive(raw), send)
        answered = {name.decode(): value.decode("latin-1") for name, value in messages[0]["headers"]}
        return Reply(messages[0]["status"], answered, messages[1]["body"])

    def get(self, path: str) -> Any:
        """Read and return JSON."""
        reply = self.send("GET", path)
        assert reply.status == 200, reply
        return reply.json

    def order(self, amount: int = 10000, **more: Any) -> str:
        """Create an order and return its path."""
        reply = self.send("POST", "/customer-token/v1/tokens/sandbox/order", draft(amount, **more))
        assert reply.status == 200, reply
        return f"/ordermanagement/v1/orders/{reply.json['order_id']}"

    def capture(self, order: str, amount: int, **more: Any) -> str:
        """Capture an amount and return the path of the capture."""
        reply = self.send("POST", f"{order}/captures", {"captured_amount": amount, **more})
        assert reply.status == 201, reply
        return f"{order}/captures/{reply.headers['capture-id']}"

    def refund(self, order: str, amount: int, **more: Any) -> str:
        """Refund an amount and return the path of the refund."""
        reply = self.send("POST", f"{order}/refunds", {"refunded_amount": amount, **more})
        assert reply.status == 201, reply
        return f"{order}/refunds/{reply.headers['refund-id']}"

    def advance(self, **periods: float) -> None:
        """Move the clock ahead by days and seconds."""
        seconds = periods.get("days", 0) * 86400 + periods.get("seconds", 0)
        assert self.send("POST", "/_control/clock", {"advance_seconds": seconds}).status == 200


def unknown_order() -> str:
    """Return the path of an order that does not exist."""
    return f"/ordermanagement/v1/orders/{uuid4()}"


def _scope(method: str, path: str, headers: Mapping[str, str | None]) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items() if value is not None]
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "raw_path": path.encode("ascii"),
        "headers": pairs,
    }


def _receive(raw: bytes) -> Any:
    def parts() -> Iterator[dict[str, Any]]:
        for start in range(0, max(len(raw), 1), BIG):
            yield {
                "type": "http.request",
                "body": raw[start : start + BIG],
                "more_body": start + BIG < len(raw),
            }

    left = parts()

    async def receive() -> dict[str, Any]:
        return next(left, {"type": "http.disconnect"})

    return receive
