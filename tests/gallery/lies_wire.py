"""Servers that lie on the wire: credentials, errors, ids, status codes, headers."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

from tests.gallery.books import Capture, Json, Order, Refund, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.correct_wire import Throttled
from tests.gallery.fields import Thing
from tests.gallery.server import PASSWORD, USERNAME, UUID, Fake
from tests.gallery.wire import Answer, Call

BOTH = ("GEN-AUTH-1", "GEN-AUTH-2")
TAKES_TEXT = ("REF-1", "CAP-1", "RFD-1", "CUS-1", "AUT-1", "SHP-1", "SHP-2")
OWN = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()


def crash(message: str = "Internal server error.") -> Refusal:
    return Refusal(500, "INTERNAL_SERVER_ERROR", message)


def texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inside for text in texts_in(one)]


# --- credentials ------------------------------------------------------------------------------------------


@lie("GEN-AUTH-1")
class NoCredentialsNeeded(Fake):
    """A call without an Authorization header is served."""

    def trusts(self, call: Call) -> bool:
        return not call.header("authorization") or super().trusts(call)


@lie("GEN-AUTH-2")
class AnyPassword(Fake):
    """Any password does for the right user."""

    def knows(self, user: str, password: str) -> bool:
        return user == USERNAME


@lie("GEN-AUTH-2")
class AnyUser(Fake):
    """Any user does with the right password."""

    def knows(self, user: str, password: str) -> bool:
        return password == PASSWORD


@lie("GEN-AUTH-2", when="value")
class UserInAnyCase(Fake):
    """Letter case does not matter in a user."""

    def knows(self, user: str, password: str) -> bool:
        return user.lower() == USERNAME.lower() and password == PASSWORD


@lie("GEN-AUTH-2", when="value")
class UserWithMore(Fake):
    """The user may go on after its end."""

    def knows(self, user: str, password: str) -> bool:
        return user.startswith(USERNAME) and password == PASSWORD


@lie("GEN-AUTH-2", when="value")
class PasswordPrefix(Fake):
    """The beginning of the password does, and so does an empty one."""

    def knows(self, user: str, password: str) -> bool:
        return user == USERNAME and PASSWORD.startswith(password)


@lie("GEN-AUTH-2", when="value")
class PasswordWithMore(Fake):
    """The password may go on after its end."""

    def knows(self, user: str, password: str) -> bool:
        return user == USERNAME and password.startswith(PASSWORD)


@lie("GEN-AUTH-2", when="value")
class PasswordInAnyCase(Fake):
    """Letter case does not matter in a password."""

    def knows(self, user: str, password: str) -> bool:
        return user == USERNAME and password.lower() == PASSWORD.lower()


@lie("GEN-AUTH-2", when="value")
class EmptyPassword(Fake):
    """An empty password does."""

    def knows(self, user: str, password: str) -> bool:
        return user == USERNAME and password in ("", PASSWORD)


class _Open(Fake):
    tail = ""
    method = "POST"

    def authorize(self, call: Call) -> None:
        if not (call.method == self.method and re.search(self.tail, call.path)):
            super().authorize(call)


@lie(*BOTH)
class OpenSendOut(_Open):
    """A send-out is triggered without credentials."""

    tail = "/trigger-send-out$"


@lie(*BOTH)
class OpenCancel(_Open):
    """An order is cancelled without credentials."""

    tail = "/cancel$"


@lie(*BOTH)
class OpenReferences(_Open):
    """References are updated without credentials."""

    tail, method = "/merchant-references$", "PATCH"


@lie(*BOTH)
class OpenDueDateOptions(_Open):
    """Due-date options are read without credentials."""

    tail, method = "/extend-due-date-options$", "GET"


@lie(*BOTH)
class OpenRefund(_Open):
    """A refund is read without credentials."""

    tail, method = "/refunds/[^/]+$", "GET"


@lie(*BOTH)
class OpenCaptureList(_Open):
    """The list of captures is read without credentials."""

    tail, method = "/captures$", "GET"


@lie("GEN-AUTH-1", "GEN-AUTH-2", "GEN-ERR-4")
class UnauthorizedButDone(Fake):
    """A 401 is answered after the call took effect."""

    def authorize(self, call: Call) -> None:
        if not self.trusts(call):
            self.answer(replace(call, headers={**call.headers, "authorization": OWN}))
        super().authorize(call)


@lie("GEN-AUTH-2", "GEN-ERR-4")
class WrongPasswordButDone(Fake):
    """A call with the right user and a wrong password is answered 401 after it took effect."""

    def authorize(self, call: Call) -> None:
        if call.header("authorization") and not self.trusts(call):
            self.answer(replace(call, headers={**call.headers, "authorization": OWN}))
        super().authorize(call)


@lie("GEN-AUTH-1")
class UnauthorizedShowsOrder(Fake):
    """The body of a 401 shows the order."""

    def authorize(self, call: Call) -> None:
        known = next((order for order in self.orders.values() if order.id in call.path), None)
        if known and not call.header("authorization"):
            refusal = self.unauthorized()
            refusal.message = f"Not for you: {json.dumps(self.order_view(known))}"
            raise refusal
        super().authorize(call)


@lie(*BOTH)
class StrangersForbidden(Fake):
    """Missing or wrong credentials are answered 403."""

    def unauthorized(self) -> Refusal:
        return Refusal(403, "NOT_ALLOWED", "The credentials are missing or wrong.")


@lie(*BOTH)
class StrangersFindNothing(Fake):
    """Reading without the right credentials is answered 404."""

    def authorize(self, call: Call) -> None:
        if call.method == "GET" and not self.trusts(call):
            raise Refusal(404, "NO_SUCH_ORDER", f"Nothing at {call.path}.")
        super().authorize(call)


@lie(*BOTH, when="value")
class KeyBeforeCredentials(Fake):
    """A call with a key that is known is answered as the first was, before credentials are looked at."""

    def authorize(self, call: Call) -> None:
        if call.header("klarna-idempotency-key") and self.recall(self.scope(self.route(call)) or ()):
            return
        super().authorize(call)


@lie(*BOTH, when="value")
class OrderBeforeCredentials(Fake):
    """Whether an order exists is told before credentials are looked at."""

    def authorize(self, call: Call) -> None:
        task = self.route(call) if "/orders/" in call.path else None
        if task:
            self.find_order(task)
        super().authorize(call)


@lie(*BOTH, when="value")
class BodyBeforeCredentials(Fake):
    """An invalid body is refused with 400 before credentials are looked at."""

    def authorize(self, call: Call) -> None:
        if "/orders/" in call.path and call.method in {"POST", "PATCH"}:
            self.body_of(self.route(call))
        super().authorize(call)


# --- error bodies -----------------------------------------------------------------------------------------


class _Errors(Fake):
    """Errors other than those that may look any way go through `changed`."""

    def refused(self, refusal: Refusal) -> Answer:
        answer = super().refused(refusal)
        return answer if refusal.status in {401, 405, 413, 415, 429} else self.changed(refusal, answer)

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return answer

    def rewritten(self, answer: Answer, **fields: Any) -> Answer:
        body = {**json.loads(answer.body), **fields}
        shown = {name: value for name, value in body.items() if value is not ...}
        return replace(answer, body=self.encoded(shown))


@lie("GEN-ERR-1")
class HtmlErrors(_Errors):
    """Errors are pages."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        page = f"<html><body><h1>{refusal.status}</h1></body></html>".encode()
        return replace(answer.having("Content-Type", "text/html"), body=page)


