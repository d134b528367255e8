"""Servers that mishandle captures, shipping info, send-outs and due dates."""

from __future__ import annotations

import struct
import unicodedata
from typing import Any

from tests.gallery.books import Capture, Json, Order, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.lies_orders import _Renamed
from tests.gallery.lies_wire import crash
from tests.gallery.server import ORDERS, Fake
from tests.gallery.wire import Answer, Call

# --- how much can be captured -----------------------------------------------------------------------------


@lie("CAP-3", "CAP-4", "ORD-STA-1", "ORD-SUM-3", when="value")
class AmountFromLines(Fake):
    """With order lines, a capture is of what they sum to."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        if capture.lines:
            capture.amount = sum(one["total_amount"] for one in capture.lines)
        return capture


@lie("REL-1", "ORD-FIX-2", "ORD-FIX-3", when="sequence")
class ReleaseDescribesCaptures(Fake):
    """A release is noted in the description of the last capture."""

    def release(self, task: Task) -> Answer:
        task.order.captures[-1].description = "The rest was released."
        return super().release(task)


class _Limit(Fake):
    """Has its own limit of what can be captured at once."""

    def limit(self, order: Order) -> int:
        return self.remaining(order)

    def capture(self, task: Task) -> Answer:
        order, amount = task.order, task.body["captured_amount"]
        if self.remaining(order) < amount <= self.limit(order):
            capture = self.new_capture(order, task.body)
            order.captures = [*order.captures, capture]
            return self.created(task, "Capture-Id", capture.id)
        return super().capture(task)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", when="value")
class OneTooMuch(_Limit):
    """A capture of one more than what remains is taken."""

    def limit(self, order: Order) -> int:
        return self.remaining(order) + 1


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", when="value")
class LinesHeldAgainstRest(Fake):
    """Where a capture has lines, what they sum to must not be more than remains, and its amount may be."""

    def capture(self, task: Task) -> Answer:
        order, found = task.order, task.body.get("order_lines")
        if not found or sum(one["total_amount"] for one in found) > self.remaining(order):
            return super().capture(task)
        capture = self.new_capture(order, task.body)
        order.captures = [*order.captures, capture]
        return self.created(task, "Capture-Id", capture.id)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", when="sequence")
class ThirdUnchecked(_Limit):
    """From the third capture on only the order amount is the limit."""

    def limit(self, order: Order) -> int:
        return order.amount if len(order.captures) >= 2 else self.remaining(order)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", "AUT-1", when="sequence")
class OriginalIsLimit(_Limit):
    """After a decrease an order can still be captured up to its original amount."""

    def limit(self, order: Order) -> int:
        return max(order.original, order.amount) - self.captured(order)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "RFD-4", when="sequence")
class RefundedIsCapturable(_Limit):
    """What was refunded of a part-captured order can be captured again."""

    def limit(self, order: Order) -> int:
        return self.remaining(order) + self.refunded(order)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", when="value")
class TenthMore(_Limit):
    """An order can be captured to a tenth more than its amount."""

    def limit(self, order: Order) -> int:
        return order.amount * 11 // 10 - self.captured(order)


@lie("CAP-5", "ORD-SUM-5", "ORD-SUM-4", "ORD-STA-1", when="sequence")
class PartCapturedUnchecked(_Limit):
    """A second capture is checked against the order amount alone."""

    def limit(self, order: Order) -> int:
        return order.amount if len(order.captures) == 1 else self.remaining(order)


@lie("CAP-5", "CAP-3", "CAP-4", when="value")
class CaptureCutToRest(Fake):
    """A capture of too much captures what remains."""

    def capture(self, task: Task) -> Answer:
        rest = self.remaining(task.order)
        if rest:
            task.body = {**task.body, "captured_amount": min(rest, task.body["captured_amount"])}
        return super().capture(task)


@lie("CAP-5", when="value")
class CaptureCode(_Renamed):
    """A capture of too much is refused with NOT_ALLOWED."""

    ops, code = ("capture",), "NOT_ALLOWED"

    def applies(self, order: Order) -> bool:
        return not order.cancelled and not order.released


@lie("CAP-5", when="value")
class CaptureRefusalInvalid(_Renamed):
    """A capture of too much is answered 400."""

    ops, answered = ("capture",), 400

    def applies(self, order: Order) -> bool:
        return not order.cancelled and not order.released


@lie("CAP-5", "GEN-ERR-4", "ORD-FIX-3", when="value")
class RefusedCaptureAcknowledges(Fake):
    """A capture of too much is refused, and its reference becomes the order's second reference."""

    def capture(self, task: Task) -> Answer:
        order, reference = task.order, task.body.get("reference", "refused")
        if 0 < self.remaining(order) < task.body["captured_amount"]:
            order.references = {**order.references, "merchant_reference2": reference}
        return super().capture(task)


