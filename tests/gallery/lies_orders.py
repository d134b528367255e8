"""Servers that mishandle an order: acknowledge, update, extend, release, cancel, expire."""

from __future__ import annotations

from typing import Any

from tests.gallery.books import Capture, Json, Order, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.server import DAY, Fake
from tests.gallery.wire import Answer

# --- acknowledge ------------------------------------------------------------------------------------------


@lie("ACK-1", when="sequence")
class PartCapturedNotAcknowledged(Fake):
    """An order with captures cannot be acknowledged."""

    def may_acknowledge(self, task: Task) -> None:
        super().may_acknowledge(task)
        if task.order.captures:
            raise self.forbidden("NOT_ALLOWED", "The order has captures.")


@lie("ACK-1", "ORD-STA-1")
class AcknowledgedIsCaptured(Fake):
    """An acknowledged order is CAPTURED."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        return "CAPTURED" if status == "AUTHORIZED" and order.acknowledged else status


@lie("ACK-1", "ORD-SUM-3")
class AcknowledgeTakesFee(Fake):
    """An acknowledgement lowers the remaining authorization by one."""

    def remaining(self, order: Order) -> int:
        rest = super().remaining(order)
        return max(0, rest - 1) if order.acknowledged and not order.captures else rest


@lie("ACK-2", when="sequence")
class SecondAcknowledgeNotFound(Fake):
    """A second acknowledgement is answered 404."""

    def may_acknowledge(self, task: Task) -> None:
        super().may_acknowledge(task)
        if task.order.acknowledged:
            raise self.no_order(task)


@lie("ACK-2", when="sequence")
class LateAcknowledgeInvalid(Fake):
    """Acknowledging a fully captured order is answered 400."""

    def may_acknowledge(self, task: Task) -> None:
        super().may_acknowledge(task)
        if self.fully_captured(task.order):
            raise self.invalid("The order is captured.")


# --- authorization ----------------------------------------------------------------------------------------


class _Update(Fake):
    """Has its own way of setting the amount."""

    def update_authorization(self, task: Task) -> Answer:
        order, before = task.order, task.order.amount
        answer = super().update_authorization(task)
        order.amount = self.new_amount(order, before, order.amount)
        return answer

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return sent


@lie("AUT-1")
class UpdateIgnored(_Update):
    """An authorization update replaces the lines and leaves the amount."""

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return before


@lie("AUT-1", when="sequence")
class SecondUpdateIgnored(_Update):
    """Only the first authorization update moves the amount."""

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return before if before != order.original else sent


@lie("AUT-1", when="value")
class IncreaseCapped(_Update):
    """An increase is answered 204 and stops at the original amount."""

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return min(sent, order.original)


@lie("AUT-1", when="value")
class IncreaseAdds(_Update):
    """An amount above the present one is added to it."""

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return before + sent if sent > before else sent


@lie("AUT-1", when="sequence")
class UpdateAddsCaptured(_Update):
    """After a capture the amount sent is taken for what shall remain."""

    def new_amount(self, order: Order, before: int, sent: int) -> int:
        return sent + self.captured(order)


@lie("AUT-1", when="value")
class DecreaseRefused(Fake):
    """A decrease is refused."""

    def update_authorization(self, task: Task) -> Answer:
        if self.captured(task.order) < task.body["order_amount"] < task.order.amount:
            raise self.forbidden("NOT_ALLOWED", "The order amount can only grow.")
        return super().update_authorization(task)


@lie("AUT-1", when="sequence")
class PartCapturedNotUpdated(Fake):
    """The authorization of an order with captures cannot be updated."""

    def may_update_authorization(self, task: Task) -> None:
        super().may_update_authorization(task)
        if task.order.captures:
            raise self.forbidden("NOT_ALLOWED", "The order has captures.")


@lie("AUT-1", "GEN-ERR-4", when="value")
class IncreaseRefusedButDone(Fake):
    """An increase is refused after it was made."""

    capabilities = Fake.capabilities | {"reject-increase"}

    def update_authorization(self, task: Task) -> Answer:
        before = task.order.amount
        answer = super().update_authorization(task)
        if task.order.amount > before:
            raise self.forbidden("NOT_ALLOWED", "The risk check did not pass.")
        return answer


@lie("AUT-1", "GEN-VAL-4", when="value")
class IncreaseRefusedAsInvalid(Fake):
    """An increase is refused with 422 as if the body were wrong."""

    def update_authorization(self, task: Task) -> Answer:
        if task.body["order_amount"] > task.order.amount:
            raise Refusal(422, "BAD_VALUE", "The risk check did not pass.")
        return super().update_authorization(task)


class _Lines(Fake):
    """Has its own way of setting the lines."""

    def update_authorization(self, task: Task) -> Answer:
        before = task.order.lines
        answer = super().update_authorization(task)
        task.order.lines = self.new_lines(before, task.body)
        return answer

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        lines: list[Json] = body.get("order_lines", [])
        return lines


@lie("AUT-2")
class LinesAdded(_Lines):
    """The lines sent are added to those before."""

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        return before + super().new_lines(before, body)


@lie("AUT-2", when="value")
class LinesKeptWhenNoneSent(_Lines):
    """The lines stay when none are sent."""

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        return super().new_lines(before, body) if "order_lines" in body else before


@lie("AUT-2", when="value")
class LinesKeptWhenEmpty(_Lines):
    """The lines stay when an empty list of them is sent."""

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        return before if body.get("order_lines") == [] else super().new_lines(before, body)


@lie("AUT-2", when="value")
class LinesMergedByReference(_Lines):
    """A line with another reference than those sent stays."""

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        lines = super().new_lines(before, body)
        known = {line.get("reference") for line in lines}
        return [*lines, *(line for line in before if lines and line.get("reference") not in known)]


@lie("AUT-2", when="value")
class HundredLinesKept(_Lines):
    """Only the first hundred lines are kept."""

    def new_lines(self, before: list[Json], body: Json) -> list[Json]:
        return super().new_lines(before, body)[:100]


@lie("AUT-2", when="sequence")
class LinesFixedAfterCapture(_Lines):
    """The lines of an order with captures stay as they are."""

    def update_authorization(self, task: Task) -> Answer:
        before = task.order.lines
        answer = super().update_authorization(task)
        if task.order.captures:
            task.order.lines = before
        return answer


class _Floor(Fake):
    """Has its own lowest amount of an order."""

    def floor(self, order: Order) -> int:
        return self.captured(order)

    def update_authorization(self, task: Task) -> Answer:
        order, sent = task.order, task.body["order_amount"]
        if self.floor(order) <= sent < self.captured(order):
            order.amount, order.lines = sent, task.body.get("order_lines", [])
            return self.done(task)
        return super().update_authorization(task)


@lie("AUT-3", "ORD-SUM-5", "ORD-SUM-3", when="sequence")
class AnyDecrease(_Floor):
    """A decrease below the captured amount is taken."""

    def floor(self, order: Order) -> int:
        return 0


@lie("AUT-3", "ORD-SUM-5", "ORD-SUM-3", when="value")
class OneBelowCaptured(_Floor):
    """A decrease to one below the captured amount is taken."""

    def floor(self, order: Order) -> int:
        return self.captured(order) - 1


@lie("AUT-3", "ORD-SUM-5", "ORD-SUM-3", when="sequence")
class RefundsLowerTheFloor(_Floor):
    """A decrease below the captured amount is taken, down to what was captured and not refunded."""

    def floor(self, order: Order) -> int:
        return self.captured(order) - self.refunded(order)


@lie("AUT-3", "ORD-SUM-5", "ORD-SUM-3", when="sequence")
class FirstCaptureIsFloor(_Floor):
    """A decrease below the captured amount is taken, down to the first capture."""

    def floor(self, order: Order) -> int:
        return order.captures[0].amount if order.captures else 0


@lie("AUT-3", when="value")
class DecreaseClamped(Fake):
    """A decrease below the captured amount is answered 204 and stops at it."""

    def update_authorization(self, task: Task) -> Answer:
        sent = max(task.body["order_amount"], self.captured(task.order))
        task.body = {**task.body, "order_amount": sent}
        return super().update_authorization(task)


class _Renamed(Fake):
    """Refuses some operations with another code or status."""

    ops: tuple[str, ...] = ()
    code, answered = "", 403

    def operate(self, task: Task) -> Answer:
        try:
            return super().operate(task)
        except Refusal as refusal:
            raise self.renamed(task, refusal) from None

    def check_state(self, task: Task) -> None:
        try:
            super().check_state(task)
        except Refusal as refusal:
            raise self.renamed(task, refusal) from None

    def renamed(self, task: Task, refusal: Refusal) -> Refusal:
        if task.op in self.ops and refusal.status == 403 and self.applies(task.order):
            refusal.code, refusal.status = self.code or refusal.code, self.answered
        return refusal

    def applies(self, order: Order) -> bool:
        return True


@lie("AUT-3", "AUT-4", "CAN-4", when="sequence")
class UpdateRefusedWithCaptureCode(_Renamed):
    """A refused authorization update says CAPTURE_NOT_ALLOWED."""

    ops, code = ("update_authorization",), "CAPTURE_NOT_ALLOWED"


@lie("AUT-3", "AUT-4", "CAN-4", when="sequence")
class UpdateRefusedAsConflict(_Renamed):
    """A refused authorization update is answered 400."""

    ops, answered = ("update_authorization",), 400


class _UpdatesMore(Fake):
    """Updates the authorization of some orders that are closed."""

    def may_update_authorization(self, task: Task) -> None:
        if not self.open_anyway(task.order):
            super().may_update_authorization(task)

    def open_anyway(self, order: Order) -> bool:
        return False


@lie("AUT-4", when="sequence")
class ReleasedIsUpdated(_UpdatesMore):
    """The authorization of a released order is updated."""

    def open_anyway(self, order: Order) -> bool:
        return order.released


@lie("AUT-4", "ORD-STA-2", when="sequence")
class CapturedIsUpdated(_UpdatesMore):
    """The authorization of a fully captured order is updated."""

    def open_anyway(self, order: Order) -> bool:
        return self.fully_captured(order)


@lie("AUT-4", "CAN-4", when="sequence")
class CancelledIsUpdated(_UpdatesMore):
    """The authorization of a cancelled order is updated."""

    def open_anyway(self, order: Order) -> bool:
        return order.cancelled


@lie("AUT-5", when="value")
class ExactDecreaseRefused(Fake):
    """A decrease to exactly the captured amount is refused."""

    def update_authorization(self, task: Task) -> Answer:
        if 0 < self.captured(task.order) == task.body["order_amount"]:
            raise self.forbidden("NOT_ALLOWED", "The order amount must stay above the captured amount.")
        return super().update_authorization(task)


@lie("AUT-5", "ORD-SUM-3", "ORD-SUM-4", when="value")
class ExactDecreaseKeepsRemaining(Fake):
    """After a decrease to exactly the captured amount the remaining amount is as before."""

    def update_authorization(self, task: Task) -> Answer:
        before = self.remaining(task.order)
        answer = super().update_authorization(task)
        exact = 0 < self.captured(task.order) == task.order.amount
        task.order.notes["left"] = before if exact else 0
        return answer

    def order_view(self, order: Order) -> Json:
        view = super().order_view(order)
        return {**view, "remaining_authorized_amount": order.notes.get("left") or self.remaining(order)}


@lie("AUT-6", "GEN-VAL-4", "AUT-1", when="value")
class SameAmountInvalid(Fake):
    """An update to the same amount is answered 400."""

    def update_authorization(self, task: Task) -> Answer:
        if task.body["order_amount"] == task.order.amount:
            raise self.invalid("order_amount: is the same")
        return super().update_authorization(task)


# --- address ----------------------------------------------------------------------------------------------


class _Address(Fake):
    """Has its own way of updating the shipping address."""

    def update_customer(self, task: Task) -> Answer:
        sent = task.body.get("shipping_address")
        if sent is not None:
            task.order.shipping = self.new_address(task.order.shipping, sent)
        return self.done(task)

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **sent}


@lie("CUS-1")
class AddressReplaced(_Address):
    """Fields of the address that were not sent are gone."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return sent or before


