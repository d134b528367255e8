"""Faults of credentials, errors, bodies, statuses and headers, whatever the operation."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from orderproof.sandbox.answers import json_bytes
from orderproof.sandbox.behaviour import AS_AGREED, Answering, Behaviour
from orderproof.sandbox.calls import Answer, Call, Refusal
from orderproof.sandbox.faults.parts import (
    INVALID,
    answering,
    less,
    mended,
    orders_read,
    read_of,
    refusing,
    requesting,
    with_body,
)
from orderproof.sandbox.faults.registry import fault
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Order
from orderproof.sandbox.requests import Request
from orderproof.sandbox.service import Service

_ERROR = (400, 403, 404, 409, 422)


def _header(answer: Answer, name: str) -> str:
    return next((value for known, value in answer.headers if known == name), "")


def _without_header(answer: Answer, name: str) -> Answer:
    return answer._replace(headers=tuple(pair for pair in answer.headers if pair[0] != name))


def _with_header(answer: Answer, name: str, value: str) -> Answer:
    return answer._replace(headers=(*_without_header(answer, name).headers, (name, value)))


def _errors(change: Callable[[Answer, dict[str, Any]], Answer]) -> Behaviour:
    """Change every error that has a body, as answer and JSON object."""

    async def around(request: Request, answering: Answering) -> Answer:
        answer = await answering(request)
        return change(answer, json.loads(answer.body)) if answer.status in _ERROR else answer

    return requesting(around)


def _after(change: Callable[[Request, Answer], Answer]) -> Behaviour:
    async def around(request: Request, answering: Answering) -> Answer:
        return change(request, await answering(request))

    return requesting(around)


class _Doorkeeper:
    """Learns the right credentials from the first request that gets in, and lends them to others."""

    def __init__(self) -> None:
        self._right = b""

    async def answer(self, request: Request, answering: Answering, *, lends: bool) -> Answer:
        """Answer a request, as the owner of the credentials if it is lent them."""
        sent = request.headers.get(b"authorization", b"")
        if lends and self._right:
            return await answering(
                request._replace(headers={**request.headers, b"authorization": self._right})
            )
        answer = await answering(request)
        if answer.status != 401 and not self._right:
            self._right = sent
        return answer


def _lending(
    wanted: Callable[[Request], bool], change: Callable[[Answer], Answer] = lambda answer: answer
) -> Behaviour:
    keeper = _Doorkeeper()

    async def around(request: Request, answering: Answering) -> Answer:
        lends = wanted(request)
        answer = await keeper.answer(request, answering, lends=lends)
        return change(answer) if lends and answer.status != 401 else answer

    return requesting(around)


def _anonymous(request: Request) -> bool:
    return b"authorization" not in request.headers


def _stranger(request: Request) -> bool:
    return b"authorization" in request.headers


@fault("GEN-AUTH-1")
def no_credentials_needed() -> Behaviour:
    """A request without credentials is served."""
    return _lending(_anonymous)


@fault("GEN-AUTH-1", when="value")
def captures_read_by_anyone() -> Behaviour:
    """The list of captures is read without credentials."""
    return _lending(lambda request: _anonymous(request) and request.path.endswith("/captures"))


@fault("GEN-AUTH-1", "GEN-ERR-4")
def unauthorized_but_done() -> Behaviour:
    """A request without credentials takes effect and is answered 401."""
    challenge = (("www-authenticate", 'Basic realm="sandbox"'),)
    return _lending(_anonymous, lambda _: Answer(401, challenge))


@fault("GEN-AUTH-1", "GEN-AUTH-2")
def strangers_are_forbidden() -> Behaviour:
    """Missing credentials are answered 403 in place of 401."""

    def change(request: Request, answer: Answer) -> Answer:
        return answer._replace(status=403) if answer.status == 401 else answer

    return _after(change)


@fault("GEN-AUTH-1")
def order_shown_to_strangers() -> Behaviour:
    """The body of a 401 tells order id and amount."""

    def change(request: Request, answer: Answer) -> Answer:
        shown = {**json.loads(answer.body), "order_id": request.path.split("/")[-1], "order_amount": 10000}
        return with_body(answer, shown) if answer.status == 401 and request.path.count("/") >= 4 else answer

    def safe(request: Request, answer: Answer) -> Answer:
        return change(request, answer) if answer.status == 401 else answer

    return _after(safe)


@fault("GEN-AUTH-2")
def any_password() -> Behaviour:
    """Whoever names a user and a password is served."""
    return _lending(_stranger)


@fault("GEN-AUTH-2", when="value")
def any_password_to_read() -> Behaviour:
    """Orders are read with a wrong password."""
    return _lending(lambda request: _stranger(request) and request.method == "GET")


@fault("GEN-AUTH-2", "GEN-ERR-4")
def wrong_password_but_done() -> Behaviour:
    """A call with a wrong password takes effect, and is answered 401."""
    keeper: list[bytes] = []

    async def around(request: Request, answering: Answering) -> Answer:
        answer = await answering(request)
        sent = request.headers.get(b"authorization", b"")
        if answer.status != 401:
            keeper[:] = keeper or [sent]
        elif keeper and sent:
            await answering(request._replace(headers={**request.headers, b"authorization": keeper[0]}))
        return answer

    return requesting(around)


@fault("GEN-AUTH-3")
def no_challenge() -> Behaviour:
    """A 401 does not say which credentials are wanted."""
    return _after(lambda request, answer: _without_header(answer, "www-authenticate"))


@fault("GEN-ERR-1")
def errors_as_pages() -> Behaviour:
    """Errors are HTML."""
    return _errors(
        lambda answer, body: Answer(answer.status, (("content-type", "text/html"),), b"<h1>No</h1>")
    )


@fault("GEN-ERR-1")
def no_correlation_id() -> Behaviour:
    """Error bodies have no correlation id."""
    return _errors(lambda answer, body: with_body(answer, less(body, "correlation_id")))


@fault("GEN-ERR-1")
def messages_as_text() -> Behaviour:
    """error_messages is a text."""
    return _errors(
        lambda answer, body: with_body(answer, {**body, "error_messages": " ".join(body["error_messages"])})
    )


@fault("GEN-ERR-1", when="state")
def silent_refusals_of_cancelled_orders() -> Behaviour:
    """A refusal by a cancelled order has no body."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        silent = answer.status == 403 and order is not None and order.cancelled
        return Answer(403) if silent else answer

    return answering(change)


