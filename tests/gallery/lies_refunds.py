"""Servers that mishandle refunds."""

from __future__ import annotations

from tests.gallery.books import Json, Order, Refund, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.lies_orders import _Renamed
from tests.gallery.lies_wire import crash
from tests.gallery.server import ORDERS, Fake
from tests.gallery.wire import Answer


class _Limit(Fake):
    """Has its own limit of what can be refunded at once."""

    def limit(self, order: Order) -> int:
        return self.captured(order) - self.refunded(order)

    def refund(self, task: Task) -> Answer:
        order, amount = task.order, task.body["refunded_amount"]
        if self.captured(order) - self.refunded(order) < amount <= self.limit(order):
            refund = self.new_refund(task.body)
            self.book(order, amount)
            order.refunds = [*order.refunds, refund]
            return self.created(task, "Refund-Id", refund.id)
        return super().refund(task)


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="value")
class OneTooMuchBack(_Limit):
    """A refund of one more than what is left is taken."""

    def limit(self, order: Order) -> int:
        return super().limit(order) + 1


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="sequence")
class RefundsNotCounted(_Limit):
    """Each refund is checked against all that was captured, refunds before it left aside."""

    def limit(self, order: Order) -> int:
        return self.captured(order)


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="sequence")
class ThirdRefundUnchecked(_Limit):
    """From the third refund on only the captured amount is the limit."""

    def limit(self, order: Order) -> int:
        return self.captured(order) if len(order.refunds) >= 2 else super().limit(order)


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="sequence")
class OrderAmountIsLimit(_Limit):
    """A part-captured order can be refunded up to its order amount."""

    def limit(self, order: Order) -> int:
        return order.amount - self.refunded(order)


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="sequence")
class LatestCaptureAlwaysOpen(_Limit):
    """The amount of the latest capture can always be refunded."""

    def limit(self, order: Order) -> int:
        return order.captures[-1].amount


@lie("RFD-5", "ORD-SUM-5", "ORD-SUM-6", when="value")
class RefundWithLinesUnchecked(_Limit):
    """A refund with lines is taken, whatever is left."""

    def refund(self, task: Task) -> Answer:
        self.lines = bool(task.body.get("order_lines"))
        return super().refund(task)

    def limit(self, order: Order) -> int:
        return order.amount if self.lines else super().limit(order)


@lie("RFD-5", "RFD-3", "RFD-4", when="value")
class RefundCutToRest(Fake):
    """A refund of too much refunds what is left."""

    def refund(self, task: Task) -> Answer:
        left = self.captured(task.order) - self.refunded(task.order)
        if left:
            task.body = {**task.body, "refunded_amount": min(left, task.body["refunded_amount"])}
        return super().refund(task)


@lie("RFD-5", "RFD-6", when="value")
class RefundCode(_Renamed):
    """A refused refund says NOT_ALLOWED."""

    ops, code = ("refund",), "NOT_ALLOWED"


@lie("RFD-5", when="value")
class RefundRefusalInvalid(_Renamed):
    """A refund of too much is answered 400."""

    ops, answered = ("refund",), 400

    def applies(self, order: Order) -> bool:
        return bool(order.captures)


class _Refuses(Fake):
    """Refuses some refunds that fit."""

    def refund(self, task: Task) -> Answer:
        order, amount = task.order, task.body["refunded_amount"]
        if 0 < amount <= self.captured(order) - self.refunded(order) and self.dislikes(order, amount):
            raise self.forbidden("REFUND_NOT_ALLOWED", "That cannot be refunded.")
        return super().refund(task)

    def dislikes(self, order: Order, amount: int) -> bool:
        return False


@lie("RFD-1", "IDM-4", when="sequence")
class OneRefundOnly(_Refuses):
    """An order can be refunded once."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return bool(order.refunds)


@lie("RFD-1", when="value")
class WholeRefundRefused(_Refuses):
    """What was captured cannot be refunded whole at once."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return not order.refunds and amount == self.captured(order)


@lie("RFD-1", when="sequence")
class RestRefundRefused(_Refuses):
    """After a refund exactly what is left cannot be refunded."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return bool(order.refunds) and amount == self.captured(order) - self.refunded(order)


@lie("RFD-1", when="sequence")
class LimitPerCapture(_Refuses):
    """A refund cannot be larger than what is left of one capture."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return amount > max(one.amount - one.refunded for one in order.captures)


@lie("RFD-1", when="sequence")
class FirstCaptureOnlyRefunded(_Refuses):
    """Only what the first capture took can be refunded."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return self.refunded(order) + amount > order.captures[0].amount


@lie("RFD-1", when="sequence")
class PartCapturedNotRefunded(_Refuses):
    """An order that is not fully captured cannot be refunded."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return not self.fully_captured(order)