@lie("GEN-ERR-1", "GEN-404-1")
class HtmlNotFound(_Errors):
    """A 404 is a page."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        if refusal.status != 404:
            return answer
        return replace(answer.having("Content-Type", "text/html"), body=b"<h1>Not Found</h1>")


@lie("GEN-ERR-1")
class TextualErrors(_Errors):
    """Errors are JSON that is declared as text."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return answer.having("Content-Type", "text/plain")


@lie("GEN-ERR-1")
class ProblemErrors(_Errors):
    """Errors are declared as application/problem+json."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return answer.having("Content-Type", "application/problem+json")


@lie("GEN-ERR-1")
class NoCorrelationId(_Errors):
    """Error bodies have no correlation id."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, correlation_id=...)


@lie("GEN-ERR-1")
class NumericCorrelationId(_Errors):
    """The correlation id is a number."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, correlation_id=next(self.calls))


@lie("GEN-ERR-1")
class MessagesAsText(_Errors):
    """error_messages is a text."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, error_messages=refusal.message)


@lie("GEN-ERR-1")
class MessagesAsObjects(_Errors):
    """error_messages is an array of objects."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, error_messages=[{"message": refusal.message}])


@lie("GEN-ERR-1")
class CodeUnderAnotherName(_Errors):
    """The code stands in `code`."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, error_code=..., code=refusal.code)


