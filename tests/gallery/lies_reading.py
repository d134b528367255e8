"""Servers whose orders read wrong: identity, times, sums, status, what never changes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from tests.gallery.books import Capture, Json, Order, Refund, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.correct import ClosedAfterCapture, ClosedAfterRefund, ClosedAfterRelease
from tests.gallery.fields import PARCEL
from tests.gallery.server import Fake
from tests.gallery.wire import Answer


class _View(Fake):
    """Shows an order with some fields changed."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, **self.changes(order, view)}

    def changes(self, order: Order, view: Json) -> Json:
        return {}


# --- identity and safety ----------------------------------------------------------------------------------


@lie("ORD-GET-1", when="sequence")
class LatestOrderRead(Fake):
    """Every read of an order shows the one made last."""

    def get_order(self, task: Task) -> Answer:
        return self.ok(self.order_view(list(self.orders.values())[-1]))


@lie("ORD-GET-1", "ORD-FIX-1")
class UpperCaseOrderId(_View):
    """The order id reads in upper case."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"order_id": order.id.upper()}


@lie("ORD-GET-1", "GEN-HTTP-1", "ORD-FIX-1")
class NoOrderId(_View):
    """The order id is null."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"order_id": None}


@lie("ORD-GET-2", "ORD-FIX-3", "EXT-2")
class ReadingExtends(Fake):
    """Every read moves the expiry by a second."""

    def get_order(self, task: Task) -> Answer:
        task.order.expires += 1
        return super().get_order(task)


@lie("ORD-GET-2", "ORD-FIX-3", "AUT-2", when="value")
class LinesTurnAround(Fake):
    """The order lines change their order with every read."""

    def get_order(self, task: Task) -> Answer:
        task.order.lines = task.order.lines[::-1]
        return super().get_order(task)


@lie("ORD-GET-2", "ORD-FIX-1", "ORD-FIX-3")
class CreatedAtEachRead(_View):
    """created_at is the time of the read."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"created_at": self.moment(self.now())}


@lie("ORD-GET-2", "ORD-FIX-2", "CAP-6", when="sequence")
class CapturesRotate(Fake):
    """The captures change their order with every read of the order."""

    def get_order(self, task: Task) -> Answer:
        task.order.captures = [*task.order.captures[1:], *task.order.captures[:1]]
        return super().get_order(task)


class _Stale(Fake):
    """The first read of an order after some operations shows it as it was before."""

    ops: tuple[str, ...] = ()

    def operate(self, task: Task) -> Answer:
        before = self.order_view(task.order)
        answer = super().operate(task)
        if task.op in self.ops:
            task.order.notes["stale"] = before
        return answer

    def get_order(self, task: Task) -> Answer:
        return self.ok(task.order.notes.pop("stale", None) or self.order_view(task.order))


@lie("CAP-4", "ORD-GET-2", "CAP-6", "RFD-4", "AUT-1", "CAN-1", "REL-1", when="sequence")
class StaleMoney(_Stale):
    """The first read after a call that moves money shows the order as it was before."""

    ops = ("capture", "refund", "update_authorization", "cancel", "release")


@lie("REF-1", "ORD-GET-2", "CUS-1", "SHP-1", when="sequence")
class StaleDetails(_Stale):
    """The first read after an update of references, address or shipping info shows what was before."""

    ops = ("update_references", "update_customer", "append_order_shipping")


# --- times ------------------------------------------------------------------------------------------------


def _local(at: float) -> str:
    return datetime.fromtimestamp(at + 3600, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


@lie("ORD-GET-3", "GEN-HTTP-1", "CAP-3", "RFD-3")
class LocalTimes(Fake):
    """Times are local and name no zone."""

    def moment(self, at: float) -> str:
        return _local(at)


@lie("ORD-GET-3", "GEN-HTTP-1", "CAP-3")
class LocalCaptureTime(Fake):
    """The time of a capture is local and names no zone."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        return {**super().capture_view(order, capture), "captured_at": _local(capture.at)}