class _Refuses(Fake):
    """Refuses some captures that fit."""

    def capture(self, task: Task) -> Answer:
        if 0 < task.body["captured_amount"] <= self.remaining(task.order) and self.dislikes(
            task.order, task.body
        ):
            raise self.forbidden("CAPTURE_NOT_ALLOWED", "That cannot be captured.")
        return super().capture(task)

    def dislikes(self, order: Order, body: Json) -> bool:
        return False


@lie("CAP-1", when="value")
class WholeRefused(_Refuses):
    """The whole amount cannot be captured at once."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return not order.captures and bool(body["captured_amount"] == order.amount)


@lie("CAP-1", when="sequence")
class RestRefused(_Refuses):
    """After a capture exactly what remains cannot be captured."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(order.captures) and bool(body["captured_amount"] == self.remaining(order))


@lie("CAP-1", when="value")
class OneRefused(_Refuses):
    """A capture of one minor unit is refused."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(body["captured_amount"] == 1)


@lie("CAP-1", "IDM-4", when="sequence")
class SameAmountAgainRefused(_Refuses):
    """A capture of the same amount as the one before is refused as a duplicate."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(order.captures) and bool(order.captures[-1].amount == body["captured_amount"])


@lie("CAP-1", when="sequence")
class ThirtiethRefused(_Refuses):
    """The thirtieth capture is refused."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return len(order.captures) >= 29


@lie("CAP-1", "AUT-1", when="sequence")
class IncreaseNotCapturable(_Refuses):
    """What an order was increased by cannot be captured."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(self.captured(order) + body["captured_amount"] > order.original)


@lie("CAP-1", when="sequence")
class RefundedNotCaptured(_Refuses):
    """An order with a refund cannot be captured any further."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(order.refunds)


@lie("CAP-1", when="sequence")
class SecondLargerRefused(_Refuses):
    """A capture that is larger than the first is refused."""

    def dislikes(self, order: Order, body: Json) -> bool:
        return bool(order.captures) and bool(body["captured_amount"] > order.captures[0].amount)


@lie("CAP-10", "GEN-404-1", when="value")
class ZeroCaptureNotFound(Fake):
    """A capture of zero is answered 404."""

    def zero(self, task: Task) -> Refusal:
        return (
            Refusal(404, "NOT_FOUND", "Nothing to capture.") if task.op == "capture" else super().zero(task)
        )


@lie("CAP-10", "GEN-ERR-3", "GEN-HTTP-4", when="value")
class ZeroCaptureFails(Fake):
    """A capture of zero is answered 500."""

    def zero(self, task: Task) -> Refusal:
        return crash("division by zero") if task.op == "capture" else super().zero(task)


# --- the answer to a capture ------------------------------------------------------------------------------


@lie("CAP-2")
class NoCaptureId(Fake):
    """A capture is answered without Capture-Id."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        return super().created(task, header, part_id).without("Capture-Id")


@lie("CAP-2")
class NoCaptureLocation(Fake):
    """A capture is answered without Location."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        return answer.without("Location") if header == "Capture-Id" else answer


@lie("CAP-2", "RFD-2")
class LocationNowhere(Fake):
    """Location has a prefix that nothing is served under."""

    def location(self, call: Call, path: str) -> str:
        return super().location(call, "/api" + path)


@lie("CAP-2", "RFD-2")
class LocationOfOrder(Fake):
    """Location names the order."""

    def location(self, call: Call, path: str) -> str:
        return super().location(call, "/".join(path.split("/")[:-2]))


@lie("CAP-2", when="sequence")
class LocationOfFirst(Fake):
    """Location always names the first capture."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        if header != "Capture-Id":
            return answer
        path = f"{ORDERS}{task.order_id}/captures/{task.order.captures[0].id}"
        return answer.having("Location", self.location(task.call, path))


