"""Servers that mishandle idempotency keys."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tests.gallery.books import Refusal, Task
from tests.gallery.catalogue import lie
from tests.gallery.correct import OnceOnly
from tests.gallery.server import Fake
from tests.gallery.wire import Answer

Scope = tuple[str, ...]


class _Without(Fake):
    """Ignores keys for some operations."""

    ops: tuple[str, ...] = ()

    def scope(self, task: Task) -> Scope | None:
        return None if task.op in self.ops else super().scope(task)


@lie("IDM-1", "IDM-2", "IDM-3", "IDM-5", "IDM-7")
class KeysIgnored(Fake):
    """Keys do nothing."""

    def scope(self, task: Task) -> Scope | None:
        return None


@lie("IDM-1", "IDM-2", "IDM-3", "IDM-5", "IDM-7")
class RefundKeysIgnored(_Without):
    """Keys do nothing for refunds."""

    ops = ("refund",)


@lie("IDM-1", "IDM-2", "IDM-3", "IDM-5", "IDM-7")
class CaptureKeysIgnored(_Without):
    """Keys do nothing for captures."""

    ops = ("capture",)


@lie("IDM-1", "IDM-3", "IDM-5", "IDM-7")
class OrderShippingKeysIgnored(_Without):
    """Keys do nothing when shipping info is appended to an order."""

    ops = ("append_order_shipping",)


@lie("IDM-1", "IDM-3", "IDM-5", "IDM-7")
class CaptureShippingKeysIgnored(_Without):
    """Keys do nothing when shipping info is appended to a capture."""

    ops = ("append_capture_shipping",)


@lie("IDM-3", "IDM-1", "IDM-2")
class ReferenceKeysIgnored(_Without):
    """Keys do nothing when references are updated: a repeat with another body is written."""

    ops = ("update_references",)


@lie("IDM-3", "IDM-1")
class AddressKeysIgnored(_Without):
    """Keys do nothing when an address is updated: a repeat with another body is written."""

    ops = ("update_customer",)


@lie("IDM-3", "IDM-1")
class UpdateKeysIgnored(_Without):
    """Keys do nothing when an authorization is updated: a repeat with another body is written."""

    ops = ("update_authorization",)


@lie("IDM-1", "IDM-2", when="sequence", needs=("pay-later",))
class DueDateKeysIgnored(_Without):
    """Keys do nothing when a due date is extended: the repeat finds its option used up."""

    ops = ("extend_due_date",)


@lie("IDM-2", "IDM-1", "IDM-7", when="sequence")
class RepeatedCloseRefused(OnceOnly):
    """Keys do nothing when an order is acknowledged, released or cancelled, and nothing is taken twice."""

    def scope(self, task: Task) -> Scope | None:
        return None if task.op in {"acknowledge", "release", "cancel"} else super().scope(task)


@lie("IDM-1", "IDM-2", when="sequence")
class LastFiveKeysKept(Fake):
    """Only the last five keys are known."""

    def once(self, task: Task) -> Answer:
        answer = super().once(task)
        for old in list(self.kept)[:-5]:
            self.kept.pop(old, None)
        return answer


@lie("IDM-1", "IDM-2", when="sequence")
class KeyGoodForOneRepeat(Fake):
    """A key is forgotten after its first repeat."""

    def recall(self, scope: Scope) -> Answer | None:
        known = super().recall(scope)
        if known is not None:
            self.kept.pop(scope, None)
        return known


@lie("IDM-1", "IDM-2", when="sequence")
class ReadForgetsKeys(Fake):
    """Reading an order forgets the keys that were used on it."""

    def get_order(self, task: Task) -> Answer:
        for scope in [one for one in self.kept if task.order_id in one]:
            self.kept.pop(scope, None)
        return super().get_order(task)


@lie("IDM-2", "IDM-1", "CAP-2", when="value")
class RepeatHasAnotherId(Fake):
    """A repeat has no second effect and names another id."""

    def recall(self, scope: Scope) -> Answer | None:
        known = super().recall(scope)
        if known is None or known.status != 201:
            return known
        header = "Capture-Id" if known.header("Capture-Id") else "Refund-Id"
        return known.having(header, self.new_id())


@lie("IDM-2")
class RepeatIsConflict(Fake):
    """A repeat of a call that is long done is answered 409."""

    def recall(self, scope: Scope) -> Answer | None:
        if super().recall(scope) is not None:
            raise Refusal(409, "CONFLICT", "This key was used before.")
        return None


@lie("IDM-2", "GEN-HTTP-4")
class RepeatIsOk(Fake):
    """The repeat of a capture is answered 200."""

    def recall(self, scope: Scope) -> Answer | None:
        known = super().recall(scope)
        return replace(known, status=200) if known is not None and known.status == 201 else known


@lie("IDM-2", "CAP-2", "RFD-2")
class RepeatHasNoLocation(Fake):
    """The repeat of a capture or refund has no Location."""

    def recall(self, scope: Scope) -> Answer | None:
        known = super().recall(scope)
        return known.without("Location") if known is not None else None


@lie("IDM-2", "IDM-1", when="sequence")
class RepeatJudgedByState(Fake):
    """A repeat is refused when the order would refuse it now, though it had been taken."""

    def once(self, task: Task) -> Answer:
        scope = self.scope(task)
        if scope is not None and self.recall(scope) is not None:
            try:
                self.check_state(task)
            except Refusal as refusal:
                return self.refused(refusal)
        return super().once(task)


@lie("IDM-3", "IDM-1", when="value")
class KeyWithBody(Fake):
    """A key counts together with the body: another body is another call."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        return (*scope, hashlib.sha256(task.call.body).hexdigest()) if scope else None