@lie("ORD-GET-3", "GEN-HTTP-1", "RFD-3")
class RefundDate(Fake):
    """The time of a refund is a date."""

    def refund_view(self, order: Order, refund: Refund) -> Json:
        return {**super().refund_view(order, refund), "refunded_at": self.moment(refund.at)[:10]}


@lie("ORD-GET-3", "GEN-HTTP-1")
class ExpiryWithBlank(_View):
    """The expiry has a blank in place of the T, and no zone."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"expires_at": view["expires_at"].replace("T", " ").rstrip("Z")}


@lie("ORD-GET-3", "GEN-HTTP-1")
class EpochTimes(_View):
    """created_at is a number of seconds."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"created_at": int(order.created)}


# --- sums -------------------------------------------------------------------------------------------------


@lie("ORD-SUM-1", "CAP-4", "ORD-SUM-3", "CON-5", when="sequence")
class ThirdCaptureNotCounted(_View):
    """captured_amount leaves out the third capture and those after it."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"captured_amount": sum(one.amount for one in order.captures[:2])}


@lie("ORD-SUM-1", "RFD-4", "ORD-SUM-3", "ORD-SUM-5", "ORD-FIX-3", when="sequence")
class RefundLowersCaptured(_View):
    """captured_amount is what was captured less what was refunded."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"captured_amount": self.captured(order) - self.refunded(order)}


@lie("ORD-SUM-2", "RFD-4", "ORD-SUM-6", when="sequence")
class LastRefundShown(_View):
    """refunded_amount is the amount of the last refund."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"refunded_amount": order.refunds[-1].amount if order.refunds else 0}


@lie("ORD-SUM-2", "RFD-4", "ORD-SUM-6", when="sequence")
class RefundedNeverAboveFirstCapture(_View):
    """refunded_amount stops at the amount of the first capture."""

    def changes(self, order: Order, view: Json) -> Json:
        first = order.captures[0].amount if order.captures else 0
        return {"refunded_amount": min(first, self.refunded(order))}


@lie("ORD-SUM-3", "AUT-1", when="sequence")
class RemainingKeptOnDecrease(_View):
    """After a decrease the remaining amount still counts from the original amount."""

    def changes(self, order: Order, view: Json) -> Json:
        if order.released or order.amount >= order.original or self.fully_captured(order):
            return {}
        return {"remaining_authorized_amount": order.original - self.captured(order)}


@lie("ORD-SUM-3", "AUT-1", "ORD-SUM-5", when="sequence")
class RemainingIgnoresIncrease(_View):
    """After an increase the remaining amount still counts from the original amount."""

    def changes(self, order: Order, view: Json) -> Json:
        if order.released or order.amount <= order.original:
            return {}
        return {"remaining_authorized_amount": max(0, order.original - self.captured(order))}


@lie("RFD-4", "ORD-SUM-3", "ORD-SUM-4", "ORD-FIX-3", when="sequence")
class RefundRestoresRemaining(_View):
    """A refund shows up as remaining authorization again."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"remaining_authorized_amount": view["remaining_authorized_amount"] + self.refunded(order)}


@lie("RFD-4", "ORD-SUM-3", "ORD-SUM-5", "ORD-FIX-3", when="sequence")
class RefundLowersRemaining(_View):
    """A refund lowers the remaining authorization that is shown."""

    def changes(self, order: Order, view: Json) -> Json:
        rest = view["remaining_authorized_amount"] - self.refunded(order)
        return {"remaining_authorized_amount": max(0, rest)}


@lie("ORD-SUM-4", "CAP-4", "ORD-SUM-3", when="sequence")
class RemainingOfFullyCaptured(_View):
    """A fully captured order shows its last capture as still remaining."""

    def changes(self, order: Order, view: Json) -> Json:
        if not self.fully_captured(order):
            return {}
        return {"remaining_authorized_amount": order.captures[-1].amount}


