"""Orders in the sandbox, made and changed behind the client's back."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import Any

from orderproof import operations
from orderproof.client.answers import SHIPMENT
from orderproof.client.flows import ORDER_AMOUNT
from orderproof.client.forwarding import forward
from orderproof.drivers.drafts import draft
from orderproof.errors import CannotJudge
from orderproof.exchange import ABSENT, Request, Response

TOKEN = "sandbox"
"""The customer and authorization token on which the sandbox creates orders."""


@dataclass(frozen=True)
class Stock:
    """The orders of one sandbox. Every method raises CannotJudge when the sandbox does not answer as it must."""

    base_url: str
    username: str
    password: str

    @property
    def basic(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode("ascii")

    def order(self) -> str:
        """Create an order over 10,000 minor units and return its id."""
        path = f"/customer-token/v1/tokens/{TOKEN}/order"
        made = self._send("POST", path, draft(ORDER_AMOUNT))
        if made.status != 200 or not isinstance(made.json, dict):
            raise CannotJudge(f"the sandbox did not create an order: {made.status}")
        return str(made.json["order_id"])

    def read(self, order_id: str) -> dict[str, Any]:
        """Return an order as the sandbox has it."""
        read = self._send("GET", operations.path_of("getOrder", order_id=order_id))
        if read.status != 200 or not isinstance(read.json, dict):
            raise CannotJudge(f"the sandbox did not give the order {order_id} back: {read.status}")
        return read.json

    def capture(self, order_id: str, amount: int, *, shipped: bool = False) -> str:
        """Capture an amount, and return the capture id; empty when it was refused."""
        path = operations.path_of("captureOrder", order_id=order_id)
        parcel = {"shipping_info": [SHIPMENT]} if shipped else {}
        return self._send("POST", path, {"captured_amount": amount, **parcel}).header("capture-id") or ""

    def meddle(self, operation: str, order_id: str) -> bool:
        """Capture the order whole, or cancel it, as somebody else would; returns whether that took effect."""
        path = operations.path_of(operation, order_id=order_id)
        seen = self._send("GET", operations.path_of("getOrder", order_id=order_id)).json
        if not isinstance(seen, dict) or seen.get("status") == "CANCELLED":
            return False
        body: Any = {"captured_amount": seen.get("remaining_authorized_amount")}
        if operation == "captureOrder" and not body["captured_amount"]:
            return False
        return self._send("POST", path, body if operation == "captureOrder" else ABSENT).status < 300

    def _send(self, method: str, path: str, body: Any = ABSENT) -> Response:
        headers = [("Authorization", self.basic)]
        headers += [] if method == "GET" else [("Klarna-Idempotency-Key", str(uuid.uuid4()))]
        headers += [] if body is ABSENT else [("Content-Type", "application/json")]
        content = b"" if body is ABSENT else json.dumps(body).encode()
        return forward(self.base_url, Request(tuple(headers), content, method, path))