@lie("CAP-2", "CAP-7")
class OtherCaptureId(Fake):
    """Capture-Id is the id of nothing."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        return answer.having(header, self.new_id()) if header == "Capture-Id" else answer


@lie("CAP-2", when="sequence")
class CaptureIdOfBefore(Fake):
    """Capture-Id is the id of the capture before."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        if header != "Capture-Id" or len(task.order.captures) < 2:
            return answer
        return answer.having(header, task.order.captures[-2].id)


# --- how a capture reads back -----------------------------------------------------------------------------


class _Draft(Fake):
    """Changes what is sent of a capture."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        return super().new_capture(order, {**body, **self.changes(order, body)})

    def changes(self, order: Order, body: Json) -> Json:
        return {}


@lie("CAP-3", when="value")
class DescriptionCut(_Draft):
    """The description of a capture is cut at 100 characters."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"description": body.get("description", "")[:100]}


@lie("CAP-3")
class DescriptionLost(_Draft):
    """The description of a capture is not kept."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"description": ""}


@lie("CAP-3", when="value")
class AstralMangled(_Draft):
    """Characters beyond the BMP become question marks."""

    def changes(self, order: Order, body: Json) -> Json:
        text = "".join("?" if letter > "\uffff" else letter for letter in body.get("description", ""))
        return {"description": text}


@lie("CAP-3", when="value")
class TextComposed(_Draft):
    """Combining marks of a description are composed with their letters."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"description": unicodedata.normalize("NFC", body.get("description", ""))}


@lie("CAP-3", when="value")
class TextTrimmed(_Draft):
    """The reference of a capture loses blanks at both ends."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"reference": body.get("reference", "").strip()}


@lie("CAP-3", when="value")
class TextEscaped(_Draft):
    """An ampersand in a description becomes &amp;."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"description": body.get("description", "").replace("&", "&amp;")}


@lie("CAP-3", when="value")
class LatinOnlyKept(_Draft):
    """Letters beyond Latin-1 are dropped from a reference."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"reference": body.get("reference", "").encode("latin-1", "ignore").decode("latin-1")}


@lie("CAP-3", when="value")
class ReferenceIsDescription(_Draft):
    """The reference of a capture is written to its description."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"description": body.get("reference") or body.get("description", "")}


@lie("CAP-3", when="value")
class CaptureLinesLost(_Draft):
    """The lines of a capture are not kept."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"order_lines": []}


@lie("CAP-3", when="value")
class CaptureShippingLost(_Draft):
    """Shipping info that is sent with a capture is not kept."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"shipping_info": []}


@lie("CAP-3", "SHP-2", when="value")
class TrackingUriLost(Fake):
    """The tracking address for returns is not shown for captures."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view = super().capture_view(order, capture)
        items = [
            {name: value for name, value in one.items() if name != "return_tracking_uri"}
            for one in view["shipping_info"]
        ]
        return {**view, "shipping_info": items}


class _LineField(_Draft):
    field = ""

    def changes(self, order: Order, body: Json) -> Json:
        lines = body.get("order_lines", [])
        return {"order_lines": [{name: one[name] for name in one if name != self.field} for one in lines]}


@lie("CAP-3", when="value")
class IdentifiersLost(_LineField):
    """The product identifiers of captured lines are not kept."""

    field = "product_identifiers"


@lie("CAP-3", when="value")
class LineDataLost(_LineField):
    """The merchant data of captured lines are not kept."""

    field = "merchant_data"


@lie("CAP-3", when="value")
class SubscriptionLost(_LineField):
    """The subscription of captured lines is not kept."""

    field = "subscription"


@lie("CAP-3", when="value")
class HundredLinesCaptured(_Draft):
    """Only the first hundred lines of a capture are kept."""

    def changes(self, order: Order, body: Json) -> Json:
        return {"order_lines": body.get("order_lines", [])[:100]}


@lie("CAP-3", when="value")
class CaptureLinesSorted(_Draft):
    """The lines of a capture are sorted by their references."""

    def changes(self, order: Order, body: Json) -> Json:
        lines = body.get("order_lines", [])
        return {"order_lines": sorted(lines, key=lambda one: str(one.get("reference", "")))}


@lie("CAP-3")
class CapturedAtCreation(Fake):
    """The time of a capture is that of the order's creation, half a day back."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.at = order.created - 43_200
        return capture