@lie("CUS-1", when="value")
class EmptyAddressWipes(_Address):
    """An empty address removes the one before."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **sent} if sent else {}


@lie("CUS-1", when="value")
class EmptyTextKept(_Address):
    """An empty text leaves a field of the address as it was."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value for name, value in sent.items() if value}}


@lie("CUS-1", when="value")
class EmailNotWritten(_Address):
    """An e-mail address sent is not written."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value for name, value in sent.items() if name != "email"}}


@lie("CUS-1", when="value")
class SecondStreetNotWritten(_Address):
    """The second line of a street address is not written."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value for name, value in sent.items() if name != "street_address2"}}


@lie("CUS-1", when="value")
class TitleNotWritten(_Address):
    """A title sent is not written."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value for name, value in sent.items() if name != "title"}}


@lie("CUS-1", when="value")
class NamesCut(_Address):
    """Fields of an address are cut at 50 characters."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value[:50] for name, value in sent.items()}}


@lie("CUS-1", when="value")
class AddressTrimmed(_Address):
    """Fields of an address lose blanks at both ends."""

    def new_address(self, before: Json, sent: Json) -> Json:
        return {**before, **{name: value.strip() for name, value in sent.items()}}


@lie("CUS-1", when="sequence")
class SecondAddressMergedWithFirst(Fake):
    """A second address update starts from the address of the order's creation."""

    def update_customer(self, task: Task) -> Answer:
        first = task.order.notes.setdefault("address", task.order.shipping)
        task.order.shipping = first if task.body.get("shipping_address") else task.order.shipping
        return super().update_customer(task)