@fault("GEN-ERR-2")
def one_correlation_id() -> Behaviour:
    """All errors share one correlation id."""
    return _errors(
        lambda answer, body: with_body(
            answer, {**body, "correlation_id": "11111111-1111-4111-8111-111111111111"}
        )
    )


@fault("GEN-ERR-2", when="sequence")
def correlation_ids_of_seconds() -> Behaviour:
    """Errors with the same code and status share their correlation id."""

    def change(answer: Answer, body: dict[str, Any]) -> Answer:
        return with_body(answer, {**body, "correlation_id": f"{body['error_code']}-{answer.status}"})

    return _errors(change)


def _failing(fails: Callable[[Call], bool]) -> Behaviour:
    def read(call: Call, chosen: Open) -> Call:
        if fails(call):
            raise Refusal(500, "INTERNAL_ERROR", "Something went wrong.")
        return AS_AGREED.read_body(call, chosen)

    return replace(AS_AGREED, read_body=read)


def _parsed(call: Call) -> Any:
    try:
        return json.loads(call.raw)
    except (ValueError, RecursionError):
        return None


@fault("GEN-ERR-3", "GEN-VAL-2", when="value")
def fails_on_arrays() -> Behaviour:
    """A JSON array in place of an object is answered 500."""
    return _failing(lambda call: isinstance(_parsed(call), list))


@fault("GEN-ERR-3", "GEN-VAL-2", when="value")
def fails_on_no_json() -> Behaviour:
    """A body that is no JSON is answered 500."""
    return _failing(lambda call: bool(call.raw) and _parsed(call) is None)


@fault("GEN-ERR-3", "GEN-VAL-4", "GEN-VAL-1", when="value")
def fails_on_text_of_255() -> Behaviour:
    """A reference of exactly 255 characters is answered 500."""

    def fails(call: Call) -> bool:
        body = _parsed(call)
        return isinstance(body, dict) and any(isinstance(v, str) and len(v) == 255 for v in body.values())

    return _failing(fails)


