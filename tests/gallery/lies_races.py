"""Servers that are wrong only when several calls come at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from tests.gallery.books import Order, Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.server import Fake
from tests.gallery.wire import Answer

PAUSE = 0.005


class _Unlocked(Fake):
    """Keeps nobody away while it serves some operations, and pauses between check and write."""

    ops: tuple[str, ...] = ()

    def write(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        with nullcontext() if task.op in self.ops else self.hold(task.order):
            return self.once(task)

    def settle(self) -> None:
        time.sleep(PAUSE)


@lie("CON-1", "CON-4", "CAP-5", "ORD-SUM-5", "CON-3", "IDM-5", when="concurrency")
class CapturesRace(_Unlocked):
    """Captures that come at once are each checked before the others are written."""

    ops = ("capture",)


@lie("CON-2", "CON-4", "RFD-5", "ORD-SUM-5", "ORD-SUM-6", "IDM-5", when="concurrency")
class RefundsRace(_Unlocked):
    """Refunds that come at once are each checked before the others are written."""

    ops = ("refund",)


@lie("CON-3", "CON-4", "CAN-2", "CAN-4", when="concurrency")
class CancelRacesCapture(_Unlocked):
    """A cancellation does not see a capture that comes at the same time."""

    ops = ("cancel",)


@lie("CON-3", "CON-4", "CAN-4", "CAN-2", when="concurrency")
class CaptureRacesCancel(_Unlocked):
    """A capture checks the order before it waits for its turn, and not again."""

    def write(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        scope = self.scope(task)
        if task.op != "capture" or (scope and self.recall(scope)):
            return super().write(task)
        try:
            self.may_capture(task)
        except Refusal as refusal:
            return self.refused(refusal)
        time.sleep(PAUSE)
        return super().write(task)

    def check_state(self, task: Task) -> None:
        if task.op != "capture":
            super().check_state(task)

    def settle(self) -> None:
        """The pause was before."""


@lie("CON-4", "REL-4", when="concurrency")
class ReleaseRacesCapture(_Unlocked):
    """A release is checked, and written after captures that came at the same time were checked without it."""

    def write(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        if task.op != "capture":
            return super().write(task)
        seen = task.order.released
        time.sleep(PAUSE)
        with self.hold(task.order):
            now, task.order.released = task.order.released, seen
            try:
                return self.once(task)
            finally:
                task.order.released = now

    def settle(self) -> None:
        """The pause was before."""


@lie("CON-4", "REL-1", "ORD-FIX-2", when="concurrency")
class ReleaseOverwrites(_Unlocked):
    """A release writes back the captures that it saw at first, without those that came at the same time."""

    ops = ("release",)

    def release(self, task: Task) -> Answer:
        seen = task.order.captures
        time.sleep(PAUSE)
        answer = super().release(task)
        task.order.captures = seen
        return answer

    def settle(self) -> None:
        """The pause was before."""


@lie("CON-4", "AUT-3", "CON-1", "ORD-SUM-5", when="concurrency")
class UpdateRacesCapture(_Unlocked):
    """A decrease does not see a capture that comes at the same time."""

    ops = ("update_authorization",)


@lie("CON-4", "CON-1", "CAP-4", "ORD-FIX-2", "CON-3", "IDM-5", when="concurrency")
class CapturesOverwrite(_Unlocked):
    """Of captures that come at once only the last written stays."""

    ops = ("capture",)

    def capture(self, task: Task) -> Answer:
        order, before = task.order, task.order.captures
        amount = task.body["captured_amount"]
        self.check_zero(task, amount)
        if amount > self.remaining(order):
            raise self.forbidden("CAPTURE_NOT_ALLOWED", "More than the remaining authorized amount.")
        self.settle()
        capture = self.new_capture(order, task.body)
        order.captures = [*before, capture]
        return self.created(task, "Capture-Id", capture.id)


@lie("CON-4", "CON-2", "RFD-4", "ORD-FIX-2", when="concurrency")
class RefundsOverwrite(_Unlocked):
    """Of refunds that come at once only the last written stays in the list."""

    def write(self, task: Task) -> Answer:
        if task.op != "refund":
            return super().write(task)
        order = task.known = self.find_order(task)
        before = order.refunds
        time.sleep(PAUSE)
        with self.hold(order):
            answer = self.once(task)
            if answer.status == 201 and len(order.refunds) > len(before) + 1:
                order.refunds = [*before, order.refunds[-1]]
            return answer

    def settle(self) -> None:
        """The pause was before."""


@lie("CON-4", "REF-1", when="concurrency")
class ReferencesOverwrite(_Unlocked):
    """Of updates of different references that come at once only the last written stays."""

    ops = ("update_references",)

    def update_references(self, task: Task) -> Answer:
        before = task.order.references
        self.settle()
        task.order.references = {**before, **task.body}
        return self.done(task)


@lie("CON-4", "SHP-1", when="concurrency")
class ParcelsOverwrite(_Unlocked):
    """Of shipping info that is appended at once only the last written stays."""

    ops = ("append_order_shipping",)

    def append_order_shipping(self, task: Task) -> Answer:
        before = task.order.shipping_info
        self.settle()
        task.order.shipping_info = [*before, *task.body["shipping_info"]]
        return self.done(task)


@lie("CON-4", "CUS-1", when="concurrency")
class AddressesOverwrite(_Unlocked):
    """Of updates of different fields of an address that come at once only the last written stays."""

    ops = ("update_customer",)

    def update_customer(self, task: Task) -> Answer:
        before = task.order.shipping
        self.settle()
        task.order.shipping = {**before, **task.body.get("shipping_address", {})}
        return self.done(task)


@lie("IDM-5", "IDM-1", "IDM-2", "CON-4", when="concurrency")
class KeysRace(Fake):
    """A key is looked up before the order is locked: calls with one key that come at once all take effect."""

    def write(self, task: Task) -> Answer:
        order = task.known = self.find_order(task)
        scope = self.scope(task)
        known = self.recall(scope) if scope else None
        if known is not None:
            return known
        time.sleep(PAUSE)
        with self.hold(order):
            answer = self.attempt(task)
        if scope and self.remembers(answer):
            self.kept[scope] = (self.now(), answer)
        return answer


@lie("IDM-5", "IDM-2", "GEN-HTTP-4", when="concurrency")
class AnswersInFlight(Fake):
    """A call whose key is in flight is answered 202."""

    def write(self, task: Task) -> Answer:
        scope, flying = self.scope(task), self.__dict__.setdefault("flying", set())
        with self.guard:
            busy = scope is not None and scope in flying
            if scope and not busy:
                flying.add(scope)
        if busy:
            return Answer(202)
        try:
            return super().write(task)
        finally:
            flying.discard(scope)

    def settle(self) -> None:
        time.sleep(PAUSE)


@lie("CON-5", "ORD-SUM-1", "ORD-GET-2", when="concurrency")
class TornCapture(Fake):
    """A read during a capture shows the captured amount before the list has the capture."""

    def capture(self, task: Task) -> Answer:
        self.check_zero(task, task.body["captured_amount"])
        if task.body["captured_amount"] <= self.remaining(task.order):
            task.order.notes["ahead"] = task.body["captured_amount"]
            time.sleep(PAUSE)
            task.order.notes["ahead"] = 0
        return super().capture(task)

    def read(self, task: Task) -> Answer:
        order = task.known = self.find_order(task)
        if task.op != "get_order" or not order.notes.get("ahead"):
            return super().read(task)
        ahead = int(order.notes.get("ahead", 0))
        view = self.order_view(order)
        for name, change in (("captured_amount", ahead), ("remaining_authorized_amount", -ahead)):
            view[name] += change
        return self.ok(view)


@lie("CON-5", "ORD-SUM-2", "ORD-GET-2", when="concurrency")
class TornRefund(Fake):
    """A read during a refund shows the refund in the list before the refunded amount has it."""

    def refund(self, task: Task) -> Answer:
        order = task.order
        answer = super().refund(task)
        order.notes["behind"] = order.refunds[-1].amount
        time.sleep(PAUSE)
        order.notes["behind"] = 0
        return answer

    def read(self, task: Task) -> Answer:
        order = task.known = self.find_order(task)
        if task.op != "get_order" or not order.notes.get("behind"):
            return super().read(task)
        view = self.order_view(order)
        view["refunded_amount"] -= order.notes["behind"]
        return self.ok(view)


@lie("CON-4", "GEN-ERR-4", when="concurrency")
class ConflictButDone(Fake):
    """A write that has to wait for another is answered 409 after it took effect."""

    def write(self, task: Task) -> Answer:
        order = task.known = self.find_order(task)
        waited = not order.lock.acquire(blocking=False)
        if waited:
            order.lock.acquire()
        try:
            answer = self.once(task)
        finally:
            order.lock.release()
        if waited and answer.status < 300:
            raise Refusal(409, "CONFLICT", "Another call was changing the order.")
        return answer

    def settle(self) -> None:
        time.sleep(PAUSE)


@lie("CON-4", "GEN-ERR-3", "GEN-HTTP-4", when="concurrency")
class BusyFails(Fake):
    """A write that meets another is answered 503."""

    def write(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        if not task.order.lock.acquire(blocking=False):
            raise Refusal(503, "SERVICE_UNAVAILABLE", "Try again.")
        try:
            return self.once(task)
        finally:
            task.order.lock.release()

    def settle(self) -> None:
        time.sleep(PAUSE)


@lie("CON-4", "IDM-4", "CAP-2", when="concurrency")
class NeighboursMixed(Fake):
    """Of two captures that come at once, one is answered with the other's id."""

    @contextmanager
    def hold(self, order: Order) -> Iterator[None]:
        order.notes["waiting"] = order.notes.get("waiting", 0) + 1
        try:
            with order.lock:
                yield
        finally:
            order.notes["waiting"] -= 1

    def capture(self, task: Task) -> Answer:
        time.sleep(PAUSE)
        others = task.order.captures
        answer = super().capture(task)
        if others and task.order.notes.get("waiting", 0) > 1:
            return self.created(task, "Capture-Id", others[-1].id)
        return answer
