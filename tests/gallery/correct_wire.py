"""Correct servers that differ in how they speak HTTP and how they write JSON."""

from __future__ import annotations

import gzip
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import formatdate
from typing import Any

from tests.gallery.books import Capture, Json, Order, Refund, Refusal, Task
from tests.gallery.catalogue import variant
from tests.gallery.fields import LINE, PARCEL
from tests.gallery.server import ORDERS, Fake
from tests.gallery.wire import Answer, Call

# --- Location ---------------------------------------------------------------------------------------------


@variant
class RelativeLocation(Fake):
    """Location is a path without scheme and host."""

    def location(self, call: Call, path: str) -> str:
        return path


@variant
class LocationFromRequest(Fake):
    """Location is relative to the path of the request."""

    def location(self, call: Call, path: str) -> str:
        return "/".join(path.split("/")[-2:])


@variant
class LocationWithFragment(Fake):
    """Location has a fragment."""

    def location(self, call: Call, path: str) -> str:
        return f"{path}#top"


@variant
class LocationWithoutScheme(Fake):
    """Location has a host and no scheme."""

    def location(self, call: Call, path: str) -> str:
        return super().location(call, path).removeprefix("http:")


@variant
class LocationUnderAnotherPrefix(Fake):
    """Location points to another prefix, which serves the same resources."""

    prefix = "/v1/om/orders/"

    def location(self, call: Call, path: str) -> str:
        return super().location(call, self.prefix + path.removeprefix(ORDERS))

    def route(self, call: Call) -> Task:
        if call.path.startswith(self.prefix):
            call = replace(call, path=ORDERS + call.path.removeprefix(self.prefix))
        return super().route(call)


# --- fields -----------------------------------------------------------------------------------------------


@variant
class Nulls(Fake):
    """Fields without a value are null, empty lists too."""

    def present(self, fields: Json) -> Json:
        return {name: None if value in (None, "", {}, []) else value for name, value in fields.items()}


@variant
class NullsInside(Fake):
    """Order lines, shipping info and addresses show every field that was not sent as null."""

    address_fields = ("title", "organization_name", "attention", "region", "street_address2")

    def items(self, kind: str, things: list[Json]) -> list[Json]:
        blank = dict.fromkeys((LINE if kind == "line" else PARCEL).fields)
        return [{**blank, **one} for one in things]

    def address(self, fields: Json) -> Json:
        return {**dict.fromkeys(self.address_fields), **fields}


@variant
class EmptyTexts(Fake):
    """Text fields without a value are empty text."""

    def present(self, fields: Json) -> Json:
        return {name: "" if value is None else value for name, value in fields.items() if value != {}}

    def address(self, fields: Json) -> Json:
        return {"title": "", "region": "", "street_address2": "", **fields}


@variant
class AbsentLists(Fake):
    """Empty lists are left out like any other field without a value."""

    def present(self, fields: Json) -> Json:
        return {name: value for name, value in fields.items() if value not in (None, "", {}, [])}


@variant
class ZeroPrices(Fake):
    """A selected shipping option is shown, with prices of zero and null."""

    def order_view(self, order: Order) -> Json:
        option = {
            "id": "express",
            "name": "",
            "price": 0,
            "tax_amount": 0,
            "tax_rate": None,
            "selected_addons": [{"type": "entry-code", "price": 0, "external_id": "", "user_input": None}],
            "timeslot": {"id": "evening", "price": 0},
            "location": {
                "id": "1",
                "price": None,
                "address": {"street_address": "Torget 1", "country": "SE"},
            },
        }
        method = {"type": "PAY_LATER_IN_PARTS", "description": "", "number_of_installments": 0}
        view = super().order_view(order)
        return {**view, "selected_shipping_option": option, "initial_payment_method": method}


def _everywhere(value: Any, extra: Callable[[], Json]) -> Any:
    if isinstance(value, dict):
        return {**{name: _everywhere(one, extra) for name, one in value.items()}, **extra()}
    return [_everywhere(one, extra) for one in value] if isinstance(value, list) else value


@variant
class ExtraFields(Fake):
    """Every object in an answer has fields that the documents do not know."""

    def encoded(self, value: Any) -> bytes:
        extra = {"_links": {"self": {"href": "/"}}, "schema_version": 7, "flags": ["beta", None]}
        return super().encoded(_everywhere(value, lambda: extra))


@variant
class VolatileFields(Fake):
    """Answers have unknown fields that change with every read."""

    def encoded(self, value: Any) -> bytes:
        return super().encoded(_everywhere(value, self.volatile))

    def volatile(self) -> Json:
        return {"last_read_at": self.moment(self.now()), "read_id": str(uuid.uuid4())}