@lie("RFD-1", "IDM-4", when="sequence")
class SameRefundRefused(_Refuses):
    """A refund of the same amount as the one before is refused as a duplicate."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return bool(order.refunds) and order.refunds[-1].amount == amount


@lie("RFD-1", when="sequence")
class ThirtiethRefundRefused(_Refuses):
    """The thirtieth refund is refused."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return len(order.refunds) >= 29


@lie("RFD-1", when="sequence")
class DecreasedNotRefunded(_Refuses):
    """An order that was decreased to what is captured cannot be refunded."""

    def dislikes(self, order: Order, amount: int) -> bool:
        return order.amount < order.original and self.fully_captured(order)


@lie("RFD-6", "ORD-SUM-5", when="sequence")
class UncapturedIsRefunded(Fake):
    """An order without captures can be refunded up to its amount."""

    def may_refund(self, task: Task) -> None:
        if task.order.cancelled:
            super().may_refund(task)

    def refund(self, task: Task) -> Answer:
        order, amount = task.order, task.body["refunded_amount"]
        if not order.captures and 0 < amount <= order.amount - self.refunded(order):
            refund = self.new_refund(task.body)
            order.refunds = [*order.refunds, refund]
            return self.created(task, "Refund-Id", refund.id)
        return super().refund(task)


@lie("RFD-6", when="sequence")
class UncapturedNotFound(_Renamed):
    """A refund of an order without captures is answered 404."""

    ops, answered = ("refund",), 404

    def applies(self, order: Order) -> bool:
        return not order.captures and not order.cancelled


@lie("RFD-6", when="sequence")
class UncapturedCode(_Renamed):
    """A refund of an order without captures is refused with CAPTURE_NOT_ALLOWED."""

    ops, code = ("refund",), "CAPTURE_NOT_ALLOWED"

    def applies(self, order: Order) -> bool:
        return not order.captures and not order.cancelled


@lie("RFD-11", when="value")
class ZeroRefundNotFound(Fake):
    """A refund of zero is answered 404."""

    def zero(self, task: Task) -> Refusal:
        return Refusal(404, "NOT_FOUND", "Nothing to refund.") if task.op == "refund" else super().zero(task)


@lie("RFD-11", "GEN-ERR-3", "GEN-HTTP-4", when="value")
class ZeroRefundFails(Fake):
    """A refund of zero is answered 500."""

    def zero(self, task: Task) -> Refusal:
        return crash("division by zero") if task.op == "refund" else super().zero(task)


# --- the answer to a refund -------------------------------------------------------------------------------


@lie("RFD-2")
class NoRefundId(Fake):
    """A refund is answered without Refund-Id."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        return super().created(task, header, part_id).without("Refund-Id")


@lie("RFD-2")
class NoRefundLocation(Fake):
    """A refund is answered without Location."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        return answer.without("Location") if header == "Refund-Id" else answer


@lie("RFD-2")
class RefundLocatedAmongCaptures(Fake):
    """The Location of a refund is that of a capture with its id."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        path = f"{ORDERS}{task.order_id}/captures/{part_id}"
        return answer.having("Location", self.location(task.call, path)) if header == "Refund-Id" else answer


@lie("RFD-2", when="sequence")
class RefundLocationOfFirst(Fake):
    """The Location of every refund is that of the first."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        if header != "Refund-Id":
            return answer
        path = f"{ORDERS}{task.order_id}/refunds/{task.order.refunds[0].id}"
        return answer.having("Location", self.location(task.call, path))


@lie("RFD-2", "RFD-7")
class OtherRefundId(Fake):
    """Refund-Id is the id of nothing."""

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        answer = super().created(task, header, part_id)
        return answer.having(header, self.new_id()) if header == "Refund-Id" else answer


# --- how a refund reads back ------------------------------------------------------------------------------


class _Draft(Fake):
    """Changes what is sent of a refund."""

    def new_refund(self, body: Json) -> Refund:
        return super().new_refund({**body, **self.changes(body)})

    def changes(self, body: Json) -> Json:
        return {}


@lie("RFD-3", when="value")
class RefundDescriptionCut(_Draft):
    """The description of a refund is cut at 100 characters."""

    def changes(self, body: Json) -> Json:
        return {"description": body.get("description", "")[:100]}


@lie("RFD-3", when="value")
class RefundReferenceLost(_Draft):
    """The reference of a refund is not kept."""

    def changes(self, body: Json) -> Json:
        return {"reference": ""}


@lie("RFD-3", when="value")
class RefundLinesLost(_Draft):
    """The lines of a refund are not kept."""

    def changes(self, body: Json) -> Json:
        return {"order_lines": []}


@lie("RFD-3", when="value")
class RefundTaxLost(_Draft):
    """The tax of refunded lines is not kept."""

    def changes(self, body: Json) -> Json:
        lines = body.get("order_lines", [])
        return {
            "order_lines": [{name: one[name] for name in one if name != "total_tax_amount"} for one in lines]
        }


