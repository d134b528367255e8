"""Servers that keep every MUST and leave one recommendation: warnings, and failures only when strict."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.gallery.books import Capture, Json, Order, Refusal, Task
from tests.gallery.catalogue import warned
from tests.gallery.correct import BookedOnNewest, OnceOnly
from tests.gallery.correct_wire import Nulls, RelativeLocation, Unprocessable
from tests.gallery.server import Fake
from tests.gallery.wire import Answer, Call


@warned("GEN-AUTH-3")
class NoChallenge(Fake):
    """A 401 has no WWW-Authenticate."""

    def unauthorized(self) -> Refusal:
        return Refusal(401, "UNAUTHORIZED", "The credentials are missing or wrong.")


@warned("GEN-ERR-2")
class OneCorrelationId(Fake):
    """All errors have the same correlation id."""

    def error_body(self, refusal: Refusal) -> Json:
        return {**super().error_body(refusal), "correlation_id": "00000000-0000-0000-0000-000000000000"}


@warned("GEN-ERR-2")
class EmptyCorrelationId(Fake):
    """The correlation id of every error is empty text."""

    def error_body(self, refusal: Refusal) -> Json:
        return {**super().error_body(refusal), "correlation_id": ""}


@warned("GEN-404-2")
class NamelessNotFound(Fake):
    """The message of a 404 does not name the id."""

    def no_order(self, task: Task) -> Refusal:
        refusal = super().no_order(task)
        refusal.message = "No such order."
        return refusal


@warned("GEN-404-2")
class WordlessErrors(Fake):
    """Errors have an empty list of messages."""

    def error_body(self, refusal: Refusal) -> Json:
        return {**super().error_body(refusal), "error_messages": []}


@warned("GEN-VAL-3", when="value")
class AnySize(Fake):
    """Bodies of any size are looked at; one of 2 MB is judged by its content."""

    most_bytes = 10**9


@warned("GEN-HTTP-3")
class WrongMethodIsNotFound(Fake):
    """A method that a path does not have is answered 404."""

    def wrong_method(self, call: Call, methods: dict[str, str]) -> Refusal:
        return self.no_such_path(call)


@warned("GEN-HTTP-3")
class WrongMethodNamesNone(Fake):
    """A 405 has no Allow."""

    def wrong_method(self, call: Call, methods: dict[str, str]) -> Refusal:
        return Refusal(405, "METHOD_NOT_ALLOWED", "Not this way.")


@warned("EXT-4", when="sequence")
class SixWeeks(Fake):
    """An authorization lasts 42 days, as it did on the recorded service."""

    period_days = 42


@warned("EXT-4", when="sequence", needs=("clock",))
class TwentySevenDays(Fake):
    """An authorization lasts 28 days when made and 27 when extended."""

    def extend_authorization(self, task: Task) -> Answer:
        task.order.expires = max(task.order.expires, self.expiry(self.now()) - 86400)
        return self.done(task)


@warned("EXT-5", when="sequence", needs=("clock",))
class EndlessExtensions(Fake):
    """An authorization can be extended a year after the order was made."""

    extension_days = 10_000


@warned("CAP-9")
class CaptureReferenceFromZero(Fake):
    """The reference of the first capture ends in -0."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        reference = f"{order.klarna_reference}-{capture.number - 1}"
        return {**super().capture_view(order, capture), "klarna_reference": reference}


@warned("CAP-9")
class CaptureReferenceOfItsOwn(Fake):
    """The reference of a capture has nothing to do with that of the order."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        return {**super().capture_view(order, capture), "klarna_reference": f"C{capture.id[:8].upper()}"}


@warned("RFD-9", when="value")
class NoReturnFees(Fake):
    """A refund with a return fee is never taken."""

    def check_fee(self, order: Order, body: Json) -> None:
        if any(line.get("type") == "return_fee" for line in body.get("order_lines", [])):
            raise self.forbidden("REFUND_NOT_ALLOWED", "Return fees are not enabled.")


@warned("RFD-10", when="value")
class ReturnFeesAnywhere(Fake):
    """A refund with a return fee is taken without conditions."""

    def check_fee(self, order: Order, body: Json) -> None:
        """Let any fee pass."""


@warned("RFD-10", when="always")
class ReturnFeesRefusedInOtherWords(Fake):
    """A refund with a return fee that is not allowed is refused with NOT_ALLOWED."""

    def check_fee(self, order: Order, body: Json) -> None:
        try:
            super().check_fee(order, body)
        except Refusal as refused:
            raise self.forbidden("NOT_ALLOWED", "No return fee here.") from refused


@warned("RFD-10", when="sequence")
class ReturnFeesAfterPartCaptures(Fake):
    """A return fee is also taken when the order was captured whole in several captures."""

    def check_fee(self, order: Order, body: Json) -> None:
        if self.fully_captured(order) and len(order.captures) > 1:
            return
        super().check_fee(order, body)


@warned("IDM-6", when="sequence")
class RefusedKeysForgotten(Fake):
    """A refused call is judged anew when it is repeated with its key."""

    def remembers(self, answer: Answer) -> bool:
        return answer.status < 300


@warned("GEN-AUTH-3", "GEN-HTTP-3", "CAP-9")
class Careless(RelativeLocation, Nulls, Unprocessable, OnceOnly, BookedOnNewest):
    """No challenge, no Allow, no numbers in capture references, and correct in all that it must be."""

    def finish(self, call: Call, answer: Answer) -> Answer:
        return super().finish(call, answer).without("WWW-Authenticate", "Allow")

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view = super().capture_view(order, capture)
        return {**view, "klarna_reference": order.klarna_reference}


@warned("EXT-4", when="sequence", needs=("clock",))
class ExtensionByMonths(Fake):
    """An extension lasts sixty days from the start of the month."""

    def extend_authorization(self, task: Task) -> Answer:
        now = datetime.fromtimestamp(self.now(), UTC)
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()
        task.order.expires = max(task.order.expires, start + 60 * 86400)
        return self.done(task)