@lie("CUS-1", when="sequence")
class PartCapturedAddressIgnored(Fake):
    """An address update of a part-captured order is answered 204 and ignored."""

    def update_customer(self, task: Task) -> Answer:
        return self.done(task) if task.order.captures else super().update_customer(task)


@lie("CUS-1", when="value")
class AddressRefusedAsConflict(Fake):
    """A change of country is refused with 409."""

    def update_customer(self, task: Task) -> Answer:
        country = task.body.get("shipping_address", {}).get("country")
        if country and country != task.order.shipping.get("country"):
            raise Refusal(409, "CONFLICT", "The country cannot change.")
        return super().update_customer(task)


@lie("CUS-1", "GEN-ERR-4", when="value")
class AddressRefusedButDone(Fake):
    """An address update with a new e-mail address is refused by the risk check, and written."""

    def update_customer(self, task: Task) -> Answer:
        answer = super().update_customer(task)
        if task.body.get("shipping_address", {}).get("email"):
            raise self.forbidden("NOT_ALLOWED", "The risk check did not pass.")
        return answer


@lie("CUS-2", "ORD-FIX-1", when="value")
class BillingWritten(Fake):
    """A billing address sent is written."""

    def update_customer(self, task: Task) -> Answer:
        sent = task.body.get("billing_address")
        if isinstance(sent, dict):
            task.order.billing = {**task.order.billing, **sent}
        return super().update_customer(task)