@variant
class LowerCaseCodes(Fake):
    """Country, currency and locale read in lower case."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        names = ("purchase_country", "purchase_currency", "locale")
        return {**view, **{name: view[name].lower() for name in names}}

    def address(self, fields: Json) -> Json:
        shown = super().address(fields)
        return {**shown, "country": shown["country"].lower()} if "country" in shown else shown

    def due_date_options(self, task: Task) -> Answer:
        answer = super().due_date_options(task)
        options = json.loads(answer.body)
        return self.ok({**options, "currency": options["currency"].lower()})


@variant
class UpperCaseCodes(Fake):
    """Country, currency and locale read in upper case."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        names = ("purchase_country", "purchase_currency", "locale")
        return {**view, **{name: view[name].upper() for name in names}}


# --- times ------------------------------------------------------------------------------------------------


@variant
class NumericZoneTimes(Fake):
    """Times end in +00:00."""

    def moment(self, at: float) -> str:
        return super().moment(at).replace("Z", "+00:00")


@variant
class OffsetTimes(Fake):
    """Times are given two hours east of Greenwich."""

    def moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, timezone(timedelta(hours=2))).isoformat(timespec="milliseconds")


@variant
class WholeSecondTimes(Fake):
    """Times have no fraction of a second."""

    def moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@variant
class SixDigitTimes(Fake):
    """Times have six digits after the second."""

    def moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# --- refusals ---------------------------------------------------------------------------------------------


@variant
class Unprocessable(Fake):
    """Invalid bodies are answered 422."""

    invalid_status = 422


@variant
class BareNotFound(Fake):
    """Refund calls on unknown orders and all calls on unknown captures say NOT_FOUND."""

    def no_order(self, task: Task) -> Refusal:
        refusal = super().no_order(task)
        if task.op in {"refund", "get_refund"}:
            refusal.code = "NOT_FOUND"
        return refusal

    def no_capture(self, task: Task) -> Refusal:
        refusal = super().no_capture(task)
        refusal.code = "NOT_FOUND"
        return refusal


@variant
class UnknownCaptureIsNoSuchOrder(Fake):
    """An unknown capture is answered NO_SUCH_ORDER, as in the published samples."""

    def no_capture(self, task: Task) -> Refusal:
        refusal = super().no_capture(task)
        refusal.code = "NO_SUCH_ORDER"
        return refusal


@variant
class UnknownRefundIsBadRequest(Fake):
    """An unknown refund id is answered 400 NOT_FOUND, as the guide shows."""

    def no_refund(self, task: Task) -> Refusal:
        refusal = super().no_refund(task)
        refusal.status = 400
        return refusal


@variant
class NoCapturesIsNotFound(Fake):
    """Shipping info or a send-out for a capture of an order without captures is answered 404."""

    def has_captures(self, task: Task) -> None:
        self.find_capture(task)


@variant
class MalformedIdIsNotFound(Fake):
    """A malformed order id is answered 404 NO_SUCH_ORDER."""

    def check_id(self, order_id: str) -> None:
        """Let the look-up fail."""


@variant
class MalformedPartIdIsBadRequest(Fake):
    """A capture or refund id that is no UUID is answered 400."""

    def route(self, call: Call) -> Task:
        task = super().route(call)
        if task.part_id:
            try:
                uuid.UUID(task.part_id)
            except ValueError:
                raise Refusal(400, "NOT_FOUND", f"{task.part_id[:100]} is not an id.") from None
        return task


@variant
class WordyErrors(Fake):
    """Errors have several messages, a long code for invalid bodies, and an unknown field."""

    def error_body(self, refusal: Refusal) -> Json:
        body = super().error_body(refusal)
        return {
            **body,
            "error_messages": [*body["error_messages"], "", "See the manual."],
            "service_version": "7",
        }

    def invalid(self, *faults: str, code: str = "CONSTRAINT_VIOLATION_ON_REQUEST_BODY") -> Refusal:
        return super().invalid(*faults, code=code)


@variant
class PlainGateway(Fake):
    """What the gateway in front answers (401, 405, 413, 415) is plain text."""

    def refused(self, refusal: Refusal) -> Answer:
        answer = super().refused(refusal)
        if refusal.status not in {401, 405, 413, 415, 429}:
            return answer
        return replace(answer.having("Content-Type", "text/plain; charset=iso-8859-1"), body=b"No.\n")


@variant
class SilentUnauthorized(Fake):
    """A 401 has no body."""

    def refused(self, refusal: Refusal) -> Answer:
        answer = super().refused(refusal)
        return replace(answer.without("Content-Type"), body=b"") if refusal.status == 401 else answer


@variant
class MediaTypeRequired(Fake):
    """A body without a Content-Type is answered 415."""

    def parsed(self, call: Call) -> Any:
        if not call.header("content-type"):
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")
        return super().parsed(call)


# --- limits -----------------------------------------------------------------------------------------------