class _ComparesBodies(Fake):
    """Refuses a key that comes with another body than at first."""

    answered = 409

    def once(self, task: Task) -> Answer:
        bodies: dict[Scope, bytes] = self.__dict__.setdefault("bodies", {})
        scope = self.scope(task)
        if scope and self.recall(scope) and bodies.get(scope) != task.call.body:
            raise Refusal(self.answered, "CONFLICT", "The key was used with another body.")
        answer = super().once(task)
        if scope:
            bodies.setdefault(scope, task.call.body)
        return answer


@lie("IDM-3", when="value")
class OtherBodyConflicts(_ComparesBodies):
    """A key that comes with another body is answered 409."""


@lie("IDM-3", when="value")
class OtherBodyUnprocessable(_ComparesBodies):
    """A key that comes with another body is answered 422."""

    answered = 422


@lie("IDM-4", "CAP-4", when="sequence")
class KeysByBody(Fake):
    """Two calls with equal bodies and different keys are taken for one."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        return ("body", task.op, task.order_id, task.part_id, str(task.call.body)) if scope else None


@lie("IDM-4", "CAP-4", "RFD-4", "CAP-2", when="sequence")
class KeylessTwinsMerged(Fake):
    """Two captures or refunds with equal bodies and no keys are taken for one."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        if scope or task.op not in {"capture", "refund"}:
            return scope
        return ("twin", task.op, task.order_id, str(task.call.body))


@lie("IDM-4", when="value")
class KeysCut(Fake):
    """Only the first 32 characters of a key count."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        return (scope[0][:32], *scope[1:]) if scope else None


@lie("IDM-4", when="value")
class KeysInAnyCase(Fake):
    """Letter case does not matter in a key."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        return (scope[0].lower(), *scope[1:]) if scope else None


@lie("IDM-7", "IDM-1", "IDM-2", "IDM-5", when="sequence", needs=("faults",))
class KeysPerConnection(Fake):
    """A key is known on the connection that it first came on."""

    def scope(self, task: Task) -> Scope | None:
        scope = super().scope(task)
        return (*scope, task.call.peer) if scope else None


@lie("IDM-1", "IDM-2", "IDM-5", "IDM-7", when="sequence")
class KeysKeptLate(Fake):
    """A key is known from a fifth of a second after its call on."""

    def recall(self, scope: Scope) -> Answer | None:
        at, _ = self.kept.get(scope, (0.0, None))
        return super().recall(scope) if self.now() - at > 0.2 else None


@lie("IDM-8", when="sequence", needs=("clock",))
class KeysHoldAnHour(Fake):
    """A key is forgotten after an hour."""

    key_seconds = 3600.0


@lie("IDM-8", when="sequence", needs=("clock",))
class KeysHoldTillEvening(Fake):
    """A key is forgotten after twelve hours."""

    key_seconds = 12 * 3600.0
