"""From a call to its answer: the steps of the behaviour table, around one order in its store."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orderproof.sandbox.answers import json_answer, refused
from orderproof.sandbox.behaviour import AS_AGREED, Behaviour
from orderproof.sandbox.calls import INVALID, Answer, Call, Context, Refusal, new_id
from orderproof.sandbox.clock import Clock
from orderproof.sandbox.guards import Guard
from orderproof.sandbox.held import HeldAnswers
from orderproof.sandbox.options import Settings
from orderproof.sandbox.orders import Fields, Order
from orderproof.sandbox.states import next_change
from orderproof.sandbox.store import MemoryStore, Store
from orderproof.sandbox.turns import Turns

_REFUNDS = frozenset({"refundOrder", "getRefund"})
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Service:
    """Answers calls on the orders of a store."""

    def __init__(self, settings: Settings, store: Store, behaviour: Behaviour = AS_AGREED) -> None:
        self.settings = settings
        self.open = settings.open
        self.behaviour = behaviour
        self.store = behaviour.store(store)
        self.clock = Clock(self.store)
        self._turns = Turns(settings.open)
        self._held = HeldAnswers()
        as_agreed = (behaviour.reads, behaviour.finish) == (AS_AGREED.reads, AS_AGREED.finish)
        # Other stores make an order anew each time that it is asked for.
        self._holds = as_agreed and isinstance(self.store, MemoryStore)

    def context(self) -> Context:
        """Return the time of this moment and the settings."""
        return Context(
            self.clock.now(), self.open, self.settings.authorization_days, self.settings.due_date_options
        )

    async def answer(self, call: Call) -> Answer:
        """Answer a call on an order; a refusal is an answer like another."""
        try:
            if call.operation in self.behaviour.reads:
                return self.read(call)
            self._refuse_malformed_ids(call)
        except Refusal as refusal:
            return self.behaviour.finish(call, None, refused(refusal, self.open))
        return await self.behaviour.write(self, call)

    def create(self, call: Call) -> Answer:
        """Place an order from a draft, captured whole if the draft asks for it. `order_id` is the token here.

        Raises Refusal for a bad draft.
        """
        scope = self.behaviour.scope_of(call, self.open)
        context = self.context()
        with self.store.transaction(call.order_id) as transaction:
            kept = None if scope is None else transaction.answer(scope, context.now)
            if kept is not None:
                return kept
            order = self._placed(self.behaviour.read_body(call, self.open).body, context)
            transaction.save(order)
            self._make_ready(order, context)
            answer = json_answer(200, {"order_id": order.order_id, "fraud_status": "ACCEPTED"}, self.open)
            if scope is not None:
                transaction.keep(scope, answer, context.now)
            return answer

    def _placed(self, draft: Fields, context: Context) -> Order:
        order = self.behaviour.place(draft, new_id(), context.now, self.settings.authorization_days)
        if not draft.get("auto_capture") or not order.order_amount:
            return order
        body = {"captured_amount": order.order_amount, "order_lines": order.order_lines}
        whole = Call("captureOrder", order.order_id, body=body)
        return self.behaviour.effects["captureOrder"](order, whole, context)

    def read(self, call: Call) -> Answer:
        """Answer a call that changes nothing. Raises Refusal for what cannot be found."""
        order = self.store.order(call.order_id)
        if order is None or call.child_id:
            self._refuse_malformed_ids(call)
        if order is None:
            raise self.no_such_order(call)
        if call.operation == "getOrder" and self._holds:
            return self._held.answer(order, self.clock.now()) or self._hold(order, self.context())
        value = self.behaviour.reads[call.operation](order, call, self.context())
        return self.behaviour.finish(call, order, json_answer(200, value, self.open))

    def _make_ready(self, order: Order, context: Context) -> None:
        """Make the answer that reads an order when it changes, so that reading costs the same among any number."""
        if self._holds:
            self._hold(order, context)

    def _hold(self, order: Order, context: Context) -> Answer:
        call = Call("getOrder", order.order_id)
        answer = json_answer(200, self.behaviour.reads[call.operation](order, call, context), self.open)
        return self._held.hold(order, next_change(order, context), answer)

    async def exclusive(self, call: Call) -> Answer:
        """Decide a call and save what it did while no other call on the same order is under way."""
        if not self._turns.needed:
            return self.perform(call)
        async with self._turns.turn(call, self.behaviour.scope_of(call, self.open)):
            return self.perform(call)

    def perform(self, call: Call) -> Answer:
        """Answer a call from its key if that is spent; otherwise decide it, saving order and key together."""
        scope = self.behaviour.scope_of(call, self.open)
        context = self.context()
        with self.store.transaction(call.order_id) as transaction:
            kept = None if scope is None else transaction.answer(scope, context.now)
            if kept is not None:
                return kept
            order = transaction.order()
            after, answer = self.decide(order, call, context)
            if after is not None and after is not order:
                transaction.save(after)
                self._make_ready(after, context)
            if scope is not None and self.behaviour.is_kept(answer, self.open):
                transaction.keep(scope, answer, context.now)
            return answer

    def decide(self, order: Order | None, call: Call, context: Context) -> tuple[Order | None, Answer]:
        """Return the order after a call, or None if it is refused, and the answer. Saves nothing."""
        try:
            after, read = self._after(order, call, context)
        except Refusal as refusal:
            return None, self.behaviour.finish(call, order, refused(refusal, self.open))
        return after, self.behaviour.finish(call, after, self.behaviour.success(read, after, context))

    def _after(self, order: Order | None, call: Call, context: Context) -> tuple[Order, Call]:
        if self.open.precedence == "validation-first":
            call = self.behaviour.read_body(call, self.open)
        if order is None:
            raise self.no_such_order(call)
        guards = self.behaviour.guards[call.operation]
        _ask((one for one in guards if not one.reads_body), order, call, context)
        if self.open.precedence == "state-first":
            call = self.behaviour.read_body(call, self.open)
        _ask((one for one in guards if one.reads_body), order, call, context)
        return self.behaviour.effects[call.operation](order, call, context), call

    def no_such_order(self, call: Call) -> Refusal:
        """Return the refusal of a call on an order that does not exist."""
        code = self.open.refunds_unknown_order_code if call.operation in _REFUNDS else "NO_SUCH_ORDER"
        return Refusal(404, code, f"Order {call.order_id} cannot be found.")

    def _refuse_malformed_ids(self, call: Call) -> None:
        if not _UUID.fullmatch(call.order_id):
            code = "INVALID_ORDER_ID" if self.open.malformed_order_id == "400" else "NO_SUCH_ORDER"
            raise Refusal(
                int(self.open.malformed_order_id), code, f"Order id {call.order_id[:200]!r} is not a UUID."
            )
        if call.child_id and not _UUID.fullmatch(call.child_id) and self.open.malformed_child_id == "400":
            raise Refusal(400, INVALID, f"Id {call.child_id[:200]!r} is not a UUID.")


def _ask(guards: Iterable[Guard], order: Order, call: Call, context: Context) -> None:
    for guard in guards:
        refusal = guard.check(order, call, context)
        if refusal is not None:
            raise refusal
