"""The oracle: which states of an order explain what was seen.

`possible` takes the set of states that an order may be in and one exchange, and gives the set that remains. An empty
set means that no conforming server can have answered so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from orderproof.exchange import Exchange
from orderproof.model.call import Call, call_of, created_id, error_code
from orderproof.model.effects import effects
from orderproof.model.forecast import Forecast, forecast
from orderproof.model.reading import read
from orderproof.model.state import Spent, State
from orderproof.model.values import Difference

_WITHOUT_EFFECT = frozenset({401, 409, 429})
_SPENDING = frozenset({400, 403, 404, 422})


@dataclass(frozen=True)
class Assessment:
    """One state held against one answer: what was allowed, what came, and the states that follow."""

    state: State
    forecast: Forecast
    after: tuple[State, ...]
    answer_allowed: bool = True
    taken: bool = False
    differences: tuple[Difference, ...] = ()

    @property
    def explains(self) -> bool:
        return self.answer_allowed and not self.differences


def possible(states: Iterable[State], exchange: Exchange) -> tuple[State, ...]:
    """Return the states that an order may be in after an exchange, given those before; empty: contract broken."""
    call = call_of(exchange)
    if call is None:
        return tuple(states)
    return explained(assess(state, call) for state in states)


def explained(assessments: Iterable[Assessment]) -> tuple[State, ...]:
    """The distinct states that explain what was seen."""
    return distinct(state for assessment in assessments if assessment.explains for state in assessment.after)


def distinct(states: Iterable[State]) -> tuple[State, ...]:
    """Drop equal states, keeping the order."""
    found = tuple(states)
    return found if len(found) < 2 else tuple({state.identity: state for state in found}.values())


def is_neutral(call: Call) -> bool:
    """Say whether an answer means "not now": 429, or 409 while another call is under way, with patience left."""
    status = call.exchange.status
    return status == 429 or (status == 409 and "gave-up" not in call.exchange.facts)


def assess(state: State, call: Call) -> Assessment:
    """Hold an answer against what a state allows."""
    allowed = forecast(state, call)
    status = call.exchange.status
    if status is None:
        return Assessment(state, allowed, _after_silence(state, call, allowed))
    if is_neutral(call):
        return Assessment(state, allowed, (state,))
    if status >= 500:
        return Assessment(state, allowed, _after_silence(state, call, allowed), answer_allowed=False)
    outcome = allowed.outcome(status, error_code(call))
    if outcome is None:
        return Assessment(
            state, allowed, _after_surprise(state, call), answer_allowed=False, taken=status < 300
        )
    if status < 300 and not call.operation.writes:
        return _assess_read(state, call, allowed)
    ways = {one.taken for one in allowed.outcomes if one.allows(status, error_code(call))}
    after = [*(effects(state, call) if True in ways else ()), *([state] if False in ways else ())]
    return Assessment(state, allowed, tuple(_with_key(s, call, status) for s in after), taken=outcome.taken)


def _assess_read(state: State, call: Call, allowed: Forecast) -> Assessment:
    results = read(state, call)
    clean = tuple(after for after, found in results if not found)
    if clean:
        return Assessment(state, allowed, clean, taken=True)
    after, found = min(results, key=lambda result: len(result[1]))
    return Assessment(state, allowed, (after,), taken=True, differences=tuple(found))


def _after_silence(state: State, call: Call, allowed: Forecast) -> tuple[State, ...]:
    """The answer is unknown: the call never came, was refused, or took effect; the latter two spend its key."""
    if not call.operation.writes:
        return (state,)
    taken = effects(state, call) if any(outcome.taken for outcome in allowed.outcomes) else []
    if call.exchange.status is not None:
        return (state, *taken)
    refusals = {status for outcome in allowed.outcomes if not outcome.taken for status in outcome.statuses}
    refused = [_with_key(state, call, status) for status in sorted(refusals & _SPENDING) if call.key]
    return distinct([state, *refused, *(_with_key(after, call, None) for after in taken)])


def _after_surprise(state: State, call: Call) -> tuple[State, ...]:
    """An answer that no state allows: after a 2xx the order is as it next reads, after a refusal as it was."""
    status = call.exchange.status or 0
    if call.operation.writes and status < 300:
        return (replace(state, order=None),)
    return (state,)


def _with_key(state: State, call: Call, status: int | None) -> State:
    """Remember what the key of a call was used for; `status` None: the call took effect, its answer is unknown."""
    if call.key is None or (call.key in state.keys and state.keys[call.key].status is not None):
        return state
    if status is not None and (status in _WITHOUT_EFFECT or status >= 500):
        return state
    response = call.exchange.response
    spent = Spent(
        operation=call.name,
        child=call.child,
        body=call.body,
        status=status,
        location=response.header("location") if response else None,
        created=created_id(call),
        at=call.now,
        code=error_code(call),
    )
    keys: Mapping[str, Spent] = {**state.keys, call.key: spent}
    return replace(state, keys=keys)