@lie("GEN-ERR-1")
class ErrorsInAList(_Errors):
    """Error bodies are wrapped in an array."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return replace(answer, body=b"[" + answer.body + b"]")


@lie("GEN-ERR-1", "CAN-2", when="sequence")
class SilentCancelRefusal(_Errors):
    """A refused cancellation has no body."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        if refusal.code != "CANCEL_NOT_ALLOWED":
            return answer
        return replace(answer.without("Content-Type"), body=b"")


@lie("GEN-ERR-1", when="sequence")
class ReleaseRefusalWithoutMessages(_Errors):
    """A refused release has no error_messages."""

    def may_release(self, task: Task) -> None:
        try:
            super().may_release(task)
        except Refusal as refusal:
            refusal.message = ""
            raise

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return answer if refusal.message else self.rewritten(answer, error_messages=...)


@lie("GEN-ERR-1", when="value")
class NullMessagesWhenInvalid(_Errors):
    """error_messages is null when a body is invalid."""

    def changed(self, refusal: Refusal, answer: Answer) -> Answer:
        return self.rewritten(answer, error_messages=None) if refusal.code == "BAD_VALUE" else answer


# --- 500 --------------------------------------------------------------------------------------------------


class _Crashes(Fake):
    """Fails on some bodies that are valid."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        if task.op != "create" and self.chokes(body):
            raise crash()
        return body

    def chokes(self, body: Json) -> bool:
        return False


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnApostrophe(_Crashes):
    """Text with an apostrophe is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any("'" in text for text in texts_in(body))


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnAstral(_Crashes):
    """Text beyond the BMP is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any(letter > "\uffff" for text in texts_in(body) for letter in text)


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnCyrillicReferences(_Crashes):
    """A reference in Cyrillic is answered 500."""

    def chokes(self, body: Json) -> bool:
        names = ("reference", "merchant_reference1", "merchant_reference2")
        return any("\u0400" <= letter <= "\u04ff" for name in names for letter in body.get(name, ""))


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnPercentSign(_Crashes):
    """Text with a percent sign is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any("%" in text for text in texts_in(body))


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnLineBreak(_Crashes):
    """Text with a line break is answered 500, as by who puts it into a header."""

    def chokes(self, body: Json) -> bool:
        return any("\n" in text for text in texts_in(body))


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnMarkup(_Crashes):
    """Text with an angle bracket is answered 500, as by who builds XML of it."""

    def chokes(self, body: Json) -> bool:
        return any("<" in text for text in texts_in(body))


@lie("GEN-ERR-3", "GEN-HTTP-4", "CUS-1", when="value")
class FailsOnForeignCity(_Crashes):
    """A city beyond Latin-1 is answered 500."""

    def chokes(self, body: Json) -> bool:
        return max(body.get("shipping_address", {}).get("city", "") or "-") > "\xff"


@lie("GEN-ERR-3", "GEN-HTTP-4", *TAKES_TEXT, when="value")
class FailsOnFullText(_Crashes):
    """Text of exactly 255 characters is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any(len(text) == 255 for text in texts_in(body))


@lie("GEN-ERR-3", "GEN-HTTP-4", "AUT-1", "AUT-2", "CAP-1", "RFD-1", when="value")
class FailsOnNoLines(_Crashes):
    """An empty list of order lines is answered 500."""

    def chokes(self, body: Json) -> bool:
        return body.get("order_lines") == []


@lie("GEN-ERR-3", "GEN-HTTP-4", "AUT-1", "CAP-1", "RFD-1", when="value")
class FailsOnTypelessLines(_Crashes):
    """An order line without a type is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any("type" not in line for line in body.get("order_lines", []))


@lie("GEN-ERR-3", "GEN-HTTP-4", "AUT-1", "CAP-1", "RFD-1", when="value")
class FailsOnZeroQuantity(_Crashes):
    """An order line with a quantity of zero is answered 500."""

    def chokes(self, body: Json) -> bool:
        return any(line["quantity"] == 0 for line in body.get("order_lines", []))