@lie("ORD-SUM-4", "REL-1", when="sequence")
class RemainingOfReleased(_View):
    """A released order shows what remained before."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"remaining_authorized_amount": order.amount - self.captured(order)}


@lie("ORD-SUM-5", "ORD-SUM-4", "REL-1", when="sequence")
class RemainingBelowZero(_View):
    """A released order shows what was captured as a negative remaining amount."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"remaining_authorized_amount": -self.captured(order)} if order.released else {}


@lie("ORD-SUM-3", "CAP-4", when="sequence")
class ThirdCaptureTwiceOff(_View):
    """From the third capture on the remaining amount is lowered twice."""

    def changes(self, order: Order, view: Json) -> Json:
        again = sum(one.amount for one in order.captures[2:])
        return {"remaining_authorized_amount": max(0, view["remaining_authorized_amount"] - again)}


@lie("ORD-SUM-3", "CAP-4", when="value")
class RoundedRemaining(_View):
    """The remaining amount is rounded down to whole tens of major units when it is large."""

    def changes(self, order: Order, view: Json) -> Json:
        rest = view["remaining_authorized_amount"]
        return {"remaining_authorized_amount": rest - rest % 1000 if rest > 5000 and order.captures else rest}


@lie("ORD-SUM-6", when="sequence")
class BookedOnFirst(Fake):
    """Every refund is booked on the first capture, however small."""

    def book(self, order: Order, amount: int) -> None:
        first = order.captures[0]
        first.bookings = [*first.bookings, (self.now(), amount)]


@lie("ORD-SUM-6", when="sequence")
class BookedOnAll(Fake):
    """Every refund is booked on each capture that has room for it."""

    def book(self, order: Order, amount: int) -> None:
        for capture in order.captures:
            share = min(amount, capture.amount - capture.refunded)
            capture.bookings = [*capture.bookings, (self.now(), share)]


@lie("ORD-SUM-6", when="sequence")
class RestNotBooked(Fake):
    """A refund that spans captures is booked on the first of them alone."""

    def book(self, order: Order, amount: int) -> None:
        for capture in order.captures:
            share = min(amount, capture.amount - capture.refunded)
            if share:
                capture.bookings = [*capture.bookings, (self.now(), share)]
                return


@lie("ORD-SUM-6", when="sequence")
class ThirdCaptureNotBooked(Fake):
    """Refunds are booked on the first two captures alone."""

    def booking_order(self, order: Order) -> list[Capture]:
        return order.captures[:2]


@lie("ORD-SUM-6", "CAP-6", when="sequence")
class BookingsOnlyInOrder(Fake):
    """A capture that is read by itself never shows a refund."""

    def get_capture(self, task: Task) -> Answer:
        return self.ok({**self.capture_view(task.order, self.find_capture(task)), "refunded_amount": 0})


# --- status -----------------------------------------------------------------------------------------------


@lie("ORD-STA-1", "CAP-4", when="sequence")
class PartCapturedForEver(Fake):
    """An order captured whole in several captures stays PART_CAPTURED."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "PART_CAPTURED" if status == "CAPTURED" and len(order.captures) > 1 else status


@lie("ORD-STA-1", "CAP-4", "AUT-1", when="sequence")
class CapturedAtOriginal(Fake):
    """An increased order is CAPTURED once the original amount is captured."""

    def status(self, order: Order) -> str:
        early = order.original <= self.captured(order) < order.amount and not order.released
        return "CAPTURED" if early else super().status(order)


@lie("ORD-STA-1", "CAP-4", when="value")
class CapturedAtHalf(Fake):
    """An order is CAPTURED once more than half of it is captured."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "CAPTURED" if status == "PART_CAPTURED" and 2 * self.captured(order) > order.amount else status


