"""Runs the sandbox for the command line."""

from __future__ import annotations

from collections.abc import Sequence

from orderproof.errors import CannotJudge, UsageError
from orderproof.sandbox.options import FLAVOURS, OptionError, Settings, choices, open_choices
from orderproof.sandbox.server import ServerError, run
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
) -> None:
    """Serve until interrupted. Raises UsageError for options that make no sense, CannotJudge when it cannot start."""
    try:
        chosen = open_choices(choices, flavour) if flavour else open_choices(choices)
        settings = Settings(username=user, password=password, database=database, open=chosen)
        run(settings, host, port)
    except OptionError as error:
        raise UsageError(str(error)) from None
    except (ServerError, StoreError) as error:
        raise CannotJudge(str(error)) from None


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