@lie("CUS-2", "ORD-FIX-1", "ORD-FIX-3")
class BillingFollows(Fake):
    """The billing address follows the shipping address."""

    def update_customer(self, task: Task) -> Answer:
        answer = super().update_customer(task)
        if task.body.get("shipping_address"):
            task.order.billing = task.order.shipping
        return answer


class _Tidies(Fake):
    """Keeps a field of an address otherwise than it was sent."""

    field = ""

    def update_customer(self, task: Task) -> Answer:
        answer = super().update_customer(task)
        order = task.order
        order.shipping = {**order.shipping, self.field: self.tidied(str(order.shipping.get(self.field, "")))}
        return answer

    def tidied(self, text: str) -> str:
        return text


@lie("CUS-1", when="value")
class AddressEmailLowered(_Tidies):
    """The email of an address is kept in lower case."""

    field = "email"

    def tidied(self, text: str) -> str:
        return text.lower()


@lie("CUS-1", when="value")
class AddressPhoneTidied(_Tidies):
    """Of a phone number only the digits and the plus are kept."""

    field = "phone"

    def tidied(self, text: str) -> str:
        return "".join(char for char in text if char in "+0123456789")


@lie("CUS-1", when="value")
class AddressTitleCut(_Tidies):
    """Ten characters of a title are kept."""

    field = "title"

    def tidied(self, text: str) -> str:
        return text[:10]


@lie("CUS-3", "ORD-FIX-3", when="sequence")
class CancelledTakesAddress(Fake):
    """The address of a cancelled order is updated."""

    def may_update_customer(self, task: Task) -> None:
        """Let it happen."""


@lie("CUS-3", when="sequence")
class CancelledAddressCode(_Renamed):
    """An address update of a cancelled order is refused with CANCEL_NOT_ALLOWED."""

    ops, code = ("update_customer",), "CANCEL_NOT_ALLOWED"


# --- references -------------------------------------------------------------------------------------------


class _References(Fake):
    """Has its own way of updating the references."""

    def update_references(self, task: Task) -> Answer:
        names = ("merchant_reference1", "merchant_reference2")
        sent = {name: task.body[name] for name in names if name in task.body}
        task.order.references = self.new_references(task.order.references, sent)
        return self.done(task)

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return {**before, **sent}


@lie("REF-1")
class UnsentReferenceCleared(_References):
    """A reference that is not sent is cleared."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return sent


@lie("REF-1", when="value")
class EmptyReferenceKept(_References):
    """An empty reference leaves the one before."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return {**before, **{name: value for name, value in sent.items() if value}}


@lie("REF-1", when="value")
class SecondReferenceLost(_References):
    """The second reference is not written when both are sent."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in sent.items() if len(sent) < 2 or name[-1] == "1"}
        return {**before, **kept}


@lie("REF-1", when="value")
class ReferencesSwapped(_References):
    """The second reference is written to the first."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        last = list(sent.values())[-1:]
        return {**before, **dict.fromkeys(["merchant_reference1"] if last else [], "".join(last))}