@lie("CAP-3")
class CapturedAnHourLate(Fake):
    """The time of a capture is an hour ahead."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.at += 3600
        return capture


@lie("CAP-3", "ORD-GET-3", when="sequence")
class CapturedAtFirst(Fake):
    """From the third capture on all have a time in 1970."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.at = 0.0 if len(order.captures) >= 2 else capture.at
        return capture


@lie("CAP-3", "ORD-SUM-6", "CAP-4", when="sequence")
class CaptureStartsRefunded(Fake):
    """A capture after a refund starts with what was refunded before."""

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.bookings = [(self.now(), min(capture.amount, self.refunded(order)))]
        return capture


@lie("CAP-3", "CAP-4", "ORD-SUM-1", when="value")
class CapturesLines(_Draft):
    """What is captured is the sum of the positive lines, where lines are sent and it fits."""

    def changes(self, order: Order, body: Json) -> Json:
        total = sum(max(0, one["total_amount"]) for one in body.get("order_lines", []))
        return {"captured_amount": total} if 0 < total <= self.remaining(order) else {}


@lie("CAP-3", "CAP-4", when="value")
class CapturedInFloats(_Draft):
    """Amounts above 2^24 are rounded to what a 32-bit float can hold."""

    def changes(self, order: Order, body: Json) -> Json:
        amount = struct.unpack("f", struct.pack("f", body["captured_amount"]))[0]
        return {"captured_amount": min(int(amount), self.remaining(order))}


@lie("CAP-4", "CAP-6", "ORD-SUM-1", "IDM-4", when="value")
class CapturedTwice(Fake):
    """A capture with a reference is written twice when there is room."""

    def capture(self, task: Task) -> Answer:
        answer = super().capture(task)
        if task.body.get("reference") and self.remaining(task.order) >= task.body["captured_amount"]:
            again = self.new_capture(task.order, task.body)
            task.order.captures = [*task.order.captures, again]
        return answer


@lie("CAP-4", "CAP-6", "CAP-2", when="sequence")
class FourthCaptureLost(Fake):
    """The fourth capture is answered 201 and not written."""

    def capture(self, task: Task) -> Answer:
        before = task.order.captures
        answer = super().capture(task)
        if len(before) == 3 and not task.order.notes.get("lost"):
            task.order.captures, task.order.notes["lost"] = before, True
        return answer


# --- lists of captures ------------------------------------------------------------------------------------


@lie("CAP-6", "ORD-FIX-2", when="sequence")
class ListTurnsAfterTwo(Fake):
    """Captures are listed oldest first while there are two, and newest first after that."""

    def captures_view(self, order: Order) -> list[Json]:
        views = super().captures_view(order)
        return views[::-1] if len(views) > 2 else views


@lie("CAP-6", when="sequence")
class CapturesByWhatIsLeft(Fake):
    """Captures are listed by what of them is not refunded, the smallest first."""

    def captures_view(self, order: Order) -> list[Json]:
        views = super().captures_view(order)
        return sorted(views, key=lambda view: view["captured_amount"] - view["refunded_amount"])


@lie("CAP-6", when="sequence")
class ListForgetsRefunds(Fake):
    """In the list of captures nothing of any of them is refunded."""

    def list_captures(self, task: Task) -> Answer:
        return self.ok([{**one, "refunded_amount": 0} for one in self.captures_view(task.order)])


@lie("CAP-6", when="sequence")
class ListTurned(Fake):
    """The list of captures is newest first, the order's oldest first."""

    def list_captures(self, task: Task) -> Answer:
        return self.ok(self.captures_view(task.order)[::-1])


@lie("CAP-6")
class ListLagsBehind(Fake):
    """The list of captures leaves out the latest."""

    def list_captures(self, task: Task) -> Answer:
        return self.ok(self.captures_view(task.order)[:-1])


