"""A party: some users who call the same orders, one order after the other, under one judge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orderproof.drivers.commands import Command
from orderproof.drivers.contents import Draw
from orderproof.drivers.drafts import draft
from orderproof.drivers.moves import command_for
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Script, Stage
from orderproof.drivers.tour import Tally, Tour
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.load.commons import Commons
from orderproof.operations import OPERATIONS

__all__ = ["CALLS_PER_ORDER", "Party"]

CALLS_PER_ORDER = 40
"""After so many calls an order is worn out: captured, refunded, or cancelled."""

_REPEATS, _WITHOUT_KEY, _THEMES = 0.1, 0.2, 0.5
_AMOUNT = 10_000
_ADDING = ("captureOrder", "refundOrder", "appendOrderShippingInfo", "updateAuthorization")
"""What all calls of a group may be about: these add up, and what one of them took is missed when it is lost."""


OpenSession = Callable[[Judge, Callable[[Exchange], object]], Session]


@dataclass
class _Ground:
    """The order that is shared now.

    `before` is what remained before that changed, `keyed` are the calls with keys, `groups` has the number of its group
    for each exchange, `theme` is what the calls of this group are about, if they are.
    """

    stage: Stage
    before: list[int]
    keyed: list[Command]
    groups: dict[int, int]
    calls: int = 0
    theme: str | None = None


class Party:
    """Makes calls for its members on the order that they share, and has them judged.

    `session` opens a session that several members can use at once, for a judge and whoever listens.
    """

    def __init__(self, name: str, judge: Judge, session: OpenSession) -> None:
        self.name = name
        self.judge = judge
        self.commons = Commons(judge, self._settle)
        self.scripts: dict[str, Script] = {}
        self._session = session(judge, self.commons.note)
        self._moves = Tally()
        self._ground: _Ground | None = None
        self._first = threading.Lock()
        self._orders = 0
        self._known = 0

    def act(self, draw: Draw[Any], label: str) -> None:
        """Make one call of a member, while others may make theirs. `label` is like that of no other call.

        Raises what sending raises.
        """
        with self._first:
            if self._ground is None:
                self.commons.alone(self._take_an_order)
        with self.commons.visit():
            ground = self._ground
            assert ground is not None
            tour = Tour(draw, ground.stage, self._moves, ground.before, ground.keyed)
            command = self._chosen(tour, ground.theme, label)
            if command is not None:
                ground.stage.perform(replace(command, read=False))

    def _chosen(self, tour: Tour, theme: str | None, label: str) -> Command | None:
        """The next call: one that was made before with its key, or a new one; None when there is none."""
        if tour.keyed and tour.chance(_REPEATS):
            return tour.keyed[tour.below(len(tour.keyed))]
        moves = tour.distinct_moves(0)
        candidates = [move for move in moves if move.operation == theme] or moves
        move = candidates[tour.chosen(self._moves.weights(tour.state(0), candidates))]
        self._moves.count(tour.state(0), move)
        command = command_for(move, tour.draw, tour.stage, 0, before=tour.before[0])
        if command is None or not OPERATIONS[command.operation].writes:
            return command
        command = replace(command, key=None if tour.chance(_WITHOUT_KEY) else label)
        tour.keyed += [tour.pinned(command)] if command.key else []
        return command

    def _settle(self, group: Sequence[Exchange] | None) -> None:
        ground = self._ground
        if ground is None:
            return
        silent = group is None or any(exchange.response is None for exchange in group)
        if silent:
            # What was cut off may take effect at any time: nothing can be said of this order any more.
            self.judge.forget(ground.stage.seats[0].order_id)
        else:
            self._look(ground, group or ())
        self._keep_script(ground)
        if silent or ground.calls >= CALLS_PER_ORDER or self._is_used_up(ground.stage):
            self._take_an_order()
        assert self._ground is not None
        chance = self._ground.stage.chance
        self._ground.theme = chance.choice(_ADDING) if chance.random() < _THEMES else None

    def _look(self, ground: _Ground, group: Sequence[Exchange]) -> None:
        """Read the order after calls that may have changed it."""
        ground.calls += len(group)
        ground.groups |= {each.number: each.group for each in group if each.group is not None}
        if any(exchange.request.method != "GET" for exchange in group):
            remaining = self._remaining(ground.stage)
            ground.stage.read()
            if self._remaining(ground.stage) != remaining:
                ground.before[0] = remaining

    def _is_used_up(self, stage: Stage) -> bool:
        """Say whether nothing is left to capture or to refund."""
        state = self.judge.state(stage.seats[0].order_id)
        return state.order is not None and state.remaining <= 0 and state.refundable <= 0

    def _take_an_order(self) -> None:
        """Obtain the next order to share. Raises CannotJudge when there is none."""
        self._orders += 1
        stage = Stage(self._session, f"{self.name}, order {self._orders}")
        stage.obtain(draft(_AMOUNT))
        self._ground = _Ground(stage, [self._remaining(stage)], [], {})

    def _remaining(self, stage: Stage) -> int:
        return self.judge.state(stage.seats[0].order_id).remaining

    def _keep_script(self, ground: _Ground) -> None:
        """Keep the sequence of an order on which something was found, its groups marked so that it can be repeated."""
        if len(self.judge.findings) == self._known:
            return
        self._known = len(self.judge.findings)
        script = ground.stage.script
        performed = tuple(
            (number, replace(command, group=ground.groups.get(number), read=True))
            for number, command in sorted(script.performed, key=lambda pair: pair[0])
        )
        self.scripts[script.name] = replace(script, performed=performed)
