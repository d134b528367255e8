"""Correct servers, all different: every freedom that the contract leaves is taken by one of them."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tests.gallery.books import Capture, Json, Order, Refusal, Task
from tests.gallery.catalogue import variant
from tests.gallery.correct_wire import (
    BareNotFound,
    Charset,
    Chunked,
    ConnectionClose,
    EmptyTexts,
    ExtraFields,
    ExtraHeaders,
    Gzipped,
    LowerCaseHeaders,
    Nulls,
    OffsetTimes,
    RelativeLocation,
    SixDigitTimes,
    Throttled,
    Unprocessable,
    VolatileFields,
)
from tests.gallery.fields import SHAPES, Text, Thing, Whole, converted
from tests.gallery.server import Fake

AMOUNTS = {
    "capture": "captured_amount",
    "refund": "refunded_amount",
    "update_authorization": "order_amount",
    "create": "order_amount",
}


# --- status and amounts -----------------------------------------------------------------------------------


@variant
class CapturedAfterRelease(Fake):
    """A released order is CAPTURED."""

    def status(self, order: Order) -> str:
        return "CAPTURED" if order.released else super().status(order)


@variant
class ClosedAfterRelease(Fake):
    """A released order is CLOSED."""

    def status(self, order: Order) -> str:
        return "CLOSED" if order.released else super().status(order)


@variant
class ClosedAfterCapture(Fake):
    """A fully captured order is CLOSED at once."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "CLOSED" if status == "CAPTURED" else status


@variant
class ClosedAfterRefund(Fake):
    """An order whose whole captured amount was refunded is CLOSED, when nothing is left to capture."""

    def status(self, order: Order) -> str:
        settled = self.remaining(order) == 0 and 0 < self.refunded(order) == self.captured(order)
        return "CLOSED" if settled else super().status(order)


@variant
class ReleaseLowersAmount(Fake):
    """A release lowers the order amount to what was captured; the order is CAPTURED by that."""

    def release(self, task: Task) -> Any:
        task.order.amount = self.captured(task.order)
        return super().release(task)


@variant
class CancelledHasNothingLeft(Fake):
    """A cancelled order has no remaining authorization."""

    def remaining(self, order: Order) -> int:
        return 0 if order.cancelled else super().remaining(order)


@variant
class ExactDecreaseCloses(Fake):
    """An order decreased to what was captured is CLOSED."""

    def update_authorization(self, task: Task) -> Any:
        answer = super().update_authorization(task)
        task.order.notes["closed"] = 0 < self.captured(task.order) == task.order.amount
        return answer

    def status(self, order: Order) -> str:
        return "CLOSED" if order.notes.get("closed") else super().status(order)


@variant
class ExactDecreaseStaysPartCaptured(Fake):
    """An order decreased to what was captured stays PART_CAPTURED."""

    def update_authorization(self, task: Task) -> Any:
        answer = super().update_authorization(task)
        task.order.notes["decreased"] = 0 < self.captured(task.order) == task.order.amount
        return answer

    def status(self, order: Order) -> str:
        return "PART_CAPTURED" if order.notes.get("decreased") else super().status(order)


@variant
class ZeroTaken(Fake):
    """Captures and refunds of zero are taken, and stand in the lists."""

    def check_zero(self, task: Task, amount: int) -> None:
        """Take zero like any other amount."""


@variant
class ZeroCapturesAreNothing(ZeroTaken):
    """A capture of zero is taken, and the order can still be cancelled after it."""

    def may_cancel(self, task: Task) -> None:
        if self.captured(task.order):
            super().may_cancel(task)


@variant
class ZeroRefusedAsBadValue(Fake):
    """Captures and refunds of zero are refused with 400."""

    def zero(self, task: Task) -> Refusal:
        return Refusal(400, "BAD_VALUE", "The amount must be above zero.")


@variant
class ZeroRefusedAsUnprocessable(Fake):
    """Captures and refunds of zero are refused with 422."""

    def zero(self, task: Task) -> Refusal:
        return Refusal(422, "BAD_VALUE", "The amount must be above zero.")


# --- what is refused, and what is taken -------------------------------------------------------------------