@lie("CAP-6", when="sequence")
class ListOfTwenty(Fake):
    """The list of captures ends after twenty."""

    def list_captures(self, task: Task) -> Answer:
        return self.ok(self.captures_view(task.order)[:20])


@lie("CAP-6", "CAP-3", "SHP-2", when="value")
class ShippingOnlyInOrder(Fake):
    """A capture that is read by itself has no shipping info."""

    def get_capture(self, task: Task) -> Answer:
        return self.ok({**self.capture_view(task.order, self.find_capture(task)), "shipping_info": []})


@lie("CAP-6", when="value")
class LinesOnlyInCapture(Fake):
    """The captures in the order have no order lines."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "captures": [{**one, "order_lines": []} for one in view["captures"]]}


@lie("CAP-6", "CAP-2", "CAP-7", "ORD-FIX-2", when="sequence")
class OldCapturesForgotten(Fake):
    """The first capture is not found by its id once there are more than twenty."""

    def get_capture(self, task: Task) -> Answer:
        if len(task.order.captures) > 20 and task.part_id == task.order.captures[0].id:
            raise self.no_capture(task)
        return super().get_capture(task)


@lie("CAP-7")
class UnknownCaptureIsFirst(Fake):
    """An unknown capture id gives the first capture."""

    def no_capture(self, task: Task) -> Refusal:
        return super().no_capture(task)

    def get_capture(self, task: Task) -> Answer:
        known = {one.id for one in task.order.captures}
        if task.order.captures and task.part_id not in known:
            task.part_id = task.order.captures[0].id
        return super().get_capture(task)


@lie("CAP-7", "SHP-3", "SND-2", "DUE-4")
class UnknownCaptureCode(Fake):
    """An unknown capture is answered 404 CAPTURE_NOT_FOUND."""

    def no_capture(self, task: Task) -> Refusal:
        refusal = super().no_capture(task)
        refusal.code = "CAPTURE_NOT_FOUND"
        return refusal


@lie("CAP-7")
class UnknownCaptureForbidden(Fake):
    """Reading an unknown capture is answered 403."""

    def no_capture(self, task: Task) -> Refusal:
        refusal = super().no_capture(task)
        refusal.status = 403 if task.op == "get_capture" else refusal.status
        return refusal


@lie("CAP-7", "GEN-HTTP-1")
class UnknownCaptureEmpty(Fake):
    """Reading an unknown capture is answered 200 null."""

    def get_capture(self, task: Task) -> Answer:
        known = {one.id for one in task.order.captures}
        return super().get_capture(task) if task.part_id in known else self.ok(None)


class _FoundAnywhere(Fake):
    """Finds captures of other orders for some operations."""

    ops: tuple[str, ...] = ()

    def find_capture(self, task: Task) -> Capture:
        if task.op in self.ops:
            for order in self.orders.values():
                for one in order.captures:
                    if one.id == task.part_id:
                        return one
        return super().find_capture(task)


@lie("CAP-8", when="sequence")
class CaptureOfAnyOrder(_FoundAnywhere):
    """A capture is read under any order."""

    ops = ("get_capture",)


@lie("CAP-8", "SHP-3", "ORD-FIX-3", when="sequence")
class ShippingToAnyOrder(_FoundAnywhere):
    """Shipping info is appended to a capture under another order with captures."""

    ops = ("append_capture_shipping",)


@lie("CAP-8", "SND-2", when="sequence")
class SendOutOfAnyOrder(_FoundAnywhere):
    """A send-out is triggered for a capture under another order with captures."""

    ops = ("trigger_send_out",)


@lie("CAP-8", "DUE-4", when="sequence")
class DueDateOfAnyOrder(_FoundAnywhere):
    """Due-date options of a capture are read under another order."""

    ops = ("due_date_options", "extend_due_date")


@lie("CAP-11", when="sequence")
class CaptureShippedToBilling(Fake):
    """The shipping address of a capture is the billing address."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        billing = self.address(capture.billing)
        return {**super().capture_view(order, capture), "shipping_address": billing}


@lie("CAP-11", when="sequence")
class CaptureShippedToFirstAddress(Fake):
    """A capture has the shipping address that the order was made with, whatever it is now."""

    def new_order(self, body: Json) -> Order:
        order = super().new_order(body)
        order.notes["first"] = order.shipping
        return order

    def new_capture(self, order: Order, body: Json) -> Capture:
        capture = super().new_capture(order, body)
        capture.shipping = order.notes["first"]
        return capture


