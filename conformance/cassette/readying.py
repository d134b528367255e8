"""Fresh orders for a replay, brought to where the recorded ones were when the recording starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orderproof.cassette.comparison import Counterparts
from orderproof.drivers.drafts import draft, lines
from orderproof.drivers.handle import OrderHandle
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge
from orderproof.exchange import ABSENT, Exchange
from orderproof.model.call import Call, call_of

_COPIED = (
    "purchase_country",
    "purchase_currency",
    "locale",
    "billing_address",
    "shipping_address",
    "merchant_reference1",
    "merchant_reference2",
    "merchant_data",
)
_OF_CAPTURE = ("description", "reference", "order_lines", "shipping_info")
_OF_REFUND = ("description", "reference", "order_lines")
_FITTING = ("order_amount", "captured_amount", "refunded_amount", "purchase_currency")


class DoesNotFit(CannotJudge):
    """There is no fresh order that the recording could be sent to."""


def by_order(exchanges: Iterable[Exchange]) -> dict[str, list[Call]]:
    """Return the calls on each order of a recording, in sequence."""
    orders: dict[str, list[Call]] = {}
    for exchange in exchanges:
        call = call_of(exchange)
        if call is not None:
            orders.setdefault(call.order_id, []).append(call)
    return orders


def first_reading(calls: Iterable[Call]) -> Mapping[str, Any] | None:
    """Return an order as it read before anything was written to it; None when the recording does not show it."""
    for call in calls:
        exchange = call.exchange
        body = exchange.response.json if exchange.response is not None else ABSENT
        if call.name == "getOrder" and exchange.status == 200 and isinstance(body, Mapping):
            return body
        if call.operation.writes and (exchange.status is None or exchange.status < 300):
            return None
    return None


def exists(calls: Iterable[Call]) -> bool:
    """Say whether an order existed in the recording: something other than 400, 401 or 404 was answered."""
    exchanges = (call.exchange for call in calls)
    return any(e.status not in (400, 401, 404) for e in exchanges if "invented-order" not in e.facts)


def draft_like(document: Mapping[str, Any] | None, calls: Iterable[Call]) -> dict[str, Any]:
    """Return an order to be created that is like a recorded one, as far as the recording shows it."""
    if document is None:
        return draft(max(10_000, _captured_in(calls)))
    amount = _integer(document.get("order_amount"))
    order_lines = document.get("order_lines") or []
    if sum(_integer(item.get("total_amount")) for item in order_lines) != amount:
        order_lines = lines(amount)
    needed = ("purchase_country", "purchase_currency", "locale", "order_amount")
    plain = draft(amount)
    return {
        **{name: plain[name] for name in needed},
        **{name: document[name] for name in _COPIED if document.get(name)},
        "order_lines": order_lines,
        "order_tax_amount": sum(_integer(item.get("total_tax_amount")) for item in order_lines),
    }


def _captured_in(calls: Iterable[Call]) -> int:
    return sum(max(0, call.amount) for call in calls if call.name in ("captureOrder", "refundOrder"))


def _integer(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def ready(
    stage: Stage, recorded: Mapping[str, Any] | None, wanted: Mapping[str, Any], counterparts: Counterparts
) -> str:
    """Obtain an order and bring it to where it was; returns its id. Raises CannotJudge, DoesNotFit among them."""
    if recorded is not None and recorded.get("status") == "EXPIRED":
        raise DoesNotFit("its order had expired when the recording starts")
    order = OrderHandle(stage, stage.obtain(wanted))
    if recorded is not None:
        _bring(order, recorded, counterparts)
        _must_fit(order, recorded)
    return order.seat.order_id


def _bring(order: OrderHandle, recorded: Mapping[str, Any], counterparts: Counterparts) -> None:
    for capture in _by_time(recorded.get("captures"), "captured_at"):
        order.capture(_integer(capture.get("captured_amount")), **_fields(capture, _OF_CAPTURE))
        counterparts.bind(capture.get("capture_id"), order.seat.captures[-1] if order.seat.captures else None)
    for refund in _by_time(recorded.get("refunds"), "refunded_at"):
        order.refund(_integer(refund.get("refunded_amount")), **_fields(refund, _OF_REFUND))
        counterparts.bind(refund.get("refund_id"), order.seat.refunds[-1] if order.seat.refunds else None)
    amounts = (
        _integer(recorded.get(f"{name}_amount")) for name in ("order", "captured", "remaining_authorized")
    )
    amount, captured, remaining = amounts
    if recorded.get("status") == "CANCELLED":
        order.cancel()
    elif captured < amount and remaining == 0:
        order.release()


def _by_time(items: Any, name: str) -> list[Mapping[str, Any]]:
    found = [item for item in items or () if isinstance(item, Mapping)]
    return sorted(found, key=lambda item: str(item.get(name, "")))


def _fields(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: item[name] for name in names if item.get(name)}


def _must_fit(order: OrderHandle, recorded: Mapping[str, Any]) -> None:
    now = order.state.order or {}
    for name in _FITTING:
        was, new = recorded.get(name), now.get(name, 0)
        if was is not None and str(was).casefold() != str(new).casefold():
            raise DoesNotFit(
                f"the order obtained for it does not fit: its {name} is {new}, not {was} as recorded"
            )