@lie("ORD-STA-1", "CAP-4", when="sequence")
class AuthorizedAfterFirst(Fake):
    """An order stays AUTHORIZED until its second capture."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "AUTHORIZED" if status == "PART_CAPTURED" and len(order.captures) == 1 else status


@lie("ORD-STA-1", "RFD-4", when="sequence")
class AuthorizedAfterRefund(Fake):
    """An order whose captures were refunded whole is AUTHORIZED again."""

    def status(self, order: Order) -> str:
        back = 0 < self.refunded(order) == self.captured(order)
        return "AUTHORIZED" if back else super().status(order)


@lie("ORD-STA-1", "RFD-4", "ORD-FIX-3", when="sequence")
class PartCapturedAfterRefund(Fake):
    """A fully captured order is PART_CAPTURED after a refund of a part."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "PART_CAPTURED" if status == "CAPTURED" and self.refunded(order) else status


@lie("ORD-STA-2", "CAN-1", "ORD-FIX-3", when="sequence")
class AcknowledgeReopens(Fake):
    """Acknowledging a cancelled order makes it AUTHORIZED again."""

    def may_acknowledge(self, task: Task) -> None:
        """Let it happen."""

    def acknowledge(self, task: Task) -> Answer:
        task.order.cancelled = False
        return super().acknowledge(task)


@lie("ORD-STA-2", "CAN-1", "ORD-FIX-3", when="sequence")
class ShippingReopens(Fake):
    """Appending shipping info to a cancelled order makes it AUTHORIZED again."""

    def append_order_shipping(self, task: Task) -> Answer:
        task.order.cancelled = False
        return super().append_order_shipping(task)


@lie("ORD-STA-2", "ORD-STA-1", "RFD-4", when="sequence")
class ClosedReopens(ClosedAfterCapture):
    """A fully captured order is CLOSED, and PART_CAPTURED after a refund of a part."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        part = 0 < self.refunded(order) < self.captured(order)
        return "PART_CAPTURED" if status == "CLOSED" and part else status


@lie("ORD-STA-2", "ORD-FIX-3", when="sequence")
class ClosedReopensByReference(ClosedAfterRefund):
    """A refunded order is CLOSED until its references are updated."""

    def update_references(self, task: Task) -> Answer:
        task.order.notes["open"] = True
        return super().update_references(task)

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "CAPTURED" if status == "CLOSED" and order.notes.get("open") else status


@lie("ORD-STA-2", "RFD-4", when="sequence")
class ClosedReleaseReopens(ClosedAfterRelease):
    """A released order is CLOSED until something of it is refunded."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "PART_CAPTURED" if status == "CLOSED" and order.refunds else status


# --- what never changes -----------------------------------------------------------------------------------


@lie("ORD-FIX-1", "EXT-1", "ORD-FIX-3", when="sequence")
class CreatedMoves(Fake):
    """An extension moves created_at."""

    def extend_authorization(self, task: Task) -> Answer:
        task.order.created = self.now()
        return super().extend_authorization(task)


@lie("ORD-FIX-1", "AUT-1", "ORD-FIX-3", when="sequence")
class OriginalFollows(Fake):
    """An authorization update moves original_order_amount."""

    def update_authorization(self, task: Task) -> Answer:
        answer = super().update_authorization(task)
        task.order.original = task.order.amount
        return answer


@lie("ORD-FIX-1", "CAP-4", "ORD-FIX-3", when="sequence")
class KlarnaReferenceCounts(_View):
    """The reference of an order gets the number of its captures."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"klarna_reference": f"{order.klarna_reference}{len(order.captures) or ''}"}


@lie("ORD-FIX-1", "REF-1", "ORD-FIX-3", when="sequence")
class MerchantDataCleared(Fake):
    """An update of the references clears merchant_data."""

    def update_references(self, task: Task) -> Answer:
        task.order.merchant_data = ""
        return super().update_references(task)


@lie("ORD-FIX-1", "CUS-1", "ORD-FIX-3", when="value")
class CountryFollowsAddress(Fake):
    """The purchase country follows the country of the shipping address."""

    def update_customer(self, task: Task) -> Answer:
        answer = super().update_customer(task)
        task.order.country = task.order.shipping.get("country") or task.order.country
        return answer


@lie("ORD-FIX-1", "CAN-1", "ORD-FIX-3", when="sequence")
class CancelledLosesCustomer(_View):
    """A cancelled order has no billing address any more."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"billing_address": None} if order.cancelled else {}