class _Chokes(Fake):
    """Fails on some bodies that are invalid."""

    def parsed(self, call: Call) -> Any:
        try:
            value = super().parsed(call)
        except Refusal:
            if self.chokes_on(call.body):
                raise crash() from None
            raise
        if self.chokes(value):
            raise crash()
        return value

    def chokes_on(self, raw: bytes) -> bool:
        return False

    def chokes(self, value: Any) -> bool:
        return False


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-2", when="value")
class FailsOnDeepJson(_Chokes):
    """JSON that is nested thousands deep is answered 500."""

    def chokes_on(self, raw: bytes) -> bool:
        return raw.count(b"[") > 900 or raw.count(b'{"') > 900


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-2", when="value")
class FailsOnArrays(_Chokes):
    """An array in place of the body's object is answered 500."""

    def chokes(self, value: Any) -> bool:
        return isinstance(value, list)


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-2", when="value")
class FailsOnBadUtf8(_Chokes):
    """A body that is not UTF-8 is answered 500."""

    def chokes_on(self, raw: bytes) -> bool:
        return "\ufffd" in raw.decode("utf-8", "replace")


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-2", when="value")
class FailsOnNoBody(_Chokes):
    """A missing body is answered 500."""

    def chokes_on(self, raw: bytes) -> bool:
        return not raw


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-1", when="value")
class FailsOnLargeNumbers(_Chokes):
    """An amount of more than 32 bits is answered 500."""

    def chokes(self, value: Any) -> bool:
        numbers = value.values() if isinstance(value, dict) else ()
        return any(isinstance(one, int) and one >= 2**31 for one in numbers)


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-1", when="value")
class FailsOnNull(_Chokes):
    """A null in a body is answered 500."""

    def chokes(self, value: Any) -> bool:
        return isinstance(value, dict) and None in value.values()