@lie("REF-1", when="value")
class ReferencesCut(_References):
    """References are cut at 100 characters."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return {**before, **{name: value[:100] for name, value in sent.items()}}


@lie("REF-1", when="value")
class ReferencesTrimmed(_References):
    """References lose blanks at both ends."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return {**before, **{name: value.strip() for name, value in sent.items()}}


@lie("REF-1", when="value")
class ReferencesUpperCase(_References):
    """References are written in upper case."""

    def new_references(self, before: dict[str, str], sent: dict[str, str]) -> dict[str, str]:
        return {**before, **{name: value.upper() for name, value in sent.items()}}


class _ReferencesLess(Fake):
    """Refuses to update the references of some orders."""

    def may_update_references(self, task: Task) -> None:
        super().may_update_references(task)
        if self.closed(task.order):
            raise self.forbidden("NOT_ALLOWED", "The order is closed.")

    def closed(self, order: Order) -> bool:
        return False


@lie("REF-1", when="sequence")
class CapturedKeepsReferences(_ReferencesLess):
    """The references of a fully captured order cannot be updated."""

    def closed(self, order: Order) -> bool:
        return self.fully_captured(order)


@lie("REF-1", when="sequence")
class ReleasedKeepsReferences(_ReferencesLess):
    """The references of a released order cannot be updated."""

    def closed(self, order: Order) -> bool:
        return order.released


@lie("REF-1", "ORD-STA-1", when="sequence")
class ReferencesMoveStatus(Fake):
    """An order whose references were updated after a capture is CAPTURED."""

    def update_references(self, task: Task) -> Answer:
        task.order.notes["moved"] = bool(task.order.captures)
        return super().update_references(task)

    def status(self, order: Order) -> str:
        return "CAPTURED" if order.notes.get("moved") else super().status(order)


@lie("REF-2", when="sequence")
class CancelledTakesReferences(Fake):
    """The references of a cancelled order are updated."""

    def may_update_references(self, task: Task) -> None:
        """Let it happen."""


@lie("REF-2", when="sequence")
class CancelledReferencesCode(_Renamed):
    """An update of the references of a cancelled order is refused with ORDER_CANCELLED."""

    ops, code = ("update_references",), "ORDER_CANCELLED"


# --- extension --------------------------------------------------------------------------------------------


class _Extends(Fake):
    """Has its own idea of an extended expiry."""

    def extend_authorization(self, task: Task) -> Answer:
        task.order.expires = self.extended(task.order)
        return self.done(task)

    def extended(self, order: Order) -> float:
        return max(order.expires, self.expiry(self.now()))


@lie("EXT-1")
class ExtensionShortens(_Extends):
    """An extension lasts a day from now."""

    def extended(self, order: Order) -> float:
        return self.now() + DAY


@lie("EXT-1", "EXT-2", when="sequence")
class ExtensionDayBack(_Extends):
    """An extension moves the expiry back by a day."""

    def extended(self, order: Order) -> float:
        return order.expires - DAY


@lie("EXT-2", "EXT-4", when="sequence")
class ExtensionAdds(_Extends):
    """Every extension adds the whole period to the expiry."""

    def extended(self, order: Order) -> float:
        return order.expires + self.period_days * DAY


@lie("EXT-2", when="sequence")
class ExtensionFromNow(_Extends):
    """An extension lasts 28 days from the very moment of the call."""

    def extended(self, order: Order) -> float:
        return self.now() + self.period_days * DAY


@lie("EXT-2", when="sequence")
class SecondExtensionAddsDay(_Extends):
    """A second extension on the same day adds a day."""

    def extended(self, order: Order) -> float:
        count = order.notes["extensions"] = order.notes.get("extensions", 0) + 1
        return super().extended(order) + (DAY if count > 1 else 0)


@lie("EXT-1", when="sequence")
class PartCapturedNotExtended(Fake):
    """A part-captured order cannot be extended."""

    def may_extend_authorization(self, task: Task) -> None:
        super().may_extend_authorization(task)
        if task.order.captures:
            raise self.forbidden("NOT_ALLOWED", "The order has captures.")


@lie("EXT-1", when="sequence")
class ExtendedOnce(Fake):
    """An order can be extended once."""

    def may_extend_authorization(self, task: Task) -> None:
        super().may_extend_authorization(task)
        if task.order.notes.get("extended"):
            raise self.forbidden("NOT_ALLOWED", "The order was extended already.")

    def extend_authorization(self, task: Task) -> Answer:
        task.order.notes["extended"] = True
        return super().extend_authorization(task)


class _ExtendsMore(Fake):
    """Extends some orders that are closed."""

    def may_extend_authorization(self, task: Task) -> None:
        if not self.open_anyway(task.order):
            super().may_extend_authorization(task)

    def open_anyway(self, order: Order) -> bool:
        return False