@variant
class Throttled(Fake):
    """Every 40th call is answered 429, to be tried again at once."""

    wait = "0"

    def throttle(self, call: Call) -> None:
        if next(self.calls) % 40 == 0:
            raise Refusal(429, "TOO_MANY_REQUESTS", "Slow down.", *self.advice())

    def advice(self) -> list[tuple[str, str]]:
        return [("Retry-After", self.wait)]


@variant
class ThrottledForASecond(Throttled):
    """Every 40th call is answered 429, to be tried again in a second."""

    wait = "1"


@variant
class ThrottledUntilADate(Throttled):
    """Every 40th call is answered 429, with a date in Retry-After."""

    def advice(self) -> list[tuple[str, str]]:
        return [("Retry-After", formatdate(self.now() + 1, usegmt=True))]


@variant
class ThrottledWithoutAdvice(Throttled):
    """Every 40th call is answered 429 without Retry-After and without a body."""

    def advice(self) -> list[tuple[str, str]]:
        return []

    def refused(self, refusal: Refusal) -> Answer:
        return Answer(429) if refusal.status == 429 else super().refused(refusal)


# --- HTTP -------------------------------------------------------------------------------------------------


@variant
class Chunked(Fake):
    """Bodies come in chunks."""

    chunked = True


@variant
class ConnectionClose(Fake):
    """Every answer closes its connection."""

    closes = True


@variant
class OldProtocol(Fake):
    """Speaks HTTP/1.0."""

    protocol = "HTTP/1.0"
    closes = True


@variant
class ClosesNowAndThen(Fake):
    """Every seventh answer closes its connection."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        answer = super().finish(call, answer)
        return answer.plus(("Connection", "close")) if next(self.calls) % 7 == 0 else answer


@variant
class NoDate(Fake):
    """Answers have no Date."""

    sends_date = False


@variant
class SmallLetterTimes(Fake):
    """Times have a small t and a small z."""

    def moment(self, at: float) -> str:
        return super().moment(at).lower()


@variant
class ClockBehind(Fake):
    """Its clock, Date and all, is more than a day behind."""

    def now(self) -> float:
        return super().now() - 25 * 3600


@variant
class ClockAhead(Fake):
    """Its clock, Date and all, is eleven hours ahead."""

    def now(self) -> float:
        return super().now() + 11 * 3600


@variant
class Charset(Fake):
    """The media type names a charset, in a spelling of its own."""

    json_type = "Application/JSON;charset=UTF-8"


@variant
class LowerCaseHeaders(Fake):
    """Header names come in lower case."""

    lower_case_headers = True


@variant
class ExtraHeaders(Fake):
    """Answers have many headers that the documents do not know, one of them twice."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        tag = f'W/"{uuid.uuid4().hex}"'
        return (
            super()
            .finish(call, answer)
            .plus(
                ("Set-Cookie", "lb=7; Path=/; HttpOnly"),
                ("Set-Cookie", "edge=2; Path=/"),
                ("ETag", tag),
                ("Cache-Control", "no-cache, no-store"),
                ("Transaction-Id", str(uuid.uuid4())),
                ("Klarna-Order-Validation", "Valid"),
                ("X-Request-Cost", "3"),
                ("Server", "openresty"),
            )
        )


@variant
class Gzipped(Fake):
    """Bodies are compressed for callers that take gzip."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        answer = super().finish(call, answer)
        if not answer.body or "gzip" not in (call.header("accept-encoding") or ""):
            return answer
        coded = replace(answer, body=gzip.compress(answer.body, 1))
        return coded.plus(("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))


@variant
class EscapedJson(Fake):
    """JSON is indented, and everything beyond ASCII is escaped."""

    def encoded(self, value: Any) -> bytes:
        return json.dumps(value, indent=2).encode() + b"\n"


@variant
class CreatedWithJson(Fake):
    """A 201 has the new resource as its body."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        body = self.encoded({"id": part_id, "status": "ok"})
        return replace(answer.plus(("Content-Type", self.json_type)), body=body)


@variant
class CreatedWithText(Fake):
    """A 201 has a few words as its body."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        return replace(answer.plus(("Content-Type", "text/plain")), body=b"Created")


@variant
class NoContentHasMediaType(Fake):
    """A 204 names a media type for the body that it does not have."""

    def done(self, task: Task) -> Answer:
        return super().done(task).plus(("Content-Type", "application/json"))


@variant
class NoContentHasLength(Fake):
    """A 204 says Content-Length: 0."""

    def done(self, task: Task) -> Answer:
        return super().done(task).plus(("Content-Length", "0"))


@variant
class Unhurried(Fake):
    """Every answer takes 8 ms."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        time.sleep(0.008)
        return super().finish(call, answer)


@variant
class CreditInvoices(Fake):
    """Refunds are credit invoices; captures without parcels show none."""

    def refund_view(self, order: Order, refund: Refund) -> Json:
        return {**super().refund_view(order, refund), "credit_invoice": True}

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view = super().capture_view(order, capture)
        return {name: value for name, value in view.items() if name != "shipping_info" or value}
