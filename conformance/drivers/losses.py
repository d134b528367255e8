"""Lost answers: calls whose connection is cut, which are then repeated with their key, or looked for in the order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from orderproof.drivers.commands import Command
from orderproof.drivers.handle import OrderHandle, new_order
from orderproof.drivers.ordinary import ordinary, writes
from orderproof.drivers.proxy import Fate
from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.stage import Stage

_WITHOUT_CAPTURES = frozenset({"cancelOrder", "acknowledgeOrder"})
_ADDING = ("captureOrder", "refundOrder", "appendOrderShippingInfo")
_WHOLE = "captureOrder, all that remains"
_REFUSED = "captureOrder, more than remains"


@dataclass(frozen=True, slots=True)
class Loss:
    """A call whose answer is lost in one way. `looks`: the order is read before the call is repeated."""

    what: str
    fate: Fate
    looks: bool
    key: str | None = "lost"

    @property
    def name(self) -> str:
        """What reports call it."""
        after = "read and repeated" if self.looks else "repeated at once"
        return f"{self.what}: {self.fate.value}, {after if self.key else 'without a key, read'}"

    def play(self, stage: Stage) -> None:
        """Lose the answer on a fresh order, then repeat the call with its key if it has one."""
        command = replace(_command(self.what, new_order(stage)), key=self.key)
        stage.perform(replace(command, lose=self.fate.name, read=self.looks))
        if self.key is not None:
            stage.perform(command)


def _command(what: str, order: OrderHandle) -> Command:
    operation = what.partition(",")[0]
    if operation not in _WITHOUT_CAPTURES:
        order.capture(order.remaining // 2)
    if operation == "extendDueDate":
        order.offered_days()
    amount = order.remaining + (1 if what == _REFUSED else 0)
    whole = Command("captureOrder", order.position, body={"captured_amount": amount})
    return whole if what in (_WHOLE, _REFUSED) else ordinary(operation, order)


def losses() -> list[Loss]:
    """Every operation that writes, with its answer lost in every way; some without a key, and a refused one.

    Where the connection ends while the server is at work, the call is always repeated at once: read in between, the
    order might be read before the call takes effect.
    """
    keyed = [
        Loss(what, fate, looks)
        for what in (*writes(), _WHOLE, _REFUSED)
        for fate in Fate
        for looks in (False, True)
        if not (looks and fate is Fate.HANG_UP)
    ]
    fates = (Fate.BEFORE, Fate.AFTER, Fate.MIDDLE)
    return keyed + [Loss(what, fate, looks=True, key=None) for what in _ADDING for fate in fates]


def scenarios(profile: str, chance: Random) -> tuple[list[Scenario], str]:
    """The losses that a profile plays, and what is to be said of how many they are.

    `quick` plays some ways for each call, others with each seed.
    """
    known = losses()
    chosen = _slice(known, chance) if profile == "quick" else known
    note = f"lost answers: {len(chosen)} of {len(known)} ways" if len(chosen) < len(known) else ""
    return [Scenario(loss.name, loss.play) for loss in chosen], note


def _slice(known: Sequence[Loss], chance: Random) -> list[Loss]:
    """One way for each call in which the server gets it, and a few of the others.

    Once at least the client hangs up on a call whose effects add up: what is done twice for one who is gone shows
    there alone.
    """
    abandoned = chance.choice([loss for loss in known if loss.what in _ADDING and loss.fate is Fate.HANG_UP])
    chosen = [abandoned]
    for what in dict.fromkeys(loss.what for loss in known if loss.what != abandoned.what):
        reaching = [loss for loss in known if loss.what == what and loss.key and loss.fate is not Fate.BEFORE]
        chosen.append(chance.choice(reaching))
    rest = [loss for loss in known if loss not in chosen]
    return chosen + chance.sample(rest, 3)