@variant
class IncreasesRefused(Fake):
    """An increase of the authorization never passes the risk check."""

    capabilities = Fake.capabilities | {"reject-increase"}

    def update_authorization(self, task: Task) -> Any:
        if task.body["order_amount"] > task.order.amount:
            raise self.forbidden("NOT_ALLOWED", "The risk check did not pass.")
        return super().update_authorization(task)


@variant
class LargeIncreasesRefused(Fake):
    """The authorization can grow to twice the original amount and no further."""

    def update_authorization(self, task: Task) -> Any:
        if task.body["order_amount"] > max(task.order.amount, 2 * task.order.original):
            raise self.forbidden("NOT_ALLOWED", "The risk check did not pass.")
        return super().update_authorization(task)


@variant
class SameAmountRefused(Fake):
    """An update of the authorization to the amount that it has is refused."""

    def update_authorization(self, task: Task) -> Any:
        if task.body["order_amount"] == task.order.amount:
            raise self.forbidden("NOT_ALLOWED", "The order amount is that already.")
        return super().update_authorization(task)


@variant
class AddressesFixed(Fake):
    """An address update never passes the risk check."""

    def may_update_customer(self, task: Task) -> None:
        raise self.forbidden("NOT_ALLOWED", "The risk check did not pass.")


@variant
class OnceOnly(Fake):
    """Acknowledging, cancelling and releasing a second time are refused."""

    def may_acknowledge(self, task: Task) -> None:
        super().may_acknowledge(task)
        if task.order.acknowledged:
            raise self.forbidden("NOT_ALLOWED", "The order is acknowledged already.")

    def may_cancel(self, task: Task) -> None:
        super().may_cancel(task)
        if task.order.cancelled:
            raise self.forbidden("CANCEL_NOT_ALLOWED", "The order is cancelled already.")

    def may_release(self, task: Task) -> None:
        super().may_release(task)
        if task.order.released:
            raise self.forbidden("NOT_ALLOWED", "The order is released already.")


@variant
class AcknowledgeWhileOpen(Fake):
    """Only an open order can be acknowledged."""

    def may_acknowledge(self, task: Task) -> None:
        if task.order.released or self.status(task.order) not in {"AUTHORIZED", "PART_CAPTURED"}:
            raise self.forbidden("NOT_ALLOWED", "The order is not open.")


@variant
class CancelledTakesAcknowledge(Fake):
    """A cancelled order can still be acknowledged."""

    def may_acknowledge(self, task: Task) -> None:
        pass


@variant
class CancelledTakesNoShipping(Fake):
    """Shipping info cannot be appended to a cancelled or expired order."""

    def may_append_order_shipping(self, task: Task) -> None:
        if self.status(task.order) in {"CANCELLED", "EXPIRED"}:
            raise self.forbidden("NOT_ALLOWED", "The order is closed.")


@variant
class CapturedIsFixed(Fake):
    """A fully captured order takes no address and no extension any more."""

    def may_update_customer(self, task: Task) -> None:
        super().may_update_customer(task)
        if self.fully_captured(task.order):
            raise self.forbidden("NOT_ALLOWED", "The order is captured.")

    def may_extend_authorization(self, task: Task) -> None:
        super().may_extend_authorization(task)
        if self.fully_captured(task.order):
            raise self.forbidden("NOT_ALLOWED", "The order is captured.")


@variant
class ReleasedIsFixed(Fake):
    """A released order takes no new address any more."""

    def may_update_customer(self, task: Task) -> None:
        super().may_update_customer(task)
        if task.order.released:
            raise self.forbidden("NOT_ALLOWED", "The order is released.")


@variant
class ReleasedIsExtendable(Fake):
    """A released order can be extended all the same."""

    def may_extend_authorization(self, task: Task) -> None:
        if not task.order.released:
            super().may_extend_authorization(task)


@variant
class ExpiredIsFixed(Fake):
    """An expired order takes nothing but refunds and shipping info of its captures."""

    def check_state(self, task: Task) -> None:
        fixed = {"acknowledge", "update_customer", "update_references", "cancel", "release"}
        if task.op in fixed and self.expired(task.order):
            code = "CANCEL_NOT_ALLOWED" if task.op == "cancel" else "NOT_ALLOWED"
            raise self.forbidden(code, "The order is expired.")
        super().check_state(task)