@lie("GEN-ERR-3", "GEN-HTTP-4", when="value")
class FailsOnUnknownField(_Crashes):
    """A field that nobody knows is answered 500."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        if (
            isinstance(value, dict)
            and set(value) - {*shape.fields, "billing_address"}
            and task.op != "create"
        ):
            raise crash()
        return body


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-VAL-1", when="value")
class FailsOnTextForObjects(_Chokes):
    """Text where an order line belongs is answered 500."""

    def chokes(self, value: Any) -> bool:
        lines = value.get("order_lines") if isinstance(value, dict) else None
        return isinstance(lines, list) and any(not isinstance(line, dict) for line in lines)


@lie("GEN-ERR-3", "GEN-HTTP-4", "GEN-ID-1", when="value")
class FailsOnMalformedId(Fake):
    """A malformed order id is answered 500."""

    def check_id(self, order_id: str) -> None:
        if not UUID.fullmatch(order_id):
            raise crash()


@lie("GEN-ERR-3", "GEN-HTTP-4", "CAP-7")
class FailsOnUnknownCapture(Fake):
    """Reading an unknown capture is answered 500."""

    def no_capture(self, task: Task) -> Refusal:
        return crash() if task.op == "get_capture" else super().no_capture(task)


@lie("GEN-ERR-3", "GEN-HTTP-4", "ORD-GET-1", when="sequence")
class FailsNowAndThen(Fake):
    """Every 50th read of an order is answered 503."""

    def get_order(self, task: Task) -> Answer:
        if next(self.calls) % 50 == 0:
            raise Refusal(503, "SERVICE_UNAVAILABLE", "Try again.")
        return super().get_order(task)


# --- ids --------------------------------------------------------------------------------------------------


@lie("GEN-404-1")
class UnknownOrderForbidden(Fake):
    """An unknown order is answered 403."""

    def no_order(self, task: Task) -> Refusal:
        return Refusal(403, "NOT_ALLOWED", f"Order {task.order_id} is not yours.")


@lie("GEN-404-1")
class UnknownOrderCode(Fake):
    """An unknown order is answered 404 ORDER_NOT_FOUND."""

    def no_order(self, task: Task) -> Refusal:
        return Refusal(404, "ORDER_NOT_FOUND", f"Order {task.order_id} cannot be found.")


@lie("GEN-404-1")
class UnknownOrderOfCapture(Fake):
    """Reading a capture of an unknown order says NO_SUCH_CAPTURE."""

    def no_order(self, task: Task) -> Refusal:
        refusal = super().no_order(task)
        if task.op == "get_capture":
            refusal.code = "NO_SUCH_CAPTURE"
        return refusal


@lie("GEN-404-1")
class UnknownOrderAcknowledged(Fake):
    """Acknowledging an unknown order is answered 204."""

    def write(self, task: Task) -> Answer:
        if task.op == "acknowledge" and task.order_id not in self.orders:
            return Answer(204)
        return super().write(task)


@lie("GEN-404-1")
class UnknownOrderIsEmpty(Fake):
    """An unknown order reads as an empty object."""

    def read(self, task: Task) -> Answer:
        if task.op == "get_order" and task.order_id not in self.orders:
            return self.ok({})
        return super().read(task)


@lie("GEN-404-1")
class UnknownOrderHasNoCaptures(Fake):
    """The captures of an unknown order are an empty list."""

    def read(self, task: Task) -> Answer:
        if task.op == "list_captures" and task.order_id not in self.orders:
            return self.ok([])
        return super().read(task)


@lie("GEN-404-1")
class UnknownOrderOfAddress(Fake):
    """An address update of an unknown order is answered 400."""

    def no_order(self, task: Task) -> Refusal:
        refusal = super().no_order(task)
        if task.op == "update_customer":
            refusal.status = 400
        return refusal


@lie("GEN-404-1")
class UnknownOrderOfRelease(Fake):
    """Releasing an unknown order is refused with 403, as if it had no captures."""

    def no_order(self, task: Task) -> Refusal:
        if task.op == "release":
            return self.forbidden("NOT_ALLOWED", "There is nothing to release.")
        return super().no_order(task)


@lie("GEN-404-1", "GEN-HTTP-4")
class UnknownOrderGone(Fake):
    """An unknown order is answered 410."""

    def no_order(self, task: Task) -> Refusal:
        refusal = super().no_order(task)
        refusal.status = 410
        return refusal


@lie("GEN-ID-1", when="value")
class MalformedIdForbidden(Fake):
    """A malformed order id is answered 403."""

    def check_id(self, order_id: str) -> None:
        if not UUID.fullmatch(order_id):
            raise self.forbidden("NOT_ALLOWED", "That is no order id.")


@lie("GEN-ID-1", "GEN-ERR-1", when="value")
class MalformedIdInWords(Fake):
    """A malformed order id is answered 404 in plain words."""

    def refused(self, refusal: Refusal) -> Answer:
        answer = super().refused(refusal)
        if refusal.code != "INVALID_ORDER_ID":
            return answer
        return Answer(404, (("Content-Type", "text/plain"),), b"Cannot GET this")


@lie("GEN-ID-1", "ORD-GET-1", when="value")
class IdByItsStart(Fake):
    """The first eight characters of an order id are enough to find the order."""

    def check_id(self, order_id: str) -> None:
        if not any(known.startswith(order_id) for known in self.orders if len(order_id) >= 8):
            super().check_id(order_id)

    def find_order(self, task: Task) -> Order:
        start = task.order_id
        return next((one for known, one in self.orders.items() if known.startswith(start)), None) or (
            super().find_order(task)
        )


@lie("GEN-ID-1", "ORD-GET-1", "GEN-HTTP-1", when="value")
class MalformedIdIsEmptyOrder(Fake):
    """Reading a malformed order id is answered 200 with an empty object."""

    def handle(self, call: Call) -> Answer:
        try:
            return super().handle(call)
        except Refusal as refusal:
            if call.method == "GET" and refusal.code == "INVALID_ORDER_ID":
                return self.ok({})
            raise


# --- shapes of answers ------------------------------------------------------------------------------------


@lie("GEN-HTTP-1", "ORD-GET-1")
class OrderAsText(Fake):
    """An order is declared as text."""

    def get_order(self, task: Task) -> Answer:
        return super().get_order(task).having("Content-Type", "text/plain")


@lie("GEN-HTTP-1", "ORD-GET-1", "CAP-6", "RFD-8")
class NoMediaType(Fake):
    """Answers do not say what they are."""

    def ok(self, value: Any) -> Answer:
        return super().ok(value).without("Content-Type")


@lie("GEN-HTTP-1", "ORD-GET-1", "ORD-SUM-3")
class AmountsAsText(Fake):
    """The remaining amount of an order is a text."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "remaining_authorized_amount": str(view["remaining_authorized_amount"])}


@lie("GEN-HTTP-1", "CAP-3", "CAP-6")
class CaptureAmountAsText(Fake):
    """A capture that is read by itself has its amount as a text."""

    def get_capture(self, task: Task) -> Answer:
        view = self.capture_view(task.order, self.find_capture(task))
        return self.ok({**view, "captured_amount": str(view["captured_amount"])})


