"""What schemathesis is given to work with: orders that exist, their captures and refunds, and amounts that fit them.

The path parameters of valid cases are replaced by ids of a small pool of orders, which later calls bring further along,
and three in four amounts of valid bodies by some that such an order can have. There is also the check that a good
engineer would add in an afternoon.
"""

from __future__ import annotations

import os
import random
from typing import Any

import httpx
import schemathesis
from schemathesis.core import NOT_SET

URL = os.environ["COMPARISON_URL"]
AMOUNT = 10_000
POOL = 4
CALLS_BEFORE_NEW = 40

_client = httpx.Client(base_url=URL, auth=("sandbox", "sandbox"))
_random = random.Random(int(os.environ.get("COMPARISON_SEED", "0")))
_orders: list[dict[str, Any]] = []


def _new_order() -> dict[str, Any]:
    line = {"name": "Lamp", "quantity": 1, "unit_price": AMOUNT, "total_amount": AMOUNT}
    draft = {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_amount": AMOUNT,
        "order_tax_amount": 0,
        "order_lines": [line],
    }
    made = _client.post("/customer-token/v1/tokens/sandbox/order", json=draft)
    return {"id": made.json()["order_id"], "captures": [], "refunds": [], "calls": 0}


def _order() -> dict[str, Any]:
    if len(_orders) < POOL:
        _orders.append(_new_order())
    chosen = _random.randrange(len(_orders))
    if _orders[chosen]["calls"] >= CALLS_BEFORE_NEW:
        _orders[chosen] = _new_order()
    _orders[chosen]["calls"] += 1
    return _orders[chosen]


def _is_valid(case: Any, part: str) -> bool:
    components = case.meta.components if case.meta is not None else {}
    modes = [known.mode.value for location, known in components.items() if location.value == part]
    return modes != ["negative"]


def _with_an_amount_that_fits(case: Any) -> None:
    """Let a valid amount be one of those about which an order decides."""
    for name in ("captured_amount", "refunded_amount", "order_amount"):
        value = case.body.get(name) if isinstance(case.body, dict) else None
        if isinstance(value, int) and _is_valid(case, "body") and _random.random() < 0.75:
            case.body[name] = value % (AMOUNT + 2)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let a valid case speak of an order, capture and refund that exist, and of amounts that fit."""
    _with_an_amount_that_fits(case)
    parameters = case.path_parameters
    if parameters is NOT_SET or not parameters or not _is_valid(case, "path"):
        return
    names = {name.lower().replace("_", ""): name for name in parameters}
    if "customertoken" in names:
        parameters[names["customertoken"]] = "sandbox"
    if "orderid" not in names or _random.random() < 0.05:
        return
    order = _order()
    parameters[names["orderid"]] = order["id"]
    for kind in ("capture", "refund"):
        if f"{kind}id" in names and order[f"{kind}s"]:
            parameters[names[f"{kind}id"]] = _random.choice(order[f"{kind}s"])


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    """Remember captures and refunds that were made."""
    for order in _orders:
        for kind in ("capture", "refund"):
            made = response.headers.get(f"{kind}-id")
            if made and order["id"] in str(response.request.url):
                order[f"{kind}s"].append(made[0] if isinstance(made, list) else made)


@schemathesis.check
def order_adds_up(context: Any, response: Any, case: Any) -> None:
    """After every write: the sums hold, and what remains is what was not captured."""
    order = next((one for one in _orders if one["id"] in str(response.request.url)), None)
    if order is None or response.status_code not in (201, 204):
        return
    read = _client.get(f"/ordermanagement/v1/orders/{order['id']}").json()
    captured = sum(one["captured_amount"] for one in read.get("captures") or [])
    refunded = sum(one["refunded_amount"] for one in read.get("refunds") or [])
    assert read["captured_amount"] == captured, "captured_amount is the sum of the captures"
    assert read["refunded_amount"] == refunded, "refunded_amount is the sum of the refunds"
    assert 0 <= refunded <= captured <= read["order_amount"], "refunded, captured, order amount in this order"
    assert read["remaining_authorized_amount"] >= 0, "nothing remains below zero"
    left = read["order_amount"] - captured
    if read["status"] in ("AUTHORIZED", "PART_CAPTURED"):
        assert read["remaining_authorized_amount"] in (0, left), "what remains was not captured"
    if response.status_code == 201 and isinstance(case.body, dict):
        kind = "captured" if "capture-id" in response.headers else "refunded"
        entries = read["captures" if kind == "captured" else "refunds"]
        assert entries[-1][f"{kind}_amount"] == case.body[f"{kind}_amount"], "the amount that was asked for"
