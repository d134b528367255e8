"""What reading shows: orders, captures, refunds and due-date options as JSON values.

How a time, a country or a field without a value is written is open; the choices of the sandbox decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

from orderproof import spec
from orderproof.sandbox.calls import Call, Context, Refusal
from orderproof.sandbox.guards import days_on_offer, no_such_capture
from orderproof.sandbox.orders import (
    Capture,
    Fields,
    Items,
    Order,
    Refund,
    captured_amount,
    find_capture,
    find_refund,
    refunded_amount,
)
from orderproof.sandbox.states import remaining_shown, status

Read = Callable[[Order, Call, Context], Any]

_CUSTOMER = {"date_of_birth": "1980-01-01", "type": "person"}
_PAYMENT_METHOD = {"type": "INVOICE", "description": "Pay later"}

# The address fields that recorded traffic shows even when they are empty.
_ADDRESS = (
    *("given_name", "family_name", "title", "street_address", "street_address2", "postal_code"),
    *("city", "region", "country", "email", "phone"),
)


def instant(milliseconds: int, form: str = "millis") -> str:
    """Return a time, in milliseconds since the epoch, as ISO 8601 text in UTC."""
    second = _second(milliseconds // 1000)
    if form == "seconds":
        return f"{second}Z"
    return f"{second}.{milliseconds % 1000:03d}{'+00:00' if form == 'offset' else 'Z'}"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def _cased(text: str, context: Context) -> str:
    match context.open.letter_case:
        case "upper":
            return text.upper()
        case "lower":
            return text.lower()
        case _:
            return text


def _shown(
    values: Fields,
    context: Context,
    texts: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
    recorded: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Write fields without a value as told. `recorded` are those that recorded traffic shows as "" or []."""
    shown = {name: value for name, value in values.items() if value or value == 0}
    for name, nothing in _nothings(context.open.empty_fields, texts, lists, recorded):
        shown.setdefault(name, nothing)
    return shown


@cache
def _nothings(
    mode: str, texts: tuple[str, ...], lists: tuple[str, ...], recorded: tuple[str, ...]
) -> tuple[tuple[str, Any], ...]:
    """The fields that are shown without a value, each with what is shown in its place."""
    names = {"absent": (), "recorded": recorded}.get(mode, (*texts, *lists))
    nothings: dict[str, Any] = {**dict.fromkeys(texts, ""), **dict.fromkeys(lists, ())}
    return tuple((name, None if mode == "null" else nothings[name]) for name in names)


@cache
def _known_fields(schema: str) -> tuple[str, ...]:
    return tuple(spec.openapi()["components"]["schemas"][schema]["properties"])


def _items(items: Items, schema: str, context: Context) -> Items:
    if context.open.empty_fields != "null":
        return items
    nothing = dict.fromkeys(_known_fields(schema))
    return tuple({**nothing, **item} for item in items)


def _address(address: Fields, context: Context) -> dict[str, Any]:
    shown = _shown(address, context, texts=_known_fields("Address"), recorded=_ADDRESS)
    if shown.get("country"):
        shown["country"] = _cased(shown["country"], context)
    return shown


def _capture(capture: Capture, context: Context) -> dict[str, Any]:
    copied = context.open.capture_address == "copied"
    values = {
        "capture_id": capture.capture_id,
        "klarna_reference": capture.klarna_reference,
        "captured_amount": capture.captured_amount,
        "captured_at": instant(capture.captured_at, context.open.times),
        "description": capture.description,
        "reference": capture.reference,
        "order_lines": _items(capture.order_lines, "OrderLine", context),
        "refunded_amount": capture.refunded_amount,
        "billing_address": _address(capture.billing_address, context) if copied else None,
        "shipping_address": _address(capture.shipping_address, context) if copied else None,
        "shipping_info": _items(capture.shipping_info, "ShippingInfo", context),
    }
    lists = ("order_lines", "shipping_info")
    shown = _shown(values, context, ("description", "reference"), lists, ("description", *lists))
    return _with_more(shown, context, {"payout_reference": capture.klarna_reference})