@lie("EXT-3", "CAN-4", when="sequence")
class CancelledIsExtended(_ExtendsMore):
    """A cancelled order can be extended."""

    def open_anyway(self, order: Order) -> bool:
        return order.cancelled


@lie("EXT-3", when="sequence", needs=("clock",))
class ExpiredIsExtended(_ExtendsMore):
    """An expired order can be extended."""

    def open_anyway(self, order: Order) -> bool:
        return self.expired(order)


@lie("EXT-3", "CAN-4", when="sequence")
class ExtensionCode(_Renamed):
    """An extension of a cancelled order is refused with EXTENSION_NOT_ALLOWED."""

    ops, code = ("extend_authorization",), "EXTENSION_NOT_ALLOWED"


# --- release ----------------------------------------------------------------------------------------------


@lie("REL-1", "ORD-SUM-4", when="sequence")
class IncreasedIsNotReleased(Fake):
    """Releasing the rest of an increased order is answered 204 and does nothing."""

    def release(self, task: Task) -> Answer:
        order = task.order
        return self.done(task) if order.amount > order.original else super().release(task)


@lie("REL-1", "REL-4", "ORD-SUM-4", when="sequence")
class ReleaseDoesNothing(Fake):
    """A release is answered 204 and does nothing."""

    def release(self, task: Task) -> Answer:
        return self.done(task)


@lie("REL-1", "ORD-FIX-2", "ORD-SUM-1", when="sequence")
class ReleaseDropsCaptures(Fake):
    """A release removes all captures but the first."""

    def release(self, task: Task) -> Answer:
        task.order.captures = task.order.captures[:1]
        return super().release(task)


@lie("REL-1", when="sequence")
class ReleaseAfterOneCaptureOnly(Fake):
    """An order with several captures cannot be released."""

    def may_release(self, task: Task) -> None:
        super().may_release(task)
        if len(task.order.captures) > 1:
            raise self.forbidden("NOT_ALLOWED", "The order has several captures.")


@lie("REL-1", when="sequence")
class ReleaseAfterRefundRefused(Fake):
    """An order with refunds cannot be released."""

    def may_release(self, task: Task) -> None:
        super().may_release(task)
        if task.order.refunds:
            raise self.forbidden("NOT_ALLOWED", "The order has refunds.")


class _ReleasesMore(Fake):
    """Releases some orders that have nothing to release."""

    def may_release(self, task: Task) -> None:
        if not self.open_anyway(task.order):
            super().may_release(task)

    def open_anyway(self, order: Order) -> bool:
        return False


@lie("REL-2", when="sequence")
class UncapturedIsReleased(_ReleasesMore):
    """An order without captures can be released."""

    def open_anyway(self, order: Order) -> bool:
        return not order.captures and not order.cancelled


@lie("REL-2", "CAN-4", when="sequence")
class CancelledIsReleased(_ReleasesMore):
    """A cancelled order can be released."""

    def open_anyway(self, order: Order) -> bool:
        return order.cancelled


@lie("REL-3", when="sequence")
class CapturedIsReleased(_ReleasesMore):
    """A fully captured order can be released."""

    def open_anyway(self, order: Order) -> bool:
        return self.fully_captured(order)


@lie("REL-2", "REL-3", "CAN-4", when="sequence")
class ReleaseCode(_Renamed):
    """A refused release says RELEASE_NOT_ALLOWED."""

    ops, code = ("release",), "RELEASE_NOT_ALLOWED"


@lie("REL-3", when="sequence")
class ReleaseOfCapturedInvalid(_Renamed):
    """A release of a fully captured order is answered 400."""

    ops, answered = ("release",), 400

    def applies(self, order: Order) -> bool:
        return self.fully_captured(order)


@lie("REL-4", "ORD-SUM-4", "ORD-SUM-5", when="sequence")
class ReleasedIsCaptured(Fake):
    """A released order can be captured up to its amount."""

    def may_capture(self, task: Task) -> None:
        if not task.order.released:
            super().may_capture(task)

    def capture(self, task: Task) -> Answer:
        released, task.order.released = task.order.released, False
        try:
            return super().capture(task)
        finally:
            task.order.released = released


@lie("REL-4", "REL-1", "ORD-SUM-4", when="sequence")
class RefundUndoesRelease(Fake):
    """A refund of a released order makes it capturable again."""

    def refund(self, task: Task) -> Answer:
        answer = super().refund(task)
        task.order.released = False
        return answer