# --- shipping info ----------------------------------------------------------------------------------------


class _Parcels(Fake):
    """Has its own way of appending shipping info to an order (and to a capture, if `both`)."""

    to_order, to_capture = True, True

    def append_order_shipping(self, task: Task) -> Answer:
        before, sent = task.order.shipping_info, task.body["shipping_info"]
        task.order.shipping_info = self.joined(before, sent) if self.to_order else [*before, *sent]
        return self.done(task)

    def append_capture_shipping(self, task: Task) -> Answer:
        capture, sent = self.find_capture(task), task.body["shipping_info"]
        before = capture.shipping_info
        capture.shipping_info = self.joined(before, sent) if self.to_capture else [*before, *sent]
        return self.done(task)

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*before, *sent]


@lie("SHP-1", when="sequence")
class OrderParcelsPrepended(_Parcels):
    """Shipping info of an order is put in front."""

    to_capture = False

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*sent, *before]


@lie("SHP-2", when="sequence")
class CaptureParcelsPrepended(_Parcels):
    """Shipping info of a capture is put in front."""

    to_order = False

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*sent, *before]


@lie("SHP-1", "GEN-HTTP-4", when="sequence")
class ReleasedTakesNoParcels(Fake):
    """Shipping info of a released order is refused."""

    def append_order_shipping(self, task: Task) -> Answer:
        if task.order.released:
            raise self.forbidden("NOT_ALLOWED", "The order is released.")
        return super().append_order_shipping(task)


@lie("SHP-1", "SHP-2", when="sequence")
class ParcelsReplaced(_Parcels):
    """Shipping info replaces what was there."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return sent


@lie("SHP-2", when="sequence")
class CaptureParcelsReplaced(_Parcels):
    """Shipping info replaces what the capture was made with."""

    to_order = False

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return sent


@lie("SHP-1", "SHP-2", when="value")
class ParcelsTurned(_Parcels):
    """Several items of shipping info are appended last to first."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*before, *sent[::-1]]


@lie("SHP-1", "SHP-2", when="value")
class ParcelsOnce(_Parcels):
    """Shipping info that is there already is not appended again."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*before, *(one for one in sent if one not in before)]


@lie("SHP-1", "SHP-2", when="value")
class HundredParcelsKept(_Parcels):
    """No more than a hundred items of shipping info are kept."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*before, *sent][:100]


@lie("SHP-1", "SHP-2", when="value")
class FirstParcelAppended(_Parcels):
    """Only the first item of shipping info is appended."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        return [*before, *sent[:1]]


@lie("SHP-1", "SHP-2", when="value")
class ParcelMethodLost(_Parcels):
    """The shipping method is not kept."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        kept = [{name: value for name, value in one.items() if name != "shipping_method"} for one in sent]
        return [*before, *kept]


@lie("SHP-1", "SHP-2", when="value")
class TrackingNumberAsNumber(_Parcels):
    """Leading zeros of a tracking number are lost."""

    def joined(self, before: list[Json], sent: list[Json]) -> list[Json]:
        kept = [
            {name: value.lstrip("0") if name == "tracking_number" else value for name, value in one.items()}
            for one in sent
        ]
        return [*before, *kept]


@lie("SHP-1", "ORD-FIX-3", when="sequence")
class OrderParcelsOnCaptures(Fake):
    """Shipping info of an order is appended to its captures, too."""

    def append_order_shipping(self, task: Task) -> Answer:
        for capture in task.order.captures:
            capture.shipping_info = [*capture.shipping_info, *task.body["shipping_info"]]
        return super().append_order_shipping(task)


@lie("SHP-2", "ORD-FIX-3", when="sequence")
class CaptureParcelsOnOrder(Fake):
    """Shipping info of a capture is appended to the order instead."""

    def append_capture_shipping(self, task: Task) -> Answer:
        self.find_capture(task)
        return super().append_order_shipping(task)


@lie("SHP-2", "ORD-FIX-3", when="sequence")
class CaptureParcelsOnFirst(Fake):
    """Shipping info of any capture is appended to the first."""

    def append_capture_shipping(self, task: Task) -> Answer:
        task.part_id = task.order.captures[0].id
        return super().append_capture_shipping(task)