@lie("GEN-HTTP-1", "ORD-SUM-2", "RFD-3", "RFD-8")
class RefundAmountInMajorUnits(Fake):
    """A refund shows its amount in kronor with decimals."""

    def refund_view(self, order: Order, refund: Refund) -> Json:
        return {**super().refund_view(order, refund), "refunded_amount": refund.amount / 100 + 0.001}


@lie("GEN-HTTP-1", "ORD-GET-1", "CAP-6", "CAP-3", when="sequence")
class CapturesAsObject(Fake):
    """The captures of an order are an object by id."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "captures": {one["capture_id"]: one for one in view["captures"]}}


@lie("GEN-HTTP-1", "CAP-6")
class CaptureListWrapped(Fake):
    """The list of captures is wrapped in an object."""

    def list_captures(self, task: Task) -> Answer:
        return self.ok({"captures": self.captures_view(task.order)})


@lie("GEN-HTTP-1", "ORD-GET-1", "CAP-3", "RFD-3", "AUT-2")
class QuantityAsText(Fake):
    """The quantity of a line is a text."""

    def items(self, kind: str, things: list[Json]) -> list[Json]:
        if kind != "line":
            return things
        return [{**one, "quantity": str(one["quantity"])} for one in things]


@lie("GEN-HTTP-1", "RFD-3", "RFD-8", "RFD-2")
class RefundInAList(Fake):
    """A refund that is read comes in an array."""

    def get_refund(self, task: Task) -> Answer:
        return self.ok([self.refund_view(task.order, self.find_refund(task))])


@lie("GEN-HTTP-1", "ORD-GET-1")
class OrderCutShort(Fake):
    """The JSON of an order is cut off at its end."""

    def get_order(self, task: Task) -> Answer:
        answer = super().get_order(task)
        return replace(answer, body=answer.body[:-1])


@lie("ORD-GET-4", "GEN-HTTP-1", "ORD-STA-1")
class LowerCaseStatus(Fake):
    """The status of an order reads in lower case."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "status": view["status"].lower()}


@lie("ORD-GET-4", "GEN-HTTP-1")
class FraudStatusApproved(Fake):
    """The fraud status is APPROVED."""

    def order_view(self, order: Order) -> Json:
        return {**super().order_view(order), "fraud_status": "APPROVED"}


