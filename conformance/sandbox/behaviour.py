"""The table of what a sandbox does at each step of a call.

The sandbox looks every step up here. Whoever wants another server than the contract's replaces entries: a
guard taken out, an effect doubled, a view that shows the wrong amount, a write that does not exclude others,
an answer changed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orderproof.sandbox.answers import success
from orderproof.sandbox.calls import Answer, Call, Context
from orderproof.sandbox.effects import EFFECTS, Effect
from orderproof.sandbox.guards import GUARDS, Guard
from orderproof.sandbox.idempotency import Scope, is_kept, scope_of
from orderproof.sandbox.options import Open
from orderproof.sandbox.orders import Fields, Order, place
from orderproof.sandbox.requests import Request
from orderproof.sandbox.store import Store
from orderproof.sandbox.validation import read_body
from orderproof.sandbox.views import READS, Read

if TYPE_CHECKING:
    from orderproof.sandbox.service import Service

Answering = Callable[[Request], Awaitable[Answer]]


async def straight(request: Request, answering: Answering) -> Answer:
    """Answer a request with nothing around it."""
    return await answering(request)


def as_it_is(call: Call, order: Order | None, answer: Answer) -> Answer:
    """Leave an answer as it is."""
    return answer


async def one_at_a_time(service: Service, call: Call) -> Answer:
    """Decide and write a call with no other call on the same order in between."""
    return await service.exclusive(call)


@dataclass(frozen=True)
class Behaviour:
    """One function, or one table of functions by operation id, for each step.

    - `around`: the whole of a request, credentials included; gets the request and the way to answer it.
    - `store`: wraps the store that is used.
    - `place`: makes a new order from a valid draft, an id, the time and the authorization period in days.
    - `read_body`: validates the body of a call, raises Refusal.
    - `guards`: the reasons to refuse, each by name, in order.
    - `effects`: what a call does to the order.
    - `success`: the answer to a call that took effect, from the order after it.
    - `reads`: what reading shows, as a JSON value.
    - `finish`: a last look at the answer of an operation, with the order after the call, if there is one.
    - `scope_of`, `is_kept`: what an idempotency key stands for and which answers it holds.
    - `write`: how a call is decided and saved; `Service.decide` and the store are its parts.
    """

    around: Callable[[Request, Answering], Awaitable[Answer]] = straight
    store: Callable[[Store], Store] = lambda store: store
    place: Callable[[Fields, str, int, int], Order] = place
    read_body: Callable[[Call, Open], Call] = read_body
    guards: Mapping[str, tuple[Guard, ...]] = field(default_factory=lambda: GUARDS)
    effects: Mapping[str, Effect] = field(default_factory=lambda: EFFECTS)
    success: Callable[[Call, Order, Context], Answer] = success
    reads: Mapping[str, Read] = field(default_factory=lambda: READS)
    finish: Callable[[Call, Order | None, Answer], Answer] = as_it_is
    scope_of: Callable[[Call, Open], Scope | None] = scope_of
    is_kept: Callable[[Answer, Open], bool] = is_kept
    write: Callable[[Service, Call], Awaitable[Answer]] = one_at_a_time


AS_AGREED = Behaviour()