@lie("ORD-FIX-1", "ORD-FIX-3", "RFD-4", when="sequence")
class LocaleLostOnRefund(_View):
    """The locale is en-US once something was refunded."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"locale": "en-US"} if order.refunds else {}


@lie("ORD-FIX-2", "ORD-SUM-1", "ORD-SUM-6", when="sequence")
class RefundedCaptureGone(Fake):
    """A capture that was refunded whole disappears from the lists."""

    def captures_view(self, order: Order) -> list[Json]:
        return [self.capture_view(order, one) for one in order.captures if one.refunded < one.amount]


@lie("ORD-FIX-2", "ORD-FIX-3", "RFD-4", when="sequence")
class RefundDescribesCapture(Fake):
    """The description of a refund becomes that of the first capture."""

    def book(self, order: Order, amount: int) -> None:
        super().book(order, amount)
        order.captures[0].description = "refunded"


@lie("ORD-FIX-2", "SHP-2", "ORD-FIX-3", when="sequence")
class ShippingMovesCaptureTime(Fake):
    """Appending shipping info to a capture moves its time."""

    def append_capture_shipping(self, task: Task) -> Answer:
        self.find_capture(task).at = self.now()
        return super().append_capture_shipping(task)


@lie("ORD-FIX-2", "RFD-3", "ORD-FIX-3", when="sequence")
class RefundsShareReference(Fake):
    """All refunds show the reference of the last."""

    def refund_view(self, order: Order, refund: Refund) -> Json:
        return {**super().refund_view(order, refund), "reference": order.refunds[-1].reference}


@lie("ORD-FIX-2", "REL-1", "ORD-FIX-3", when="sequence")
class ReleaseRenewsIds(Fake):
    """A release gives the captures new ids."""

    def release(self, task: Task) -> Answer:
        for capture in task.order.captures:
            capture.id = self.new_id()
        return super().release(task)


@lie("ORD-FIX-2", "ORD-SUM-1", "ORD-FIX-3", "RFD-4", when="sequence")
class RefundShrinksCapture(Fake):
    """A capture shows its amount less what was refunded of it."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view = super().capture_view(order, capture)
        return {**view, "captured_amount": capture.amount - capture.refunded}


@lie("ORD-FIX-2", "ORD-SUM-2", "RFD-8", when="sequence")
class TenRefundsShown(_View):
    """An order shows its last ten refunds."""

    def changes(self, order: Order, view: Json) -> Json:
        return {"refunds": view["refunds"][-10:]}


@lie("ORD-FIX-2", "ORD-SUM-1", "CAP-6", when="sequence")
class TenCapturesShown(Fake):
    """The lists show the first ten captures."""

    def captures_view(self, order: Order) -> list[Json]:
        return super().captures_view(order)[:10]


