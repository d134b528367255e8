"""Where orders come from: the Customer Token API, a pool of prepared ids, or a program of the user's.

The Order Management API has no call that creates an order, so the suite has to get them elsewhere.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from orderproof.errors import CannotJudge, UsageError
from orderproof.exchange import Exchange, Request

COMMAND_SECONDS = 60.0
Send = Callable[[Request], Exchange]
"""Sends a request with the target's credentials, with patience for rate limits."""


class OutOfOrders(CannotJudge):
    """The source has no further order."""


class Supply(Protocol):
    """A source of orders."""

    def obtain(self, draft: Mapping[str, Any], send: Send) -> str:
        """Return the id of an order that was never used, as like the draft as the source can. Raises CannotJudge."""


@dataclass(frozen=True)
class CustomerToken:
    """Creates orders through the Customer Token API, as a merchant's server does."""

    token: str = field(repr=False)

    def obtain(self, draft: Mapping[str, Any], send: Send) -> str:
        body = json.dumps(draft).encode()
        request = Request(
            headers=(("Content-Type", "application/json"),),
            body=body,
            method="POST",
            target=f"/customer-token/v1/tokens/{self.token}/order",
        )
        exchange = _answered(send, request)
        answer = exchange.response.json if exchange.response is not None else None
        order_id = answer.get("order_id") if isinstance(answer, dict) else None
        if exchange.status not in (200, 201) or not isinstance(order_id, str):
            what = (
                exchange.fault or f"{exchange.status} without an order_id"
                if not order_id
                else exchange.status
            )
            raise CannotJudge(
                f"no order could be created through the Customer Token API: the answer was {what}"
            )
        return order_id


def _answered(send: Send, request: Request) -> Exchange:
    """Send, and once more if no answer came: servers close connections at will, and an order unseen does no harm."""
    exchange = send(request)
    return exchange if exchange.response is not None else send(request)


@dataclass
class Pool:
    """Hands out prepared order ids from a file, each once."""

    path: Path
    ids: deque[str]
    size: int

    def obtain(self, draft: Mapping[str, Any], send: Send) -> str:
        if not self.ids:
            raise OutOfOrders(
                f"the pool {self.path} has no unused order left: its {self.size} ids were not enough"
            )
        return self.ids.popleft()


@dataclass(frozen=True)
class Program:
    """Runs a program that gets the wanted order as JSON on standard input and prints the order id."""

    command: tuple[str, ...]

    def obtain(self, draft: Mapping[str, Any], send: Send) -> str:
        shown = shlex.join(self.command)
        try:
            done = subprocess.run(
                self.command,
                input=json.dumps(draft),
                capture_output=True,
                text=True,
                timeout=COMMAND_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CannotJudge(
                f"the order command {shown} gave no order within {COMMAND_SECONDS:.0f} s"
            ) from None
        except OSError as error:
            raise UsageError(f"the order command {shown} cannot be run: {error.strerror}") from None
        order_id = done.stdout.strip()
        if done.returncode or not order_id or len(order_id.split()) != 1:
            last = (done.stderr.strip() or order_id).splitlines()[-1:] or ["it printed nothing"]
            raise CannotJudge(
                f"the order command {shown} gave no order id (exit code {done.returncode}): {last[0]}"
            )
        return order_id


def supply_from(source: str) -> Supply:
    """Read `--orders`: customer-token:TOKEN, pool:FILE or command:CMD. Raises UsageError for anything else."""
    kind, _, rest = source.partition(":")
    if kind == "customer-token" and rest:
        return CustomerToken(rest)
    if kind == "pool" and rest:
        return _pool(Path(rest))
    if kind == "command" and rest.strip():
        return Program(tuple(shlex.split(rest)))
    shown = kind if kind == "customer-token" else source
    raise UsageError(f"--orders {shown!r} is none of customer-token:TOKEN, pool:FILE and command:CMD")


def is_shared(source: str) -> bool:
    """Say whether a source must be asked in one place: what it hands out is counted there, or it asks to be alone."""
    return not source.startswith("customer-token:")


def _pool(path: Path) -> Pool:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the pool {path} cannot be read: {error}") from None
    ids = deque(line for line in lines if line and not line.startswith("#"))
    odd = next((line for line in ids if len(line.split()) > 1), None)
    if odd is not None:
        raise UsageError(f"the pool {path} has the line {odd!r}: give one order id a line, and nothing else")
    if not ids:
        raise UsageError(f"the pool {path} has no order ids: give one a line")
    return Pool(path, ids, len(ids))
