"""Orders and answers as JSON text, for stores that outlive the process."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.orders import Capture, Order, Refund


def order_text(order: Order) -> str:
    """Return an order as JSON text."""
    return json.dumps(_plain(order), ensure_ascii=False, separators=(",", ":"))


def order_from(text: str) -> Order:
    """Return the order of a text made by `order_text`."""
    data = json.loads(text)
    data["captures"] = tuple(Capture(**_tupled(one)) for one in data["captures"])
    data["refunds"] = tuple(Refund(**_tupled(one)) for one in data["refunds"])
    return Order(**_tupled(data))


def answer_text(answer: Answer) -> str:
    """Return an answer as JSON text."""
    return json.dumps([answer.status, answer.headers, answer.body.decode("utf-8")], ensure_ascii=False)


def answer_from(text: str) -> Answer:
    """Return the answer of a text made by `answer_text`."""
    status, headers, body = json.loads(text)
    return Answer(status, tuple((name, value) for name, value in headers), body.encode("utf-8"))


def _plain(value: Order | Capture | Refund) -> dict[str, Any]:
    data = {one.name: getattr(value, one.name) for one in fields(value)}
    for name in ("captures", "refunds"):
        if name in data:
            data[name] = [_plain(one) for one in data[name]]
    return data


def _tupled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