@lie("ORD-FIX-2", "ORD-FIX-3", "CAP-4", when="sequence")
class DescriptionInherited(Fake):
    """A capture without a description takes over that of the next one."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        for one in order.captures:
            one.description = one.description or body.get("description", "")
        return super().new_capture(order, body)


@lie("ORD-FIX-3", when="sequence")
class RefundTakesLinesOfCaptures(Fake):
    """The lines of a refund are taken out of those of the captures."""

    def refund(self, task: Task) -> Answer:
        answer = super().refund(task)
        back = task.body.get("order_lines", [])
        for capture in task.order.captures:
            capture.lines = [one for one in capture.lines if one not in back]
        return answer


@lie("AUT-2", when="value")
class QuantityOverflows(Fake):
    """The quantity of an updated line is kept in 32 bits."""

    def update_authorization(self, task: Task) -> Answer:
        answer = super().update_authorization(task)
        order = task.order
        order.lines = [{**one, "quantity": one["quantity"] % 2**32} for one in order.lines]
        return answer


@lie("ORD-FIX-2", "ORD-FIX-3", when="sequence")
class UpdateDescribesCapture(Fake):
    """The description of an authorization update becomes that of the last capture."""

    def update_authorization(self, task: Task) -> Answer:
        answer = super().update_authorization(task)
        for capture in task.order.captures[-1:]:
            capture.description = task.body.get("description") or capture.description
        return answer


# --- side effects -----------------------------------------------------------------------------------------


class _After(Fake):
    """Does something to the order after one operation."""

    op = ""

    def operate(self, task: Task) -> Answer:
        answer = super().operate(task)
        if task.op == self.op:
            self.after(task.order, task.body)
        return answer

    def after(self, order: Order, body: Json) -> None:
        """Leave the order alone."""


@lie("ORD-FIX-3", when="sequence")
class ReferencesClearLines(_After):
    """An update of the references removes the order lines."""

    op = "update_references"

    def after(self, order: Order, body: Json) -> None:
        order.lines = []


@lie("ORD-FIX-3", when="sequence")
class ShippingClearsReferences(_After):
    """Appending shipping info clears the second reference."""

    op = "append_order_shipping"

    def after(self, order: Order, body: Json) -> None:
        order.references = {**order.references, "merchant_reference2": ""}


@lie("ORD-FIX-3", when="sequence")
class AcknowledgeExtends(_After):
    """An acknowledgement moves the expiry."""

    op = "acknowledge"

    def after(self, order: Order, body: Json) -> None:
        order.expires += 86400


@lie("ORD-FIX-3", when="sequence")
class CancelClearsReferences(_After):
    """A cancellation clears the references."""

    op = "cancel"

    def after(self, order: Order, body: Json) -> None:
        order.references = {}


@lie("ORD-FIX-3", when="sequence")
class CaptureTakesLines(_After):
    """A capture with lines removes as many lines from the order."""

    op = "capture"

    def after(self, order: Order, body: Json) -> None:
        order.lines = order.lines[len(body.get("order_lines", [])) :]


@lie("ORD-FIX-3", when="sequence")
class RefundRewritesLines(_After):
    """A refund with lines replaces the lines of the order."""

    op = "refund"

    def after(self, order: Order, body: Json) -> None:
        order.lines = body.get("order_lines") or order.lines


@lie("ORD-FIX-3", when="sequence")
class ReleaseDropsShipping(_After):
    """A release removes the shipping info of the order."""

    op = "release"

    def after(self, order: Order, body: Json) -> None:
        order.shipping_info = []


@lie("ORD-FIX-3", when="sequence")
class ReleaseDropsLines(_After):
    """A release removes the order lines."""

    op = "release"

    def after(self, order: Order, body: Json) -> None:
        order.lines = []


@lie("ORD-FIX-3", when="sequence")
class ExtensionClearsReference(_After):
    """An extension clears the first reference."""

    op = "extend_authorization"

    def after(self, order: Order, body: Json) -> None:
        order.references = {**order.references, "merchant_reference1": ""}


@lie("ORD-FIX-3", when="sequence")
class CancelEmptiesOrder(Fake):
    """A cancelled order has an order amount of zero."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "order_amount": 0} if order.cancelled else view


@lie("ORD-FIX-3", when="sequence")
class AddressDropsShipping(_After):
    """An address update removes the shipping info of the order."""

    op = "update_customer"

    def after(self, order: Order, body: Json) -> None:
        order.shipping_info = []


@lie("ORD-FIX-3", when="sequence", needs=("pay-later",))
class DueDateMovesExpiry(_After):
    """Extending a due date moves the expiry of the authorization."""

    op = "extend_due_date"

    def after(self, order: Order, body: Json) -> None:
        order.expires += 86400