def _refund(refund: Refund, context: Context) -> dict[str, Any]:
    values = {
        "refund_id": refund.refund_id,
        "refunded_amount": refund.refunded_amount,
        "refunded_at": instant(refund.refunded_at, context.open.times),
        "description": refund.description,
        "reference": refund.reference,
        "order_lines": _items(refund.order_lines, "OrderLine", context),
    }
    shown = _shown(
        values, context, ("description", "reference"), ("order_lines",), ("description", "order_lines")
    )
    return _with_more(shown, context, {"credit_invoice": True, "payout": {"settled": False}})


def _with_more(shown: dict[str, Any], context: Context, more: Fields) -> dict[str, Any]:
    return {**shown, **more} if context.open.extra_fields == "some" else shown


def _captures(order: Order, context: Context) -> tuple[dict[str, Any], ...]:
    shown = tuple(_capture(one, context) for one in order.captures)
    return shown[::-1] if context.open.capture_order == "newest-first" else shown


def read_order(order: Order, call: Call, context: Context) -> Any:
    """Return the whole order."""
    values = {
        "order_id": order.order_id,
        "status": status(order, context),
        "fraud_status": "ACCEPTED",
        "order_amount": order.order_amount,
        "original_order_amount": order.original_order_amount,
        "captured_amount": captured_amount(order),
        "refunded_amount": refunded_amount(order),
        "remaining_authorized_amount": remaining_shown(order, context),
        "purchase_currency": _cased(order.purchase_currency, context),
        "locale": _cased(order.locale, context),
        "order_lines": _items(order.order_lines, "OrderLine", context),
        "klarna_reference": order.klarna_reference,
        "customer": _CUSTOMER,
        "billing_address": _address(order.billing_address, context),
        "shipping_address": _address(order.shipping_address, context),
        "created_at": instant(order.created_at, context.open.times),
        "purchase_country": _cased(order.purchase_country, context),
        "expires_at": instant(order.expires_at, context.open.times),
        "captures": _captures(order, context),
        "refunds": tuple(_refund(one, context) for one in order.refunds),
        "initial_payment_method": _PAYMENT_METHOD,
        "merchant_reference1": order.merchant_reference1,
        "merchant_reference2": order.merchant_reference2,
        "merchant_data": order.merchant_data,
        "shipping_info": _items(order.shipping_info, "ShippingInfo", context),
    }
    texts = ("merchant_reference1", "merchant_reference2", "merchant_data")
    recorded = ("order_lines", "captures", "refunds")
    shown = _shown(values, context, texts, (*recorded, "shipping_info"), recorded)
    return _with_more(shown, context, {"sales_channel": "sandbox", "risk": {"score": None, "checks": []}})


def read_captures(order: Order, call: Call, context: Context) -> Any:
    """Return the captures of the order."""
    return _captures(order, context)


def read_capture(order: Order, call: Call, context: Context) -> Any:
    """Return one capture of the order. Raises Refusal when there is none."""
    capture = find_capture(order, call.child_id)
    if capture is None:
        raise no_such_capture(order, call, context)
    return _capture(capture, context)


def read_refund(order: Order, call: Call, context: Context) -> Any:
    """Return one refund of the order. Raises Refusal when there is none."""
    refund = find_refund(order, call.child_id)
    if refund is None:
        message = f"Refund {call.child_id} cannot be found on order {order.order_id}."
        raise Refusal(int(context.open.unknown_refund), "NOT_FOUND", message)
    return _refund(refund, context)


def read_due_date_options(order: Order, call: Call, context: Context) -> Any:
    """Return the days and fees by which the due date of a capture can move.

    Raises Refusal when there is none.
    """
    if find_capture(order, call.child_id) is None:
        raise no_such_capture(order, call, context)
    options = [
        {"number_of_days": days, "amount": fee} for days, fee in days_on_offer(order, call, context).items()
    ]
    return {"currency": _cased(order.purchase_currency, context), "options": options}


READS: Mapping[str, Read] = MappingProxyType(
    {
        "getOrder": read_order,
        "getCaptures": read_captures,
        "getCapture": read_capture,
        "getRefund": read_refund,
        "getOptionsForExtendDueDate": read_due_date_options,
    }
)