@lie("ORD-GET-4", "ORD-STA-1", "GEN-HTTP-1", when="sequence")
class PartiallyCaptured(Fake):
    """A part-captured order is PARTIALLY_CAPTURED."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "status": view["status"].replace("PART_", "PARTIALLY_")}


# --- status codes -----------------------------------------------------------------------------------------


@lie("GEN-HTTP-2")
class BodyAfterNoContent(Fake):
    """A 204 is followed by a body."""

    def done(self, task: Task) -> Answer:
        answer = super().done(task).plus(("Content-Type", "application/json"), ("Connection", "close"))
        return replace(answer, body=b'"ok"')


class _Instead(Fake):
    op, answered = "", 0

    def operate(self, task: Task) -> Answer:
        answer = super().operate(task)
        return replace(answer, status=self.answered) if task.op == self.op else answer


@lie("GEN-HTTP-4", "ACK-1", "AUT-1", "CUS-1", "REF-1", "EXT-1", "REL-1", "CAN-1", "SHP-1", "SHP-2", "SND-1")
class OkForNoContent(Fake):
    """What should be 204 is 200 with an empty object."""

    def done(self, task: Task) -> Answer:
        return self.ok({})


@lie("GEN-HTTP-4", "REL-1")
class ReleaseAnswersOk(Fake):
    """A release is answered 200 with a text, as the published document half says."""

    def release(self, task: Task) -> Answer:
        super().release(task)
        return self.ok("released")


@lie("GEN-HTTP-4", "CAP-1")
class CaptureAnswersOk(_Instead):
    """A capture is answered 200."""

    op, answered = "capture", 200


@lie("GEN-HTTP-4", "RFD-1")
class RefundAccepted(_Instead):
    """A refund is answered 202."""

    op, answered = "refund", 202


@lie("GEN-HTTP-4", "ACK-1")
class AcknowledgeCreated(_Instead):
    """An acknowledgement is answered 201."""

    op, answered = "acknowledge", 201


@lie("GEN-HTTP-4", "EXT-1")
class ExtensionRedirects(Fake):
    """An extension is answered 303 with the way to the order."""

    def extend_authorization(self, task: Task) -> Answer:
        super().extend_authorization(task)
        return Answer(303, (("Location", self.location(task.call, task.call.path.rpartition("/")[0])),))


@lie("GEN-HTTP-4", "CAN-4", "REF-2", "CUS-3", "EXT-3", "REL-2", "AUT-4", when="sequence")
class CancelledIsGone(Fake):
    """What a cancelled order refuses is answered 410."""

    def check_state(self, task: Task) -> None:
        try:
            super().check_state(task)
        except Refusal as refusal:
            if task.order.cancelled:
                refusal.status = 410
            raise


@lie("GEN-HTTP-4", "RFD-5", "RFD-6", when="value")
class PaymentRequired(Fake):
    """A refused refund is answered 402."""

    def forbidden(self, code: str, message: str) -> Refusal:
        return Refusal(402 if code == "REFUND_NOT_ALLOWED" else 403, code, message)


@lie("GEN-HTTP-4", "GEN-VAL-1", when="value")
class TeapotWhenInvalid(Fake):
    """An invalid body is answered 418."""

    invalid_status = 418


# --- request headers --------------------------------------------------------------------------------------


@lie("GEN-HTTP-5", when="value")
class IntegratorRefused(Fake):
    """A call with Klarna-Integrator is refused."""

    def throttle(self, call: Call) -> None:
        if call.header("klarna-integrator"):
            raise self.invalid("Klarna-Integrator is not known.")


@lie("GEN-HTTP-5", when="value")
class KeysMustBeUuids(Fake):
    """An idempotency key that is no UUID is refused."""

    def throttle(self, call: Call) -> None:
        key = call.header("klarna-idempotency-key")
        if key and not UUID.fullmatch(key):
            raise self.invalid("Klarna-Idempotency-Key must be a UUID.")


@lie("GEN-HTTP-5", when="value")
class UnknownHeadersRefused(Fake):
    """A call with a header that starts with X- is refused with 403."""

    def throttle(self, call: Call) -> None:
        if any(name.startswith("x-") for name in call.headers):
            raise self.forbidden("NOT_ALLOWED", "Unknown header.")


# --- limits -----------------------------------------------------------------------------------------------


@lie("GEN-RATE-1", "GEN-ERR-4", "CAP-4", "RFD-4", when="sequence")
class ThrottledButDone(Throttled):
    """Every 40th call is answered 429 after it took effect."""

    busy = False

    def throttle(self, call: Call) -> None:
        if self.busy:
            return
        try:
            super().throttle(call)
        except Refusal:
            self.busy = True
            self.answer(call)
            self.busy = False
            raise


@lie("GEN-RATE-1", "IDM-1", "IDM-2", when="sequence")
class ThrottledKeysSpent(Throttled):
    """A key that was once answered 429 is answered 429 for good."""

    def throttle(self, call: Call) -> None:
        spent = self.__dict__.setdefault("spent", set())
        key = call.header("klarna-idempotency-key")
        try:
            if key in spent:
                raise Refusal(429, "TOO_MANY_REQUESTS", "Slow down.", ("Retry-After", "0"))
            super().throttle(call)
        except Refusal:
            if key:
                spent.add(key)
            raise


# --- refusals that change something -----------------------------------------------------------------------


@lie("GEN-ERR-4", "GEN-VAL-1", when="value")
class HalfReferences(Fake):
    """A valid first reference is written although the second is invalid and the call refused."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        first = value.get("merchant_reference1") if isinstance(value, dict) else None
        if task.op == "update_references" and isinstance(first, str) and len(first) <= 255:
            task.order.references = {**task.order.references, "merchant_reference1": first}
        return super().valid(value, shape, task)


@lie("GEN-ERR-4", "GEN-VAL-1", when="value")
class HalfAddress(Fake):
    """The valid fields of an address are written although another is invalid and the call refused."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        sent = value.get("shipping_address") if isinstance(value, dict) else None
        if task.op == "update_customer" and isinstance(sent, dict):
            fields = shape.fields["shipping_address"].fields  # type: ignore[union-attr]
            good = {
                name: one
                for name, one in sent.items()
                if name in fields and not list(fields[name].faults(one, ""))
            }
            task.order.shipping = {**task.order.shipping, **good}
        return super().valid(value, shape, task)


@lie("GEN-ERR-4", "GEN-VAL-1", "SHP-4", when="value")
class HalfShippingInfo(Fake):
    """Shipping info before the first invalid item is appended although the call is refused."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        items = value.get("shipping_info") if isinstance(value, dict) else None
        if task.op == "append_order_shipping" and isinstance(items, list) and len(items) > 1:
            kind = shape.fields["shipping_info"].kind  # type: ignore[union-attr]
            if not list(kind.faults(items[0], "")) and list(shape.faults(value)):
                task.order.shipping_info = [*task.order.shipping_info, items[0]]
        return super().valid(value, shape, task)