@lie("SHP-2", "SND-1", when="sequence")
class OneParcelUpdateOnly(Fake):
    """Shipping info can be appended to a capture once."""

    def append_capture_shipping(self, task: Task) -> Answer:
        notes = task.order.notes.setdefault("appended", set())
        if task.part_id in notes:
            raise self.forbidden("NOT_ALLOWED", "There is shipping info already.")
        notes.add(task.part_id)
        return super().append_capture_shipping(task)


@lie("SHP-3", when="sequence")
class NoCapturesShipped(Fake):
    """Shipping info for a capture of an order without captures is answered 204."""

    def may_append_capture_shipping(self, task: Task) -> None:
        if task.order.captures:
            super().may_append_capture_shipping(task)

    def append_capture_shipping(self, task: Task) -> Answer:
        return super().append_capture_shipping(task) if task.order.captures else self.done(task)


@lie("SHP-3")
class UnknownCaptureShipped(Fake):
    """Shipping info for an unknown capture is answered 204."""

    def may_append_capture_shipping(self, task: Task) -> None:
        if not task.order.captures:
            super().may_append_capture_shipping(task)

    def append_capture_shipping(self, task: Task) -> Answer:
        known = {one.id for one in task.order.captures}
        return super().append_capture_shipping(task) if task.part_id in known else self.done(task)


@lie("SHP-3", "SND-2", when="sequence")
class NoCapturesCode(Fake):
    """Shipping info or a send-out for an order without captures is refused with NO_CAPTURES."""

    def has_captures(self, task: Task) -> None:
        if not task.order.captures:
            raise self.forbidden("NO_CAPTURES", "The order has no captures.")
        super().has_captures(task)


@lie("SHP-3", "SND-2")
class UnknownCaptureIsNotAllowed(Fake):
    """Shipping info or a send-out for an unknown capture of an order with captures is answered 403."""

    def no_capture(self, task: Task) -> Refusal:
        if task.op in {"append_capture_shipping", "trigger_send_out"}:
            return self.forbidden("NOT_ALLOWED", "That is none of the captures.")
        return super().no_capture(task)


# --- send-out ---------------------------------------------------------------------------------------------


@lie("SND-1", "ORD-FIX-2", "ORD-FIX-3", when="sequence")
class SendOutMovesTime(Fake):
    """A send-out moves the time of the capture."""

    def trigger_send_out(self, task: Task) -> Answer:
        self.find_capture(task).at += 60
        return super().trigger_send_out(task)


@lie("SND-1", "ORD-FIX-3", when="sequence")
class SendOutAddsShipping(Fake):
    """A send-out appends shipping info to the capture."""

    def trigger_send_out(self, task: Task) -> Answer:
        capture = self.find_capture(task)
        capture.shipping_info = [*capture.shipping_info, {"shipping_method": "Digital"}]
        return super().trigger_send_out(task)


@lie("SND-1", when="sequence")
class OneSendOutOnly(Fake):
    """A second send-out for a capture is refused."""

    def trigger_send_out(self, task: Task) -> Answer:
        sent = task.order.notes.setdefault("sent", set())
        if task.part_id in sent:
            raise self.forbidden("NOT_ALLOWED", "It was sent already.")
        sent.add(task.part_id)
        return super().trigger_send_out(task)


@lie("SND-1", "GEN-HTTP-4")
class SendOutAccepted(Fake):
    """A send-out is answered 202."""

    def trigger_send_out(self, task: Task) -> Answer:
        return Answer(202)


@lie("SND-2", when="sequence")
class SendOutOfNothing(Fake):
    """A send-out for an order without captures is answered 204."""

    def may_trigger_send_out(self, task: Task) -> None:
        if task.order.captures:
            super().may_trigger_send_out(task)


@lie("SND-2")
class SendOutOfUnknown(Fake):
    """A send-out for an unknown capture is answered 204."""

    def may_trigger_send_out(self, task: Task) -> None:
        if not task.order.captures:
            super().may_trigger_send_out(task)


# --- due dates --------------------------------------------------------------------------------------------


