"""HTTP around the calls: methods that a path does not have, headers that do no harm, bodies of every size."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

from orderproof import operations
from orderproof.drivers.commands import NEW_KEY, Command
from orderproof.drivers.drafts import line
from orderproof.drivers.grounds import was_taken
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.ordinary import ordinary, subjects
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage
from orderproof.model.validity import LARGE_BODY

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_WITH_HEADERS = ("getOrder", "captureOrder", "updateMerchantReferences", "appendOrderShippingInfo")
_LINES = 1_000
_TOO_LARGE = 2_000_000
_LONG_FIELDS = ("merchant_data", "product_url", "image_url")


def scenarios(profile: str) -> list[Scenario]:
    """Wrong methods, optional headers and large bodies; the quick profile tries one wrong method on each path."""
    thorough = profile != "quick"
    large = ("captureOrder", "updateAuthorization", "refundOrder") if thorough else ("captureOrder",)
    return [
        Scenario("methods that a path does not have", partial(_wrong_methods, thorough=thorough)),
        Scenario("headers that a server need not know", _optional_headers),
        *(Scenario(f"large bodies: {name}", partial(_large_bodies, operation=name)) for name in large),
    ]


def _wrong_methods(stage: Stage, *, thorough: bool) -> None:
    orders = subjects(stage)
    for name in _one_operation_a_path():
        command = replace(ordinary(name, orders.captured), read=False)
        path = operations.path_of(name, **dict.fromkeys(operations.OPERATIONS[name].parameters, "x"))
        wrong = [method for method in _METHODS if method not in operations.allowed_methods(path)]
        for method in wrong if thorough else [stage.chance.choice(wrong)]:
            stage.perform(replace(command, method=method))
    orders.read()


def _one_operation_a_path() -> list[str]:
    return list({known.template: name for name, known in operations.OPERATIONS.items()}.values())


_HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (("Klarna-Integrator", "a-platform"),),
    (("X-Unknown", "1"), ("X-Request-Id", "0b6c"), ("Traceparent", f"00-{'1' * 32}-{'2' * 16}-01")),
    (("Klarna-Unknown", "yes"), ("Accept-Language", "sv, en;q=0.5"), ("Cache-Control", "no-cache")),
)


def _optional_headers(stage: Stage) -> None:
    order = new_order(stage)
    for name in _WITH_HEADERS:
        plain = replace(ordinary(name, order), key=None, read=False)
        taken = was_taken(stage.perform(plain))
        more = [replace(plain, headers=headers) for headers in _HEADERS]
        # A key may be any text, and goes with another header as well as alone.
        more += [replace(plain, key=f"{name}~text"), replace(plain, key=NEW_KEY, headers=_HEADERS[0])]
        for command in more:
            stage.perform(replace(command, facts=frozenset({"optional-headers"} if taken else ())))
        order.read()


def _large_bodies(stage: Stage, *, operation: str) -> None:
    """Send a valid body of just under 1 MB, and one of 2 MB."""
    order = new_order(stage, 4 * _LINES)
    if operation == "refundOrder":
        order.capture(order.remaining)
    for size in (LARGE_BODY, _TOO_LARGE + 1_000):
        stage.perform(Command(operation, order.position, body=_body_of(operation, order, size)))


def _body_of(operation: str, order: OrderHandle, size: int) -> dict[str, Any]:
    """A body with the most lines that is `size` bytes long, or a little less."""
    amounts = {"captureOrder": "captured_amount", "refundOrder": "refunded_amount"}
    name = amounts.get(operation, "order_amount")
    amount = order.amount - _LINES if name == "order_amount" else _LINES
    lines = [line(1) for _ in range(_LINES - 1)]
    body: dict[str, Any] = {name: amount, "order_lines": [*lines, line(amount - len(lines))]}
    for field in _LONG_FIELDS:
        length = min(1_000, (size - len(json.dumps(body))) // _LINES - len(f', "{field}": ""'))
        for item in body["order_lines"] if length > 0 else ():
            item[field] = f"https://example.com/{'x' * length}"[:length]
    return body