@lie("GEN-ERR-4", "GEN-VAL-1", "ORD-SUM-1", when="value")
class InvalidLinesCaptured(Fake):
    """A capture with an invalid order line is refused after its amount was captured."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        try:
            return super().valid(value, shape, task)
        except Refusal:
            draft = value if isinstance(value, dict) else {}
            amount = draft.get("captured_amount")
            if task.op == "capture" and draft.get("order_lines") and type(amount) is int:
                self.check_state(task)
                if 0 < amount <= self.remaining(task.order):
                    capture = self.new_capture(task.order, {"captured_amount": amount})
                    task.order.captures = [*task.order.captures, capture]
            raise


@lie("GEN-ERR-4", "GEN-VAL-2", when="value")
class UnsupportedTypeButDone(Fake):
    """A body of another media type is answered 415 after the call took effect."""

    def perform(self, task: Task) -> Answer:
        kind = (task.call.header("content-type") or "application/json").partition(";")[0].strip().lower()
        if task.op not in self.shapes or kind == "application/json":
            return super().perform(task)
        headers = {**task.call.headers, "content-type": "application/json"}
        super().perform(replace(task, call=replace(task.call, headers=headers)))
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")


@lie("GEN-ERR-4", "AUT-3", when="sequence")
class RefusedDecreaseReplacesLines(Fake):
    """A decrease below the captured amount is refused after the lines were replaced."""

    def update_authorization(self, task: Task) -> Answer:
        if task.body["order_amount"] < self.captured(task.order):
            task.order.lines = task.body.get("order_lines", [])
        return super().update_authorization(task)


@lie("GEN-ERR-4", "CAP-5", "ORD-SUM-3", when="value")
class RefusedCaptureHoldsMoney(Fake):
    """A capture of too much is refused, and lowers the remaining authorization by one all the same."""

    def capture(self, task: Task) -> Answer:
        order = task.order
        if 0 < self.remaining(order) < task.body["captured_amount"]:
            order.notes["held"] = order.notes.get("held", 0) + 1
        return super().capture(task)

    def remaining(self, order: Order) -> int:
        return max(0, super().remaining(order) - int(order.notes.get("held", 0)))


@lie("GEN-ERR-4", "RFD-5", when="value")
class RefusedRefundIsListed(Fake):
    """A refund of too much is refused, and listed with an amount of zero."""

    def refund(self, task: Task) -> Answer:
        order = task.order
        if task.body["refunded_amount"] > self.captured(order) - self.refunded(order):
            order.refunds = [*order.refunds, self.new_refund({**task.body, "refunded_amount": 0})]
        return super().refund(task)


@lie("GEN-ERR-4", "CAN-2", when="sequence")
class RefusedCancelClearsReferences(Fake):
    """A cancellation that is refused because of captures clears the references."""

    def may_cancel(self, task: Task) -> None:
        if task.order.captures:
            task.order.references = {}
        super().may_cancel(task)


@lie("GEN-ERR-4", "REL-2", when="sequence")
class RefusedReleaseClearsLines(Fake):
    """A release that is refused for want of captures removes the order lines."""

    def may_release(self, task: Task) -> None:
        if not task.order.captures:
            task.order.lines = []
        super().may_release(task)


@lie("GEN-ERR-4", "AUT-4", when="sequence")
class RefusedUpdateExtends(Fake):
    """An update of a fully captured order is refused, and moves its expiry by a day."""

    def may_update_authorization(self, task: Task) -> None:
        if self.fully_captured(task.order):
            task.order.expires += 86400
        super().may_update_authorization(task)


@lie("GEN-ERR-4", "GEN-404-1", "CAP-7", when="sequence")
class UnknownCaptureAppendsAnyway(Fake):
    """Shipping info for an unknown capture is refused with 404 and appended to the first capture."""

    def no_capture(self, task: Task) -> Refusal:
        if task.op == "append_capture_shipping" and task.order.captures:
            first: Capture = task.order.captures[0]
            first.shipping_info = [*first.shipping_info, {"tracking_number": "stray"}]
        return super().no_capture(task)