@lie("REL-4", when="sequence")
class ReleasedCaptureCode(_Renamed):
    """A capture of a released order is refused with NOT_ALLOWED."""

    ops, code = ("capture",), "NOT_ALLOWED"

    def applies(self, order: Order) -> bool:
        return order.released


@lie("REL-4", "RFD-1", when="sequence")
class ReleasedIsNotRefunded(Fake):
    """A released order cannot be refunded."""

    def may_refund(self, task: Task) -> None:
        super().may_refund(task)
        if task.order.released:
            raise self.forbidden("REFUND_NOT_ALLOWED", "The order is released.")


@lie("REL-5", when="sequence")
class SecondReleaseNotFound(Fake):
    """A second release is answered 404."""

    def may_release(self, task: Task) -> None:
        super().may_release(task)
        if task.order.released:
            raise Refusal(404, "NOT_FOUND", "There is no remaining authorization.")


# --- cancellation -----------------------------------------------------------------------------------------


@lie("CAN-1", "ORD-STA-1", "CAN-4")
class CancelDoesNothing(Fake):
    """A cancellation is answered 204 and does nothing."""

    def cancel(self, task: Task) -> Answer:
        return self.done(task)


@lie("CAN-1", "ORD-STA-1", "ORD-SUM-4")
class CancelledIsClosed(Fake):
    """A cancelled order is CLOSED."""

    def status(self, order: Order) -> str:
        return "CLOSED" if order.cancelled else super().status(order)


@lie("CAN-1", when="sequence")
class UpdatedIsNotCancelled(Fake):
    """An order whose amount was changed cannot be cancelled."""

    def may_cancel(self, task: Task) -> None:
        super().may_cancel(task)
        if task.order.amount != task.order.original:
            raise self.forbidden("CANCEL_NOT_ALLOWED", "The order was updated.")


@lie("CAN-1", when="sequence")
class AcknowledgedIsNotCancelled(Fake):
    """An acknowledged order cannot be cancelled."""

    def may_cancel(self, task: Task) -> None:
        super().may_cancel(task)
        if task.order.acknowledged:
            raise self.forbidden("CANCEL_NOT_ALLOWED", "The order is acknowledged.")


