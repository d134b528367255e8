"""The replay: sends recorded requests to a server again, and finds where it has drifted from the recording."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from orderproof.cassette.comparison import Change, Counterparts, changes
from orderproof.cassette.continuity import addressed
from orderproof.cassette.reading import Recording
from orderproof.cassette.readying import DoesNotFit, by_order, draft_like, exists, first_reading, ready
from orderproof.cassette.rewriting import Rewriter
from orderproof.catalogue import catalogue
from orderproof.checks.findings import Finding
from orderproof.checks.wire import owes_error_body
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge, UsageError
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.model.call import call_of, created_id
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

MOST_EXCHANGES = 20_000
"""So many exchanges of one recording are replayed at most: they are held in memory."""


class Severity(Enum):
    """How much a drift matters."""

    FAILURE = "failure"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Drift:
    """What has changed in the answer to one recorded request, and the rule that it breaks, if it does."""

    severity: Severity
    recording: str
    entry: int
    recorded: Exchange
    now: Exchange
    changes: tuple[Change, ...] = ()
    finding: Finding | None = None


@dataclass
class Replay:
    """What a replay has come to. `left_out` says how many requests of a recording were not sent, and why."""

    target: str
    recordings: int = 0
    entries: int = 0
    sent: int = 0
    drifts: list[Drift] = field(default_factory=list)
    left_out: list[tuple[str, int, str]] = field(default_factory=list)
    interrupted: str = ""

    def count(self, severity: Severity) -> int:
        """How many drifts there are of a severity."""
        return sum(drift.severity is severity for drift in self.drifts)


def replay(
    recordings: Sequence[Recording],
    target: Target,
    *,
    heard: Callable[[Drift], None] = lambda _: None,
) -> Replay:
    """Send recordings to a server; `heard` is told of each failure and warning as it is found.

    Each recording gets orders of its own. A run that cannot go on keeps what it found, and says why. Raises UsageError
    for a recording that cannot be read.
    """
    result = Replay(target.base_url)
    with Transport(target) as transport:
        for recording in recordings:
            exchanges = _exchanges(recording)
            result.recordings += 1
            result.entries += len(exchanges)
            if not _send_one(recording.name, exchanges, target, transport, result, heard):
                break
    return result


def _exchanges(recording: Recording) -> list[Exchange]:
    found = []
    for entry in recording:
        exchange = addressed(entry.exchange)
        found.append(entry.exchange if exchange is None else exchange)
        if len(found) > MOST_EXCHANGES:
            raise UsageError(
                f"the recording {recording.name} has over {MOST_EXCHANGES:,} exchanges: send it in parts"
            )
    return found


def _send_one(
    name: str,
    exchanges: Sequence[Exchange],
    target: Target,
    transport: Transport,
    result: Replay,
    heard: Callable[[Drift], None],
) -> bool:
    """Send one recording; returns whether the run can go on."""
    player = _Player(name, exchanges, target, transport, result, heard)
    done = 0
    try:
        for done, exchange in enumerate(exchanges):  # noqa: B007  how far it came, should it end early
            player.play(exchange)
        player.end()
    except DoesNotFit as error:
        result.left_out.append((name, len(exchanges) - done, str(error)))
    except CannotJudge as error:
        result.interrupted = f"{name}, entry {done + 1}: {error}"
        return False
    finally:
        result.left_out += [(name, count, reason) for reason, count in player.skipped.items()]
    return True


class _Player:
    """Plays one recording: two judges look on, one at the recorded answers and one at the new ones."""

    def __init__(
        self,
        name: str,
        exchanges: Sequence[Exchange],
        target: Target,
        transport: Transport,
        result: Replay,
        heard: Callable[[Drift], None],
    ) -> None:
        self._name = name
        self._last = exchanges[-1] if exchanges else None
        self._orders = by_order(exchanges)
        self._existing = {order_id for order_id, calls in self._orders.items() if exists(calls)}
        self._result = result
        self._heard = heard
        self._then, self._now = Judge(), Judge()
        self._found: list[Finding] = []
        self._session = Session(
            sender=transport,
            target=target,
            supply=supply_from(target.orders),
            observe=lambda exchange: self._found.extend(self._now.observe(exchange)),
            state=self._now.state,
        )
        self._stage = Stage(self._session, name)
        self._counterparts = Counterparts()
        self._rewriter = Rewriter(target, self._counterparts)
        self._made: dict[str, Exchange] = {}
        self._drafts: dict[str, Mapping[str, Any]] = {}
        self.skipped: dict[str, int] = {}
        for exchange in exchanges:
            self._counterparts.say(exchange.request.json)

    def play(self, recorded: Exchange) -> None:
        """Send one recorded request again, and compare the answers."""
        if recorded.advances:
            self._move_clock(recorded)
            return
        if self._is_creation(recorded):
            return
        call = call_of(recorded)
        if call is None and "/ordermanagement/" not in recorded.request.target:
            self._skip("other traffic")
            return
        broken_then = {finding.rule for finding in self._then.observe(recorded)}
        if call is not None:
            self._get_order(call.order_id, recorded)
            if call.child is not None and self._is_missing(call.child):
                self._skip("they need a capture or refund that this target did not make")
                return
        now = self._send(recorded)
        self._result.sent += 1
        self._learn(recorded, now)
        self._compare(recorded, now, broken_then)

    def end(self) -> None:
        """Read every order once more: a recording may end with a write."""
        for position in range(len(self._stage.seats)):
            self._found.clear()
            self._stage.read(position)
            if self._last is not None:
                self._report_unasked(self._last)

    def _skip(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1

    def _move_clock(self, recorded: Exchange) -> None:
        if self._session.target.clock is None:
            raise DoesNotFit("the rest is about time, and this target's clock cannot be moved")
        self._stage.move_clock(recorded.advances)
        self._result.sent += 1

    def _is_creation(self, recorded: Exchange) -> bool:
        """Take note of an order that was created in the recording: one is created for it when it is first used."""
        body = recorded.response.json if recorded.response is not None else None
        order_id = body.get("order_id") if isinstance(body, Mapping) else None
        if "/customer-token/" not in recorded.request.target or not isinstance(order_id, str):
            return False
        if isinstance(recorded.request.json, dict):
            self._drafts[order_id] = recorded.request.json
        return True

    def _get_order(self, order_id: str, recorded: Exchange) -> None:
        if order_id in self._counterparts.ids or order_id not in self._existing:
            return
        document = first_reading(self._orders[order_id])
        wanted = self._drafts.get(order_id) or draft_like(document, self._orders[order_id])
        self._counterparts.say(wanted)
        self._found.clear()
        try:
            self._counterparts.bind(order_id, ready(self._stage, document, wanted, self._counterparts))
        finally:
            self._report_unasked(recorded)
        self._result.sent += order_id in self._drafts

    def _report_unasked(self, recorded: Exchange) -> None:
        """Report what was found in calls that the recording does not have: on the way to it, and after it."""
        for finding in filter(_counts, self._found):
            severity = Severity.FAILURE if _is_must(finding.rule) else Severity.WARNING
            self._report(severity, replace(recorded, response=None), finding.exchange, (), finding)

    def _is_missing(self, child: str) -> bool:
        return child in self._made and child not in self._counterparts.ids

    def _send(self, recorded: Exchange) -> Exchange:
        self._found.clear()
        followed = self._follow(recorded) if recorded.stands_for else None
        if followed is not None:
            return followed
        call = call_of(recorded)
        order_id = call.order_id if call is not None else ""
        now, then = (judge.state(i) for judge, i in ((self._now, self._id(order_id)), (self._then, order_id)))
        facts: dict[str, Any] = {"credentials": recorded.credentials, "facts": recorded.facts}
        if call is not None and order_id not in self._existing:
            facts["facts"] = recorded.facts | {"invented-order"}
        request = self._rewriter.request(recorded, now, then)
        return self._session.send(request, scenario=self._name, **facts)

    def _id(self, recorded: str) -> str:
        return self._counterparts.ids.get(recorded, recorded)

    def _follow(self, recorded: Exchange) -> Exchange | None:
        """Go where the new `Location` points, as the recorder did."""
        call = call_of(recorded)
        made = self._made.get(call.child or "") if call is not None else None
        new_call = call_of(made) if made is not None else None
        new_id = created_id(new_call) if new_call is not None else None
        if new_call is None or new_id is None:
            return None
        seen: list[Exchange] = []
        self._session.record = seen.extend
        self._stage.follow(new_call, new_id)
        self._session.record = lambda _: None
        return seen[-1] if seen else None

    def _learn(self, recorded: Exchange, now: Exchange) -> None:
        """Pair what was made then with what was made now."""
        was, new = call_of(recorded), call_of(now)
        if was is None or new is None or recorded.status != 201:
            return
        made = created_id(was)
        if made is not None:
            self._made[made] = now
            self._counterparts.bind(made, created_id(new) if now.status == 201 else None)

    def _compare(self, recorded: Exchange, now: Exchange, broken_then: set[str]) -> None:
        findings = [f for f in self._found if f.rule not in broken_then and _counts(f)]
        worst = min(findings, key=lambda f: not _is_must(f.rule), default=None)
        changed = changes(recorded, now, self._counterparts)
        broken = worst is not None and _is_must(worst.rule)
        if worst is not None:
            weighty = tuple(c for c in changed if c.kind not in ("more", "name"))
            self._report(Severity.FAILURE if broken else Severity.WARNING, recorded, now, weighty, worst)
            changed = [c for c in changed if c not in weighty]
        stained = not all(map(_counts, self._found))
        for change in changed:
            if not stained or change.kind == "more":
                self._report(_severity(change, now), recorded, now, (change,), None)

    def _report(
        self,
        severity: Severity,
        recorded: Exchange,
        now: Exchange,
        changed: tuple[Change, ...],
        finding: Finding | None,
    ) -> None:
        drift = Drift(severity, self._name, recorded.number, recorded, now, changed, finding)
        self._result.drifts.append(drift)
        if severity is not Severity.NOTE:
            self._heard(drift)


def _is_must(rule: str) -> bool:
    return catalogue()[rule].level == "MUST"


def _counts(finding: Finding) -> bool:
    """Say whether a finding stands for itself: one that follows from another does if it alone is a failure."""
    return finding.follows is None or (_is_must(finding.rule) and not _is_must(finding.follows))


def _severity(change: Change, now: Exchange) -> Severity:
    """A changed type is a failure, unless in a refusal whose body the contract leaves open, like that of a gateway.

    What else changed without a rule being broken, the contract leaves open.
    """
    refused = now.status is not None and now.status >= 400
    if change.kind == "type" and not (refused and not owes_error_body(now)):
        return Severity.FAILURE
    return Severity.NOTE if change.kind in ("more", "name") else Severity.WARNING
