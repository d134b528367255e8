"""Runs the sandbox for the command line."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from orderproof.errors import CannotJudge, UsageError
from orderproof.sandbox.options import FLAVOURS, OptionError, Settings, choices, open_choices
from orderproof.sandbox.server import ServerError, background, behaviour_named, run
from orderproof.sandbox.store import StoreError


def serve(
    host: str,
    port: int,
    *,
    user: str,
    password: str,
    database: str | None = None,
    choices: Sequence[str] = (),
    flavour: str | None = None,
    fault: str | None = None,
    judge: bool = False,
    tls: bool = False,
    processes: int = 1,
) -> None:
    """Serve until interrupted, over TLS and judging clients if told so, in several processes that share a database.

    Raises UsageError for options that make no sense, CannotJudge when it cannot start.
    """
    try:
        chosen = open_choices(choices, flavour) if flavour else open_choices(choices)
        settings = Settings(username=user, password=password, database=database, open=chosen)
        behaviour = behaviour_named(fault)
        if processes > 1:
            if judge or tls:
                raise UsageError(
                    "--processes goes with neither --judge nor --tls: they take all requests themselves"
                )
            _serve_in_several(settings, host, port, fault, processes)
        elif judge or tls:
            from orderproof.client.live import serve_judging

            serve_judging(settings, host, port, fault=fault, judge=judge, tls=tls)
        else:
            run(settings, host, port, behaviour=behaviour)
    except OptionError as error:
        raise UsageError(str(error)) from None
    except (ServerError, StoreError) as error:
        raise CannotJudge(str(error)) from None


def _serve_in_several(settings: Settings, host: str, port: int, fault: str | None, processes: int) -> None:
    with background(settings, fault=fault, host=host, port=port, processes=processes) as url:
        print(url, flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


def list_choices() -> str:
    """Return the open points with their values, the default first, and the flavours, as text."""
    width = max(map(len, choices()))
    lines = ["Open points (--open POINT=VALUE), the default first:"]
    lines += [f"  {name:<{width}}  {' | '.join(values)}" for name, values in choices().items()]
    lines += ["", "Flavours (--flavour NAME):"]
    for name, values in FLAVOURS.items():
        lines.append(
            f"  {name:<{width}}  {', '.join(f'{k}={v}' for k, v in values.items()) or 'the defaults'}"
        )
    return "\n".join(lines)


def list_faults() -> str:
    """Return every fault with the rule that it breaks, when it shows and what the lie is, as text."""
    from orderproof.sandbox.faults import FAULTS, FAULTS_ACROSS

    width = max(map(len, FAULTS))
    by_rule = sorted(FAULTS.values(), key=lambda fault: (fault.rule, fault.mechanical))
    lines = ["Faults (--fault NAME), by the rule that they break:"]
    lines += [
        f"  {one.rule:<11} {one.name:<{width}}  {one.when:<11} {one.lie}"
        for one in (*by_rule, *FAULTS_ACROSS.values())
    ]
    return "\n".join(lines)


def faults_of(rule: str) -> list[str]:
    """Return the faults of the sandbox that break a rule, one line each: name, when it shows, the lie."""
    from orderproof.sandbox.faults import faults_of as known

    return [f"{one.name} ({one.when}): {one.lie}" for one in known(rule)]