@lie("RFD-3", when="value")
class RefundAstralMangled(_Draft):
    """Characters beyond the BMP are dropped from the description of a refund."""

    def changes(self, body: Json) -> Json:
        return {"description": "".join(one for one in body.get("description", "") if one <= "\uffff")}


@lie("RFD-3")
class RefundedYesterday(Fake):
    """The time of a refund is a day back."""

    def new_refund(self, body: Json) -> Refund:
        refund = super().new_refund(body)
        refund.at -= 86_400
        return refund


@lie("RFD-3", when="sequence")
class RefundedAtCapture(Fake):
    """The time of a refund is an hour before the call from the second refund on."""

    def refund(self, task: Task) -> Answer:
        answer = super().refund(task)
        if len(task.order.refunds) > 1:
            task.order.refunds[-1].at -= 3600
        return answer


# --- what a refund moves ----------------------------------------------------------------------------------


@lie("RFD-4", "ORD-FIX-3", "AUT-1", when="sequence")
class RefundLowersOrder(Fake):
    """A refund of a part-captured order lowers the order amount that is shown."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        lower = 0 if self.fully_captured(order) else self.refunded(order)
        return {**view, "order_amount": max(self.captured(order), order.amount - lower)}


@lie("RFD-4", "ORD-SUM-2", "ORD-SUM-6", when="value")
class RefundTwice(Fake):
    """A refund with order lines is written twice when there is room."""

    def refund(self, task: Task) -> Answer:
        answer = super().refund(task)
        amount = task.body["refunded_amount"]
        room = self.captured(task.order) - self.refunded(task.order) >= amount
        if task.body.get("order_lines") and room:
            self.book(task.order, amount)
            task.order.refunds = [*task.order.refunds, self.new_refund(task.body)]
        return answer


@lie("RFD-4", "RFD-2", "RFD-8", when="sequence")
class ThirdRefundLost(Fake):
    """The third refund is answered 201 and not written."""

    def refund(self, task: Task) -> Answer:
        before = task.order.refunds
        bookings = [one.bookings for one in task.order.captures]
        answer = super().refund(task)
        if len(before) == 2 and not task.order.notes.get("lost"):
            task.order.refunds, task.order.notes["lost"] = before, True
            for capture, booked in zip(task.order.captures, bookings, strict=True):
                capture.bookings = booked
        return answer


@lie("RFD-4", "REL-1", "ORD-SUM-3", "ORD-SUM-4", when="sequence")
class RefundReleases(Fake):
    """A refund releases what remains of the authorization."""

    def refund(self, task: Task) -> Answer:
        answer = super().refund(task)
        task.order.released = True
        return answer


# --- refunds that are read --------------------------------------------------------------------------------


@lie("RFD-7")
class UnknownRefundIsLatest(Fake):
    """An unknown refund id gives the latest refund."""

    def get_refund(self, task: Task) -> Answer:
        known = {one.id for one in task.order.refunds}
        if task.order.refunds and task.part_id not in known:
            task.part_id = task.order.refunds[-1].id
        return super().get_refund(task)


@lie("RFD-7")
class UnknownRefundCode(Fake):
    """An unknown refund is answered 404 NO_SUCH_REFUND."""

    def no_refund(self, task: Task) -> Refusal:
        refusal = super().no_refund(task)
        refusal.code = "NO_SUCH_REFUND"
        return refusal


@lie("RFD-7")
class UnknownRefundForbidden(Fake):
    """An unknown refund is answered 403."""

    def no_refund(self, task: Task) -> Refusal:
        refusal = super().no_refund(task)
        refusal.status = 403
        return refusal


@lie("RFD-7", when="sequence")
class RefundOfAnyOrder(Fake):
    """A refund is read under any order."""

    def find_refund(self, task: Task) -> Refund:
        for order in self.orders.values():
            for one in order.refunds:
                if one.id == task.part_id:
                    return one
        return super().find_refund(task)


@lie("RFD-8", "RFD-3")
class RefundWithoutLinesInOrder(Fake):
    """The refunds in an order have no lines."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "refunds": [{**one, "order_lines": []} for one in view["refunds"]]}


@lie("RFD-8", "RFD-3", "ORD-FIX-2", when="sequence")
class RefundReadAsTotal(Fake):
    """A refund that is read by itself shows all that was refunded up to it."""

    def get_refund(self, task: Task) -> Answer:
        refund = self.find_refund(task)
        at = task.order.refunds.index(refund)
        total = sum(one.amount for one in task.order.refunds[: at + 1])
        return self.ok({**self.refund_view(task.order, refund), "refunded_amount": total})


@lie("RFD-8", "ORD-SUM-2", "ORD-FIX-2", when="sequence")
class LatestRefundNotListed(Fake):
    """The refunds of an order leave out the latest once there are two."""

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        shown = view["refunds"]
        return {**view, "refunds": shown[:-1] if len(shown) > 1 else shown}