@fault("GEN-ERR-3", "GEN-VAL-1", when="value")
def fails_on_null() -> Behaviour:
    """A null where a value belongs is answered 500."""

    def fails(call: Call) -> bool:
        body = _parsed(call)
        return isinstance(body, dict) and None in body.values()

    return _failing(fails)


@fault("GEN-ERR-3", "GEN-VAL-4", "GEN-VAL-1", when="value")
def fails_beyond_the_bmp() -> Behaviour:
    """Text beyond the Basic Multilingual Plane is answered 500."""

    def fails(call: Call) -> bool:
        return any(ord(character) > 0xFFFF for character in json.dumps(_parsed(call), ensure_ascii=False))

    return _failing(fails)


@fault("GEN-ERR-3", "GEN-ID-1", when="value")
def fails_on_malformed_ids() -> Behaviour:
    """A malformed order id is answered 500."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        return answer._replace(status=500) if b"INVALID_ORDER_ID" in answer.body else answer

    return answering(change)


async def _refused_with_effect(service: Service, call: Call, operation: str, **changes: Any) -> Answer:
    answer = await service.exclusive(call)
    if call.operation == operation and answer.status == 403:
        with service.store.transaction(call.order_id) as transaction:
            order = transaction.order()
            if order is not None:
                transaction.save(replace(order, **changes))
    return answer


@fault("GEN-ERR-4", "CAP-5", "REL-4", "CAN-4")
def refused_capture_releases() -> Behaviour:
    """A capture that is refused clears the merchant references."""

    async def write(service: Service, call: Call) -> Answer:
        return await _refused_with_effect(
            service, call, "captureOrder", merchant_reference1="refused", merchant_reference2="refused"
        )

    return replace(AS_AGREED, write=write)


@fault("GEN-ERR-4", "CAN-2")
def refused_cancel_renames() -> Behaviour:
    """A cancellation that is refused writes into the merchant reference."""

    async def write(service: Service, call: Call) -> Answer:
        return await _refused_with_effect(service, call, "cancelOrder", merchant_reference1="cancel refused")

    return replace(AS_AGREED, write=write)


@fault("GEN-ERR-4", when="value")
def invalid_references_written() -> Behaviour:
    """An update of references with one that is too long is refused, and the other one is written."""

    async def write(service: Service, call: Call) -> Answer:
        answer = await service.exclusive(call)
        if call.operation == "updateMerchantReferences" and answer.status == 400:
            with service.store.transaction(call.order_id) as transaction:
                order = transaction.order()
                if order is not None:
                    transaction.save(replace(order, merchant_reference2="half written"))
        return answer

    return replace(AS_AGREED, write=write)


@fault("GEN-404-2")
def nameless_404() -> Behaviour:
    """The message of a 404 does not name the id."""

    def change(answer: Answer, body: dict[str, Any]) -> Answer:
        return (
            with_body(answer, {**body, "error_messages": ["Not found."]}) if answer.status == 404 else answer
        )

    return _errors(change)


@fault("GEN-404-1")
def captures_of_an_unknown_order() -> Behaviour:
    """An unknown order has an empty list of captures."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        if call.operation == "getCaptures" and answer.status == 404:
            return answer._replace(status=200, body=b"[]")
        return answer

    return answering(change)


@fault("GEN-404-1")
def unknown_order_code() -> Behaviour:
    """An unknown order is refused with the code ORDER_NOT_FOUND."""

    def change(answer: Answer, body: dict[str, Any]) -> Answer:
        wrong = body["error_code"] == "NO_SUCH_ORDER"
        return with_body(answer, {**body, "error_code": "ORDER_NOT_FOUND"}) if wrong else answer

    return _errors(change)


def _malformed(status: int) -> Behaviour:
    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        return answer._replace(status=status) if b"INVALID_ORDER_ID" in answer.body else answer

    return answering(change)


@fault("GEN-ID-1", when="value")
def malformed_id_forbidden() -> Behaviour:
    """A malformed order id is answered 403."""
    return _malformed(403)


