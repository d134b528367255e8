"""The life cycle of an order: its stages, and every transition that the model has, found by exploring the model itself.

A transition is a stage, an operation, and whether the call is taken or refused. Nothing is listed by hand: the model
is asked for small amounts, and followed wherever it leads. Amounts of 0 are left out: the contract does not say what
an order is after a capture of nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from orderproof.exchange import Exchange, Request, Response
from orderproof.model.call import Call
from orderproof.model.effects import effects
from orderproof.model.forecast import Forecast, Situation, forecast
from orderproof.model.state import Phase, State
from orderproof.operations import OPERATIONS, path_of

Choice = tuple[str, str, str]

UNKNOWN = "UNKNOWN"
_LARGEST = 3
"""The largest amount that is explored: with it an order can be captured in part and refunded in part."""

_ORDER = "11111111-1111-4111-8111-111111111111"
_CHILD = "22222222-2222-4222-8222-222222222222"
_DAYS = 30


class Transition(NamedTuple):
    """A call of an operation on an order in a stage, and whether it is taken."""

    stage: str
    operation: str
    taken: bool


def stage_of(state: State) -> str:
    """Name the stage of an order: where it is in its life, and how much of what was captured is refunded."""
    phase = state.phase
    if phase is Phase.CANCELLED:
        return "CANCELLED"
    if phase is Phase.UNKNOWN or (state.captured == 0 and (state.captures or state.lowered)):
        return UNKNOWN
    name = _PHASES.get(phase) or _live_stage(state)
    if state.captured == 0:
        return name
    refunded = state.captured - state.refundable
    share = "none" if not refunded else "all" if refunded >= state.captured else "part"
    return f"{name}, {share} refunded"


_PHASES = {Phase.EXPIRED: "EXPIRED", Phase.RELEASED: "RELEASED"}


def _live_stage(state: State) -> str:
    if state.lowered:
        return "DECREASED TO CAPTURED"
    if state.phase is Phase.FULL:
        return "CLOSED" if state.status == "CLOSED" else "CAPTURED"
    return "PART_CAPTURED" if state.captured else "AUTHORIZED"


_APART = frozenset(
    {
        Situation.ZERO_AMOUNT,
        Situation.INVALID_BODY,
        Situation.OPEN_BODY,
        Situation.UNKNOWN_ORDER,
        Situation.MALFORMED_ORDER,
        Situation.REPEAT,
        Situation.REPEAT_OF_REFUSED,
        Situation.UNAUTHENTICATED,
    }
)
"""Situations in which not the stage of the order decides, but the request."""


def is_of_the_stage(found: Forecast, state: State, operation: str) -> bool:
    """Say whether it is the stage of the order that decides on a call, and not what is wrong with the call itself."""
    if found.situation is Situation.UNKNOWN_CAPTURE:
        return not state.captures
    if found.situation is Situation.UNKNOWN_REFUND:
        return not state.refunds
    return found.situation not in _APART


def choice_of(found: Forecast, transition: Transition) -> Choice | None:
    """Name the choice that the contract leaves the server for a call; None when it leaves none.

    What a server chooses may depend on the operation, the situation and where the order is in its life. That it
    depends on what was refunded is not expected.
    """
    place, operation = transition.stage.partition(",")[0], transition.operation
    if operation == "extendDueDate":
        # What is on offer is the server's affair, and so is, in the end, whether such a call is ever taken.
        return operation, "the days on offer", place
    if found.must_be_taken or found.must_be_refused:
        return None
    return operation, found.situation.value, place


@dataclass(frozen=True)
class Edge:
    """A transition from an explored state to others; `choice` and `stages` say what the server was free to choose.

    `choice` is None where the contract decides whether the call is taken; `stages` are those that may follow, `targets`
    the states, which are numbers, each with its stage.
    """

    transition: Transition
    choice: Choice | None
    stages: frozenset[str]
    targets: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Choices:
    """What a server was seen to choose: taken or refused by choice, and the stage by those that might follow."""

    taken: Mapping[Choice, Iterable[bool]]
    stages: Mapping[tuple[str, frozenset[str]], Iterable[str]]

    def may(self, edge: Edge) -> bool:
        """Say whether the server may choose so."""
        seen = self.taken.get(edge.choice) if edge.choice else None
        return seen is None or edge.transition.taken in seen

    def stages_of(self, edge: Edge) -> Iterable[str]:
        """The stages that may follow."""
        return self.stages.get((edge.transition.operation, edge.stages), edge.stages)

    def next_of(self, edge: Edge) -> list[int]:
        """The states that may follow."""
        if len(edge.stages) == 1:
            return [number for _, number in edge.targets]
        seen = self.stages_of(edge)
        return [number for stage, number in edge.targets if stage in seen]


def reachable(choices: Choices, *, clock: bool) -> set[Transition]:
    """Return the transitions that a server can be brought to take which chooses as it was seen to.

    Where it was not seen to choose, every choice counts. `clock`: orders can be made to expire.
    """
    edges = _edges_by_origin()
    found: set[Transition] = set()
    seen, waiting = {0}, [0]
    while waiting:
        for edge in edges[waiting.pop()]:
            if choices.may(edge) and (clock or edge.transition.operation):
                found.add(edge.transition)
                new = [number for number in choices.next_of(edge) if number not in seen]
                seen.update(new)
                waiting.extend(new)
    return {transition for transition in found if transition.operation}


def passages(choices: Choices, *, clock: bool) -> dict[str, set[tuple[str, str]]]:
    """Return by stage the operations that lead to another stage, and to which; time is the operation ""."""
    found: dict[str, set[tuple[str, str]]] = {}
    for edge in _moving_edges():
        if choices.may(edge) and (clock or edge.transition.operation):
            for stage in choices.stages_of(edge):
                if stage != edge.transition.stage:
                    found.setdefault(edge.transition.stage, set()).add((edge.transition.operation, stage))
    return found


@cache
def _moving_edges() -> list[Edge]:
    """One of all the edges that have the same transition, choice and stages, where it leads to another stage."""
    edges = [edge for edges in _edges_by_origin() for edge in edges if edge.stages != {edge.transition.stage}]
    return list({(edge.transition, edge.choice, edge.stages): edge for edge in edges}.values())


def outlook(state: State, call: Call) -> set[tuple[bool, str]]:
    """Return what may come of a call: whether it is taken, and the stage of the order after it."""
    found = forecast(state, call)
    if not is_of_the_stage(found, state, call.name):
        return set()
    stages: set[tuple[bool, str]] = set()
    for taken in {outcome.taken for outcome in found.outcomes}:
        after = effects(state, call) if taken else [state]
        stages |= {(taken, stage_of(each)) for each in after}
    return stages


@cache
def _edges_by_origin() -> list[list[Edge]]:
    """Explore the model from a fresh order, breadth first."""
    start = State(
        order={
            "order_amount": 2,
            "remaining_authorized_amount": 2,
            "captured_amount": 0,
            "refunded_amount": 0,
        }
        | {"status": "AUTHORIZED", "captures": [], "refunds": []}
    )
    states, numbers = [start], {_identity(start): 0}
    edges: list[list[Edge]] = []
    for state in states:  # it grows while it is walked through
        here: dict[tuple[Any, ...], Edge] = {}
        for transition, choice, after in _steps(state):
            targets = tuple((stage_of(each), _number(each, states, numbers)) for each in after)
            edge = Edge(transition, choice, frozenset(stage for stage, _ in targets), targets)
            known = here.setdefault((transition, choice, edge.stages), edge)
            if known is not edge:
                merged = tuple(dict.fromkeys(known.targets + targets))
                here[transition, choice, edge.stages] = replace(known, targets=merged)
        edges.append(list(here.values()))
    return edges


def _number(state: State, states: list[State], numbers: dict[Any, int]) -> int:
    identity = _identity(state)
    if identity not in numbers:
        numbers[identity] = len(states)
        states.append(state)
    return numbers[identity]


def _identity(state: State) -> tuple[Any, ...]:
    """Equal for states that the model does not treat differently, as far as stages and answers go."""
    shares = (state.captured, state.refundable, bool(state.captures), bool(state.refunds))
    phase = state.phase
    if phase in (Phase.RELEASED, Phase.EXPIRED, Phase.CANCELLED):
        return (phase, state.status == "CLOSED", *shares)
    flags = (state.lowered, state.acknowledged and phase is Phase.OPEN, state.status == "CLOSED")
    return (phase, *flags, state.amount("order_amount"), state.remaining, *shares)


def _steps(state: State) -> Iterator[tuple[Transition, Choice | None, list[State]]]:
    stage = stage_of(state)
    for call in _calls():
        found = forecast(state, call)
        if not is_of_the_stage(found, state, call.name):
            continue
        for taken in sorted({outcome.taken for outcome in found.outcomes}):
            after = effects(state, call) if taken else [state]
            transition = Transition(stage, call.name, taken)
            yield transition, choice_of(found, transition), [_settled(each, call) for each in after]
    if state.remaining > 0 and state.phase in (Phase.OPEN, Phase.RELEASED) and not state.expired:
        yield (
            Transition(stage, "", taken=True),
            None,
            [replace(state, expired=True).with_order(status="EXPIRED")],
        )


def _settled(state: State, call: Call) -> State:
    """The state as it is once everything is booked, with no more captures and refunds than it takes to have some."""
    order = {**(state.order or {}), "captures": state.captures[:1], "refunds": state.refunds[:1]}
    return replace(state, order=order, bookings=())


@cache
def _calls() -> tuple[Call, ...]:
    """One call of each operation, and those that name an amount with each small amount."""
    amounts = {
        "captureOrder": "captured_amount",
        "refundOrder": "refunded_amount",
        "updateAuthorization": "order_amount",
    }
    calls = []
    for operation in OPERATIONS.values():
        field = amounts.get(operation.id)
        bodies = (
            [{field: amount} for amount in range(1, _LARGEST + (field != "order_amount") + 1)]
            if field
            else [None]
        )
        calls += [_call(operation.id, body or _BODIES.get(operation.id)) for body in bodies]
    return tuple(calls)


_BODIES: dict[str, dict[str, Any]] = {
    "updateConsumerDetails": {"shipping_address": {"given_name": "A"}},
    "updateMerchantReferences": {"merchant_reference1": "A"},
    "appendOrderShippingInfo": {"shipping_info": [{"shipping_company": "A"}]},
    "appendShippingInfo": {"shipping_info": [{"shipping_company": "A"}]},
    "extendDueDate": {"number_of_days": _DAYS},
}


def _call(name: str, body: dict[str, Any] | None) -> Call:
    operation = OPERATIONS[name]
    ids = {parameter: _ORDER if parameter == "order_id" else _CHILD for parameter in operation.parameters}
    headers = (("Content-Type", "application/json"),)
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(headers=headers, body=content, method=operation.method, target=path_of(name, **ids))
    made = tuple((header, _CHILD) for header in ("Capture-Id", "Refund-Id"))
    response = Response(headers=made, body=b"", status=operation.success)
    now = time.time()
    return Call(Exchange(0, request, response, now, now), operation, **ids)