@variant
class BillingRefused(Fake):
    """A billing address in an address update is refused with 403."""

    billing_status = 403

    def may_update_customer(self, task: Task) -> None:
        super().may_update_customer(task)
        if "billing_address" in task.body:
            raise Refusal(self.billing_status, "NOT_ALLOWED", "The billing address cannot be updated.")


@variant
class BillingRefusedAsBadValue(BillingRefused):
    """A billing address in an address update is refused with 400."""

    billing_status = 400


@variant
class BillingRefusedAsUnprocessable(BillingRefused):
    """A billing address in an address update is refused with 422."""

    billing_status = 422


@variant
class DelaysForbidden(Fake):
    """A shipping delay is refused with 403: the account has none."""

    delay_status = 403

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        if body.get("shipping_delay"):
            raise Refusal(self.delay_status, "CAPTURE_NOT_ALLOWED", "Shipping delays are not enabled.")
        return body


@variant
class DelaysRefusedAsBadValue(DelaysForbidden):
    """A shipping delay is refused with 400."""

    delay_status = 400


@variant
class DelaysRefusedAsUnprocessable(DelaysForbidden):
    """A shipping delay is refused with 422."""

    delay_status = 422


def _sound(one: Json) -> bool:
    total = one["quantity"] * one["unit_price"] - one.get("total_discount_amount", 0)
    if total != one["total_amount"]:
        return False
    if "tax_rate" not in one or "total_tax_amount" not in one:
        return True
    net: float = one["total_amount"] * 10_000 / (10_000 + one["tax_rate"])
    return bool(abs(one["total_amount"] - net - one["total_tax_amount"]) <= 1.0)


@variant
class StrictLines(Fake):
    """Lines whose arithmetic does not hold or that do not sum to the amount are refused with 400."""

    lines_status = 400

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        lines = body.get("order_lines")
        exact = not lines or sum(one["total_amount"] for one in lines) == body[AMOUNTS[task.op]]
        if lines and not (exact and all(map(_sound, lines))):
            raise Refusal(self.lines_status, "BAD_VALUE", "The order lines do not add up.")
        return body


@variant
class StrictLinesForbidden(StrictLines):
    """Lines that do not add up are refused with 403."""

    lines_status = 403


@variant
class StrictLinesUnprocessable(StrictLines):
    """Lines that do not add up are refused with 422."""

    lines_status = 422


_CLOSED: dict[str, Thing] = {
    **{
        name: converted(shape, lambda rule: replace(rule, closed=True) if isinstance(rule, Thing) else rule)
        for name, shape in SHAPES.items()
    },
    "create": SHAPES["create"],
}


@variant
class UnknownFieldsRefused(Fake):
    """A field that the schema does not have is refused with 400."""

    shapes = _CLOSED


@variant
class UnknownFieldsUnprocessable(UnknownFieldsRefused):
    """Every invalid body, one with an unknown field too, is refused with 422."""

    invalid_status = 422


class _Utf16Text(Text):
    def length(self, value: str) -> int:
        return len(value.encode("utf-16-le", "surrogatepass")) // 2


@variant
class Utf16Lengths(Fake):
    """Text is counted in UTF-16 units."""

    shapes = converted(
        Thing(SHAPES), lambda rule: _Utf16Text(rule.most) if type(rule) is Text else rule
    ).fields


class _Decimal(Whole):
    def faults(self, value: Any, path: str) -> Any:
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        return super().faults(whole, path)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@variant
class WholeDecimalsTaken(Fake):
    """100.0 is as good as 100."""

    shapes = converted(
        Thing(SHAPES), lambda rule: _Decimal(rule.least, rule.most) if type(rule) is Whole else rule
    ).fields

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        return super().valid(_rounded(value), shape, task)


