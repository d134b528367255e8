"""Plays scripts of a driver against a server of the gallery, and judges what comes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orderproof.drivers.scenarios.registry import Scenario
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.exchange import Exchange
from orderproof.judge import Judge
from orderproof.supply import supply_from
from orderproof.target import SANDBOX_CLOCK, Target
from orderproof.transport import Transport
from tests.gallery.catalogue import find
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here


def judged(server: str, scenarios: Iterable[Scenario], *, seed: int = 0) -> tuple[Judge, list[Exchange]]:
    """Play scripts, and return the judge that saw them with everything that was sent."""
    judge, history = Judge(), list[Exchange]()

    def observe(exchange: Exchange) -> None:
        history.append(exchange)
        judge.observe(exchange)

    def observe_group(exchanges: Sequence[Exchange]) -> None:
        history.extend(exchanges)
        judge.observe_group(exchanges)

    with serve_here(find(server)) as url:
        target = Target(url, *CREDENTIALS, orders=ORDERS_SOURCE, clock=SANDBOX_CLOCK)
        with Transport(target) as transport:
            supply = supply_from(target.orders)
            session = Session(transport, target, supply, observe, judge.state, seed=seed)
            session.observe_group = observe_group
            for scenario in scenarios:
                scenario.play(Stage(session, scenario.name))
    return judge, history


def broken(judge: Judge) -> set[str]:
    """The rules that the judge found broken."""
    return {finding.rule for finding in judge.findings}