@fault("GEN-ID-1", when="value")
def malformed_id_unprocessable() -> Behaviour:
    """A malformed order id is answered 422."""
    return _malformed(422)


def _taking(mend: Callable[[bytes], bytes]) -> Behaviour:
    def read(call: Call, chosen: Open) -> Call:
        raw = mend(call.raw)
        media_type = call.media_type if raw == call.raw else "application/json"
        return AS_AGREED.read_body(call._replace(raw=raw, media_type=media_type), chosen)

    return replace(AS_AGREED, read_body=read)


@fault("GEN-VAL-2", when="value")
def arrays_taken_by_their_first() -> Behaviour:
    """An array with an object in it is taken as that object."""

    def mend(raw: bytes) -> bytes:
        value = _parsed(Call("", "", raw=raw))
        return json_bytes(value[0]) if isinstance(value, list) and value else raw

    return _taking(mend)


@fault("GEN-VAL-2", when="value")
def no_json_taken_as_empty() -> Behaviour:
    """What is no JSON is taken as an empty object."""
    return _taking(lambda raw: b"{}" if raw and _parsed(Call("", "", raw=raw)) is None else raw)


@fault("GEN-VAL-2", "GEN-VAL-1", when="value")
def trailing_text_taken() -> Behaviour:
    """A JSON object that is cut short is completed."""

    def mend(raw: bytes) -> bytes:
        broken = raw.startswith(b"{") and _parsed(Call("", "", raw=raw)) is None
        return b"{}" if broken else raw

    return _taking(mend)


class _Unlimited(Request):
    """A request whose body is taken at any size."""

    async def body(self) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await self.receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)


@fault("GEN-VAL-3", when="value")
def any_size() -> Behaviour:
    """A body of any size is looked at."""

    def around(request: Request, answering: Answering) -> Awaitable[Answer]:
        return answering(_Unlimited(*request))

    return requesting(around)


def _too_strict(operation: str, field: str, refused: Callable[[Any], bool]) -> Behaviour:
    return refusing(operation, lambda order, call, _: refused(call.body.get(field)), status=400, code=INVALID)


@fault("GEN-VAL-4", "REF-1", when="value")
def references_in_ascii() -> Behaviour:
    """A merchant reference outside ASCII is refused as invalid."""
    return _too_strict(
        "updateMerchantReferences", "merchant_reference1", lambda v: isinstance(v, str) and not v.isascii()
    )


@fault("GEN-VAL-4", "REF-1", when="value")
def references_of_254() -> Behaviour:
    """A merchant reference of exactly 255 characters is refused as invalid."""
    return _too_strict(
        "updateMerchantReferences", "merchant_reference2", lambda v: isinstance(v, str) and len(v) > 254
    )


@fault("GEN-VAL-4", "CAP-1", when="value")
def descriptions_of_200() -> Behaviour:
    """The description of a capture over 200 characters is refused as invalid."""
    return _too_strict("captureOrder", "description", lambda v: isinstance(v, str) and len(v) > 200)


@fault("GEN-VAL-4", "SHP-1", when="value")
def one_parcel_at_a_time() -> Behaviour:
    """More than 100 items of shipping info are refused as invalid."""
    return _too_strict("appendOrderShippingInfo", "shipping_info", lambda v: len(v or ()) > 100)


@fault("GEN-HTTP-1", "ORD-GET-1")
def orders_as_text() -> Behaviour:
    """An order is declared as text/plain."""

    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == "getOrder" and answer.status == 200
        return _with_header(answer, "content-type", "text/plain") if wrong else answer

    return answering(change)


@fault("GEN-HTTP-1", when="state")
def refund_amounts_as_text() -> Behaviour:
    """A refund that is read by itself has its amount in quotes."""
    return read_of(
        lambda shown, order, _: {**shown, "refunded_amount": str(shown["refunded_amount"])}, "getRefund"
    )


@fault("GEN-HTTP-1", when="state")
def quantities_as_text() -> Behaviour:
    """The order lines of an order with captures have their quantity in quotes."""

    def change(shown: dict[str, Any], order: Order, context: object) -> dict[str, Any]:
        lines = [{**line, "quantity": str(line["quantity"])} for line in shown.get("order_lines", ())]
        return {**shown, "order_lines": lines} if order.captures else shown

    return orders_read(change)


