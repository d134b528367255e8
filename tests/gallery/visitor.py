"""A caller of a fake without a network in between: it sends calls and reads answers."""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any

from tests.gallery.server import CLOCK, ORDERS, PASSWORD, TOKEN, USERNAME, Fake
from tests.gallery.wire import Answer, Call

CREDENTIALS = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def line(amount: int = 10_000, **fields: Any) -> dict[str, Any]:
    return {"name": "Lamp", "quantity": 1, "unit_price": amount, "total_amount": amount, **fields}


def seen(answer: Answer) -> Any:
    """The body of an answer as JSON, or as text when it is none."""
    try:
        return json.loads(answer.body)
    except ValueError:
        return answer.body.decode("utf-8", "replace")


class Visitor:
    """Calls one fake, with the right credentials unless told otherwise."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        credentials: str | None = CREDENTIALS,
        **headers: str,
    ) -> Answer:
        fields = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        fields.setdefault("content-type", "application/json")
        fields["host"] = "127.0.0.1:80"
        if credentials is not None:
            fields["authorization"] = credentials
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        return self.fake.answer(Call(method, path, fields, content))

    def order(self, amount: int = 10_000, **fields: Any) -> Visit:
        """Create an order and return the way to it."""
        draft = {
            "purchase_country": "SE",
            "purchase_currency": "SEK",
            "locale": "sv-SE",
            "order_amount": amount,
            "order_lines": [line(amount)],
            "merchant_reference1": "first",
            "merchant_reference2": "second",
            "merchant_data": "kept",
            **fields,
        }
        for _ in range(3):  # a server may ask to come again
            answer = self.send("POST", f"/customer-token/v1/tokens/{TOKEN}/order", draft)
            if answer.status != 429:
                break
        assert answer.status == 200, (answer.status, answer.body[:300])
        return Visit(self, seen(answer)["order_id"])

    def advance(self, seconds: float) -> Answer:
        return self.send("POST", CLOCK, {"advance_seconds": seconds}, credentials=None)


class Visit:
    """One order as its visitor works on it."""

    def __init__(self, visitor: Visitor, order_id: str) -> None:
        self.visitor, self.id = visitor, order_id

    def get(self, tail: str = "", **options: Any) -> Answer:
        return self.visitor.send("GET", self.path(tail), **options)

    def post(self, tail: str, body: Any = None, **options: Any) -> Answer:
        return self.visitor.send("POST", self.path(tail), body, **options)

    def patch(self, tail: str, body: Any = None, **options: Any) -> Answer:
        return self.visitor.send("PATCH", self.path(tail), body, **options)

    def path(self, tail: str) -> str:
        return f"{ORDERS}{self.id}/{tail}" if tail else f"{ORDERS}{self.id}"

    def read(self) -> Any:
        return seen(self.get())

    def capture(self, amount: int, **fields: Any) -> Answer:
        return self.post("captures", {"captured_amount": amount, **fields})

    def captured(self, amount: int, **fields: Any) -> str:
        """Capture and return the capture's id, empty when it was refused."""
        return self.capture(amount, **fields).header("Capture-Id") or ""

    def refund(self, amount: int, **fields: Any) -> Answer:
        return self.post("refunds", {"refunded_amount": amount, **fields})

    def refunded(self, amount: int, **fields: Any) -> str:
        return self.refund(amount, **fields).header("Refund-Id") or ""

    def authorize(self, amount: int, **fields: Any) -> Answer:
        return self.patch("authorization", {"order_amount": amount, **fields})

    def cancel(self) -> Answer:
        return self.post("cancel")

    def release(self) -> Answer:
        return self.post("release-remaining-authorization")


def some_id() -> str:
    return str(uuid.uuid4())
