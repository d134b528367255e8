"""The command `orderproof sandbox --judge`: serves a sandbox, and judges what is sent to it as it comes."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

from orderproof.catalogue import catalogue, select
from orderproof.client.certificate import certificate
from orderproof.client.front import Front, Setting
from orderproof.client.ledger import Entry, Ledger
from orderproof.client.live_page import PATH, answer_for
from orderproof.client.outing import tls_context
from orderproof.client.stock import Stock
from orderproof.client.weather import FAIR, Sky
from orderproof.errors import CannotJudge
from orderproof.report.terminal import Terminal
from orderproof.report.text import counted
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import ServerError, background
from orderproof.sandbox.store import StoreError

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def serve_judging(
    settings: Settings, host: str, port: int, *, judge: bool, tls: bool, fault: str | None = None
) -> None:
    """Serve until interrupted, over TLS if told so; when judging, findings go to the terminal and to a page.

    Raises CannotJudge when it cannot start.
    """
    with ExitStack() as stack:
        made = stack.enter_context(certificate()) if tls else None
        try:
            sandbox = stack.enter_context(background(settings, fault=fault))
        except (ServerError, StoreError) as error:
            raise CannotJudge(str(error)) from None
        terminal = stack.enter_context(Terminal())
        stock = Stock(sandbox, settings.username, settings.password)
        ledger = Ledger(select(["CLI-*"]) if judge else [], stock, _teller(terminal))
        setting = _setting(sandbox, ledger, tls_context(made), judge=judge, guarded=host in _LOOPBACK)
        front = stack.enter_context(_front(setting, host, port))
        print(front.base_url, flush=True)
        if made is not None:
            terminal.say(f"Certificate  {made.file}")
        if judge:
            terminal.say(f"Findings     {front.base_url}{PATH}")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
        if judge:
            broken = ", ".join(sorted(ledger.broken())) or "nothing"
            terminal.say(f"{counted(ledger.requests, 'request')} judged; broken: {broken}")


def _setting(
    sandbox: str, ledger: Ledger, context: ssl.SSLContext | None, *, judge: bool, guarded: bool
) -> Setting:
    if not judge:
        return Setting(sandbox=sandbox, tls=context)
    return Setting(
        sandbox=sandbox,
        tls=context,
        heard=ledger.hear,
        page=lambda request: answer_for(request, ledger, guarded=guarded),
    )


def _front(setting: Setting, host: str, port: int) -> Front:
    try:
        return Front(setting, Sky(FAIR), host=host, port=port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotJudge(
            f"cannot listen on {host}:{port}: {reason}. Try another --port, or 0 for a free one"
        ) from None


def _teller(terminal: Terminal) -> Callable[[Entry], None]:
    lock = threading.Lock()

    def tell(entry: Entry) -> None:
        with lock:
            for finding in entry.findings:
                terminal.finding(
                    catalogue()[finding.rule],
                    expected=finding.expected,
                    actual=finding.actual,
                    operation=finding.operation,
                )
            sys.stdout.flush()

    return tell
