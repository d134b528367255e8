"""The judge: folds a history, exchange by exchange, into findings and counts of what was exercised."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import orderproof.checks
from orderproof.blame import MAY_BE_DUE_TO_OPERATIONS, TWINS, Blame
from orderproof.catalogue import catalogue
from orderproof.checks.findings import Finding
from orderproof.checks.group import Group
from orderproof.checks.registry import CHECKS, Broken, Mark, Registered
from orderproof.checks.step import Step
from orderproof.dossier import Dossier, Dossiers, advance, advance_at_once, most_plausible, race_with_reading
from orderproof.exchange import Exchange
from orderproof.model.call import Call, call_of
from orderproof.model.oracle import Assessment, assess, explained
from orderproof.model.state import State

__all__ = ["FINDINGS_KEPT", "Judge", "registered"]

_TRAIL_LENGTH = 400
FINDINGS_KEPT = 20
_OF_ONE_ANSWER = ("GEN-", "ORD-GET-1", "ORD-GET-3", "ORD-GET-4", "CAP-2", "RFD-2")
"""Rules about an answer by itself, which hold for one of several at once too."""


def registered() -> list[Registered]:
    """Every check there is; importing the package of the checks has registered them."""
    assert orderproof.checks
    return CHECKS


class Judge:
    """Reads a history and finds what breaks the contract.

    `only` limits the rules that are judged (default: all that have a check). After each `observe`, `findings` holds
    the findings made so far, `exercised` how often each rule was put to the test, and `broken` how often it broke;
    `step` is the last exchange in its context.
    Of a rule that breaks all the time, the first findings are kept and the others only counted.
    """

    def __init__(self, *, only: Iterable[str] | None = None, orders: int = 5_000) -> None:
        self.findings: list[Finding] = []
        self.exercised: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.errors: dict[str, str] = {}
        self.step: Step | None = None
        self.blame = Blame()
        self._steps, self._groups = _checks_of(None if only is None else frozenset(only))
        self._orders = Dossiers(orders)
        self._correlations = Dossiers(20_000)
        self._trail: list[Exchange] = []
        self._kept: Counter[tuple[str, str | None]] = Counter()
        self._scenario: str | None = None

    def state(self, order_id: str) -> State:
        """The most plausible state of an order; an unknown one when it was never seen."""
        return self._orders.of(order_id).states[0]

    def states(self, order_id: str) -> tuple[State, ...]:
        """Every state that the history of an order leaves possible."""
        return self._orders.of(order_id).states

    def forget(self, order_id: str) -> None:
        """Believe nothing of an order any more: what happened to it meanwhile is not in the history."""
        self._orders.pop(order_id, None)

    def observe(self, exchange: Exchange) -> list[Finding]:
        """Judge the next exchange of the history; returns the findings that it brought."""
        self._remember(exchange)
        call = call_of(exchange)
        if call is None:
            return self._judge(Step(exchange, None, None, repeated_error=self._is_repeated_error(exchange)))
        dossier = self._orders.of(call.order_id)
        assessments = [assess(state, call) for state in dossier.states]
        chosen = most_plausible(dossier, call, assessments)
        step = self._step(call, dossier, chosen)
        race = race_with_reading(dossier, step, assessments)
        found = self._judge(step, race)
        if found and race is None and not explained(assessments):
            self.blame.note(_names(step), found[0].follows or found[0].rule)
        advance(dossier, step, assessments, chosen)
        return found

    def observe_group(self, exchanges: Sequence[Exchange]) -> list[Finding]:
        """Judge exchanges that were under way at the same time; returns the findings that they brought.

        That no order of them explains how the order reads afterwards is found when it is next read.
        """
        calls: defaultdict[str, list[Call]] = defaultdict(list)
        for exchange in exchanges:
            self._remember(exchange)
            call = call_of(exchange)
            if call is None:
                self._judge(self._lone_step(exchange, None))
            else:
                calls[call.order_id].append(call)
        return [
            finding
            for order_id, together in calls.items()
            for finding in self._judge_race(self._orders.of(order_id), together)
        ]

    def _lone_step(self, exchange: Exchange, call: Call | None) -> Step:
        """An exchange by itself: what was possible before it is not known."""
        repeats = call is not None and call.key is not None
        repeated = self._is_repeated_error(exchange)
        return Step(exchange, call, None, repeated_error=repeated, repeats_a_key=repeats)

    def _judge_race(self, dossier: Dossier, calls: list[Call]) -> list[Finding]:
        alone = [self._lone_step(call.exchange, call) for call in calls]
        found = [finding for step in alone for finding in self._broken(step, _OF_ONE_ANSWER)]
        race = advance_at_once(dossier, calls)
        if race is None:
            return self._add(found, alone[-1])
        deciding = (race.culprits or race.calls)[-1]
        step = Step(deciding.exchange, deciding, None)
        return self._add([*found, *self._broken_at_once(race, step)], step, race)

    def _broken_at_once(self, race: Group, step: Step) -> list[Finding]:
        return self._findings_of(self._groups, race, step)

    def _broken(self, step: Step, rules: tuple[str, ...] = ()) -> list[Finding]:
        """The findings of one step, of all rules or of those whose ids begin in one of these ways."""
        operation = step.call.name if step.call is not None else ""
        entries = self._steps.get(operation, self._steps[""])
        if rules:
            entries = [entry for entry in entries if entry.rule.startswith(rules)]
        return self._findings_of(entries, step, step)

    def _findings_of(self, entries: Iterable[Registered], view: Any, step: Step) -> list[Finding]:
        found: list[Finding] = []
        # Some fifty checks look at each exchange, and few of them have anything to say.
        for entry in entries:
            marks = self._marks(entry, view)
            if marks:
                self.exercised[entry.rule] += len(marks)
                found += [self._finding(entry.rule, mark, step) for mark in marks if isinstance(mark, Broken)]
        return found

    def _step(self, call: Call, dossier: Dossier, chosen: Assessment) -> Step:
        return Step(
            exchange=call.exchange,
            call=call,
            assessment=chosen,
            since=tuple(dossier.since),
            before=dossier.before,
            repeated_error=self._is_repeated_error(call.exchange),
            repeats_a_key=bool(call.key and call.key in chosen.state.keys),
            is_twin=call.operation.writes and dossier.has_twin_of(call),
            lost_keys=frozenset(dossier.lost_keys),
        )

    def _is_repeated_error(self, exchange: Exchange) -> bool:
        if exchange.response is None or exchange.response.status < 400:
            return False
        body = exchange.response.json
        correlation = body.get("correlation_id") if isinstance(body, dict) else None
        if not isinstance(correlation, str):
            return False
        seen = correlation in self._correlations
        self._correlations.of(correlation)
        return seen

    def _remember(self, exchange: Exchange) -> None:
        if exchange.scenario != self._scenario:
            self._scenario = exchange.scenario
            self._trail.clear()
        self._trail.append(exchange)
        del self._trail[:-_TRAIL_LENGTH]

    def _judge(self, step: Step, race: Group | None = None) -> list[Finding]:
        self.step = step
        found = self._broken(step)
        if race is not None:
            found += self._broken_at_once(race, step)
        return self._add(found, step, race)

    def _marks(self, entry: Registered, view: Any) -> list[Mark]:
        try:
            return list(entry.judge(view))
        except Exception as error:  # our own fault, which must not pass for the target's
            self.errors.setdefault(entry.rule, f"{type(error).__name__}: {error}")
            return []

    def _finding(self, rule: str, mark: Broken, step: Step) -> Finding:
        return Finding(
            rule=rule,
            expected=mark.expected,
            actual=mark.actual,
            exchange=step.exchange,
            operation=step.call.name if step.call is not None else None,
            order_id=step.call.order_id if step.call is not None else None,
            trail=tuple(self._trail),
            symptom=mark.symptom,
        )

    def _add(self, found: list[Finding], step: Step, race: Group | None = None) -> list[Finding]:
        """Order findings of one exchange, the most telling first, and link those that follow from another."""
        found = sorted(_one_per_rule(found), key=lambda one: (_only_warns(one.rule), _rank(one.rule, step)))
        dossier = self._orders.of(step.call.order_id) if step.call is not None else Dossier()
        linked = []
        stain = dossier.stained_by
        if found and (stain is None or (_only_warns(stain) and not _only_warns(found[0].rule))):
            found[0] = replace(found[0], suspects=_suspects(found[0], step, race))
            stain = self.blame.behind(found[0].rule, found[0].suspects)
        for finding in found:
            if stain is not None and _only_warns(stain) and not _only_warns(finding.rule):
                stain = None  # what is only recommended explains no breach of what is required
            linked.append(replace(finding, follows=stain))
            stain = dossier.stained_by = stain or finding.rule
        for finding in linked:
            self._keep(finding)
            cause = finding.follows or finding.rule
            if not _only_warns(cause):
                self.blame.note(_symptoms(finding, step, race), cause)
        self.blame.note_keys(finding.rule for finding in linked)
        return linked

    def _keep(self, finding: Finding) -> None:
        self.broken[finding.rule] += 1
        kind = (finding.rule, finding.follows)
        self._kept[kind] += 1
        if self._kept[kind] <= FINDINGS_KEPT:
            self.findings.append(finding)


def _names(step: Step, race: Group | None = None) -> list[str]:
    """The operations that what a step shows may be due to: of the calls at once, or of those since the last reading."""
    if race is not None:
        suspects = [call for call in race.culprits if call.operation.writes] or race.writes
        return [call.name for call in suspects]
    own = [step.call.name] if step.call is not None and step.call.operation.writes else []
    return [*(event.call.name for event in step.since), *own]


def _suspects(finding: Finding, step: Step, race: Group | None) -> tuple[str, ...]:
    """The operations and symptoms that would explain a finding, should they break another rule by themselves."""
    has_twins = step.is_twin or any(event.is_twin for event in step.since)
    return (
        *(_names(step, race) if race is not None or finding.rule in MAY_BE_DUE_TO_OPERATIONS else ()),
        *((finding.symptom,) if finding.symptom else ()),
        *((TWINS,) if has_twins else ()),
        *_restless(step),
        *((_at_once(name) for name in sorted(set(_names(step, race)))) if race is not None else ()),
    )


def _symptoms(finding: Finding, step: Step, race: Group | None) -> list[str]:
    """What a finding says of calls elsewhere."""
    found = [finding.symptom] if finding.symptom else []
    if finding.rule == "IDM-4":
        found.append(TWINS)
    if finding.rule == "ORD-GET-2":
        found += _restless(step)
    if race is not None and finding.rule.startswith("CON-") and len(names := set(_names(step, race))) == 1:
        found.append(_at_once(*names))
    return found


def _restless(step: Step) -> list[str]:
    """The symptom that a field changes though nothing was called: of the only one that a reading shows otherwise."""
    fields = {str(difference.path[0]) for difference in step.differences}
    return [f"{name} by itself" for name in fields] if len(fields) == 1 else []


def _at_once(operation: str) -> str:
    """The symptom that calls of one operation do not mind each other."""
    return f"{operation} at once"


@cache
def _checks_of(only: frozenset[str] | None) -> tuple[dict[str, list[Registered]], list[Registered]]:
    """The checks of single exchanges by operation, those of any operation under no name; and those of groups."""
    checks = [entry for entry in registered() if only is None or entry.rule in only]
    steps = [entry for entry in checks if entry.view == "step"]
    table = {"": [entry for entry in steps if not entry.on]}
    for name in {name for entry in steps for name in entry.on}:
        table[name] = [entry for entry in steps if not entry.on or name in entry.on]
    return table, [entry for entry in checks if entry.view == "group"]


@cache
def _only_warns(rule: str) -> bool:
    return catalogue()[rule].level != "MUST"


def _one_per_rule(found: list[Finding]) -> Iterator[Finding]:
    seen: set[str] = set()
    for finding in found:
        if finding.rule not in seen:
            seen.add(finding.rule)
            yield finding


_RANKS = (
    ("GEN-ERR-3", "GEN-404-1"),
    ("ORD-GET-3", "ORD-GET-4"),
    (
        *("GEN-HTTP-1", "GEN-AUTH", "GEN-HTTP-5", "GEN-VAL", "GEN-ID"),
        *("GEN-RATE-1", "CON-", "IDM-"),
    ),
    ("ORD-SUM", "ORD-STA", "ORD-GET-1"),
    ("CAN-4",),
    ("ORD-FIX", "ORD-GET-2", "CAP-6"),
    ("GEN-",),
)
_OTHERS_RANK = 4
"""The rank of rules that are not listed: they come between those that are."""

_LAST = len(_RANKS) + 1

_MOVERS = frozenset({"captureOrder", "updateAuthorization", "releaseRemainingAuthorization", "cancelOrder"})
"""The operations that may change what remains."""


def _rank(rule: str, step: Step) -> int:
    """Lower is nearer to the root: what broke, before what it broke with it."""
    if rule == "GEN-VAL-4" and step.assessment is not None and step.assessment.forecast.must_be_refused:
        return _LAST  # refusing is right, and another rule says how
    taken = any(event.taken for event in step.since)
    if taken and rule == "GEN-ERR-4":
        return -1  # among calls that were taken it breaks only where a refused one is known to be at fault
    if step.since and not taken and rule.startswith("ORD-"):
        return _LAST  # what broke is that a refused call changed something, not what it changed
    moved = any(event.call.name in _MOVERS for event in step.since)
    if rule in ("ORD-SUM-3", "ORD-SUM-4") and taken and not moved:
        return _OTHERS_RANK + 1  # that it moved at all is what broke, and the rule about the call says so
    for rank, prefixes in enumerate(_RANKS):
        if rule.startswith(prefixes):
            return rank if rank < _OTHERS_RANK else rank + 1
    return _OTHERS_RANK