def _all_text(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _all_text(one)


@variant
class MarkupRefused(Fake):
    """Text with control characters or tags is refused with 400."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        if any(re.search(r"[\x00-\x1f\x7f-\x9f]|<[A-Za-z/!]", text) for text in _all_text(value)):
            raise self.invalid("Control characters and markup are not allowed.")
        return super().valid(value, shape, task)


POSTCODES = {
    "AT": r"\d{4}",
    "AU": r"\d{4}",
    "DE": r"\d{5}",
    "DK": r"\d{4}",
    "ES": r"\d{5}",
    "FI": r"\d{5}",
    "FR": r"\d{5}",
    "IT": r"\d{5}",
    "NL": r"\d{4} ?[A-Z]{2}",
    "NO": r"\d{4}",
    "SE": r"\d{3} ?\d{2}",
    "US": r"\d{5}(-\d{4})?",
}


@variant
class AddressesChecked(Fake):
    """A postal code, region or country that does not fit is refused with 400 INVALID_ADDRESS."""

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        body = super().valid(value, shape, task)
        for name in ("billing_address", "shipping_address"):
            if body.get(name):
                self.check_address(body[name], task)
        return body

    def check_address(self, sent: Json, task: Task) -> None:
        whole = {**(task.order.shipping if task.known else {}), **sent}
        country = whole.get("country", "").upper()
        code, region = sent.get("postal_code"), sent.get("region")
        fits = not country or bool(re.fullmatch("[A-Z]{2}", country))
        fits &= not code or bool(re.fullmatch(POSTCODES.get(country, ".*"), code.upper()))
        fits &= not (region and country == "US") or bool(re.fullmatch("[A-Z]{2}", region or ""))
        if not fits:
            raise self.invalid("The address is not one.", code="INVALID_ADDRESS")


@variant
class StateBeforeBody(Fake):
    """An order that refuses a call refuses it before its body is looked at."""

    state_first = True


@variant
class BodyBeforeOrder(Fake):
    """An invalid body is refused before the order is looked for."""

    def write(self, task: Task) -> Any:
        self.body_of(task)
        return super().write(task)


# --- captures and refunds ---------------------------------------------------------------------------------


@variant
class NewestFirst(Fake):
    """Captures are listed newest first."""

    def captures_view(self, order: Order) -> list[Json]:
        return super().captures_view(order)[::-1]


@variant
class RefundsNewestFirst(Fake):
    """Refunds are listed newest first."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "refunds": view["refunds"][::-1]}


@variant
class ThirtyAtMost(Fake):
    """The 31st capture and the 31st refund of an order are refused."""

    def may_capture(self, task: Task) -> None:
        super().may_capture(task)
        if len(task.order.captures) >= 30:
            raise self.forbidden("CAPTURE_NOT_ALLOWED", "There are 30 captures already.")

    def may_refund(self, task: Task) -> None:
        super().may_refund(task)
        if len(task.order.refunds) >= 30:
            raise self.forbidden("REFUND_NOT_ALLOWED", "There are 30 refunds already.")


@variant
class BookedOnNewest(Fake):
    """Refunds are booked on the newest capture first."""

    def booking_order(self, order: Order) -> list[Capture]:
        return order.captures[::-1]


@variant
class BookedEvenly(Fake):
    """Refunds are spread over the captures in proportion to what is left of each."""

    def book(self, order: Order, amount: int) -> None:
        left = self.captured(order) - sum(one.refunded for one in order.captures)
        for capture in order.captures:
            room = capture.amount - capture.refunded
            share = amount * room // left if left else 0
            capture.bookings = [*capture.bookings, (self.now(), share)]
            amount, left = amount - share, left - room


@variant
class BookedLate(Fake):
    """A refund is seen on its captures a second after it is seen on the order, as on the recorded service."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        due = self.now() - 1.0
        booked = sum(amount for at, amount in capture.bookings if at <= due)
        return {**super().capture_view(order, capture), "refunded_amount": booked}


@variant
class CapturesWithoutAddresses(Fake):
    """Captures show no addresses."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view = super().capture_view(order, capture)
        return {name: value for name, value in view.items() if not name.endswith("_address")}


@variant
class ReleasedStaysExpired(Fake):
    """An expired order whose rest is released reads EXPIRED still."""

    def release(self, task: Task) -> Any:
        if self.expired(task.order):
            task.order.notes["expired"] = True
        return super().release(task)

    def status(self, order: Order) -> str:
        return "EXPIRED" if order.notes.get("expired") and not order.cancelled else super().status(order)


@variant
class NoDueDates(Fake):
    """No due date can be extended: the options are an empty list."""

    capabilities = Fake.capabilities - {"pay-later"}

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.due_options = {}
        return capture


@variant
class DueDatesStay(Fake):
    """An option to extend the due date can be used again, at a fee that is zero."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.due_options = {7: 0, 60: 0}
        return capture

    def extend_due_date(self, task: Task) -> Any:
        capture = self.find_capture(task)
        before = capture.due_options
        answer = super().extend_due_date(task)
        capture.due_options = before
        return answer


@variant
class TimeOrderedIds(Fake):
    """Ids are UUIDs of version 7, which sort by time."""

    def new_id(self) -> str:
        stamp = int(self.now() * 1000) & (2**48 - 1)
        number = (stamp << 80) | (uuid.uuid4().int & (2**80 - 1))
        number = (number & ~(0xF << 76)) | (0x7 << 76)
        return str(uuid.UUID(int=number))


@variant
class RollingExpiry(Fake):
    """An order expires to the second four weeks after its creation; an extension lasts to an end of day."""

    def new_order(self, body: Json) -> Order:
        order = super().new_order(body)
        order.expires = order.created + self.period_days * 86400
        return order

    def expiry(self, at: float) -> float:
        return super().expiry(at) + 86399


# --- idempotency and concurrency --------------------------------------------------------------------------


@variant
class KeysSpentByRefusals(Fake):
    """A key is spent by any answer, invalid bodies included."""

    def remembers(self, answer: Any) -> bool:
        return True


@variant
class KeysForAll(Fake):
    """A key counts for the whole account, whatever it was used for."""

    def scope(self, task: Task) -> tuple[str, ...] | None:
        key = task.call.header("klarna-idempotency-key")
        return (key,) if key else None


@variant
class BusyOrders(Fake):
    """A write to an order that another write is busy with is answered 409."""

    def write(self, task: Task) -> Any:
        task.known = self.find_order(task)
        if not task.order.lock.acquire(blocking=False):
            raise Refusal(409, "CONFLICT", "Another call is changing the order.")
        try:
            return self.once(task)
        finally:
            task.order.lock.release()

    def settle(self) -> None:
        time.sleep(0.003)


@variant
class BusyKeys(Fake):
    """A call whose key is in flight is answered 409."""

    def write(self, task: Task) -> Any:
        scope, flying = self.scope(task), self.__dict__.setdefault("flying", set())
        with self.guard:
            if scope in flying:
                raise Refusal(409, "CONFLICT", "The call with this key is under way.")
            if scope:
                flying.add(scope)
        try:
            return super().write(task)
        finally:
            flying.discard(scope)

    def settle(self) -> None:
        time.sleep(0.003)


@variant
class SlowWrites(Fake):
    """Writes take 10 ms more, and stay correct."""

    def settle(self) -> None:
        time.sleep(0.01)


# --- several at once --------------------------------------------------------------------------------------


@variant
class Startup(RelativeLocation, Unprocessable, Nulls, ExtraFields, ClosedAfterRelease, OnceOnly, Charset):
    """Relative locations, 422, nulls, extra fields, CLOSED after release, nothing twice, a charset."""


@variant
class Mainframe(
    ConnectionClose, EmptyTexts, StrictLinesForbidden, StateBeforeBody, SixDigitTimes, NewestFirst
):
    """Closes each connection, empty texts, strict lines, 403 before 400, six digits, newest first."""


@variant
class Gatekeeper(Throttled, IncreasesRefused, AddressesFixed, UnknownFieldsRefused, ZeroRefusedAsBadValue):
    """A rate limit, and a refusal wherever one is allowed."""


@variant
class CloudNative(Gzipped, LowerCaseHeaders, ExtraHeaders, VolatileFields, BusyOrders, ReleaseLowersAmount):
    """Gzip, lower-case headers, many headers, volatile fields, 409 when busy, a release lowers the amount."""


@variant
class Elsewhere(Chunked, OffsetTimes, BareNotFound, ClosedAfterRefund, BookedEvenly, CancelledHasNothingLeft):
    """Chunks, offset times, other codes for 404, CLOSED after refund, even bookings, nothing left at last."""


@variant
class Permissive(ZeroTaken, CancelledTakesAcknowledge, ReleasedIsExtendable, WholeDecimalsTaken, KeysForAll):
    """Takes whatever may be taken: zeros, decimals, late acknowledgements, extensions after release."""


@variant
class Pedant(
    Throttled,
    OnceOnly,
    SameAmountRefused,
    AcknowledgeWhileOpen,
    CapturedIsFixed,
    ReleasedIsFixed,
    MarkupRefused,
):
    """Refuses every repeat, and asks the caller to come again now and then."""