def _two_hundred_four(wrong: Callable[[Call], bool]) -> Behaviour:
    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        if answer.status != 204 or not wrong(call):
            return answer
        return Answer(204, (("content-type", "application/json"), ("content-length", "2")), b"{}")

    return answering(change)


@fault("GEN-HTTP-2")
def bodies_after_204() -> Behaviour:
    """A 204 has a body."""
    return _two_hundred_four(lambda call: True)


@fault("GEN-HTTP-2", when="value")
def body_after_release() -> Behaviour:
    """The 204 to a release has a body."""
    return _two_hundred_four(lambda call: call.operation == "releaseRemainingAuthorization")


@fault("GEN-HTTP-3")
def wrong_method_not_found() -> Behaviour:
    """A method that a path does not have is answered 404."""

    def change(request: Request, answer: Answer) -> Answer:
        return answer._replace(status=404) if answer.status == 405 else answer

    return _after(change)


@fault("GEN-HTTP-3")
def no_allow() -> Behaviour:
    """A 405 does not say which methods there are."""
    return _after(lambda request, answer: _without_header(answer, "allow"))


def _other_status(operation: str, status: int, other: int) -> Behaviour:
    def change(call: Call, order: Order | None, answer: Answer) -> Answer:
        wrong = call.operation == operation and answer.status == status
        return answer._replace(status=other) if wrong else answer

    return answering(change)


@fault("GEN-HTTP-4", "SND-2", when="value")
def teapot() -> Behaviour:
    """A send-out for an unknown capture is answered 418."""
    return _other_status("triggerSendOut", 404, 418)


@fault("GEN-HTTP-4", "CAN-1")
def cancel_is_accepted() -> Behaviour:
    """A cancellation is answered 202."""
    return _other_status("cancelOrder", 204, 202)


@fault("GEN-HTTP-4", "CAP-7")
def unknown_captures_redirect() -> Behaviour:
    """An unknown capture is answered 410."""
    return _other_status("getCapture", 404, 410)


def _refusing_header(refused: Callable[[Request], bool]) -> Behaviour:
    async def around(request: Request, answering: Answering) -> Answer:
        if not refused(request):
            return await answering(request)
        body = {
            "correlation_id": str(id(request)),
            "error_code": INVALID,
            "error_messages": ["Unknown header."],
        }
        return Answer(400, (("content-type", "application/json"),), json_bytes(body))

    return requesting(around)


@fault("GEN-HTTP-5", "GEN-VAL-4", when="value")
def integrator_refused() -> Behaviour:
    """A request with Klarna-Integrator is refused."""
    return _refusing_header(lambda request: b"klarna-integrator" in request.headers)


@fault("GEN-HTTP-5", "GEN-VAL-4", when="value")
def unknown_headers_refused() -> Behaviour:
    """A request with a header that begins with X- is refused."""
    return _refusing_header(lambda request: any(name.startswith(b"x-") for name in request.headers))


@fault("GEN-RATE-1", "GEN-ERR-4", "ORD-FIX-3", when="sequence")
def throttled_but_done() -> Behaviour:
    """Every third write to an order takes effect and is answered 429."""
    count: dict[str, int] = {}

    def change(request: Request, answer: Answer) -> Answer:
        if "/orders/" not in request.path or answer.status not in (201, 204):
            return answer
        order_id = request.path.split("/")[4]
        count[order_id] = count.get(order_id, 0) + 1
        return Answer(429, (("retry-after", "0"),)) if count[order_id] % 3 == 0 else answer

    return _after(change)


@fault("GEN-VAL-1", when="value")
def negative_days_taken() -> Behaviour:
    """A due date is extended by a number of days in quotes, as if it were a number."""

    def mend(value: dict[str, Any]) -> dict[str, Any]:
        days = value.get("number_of_days")
        return {**value, "number_of_days": int(days)} if isinstance(days, str) and days.isdecimal() else value

    return mended("extendDueDate", mend)