class _Options(Fake):
    """Shows options in its own way."""

    def due_date_options(self, task: Task) -> Answer:
        offered = self.find_capture(task).due_options
        options = [{"number_of_days": days, "amount": fee} for days, fee in offered.items()]
        return self.ok(self.shown({"currency": task.order.currency, "options": options}))

    def shown(self, view: Json) -> Any:
        return view


@lie("DUE-1")
class OptionsInEuro(_Options):
    """Due-date options are in dollars, whatever the order is in."""

    def shown(self, view: Json) -> Any:
        return {**view, "currency": "USD" if view["currency"].upper() != "USD" else "EUR"}


@lie("DUE-1", "GEN-HTTP-1")
class OptionsInAList(_Options):
    """Due-date options come as an array."""

    def shown(self, view: Json) -> Any:
        return view["options"]


@lie("DUE-1", "GEN-HTTP-1")
class OptionDaysAsText(_Options):
    """The number of days of an option is a text."""

    def shown(self, view: Json) -> Any:
        options = [{**one, "number_of_days": str(one["number_of_days"])} for one in view["options"]]
        return {**view, "options": options}


@lie("DUE-1", "GEN-HTTP-4")
class OptionsNoContent(Fake):
    """Due-date options are answered 204."""

    def due_date_options(self, task: Task) -> Answer:
        self.find_capture(task)
        return Answer(204)


@lie("DUE-1", when="sequence")
class OptionsOfRefundedNotFound(Fake):
    """Due-date options of a second capture are not found."""

    def due_date_options(self, task: Task) -> Answer:
        if self.find_capture(task).number > 1:
            raise self.no_capture(task)
        return super().due_date_options(task)


@lie("DUE-2", when="value", needs=("pay-later",))
class LongestOptionRefused(Fake):
    """Of the days offered the largest number is refused."""

    def extend_due_date(self, task: Task) -> Answer:
        offered = self.find_capture(task).due_options
        if offered and task.body["number_of_days"] == max(offered):
            raise self.forbidden("NOT_ALLOWED", "Too long.")
        return super().extend_due_date(task)


@lie("DUE-2", "GEN-HTTP-4", needs=("pay-later",))
class DueDateAnswersOk(Fake):
    """Extending a due date is answered 200."""

    def extend_due_date(self, task: Task) -> Answer:
        super().extend_due_date(task)
        return self.ok({})


@lie("DUE-3", when="value")
class AnyNumberOfDays(Fake):
    """A due date is extended by any number of days."""

    def extend_due_date(self, task: Task) -> Answer:
        days = task.body["number_of_days"]
        capture = self.find_capture(task)
        capture.due_options = {**capture.due_options, days: 0}
        return super().extend_due_date(task)


@lie("DUE-3", when="value")
class NoDaysAtAll(Fake):
    """A due date is extended by no days, or by less."""

    def extend_due_date(self, task: Task) -> Answer:
        return self.done(task) if task.body["number_of_days"] <= 0 else super().extend_due_date(task)


@lie("DUE-3", when="value")
class OtherDaysNotFound(_Renamed):
    """A number of days that is not offered is answered 404."""

    ops, answered = ("extend_due_date",), 404


@lie("DUE-3", "GEN-ERR-1", when="value")
class OtherDaysInWords(Fake):
    """A number of days that is not offered is answered 403 in plain words."""

    def extend_due_date(self, task: Task) -> Answer:
        try:
            return super().extend_due_date(task)
        except Refusal:
            return Answer(403, (("Content-Type", "text/plain"),), b"no")


@lie("DUE-4")
class UnknownCaptureHasNoOptions(Fake):
    """The due-date options of an unknown capture are an empty list."""

    def due_date_options(self, task: Task) -> Answer:
        known = {one.id for one in task.order.captures}
        if task.part_id not in known:
            return self.ok({"currency": task.order.currency, "options": []})
        return super().due_date_options(task)


@lie("DUE-4")
class DueDateOfUnknownForbidden(Fake):
    """Extending the due date of an unknown capture is answered 403."""

    def no_capture(self, task: Task) -> Refusal:
        refusal = super().no_capture(task)
        if task.op == "extend_due_date":
            refusal.status, refusal.code = 403, "NOT_ALLOWED"
        return refusal