@lie("ORD-STA-1", "CAP-4", when="sequence")
class OriginalAmountIsWhole(Fake):
    """An increased order reads CAPTURED once its original amount is captured."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        whole = status == "PART_CAPTURED" and self.captured(order) == order.original
        return "CAPTURED" if whole else status


class _CancelsMore(Fake):
    """Cancels some orders with captures."""

    def may_cancel(self, task: Task) -> None:
        if not self.open_anyway(task.order):
            super().may_cancel(task)

    def open_anyway(self, order: Order) -> bool:
        return False


@lie("CAN-2", when="sequence")
class CapturedIsCancelled(_CancelsMore):
    """An order with captures can be cancelled."""

    def open_anyway(self, order: Order) -> bool:
        return True


@lie("CAN-2", when="sequence")
class RefundedIsCancelled(_CancelsMore):
    """An order can be cancelled once all that was captured is refunded."""

    def open_anyway(self, order: Order) -> bool:
        return self.refunded(order) == self.captured(order)


@lie("CAN-2", when="sequence")
class ReleasedIsCancelled(_CancelsMore):
    """A released order can be cancelled."""

    def open_anyway(self, order: Order) -> bool:
        return order.released


@lie("CAN-2", when="sequence")
class PartCapturedIsCancelled(_CancelsMore):
    """Only a fully captured order cannot be cancelled."""

    def open_anyway(self, order: Order) -> bool:
        return not self.fully_captured(order)


@lie("CAN-2", when="sequence")
class ThriceCapturedIsCancelled(_CancelsMore):
    """An order with three captures or more can be cancelled."""

    def open_anyway(self, order: Order) -> bool:
        return len(order.captures) >= 3


@lie("CAN-2", when="sequence")
class CancelCode(_Renamed):
    """A refused cancellation says NOT_ALLOWED."""

    ops, code = ("cancel",), "NOT_ALLOWED"


@lie("CAN-2", when="sequence")
class CancelRefusalInvalid(_Renamed):
    """A cancellation of an order with captures is answered 400."""

    ops, answered = ("cancel",), 400


@lie("CAN-3", "ORD-STA-2", when="sequence")
class SecondCancelReopens(Fake):
    """A second cancellation makes the order AUTHORIZED again."""

    def cancel(self, task: Task) -> Answer:
        task.order.cancelled = not task.order.cancelled
        return self.done(task)


@lie("CAN-3", when="sequence")
class SecondCancelNotFound(Fake):
    """A second cancellation is answered 404."""

    def may_cancel(self, task: Task) -> None:
        super().may_cancel(task)
        if task.order.cancelled:
            raise self.no_order(task)


@lie("CAN-3", when="sequence")
class SecondCancelCode(Fake):
    """A second cancellation is refused with NOT_ALLOWED."""

    def may_cancel(self, task: Task) -> None:
        super().may_cancel(task)
        if task.order.cancelled:
            raise self.forbidden("NOT_ALLOWED", "The order is cancelled.")


@lie("CAN-4", "ORD-STA-2", "ORD-STA-1", when="sequence")
class CancelledIsCaptured(Fake):
    """A cancelled order can be captured."""

    def may_capture(self, task: Task) -> None:
        if not task.order.cancelled:
            super().may_capture(task)


@lie("CAN-4", when="sequence")
class CancelledCaptureCode(_Renamed):
    """A capture of a cancelled order is refused with NOT_ALLOWED."""

    ops, code = ("capture",), "NOT_ALLOWED"

    def applies(self, order: Order) -> bool:
        return order.cancelled


@lie("CAN-4", when="sequence")
class CancelledRefundCode(_Renamed):
    """A refund of a cancelled order is refused with CAPTURE_NOT_ALLOWED."""

    ops, code = ("refund",), "CAPTURE_NOT_ALLOWED"

    def applies(self, order: Order) -> bool:
        return order.cancelled


@lie("CAN-4", "ORD-GET-1", "CAN-1", when="sequence")
class CancelledCannotBeRead(Fake):
    """A cancelled order is not found any more."""

    def get_order(self, task: Task) -> Answer:
        if task.order.cancelled:
            raise self.no_order(task)
        return super().get_order(task)


# --- expiry -----------------------------------------------------------------------------------------------


@lie("EXP-1", when="sequence", needs=("clock",))
class NeverExpires(Fake):
    """An order past its expiry is as open as before."""

    def expired(self, order: Order) -> bool:
        return False


@lie("EXP-1", when="sequence", needs=("clock",))
class ExpiryNotShown(Fake):
    """An expired order refuses captures and reads AUTHORIZED or PART_CAPTURED."""

    def status(self, order: Order) -> str:
        status = super().status(order)
        if status != "EXPIRED":
            return status
        return "PART_CAPTURED" if order.captures else "AUTHORIZED"


@lie("EXP-1", when="sequence", needs=("clock",))
class ExpiredIsCaptured(Fake):
    """An expired order reads EXPIRED and can be captured."""

    def may_capture(self, task: Task) -> None:
        if not self.expired(task.order):
            super().may_capture(task)


@lie("EXP-1", "AUT-4", when="sequence", needs=("clock",))
class ExpiredIsUpdated(_UpdatesMore):
    """The authorization of an expired order can be updated."""

    def open_anyway(self, order: Order) -> bool:
        return self.expired(order)


class _ExpiresMore(Fake):
    """Lets some orders expire of which nothing remains."""

    def release(self, task: Task) -> Answer:
        task.order.notes["late"] = self.expired(task.order)
        return super().release(task)

    def status(self, order: Order) -> str:
        late = not (order.cancelled or order.notes.get("late")) and self.now() >= order.expires
        return "EXPIRED" if late and self.expires_anyway(order) else super().status(order)

    def expires_anyway(self, order: Order) -> bool:
        return False


@lie("ORD-STA-1", "EXP-1", "ORD-GET-2", when="sequence", needs=("clock",))
class FullyCapturedExpires(_ExpiresMore):
    """A fully captured order reads EXPIRED past its expiry."""

    def expires_anyway(self, order: Order) -> bool:
        return self.fully_captured(order)


@lie("EXP-1", "ORD-STA-1", "ORD-GET-2", when="sequence", needs=("clock",))
class ReleasedExpires(_ExpiresMore):
    """A released order reads EXPIRED past its expiry."""

    def expires_anyway(self, order: Order) -> bool:
        return order.released


@lie("EXP-1", when="sequence", needs=("clock",))
class ExpiredIsNotRefunded(Fake):
    """What was captured of an expired order cannot be refunded."""

    def may_refund(self, task: Task) -> None:
        super().may_refund(task)
        if self.expired(task.order):
            raise self.forbidden("REFUND_NOT_ALLOWED", "The order is expired.")


@lie("CAP-11", "ORD-FIX-3", when="sequence")
class AddressRewritesCaptures(Fake):
    """An address update rewrites the shipping address of the captures."""

    def capture_view(self, order: Order, capture: Capture) -> Json:
        view: Any = super().capture_view(order, capture)
        return {**view, "shipping_address": self.address(order.shipping)}
