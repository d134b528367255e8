"""Faults that break one rule of the contract and as few others as can be, where those of its own area break more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderproof.sandbox.behaviour import AS_AGREED, Answering, Behaviour
from orderproof.sandbox.calls import Answer, Call, Context, Refusal
from orderproof.sandbox.faults.parts import answering, effect, read_of, requesting, with_body
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Order
from orderproof.sandbox.requests import Request
from orderproof.sandbox.service import Service

_HOUR = 3_600_000
_WITH_RULES_OF_THEIR_OWN = ("updateAuthorization", "updateConsumerDetails")

Shown = dict[str, Any]


def _reading(refuse: Callable[[Call], int | None]) -> Behaviour:
    """Refuse some bodies before they are validated: `refuse` returns a status for a call, or None."""

    def read(call: Call, chosen: Open) -> Call:
        status = refuse(call)
        if status is not None:
            raise Refusal(status, "NOT_POSSIBLE", "This is a fault.")
        return AS_AGREED.read_body(call, chosen)

    return replace(AS_AGREED, read_body=read)


@fault("GEN-ERR-3", when="value")
def fails_on_deep_arrays() -> Behaviour:
    """A body with arrays nested a hundred deep is answered 500."""
    return _reading(lambda call: 500 if b"[" * 100 in call.raw else None)


@fault("GEN-HTTP-4", when="value")
def other_media_types_not_acceptable() -> Behaviour:
    """A body that is not declared as JSON is answered 406, where it adds to an order or names references."""

    def refuse(call: Call) -> int | None:
        other = call.operation not in _WITH_RULES_OF_THEIR_OWN and call.media_type != "application/json"
        return 406 if other and call.raw else None

    return _reading(refuse)


@fault("GEN-HTTP-1", when="always")
def captures_as_text() -> Behaviour:
    """The list of captures is declared as text/plain."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        if call.operation != "getCaptures" or answer.status != 200:
            return answer
        return answer._replace(headers=(("content-type", "text/plain"),))

    return answering(change)


@fault("EXT-2", when="sequence")
def second_extension_adds_an_hour() -> Behaviour:
    """A second extension on one day adds an hour to the expiry that the first one gave."""
    extended: set[str] = set()

    def change(before: Order, after: Order, call: Call, context: Context) -> Order:
        again = before.order_id in extended and after.expires_at == before.expires_at
        extended.add(before.order_id)
        return replace(after, expires_at=before.expires_at + _HOUR) if again else after

    return effect("extendAuthorizationTime", change)


@fault("ORD-GET-2", when="sequence")
def second_read_without_lines() -> Behaviour:
    """An order that nobody has written to shows no order lines when it is read a second time."""
    reads: dict[str, int] = {}

    async def around(request: Request, answering: Answering) -> Answer:
        order_id = "/".join(request.path.split("/")[:5])
        if request.method != "GET":
            reads[order_id] = 2
        answer = await answering(request)
        if order_id != request.path or answer.status != 200 or reads.get(order_id) == 2:
            return answer
        reads[order_id] = reads.get(order_id, 0) + 1
        shown = json.loads(answer.body)
        return with_body(answer, {**shown, "order_lines": []}) if reads[order_id] == 2 else answer

    return requesting(around)


@fault("SHP-4", "GEN-ERR-4", when="value")
def refused_parcels_noted() -> Behaviour:
    """Shipping info that is refused as invalid leaves an empty item behind."""

    async def write(service: Service, call: Call) -> Answer:
        answer = await service.exclusive(call)
        if call.operation == "appendOrderShippingInfo" and answer.status == 400:
            with service.store.transaction(call.order_id) as transaction:
                order = transaction.order()
                if order is not None:
                    item = {"shipping_company": "unknown"}
                    transaction.save(replace(order, shipping_info=(*order.shipping_info, item)))
        return answer

    return replace(AS_AGREED, write=write)


@fault("IDM-1", when="sequence")
def parcels_repeated_with_their_key() -> Behaviour:
    """Shipping info that is sent again with its key is appended again."""

    def scope(call: Call, chosen: Open) -> Any:
        return None if call.operation == "appendOrderShippingInfo" else AS_AGREED.scope_of(call, chosen)

    return replace(AS_AGREED, scope_of=scope)


@fault("RFD-8", when="sequence")
def single_refund_renamed() -> Behaviour:
    """A refund that is read by itself more than once has another description."""
    read: set[str] = set()

    def change(shown: Shown, order: Order, context: Context) -> Shown:
        again = shown["refund_id"] in read
        read.add(shown["refund_id"])
        return {**shown, "description": "read before"} if again else shown

    return read_of(change, "getRefund")