@lie("ORD-FIX-3", when="sequence")
class UpdateDropsReferences(_After):
    """An authorization update clears the references."""

    op = "update_authorization"

    def after(self, order: Order, body: Json) -> None:
        order.references = {}


@lie("ORD-FIX-3", when="sequence")
class RefundDropsShipping(_After):
    """A refund drops the shipping info of the captures."""

    op = "refund"

    def after(self, order: Order, body: Json) -> None:
        for capture in order.captures:
            capture.shipping_info = []


# --- leaks from order to order ----------------------------------------------------------------------------


@lie("ORD-FIX-3", "REF-1", "ORD-GET-2", when="sequence")
class SharedReferences(Fake):
    """An update of references writes them to every order."""

    def update_references(self, task: Task) -> Answer:
        answer = super().update_references(task)
        for order in self.orders.values():
            order.references = task.order.references
        return answer


@lie("ORD-FIX-3", "SHP-1", "ORD-GET-2", when="sequence")
class SharedShippingInfo(Fake):
    """All orders have one list of shipping info."""

    shared: list[Json]

    def append_order_shipping(self, task: Task) -> Answer:
        self.shared = [*self.__dict__.get("shared", []), *task.body["shipping_info"]]
        return self.done(task)

    def order_view(self, order: Order) -> Json:
        return {**super().order_view(order), "shipping_info": self.__dict__.get("shared", [])}


@lie("CAP-4", "CAP-1", "CAP-2", "CAP-3", "CAP-5", "ORD-SUM-3", "ORD-SUM-5", when="sequence")
class CaptureOfLatestOrder(Fake):
    """A capture is booked on the order made last."""

    def capture(self, task: Task) -> Any:
        latest = list(self.orders.values())[-1]
        answer = super().capture(task)
        if latest is not task.order:
            *task.order.captures, moved = task.order.captures
            latest.captures = [*latest.captures, moved]
        return answer


@lie("CAP-1", "CAP-4", when="sequence")
class SharedLimit(Fake):
    """What is captured of the order made before counts against the remaining amount of an order."""

    def may_capture(self, task: Task) -> None:
        super().may_capture(task)
        known = list(self.orders.values())
        at = known.index(task.order)
        before = self.captured(known[at - 1]) if at else 0
        if before and task.body["captured_amount"] + before > self.remaining(task.order):
            raise self.forbidden("CAPTURE_NOT_ALLOWED", "More than the remaining authorized amount.")


@lie("ORD-FIX-2", "ORD-GET-2", "CAP-6", "CAP-3", when="sequence")
class CapturedJustNow(Fake):
    """The time of a capture is that of its reading, to the second."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        stamp = datetime.fromtimestamp(int(self.now()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**super().capture_view(order, capture), "captured_at": stamp}


@lie("ORD-FIX-3", "ORD-GET-2", "GEN-ERR-4", "ORD-STA-2", "CAN-4", "CON-4", when="sequence")
class CancelsTheOneBefore(Fake):
    """A cancellation cancels the order that was made before, too."""

    def cancel(self, task: Task) -> Answer:
        orders = list(self.orders.values())
        position = orders.index(task.order)
        if position:
            orders[position - 1].cancelled = True
        return super().cancel(task)


@lie("GEN-ERR-4", "SHP-4", "SHP-1", "ORD-GET-2", "ORD-FIX-3", when="value")
class ParcelByParcel(Fake):
    """Of shipping info that is refused, the items before the one that is wrong are written."""

    def body_of(self, task: Task) -> Json:
        try:
            return super().body_of(task)
        except Refusal:
            self.write_until_wrong(task)
            raise

    def write_until_wrong(self, task: Task) -> None:
        body = self.parsed(task.call)
        items = body.get("shipping_info") if isinstance(body, dict) else None
        if task.op == "append_order_shipping" and isinstance(items, list):
            sound = itertools.takewhile(lambda item: not list(PARCEL.faults(item, "")), items)
            task.order.shipping_info = [*task.order.shipping_info, *sound]
