"""One run of a command in one weather, and all that was seen of it."""

from __future__ import annotations

import itertools
import os
import secrets
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from orderproof.client.books import Balance, Fate, balance
from orderproof.client.certificate import Certificate
from orderproof.client.command import Ended, run_command
from orderproof.client.flows import ORDER_AMOUNT, Books, Flow, books_of
from orderproof.client.front import Elsewhere, Front, Heard, Setting, call_in
from orderproof.client.stock import TOKEN, Stock
from orderproof.client.weather import Scenario, Sky
from orderproof.exchange import REDACTED, Exchange

ORDERS = 10
"""So many orders are handed out to a command that has no flow."""


@dataclass(frozen=True)
class Plan:
    """What to run and how: the command, its intent, further variables, and how long it may take, in seconds.

    `variables` are templates in which `{base_url}`, `{host}`, `{username}`, `{password}`, `{order_id}` and the like
    are filled in. `hold` is how long an answer is held back in slow weather.
    """

    command: Sequence[str]
    flow: Flow | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 120.0
    hold: float = 8.0
    certificate: Certificate | None = None
    show: bool = True


@dataclass(frozen=True)
class Outing:
    """What a run of a command came to. `heard` is in the order in which requests arrived.

    `met` counts the calls that the weather met, `balance` is that of the order of the flow, `elsewhere` are the
    requests that went to another host.
    """

    scenario: Scenario
    ended: Ended
    heard: tuple[Heard, ...]
    met: int
    balance: Balance | None = None
    elsewhere: tuple[Exchange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exchanges(self) -> list[Exchange]:
        return [entry.exchange for entry in self.heard]

    @property
    def succeeded(self) -> bool:
        """Say whether the command says that all went well."""
        return self.ended.succeeded


def go_out(plan: Plan, scenario: Scenario, stock: Stock, numbers: Iterator[int] | None = None) -> Outing:
    """Run the command once. Raises UsageError when it cannot be started, CannotJudge when the sandbox fails."""
    orders = [stock.order() for _ in range(ORDERS if plan.flow is None else 1)]
    captures = (
        [stock.capture(orders[0], plan.flow.prepared, shipped=scenario.ships)]
        if plan.flow and plan.flow.prepared
        else []
    )
    before = [books_of(stock.read(orders[0]))]

    def meddle(operation: str, order_id: str) -> bool:
        took_effect = stock.meddle(operation, order_id)
        before.append(books_of(stock.read(orders[0])))
        return took_effect

    heard: list[Heard] = []
    sky = Sky(scenario, reads=plan.flow is not None and plan.flow.reads)
    # A client that is under way with one name of this machine takes the other for another host.
    other_name = "127.0.0.1" if plan.certificate else "localhost"
    with Elsewhere(named=other_name) as elsewhere:
        setting = Setting(
            sandbox=stock.base_url,
            scenario=scenario.name,
            tls=tls_context(plan.certificate),
            hold=plan.hold,
            heard=heard.append,
            meddle=meddle,
            numbers=numbers or itertools.count(1),
        )
        with Front(setting, sky, elsewhere=elsewhere.base_url) as front:
            environment = _environment(plan, front.base_url, stock, orders, captures)
            ended = _discreet(run_command(plan.command, environment, plan.timeout, show=plan.show), stock)
    if front.error is not None:
        raise front.error
    ordered = tuple(sorted(heard, key=lambda entry: entry.exchange.number))
    account = _account(plan.flow, before, books_of(stock.read(orders[0])), ordered, orders[0])
    strays = tuple(elsewhere.requests)
    return Outing(scenario, ended, ordered, sky.met, account, strays, tuple(front.notes))


def _discreet(ended: Ended, stock: Stock) -> Ended:
    """The last words of a command can end up in a report: they must not give the password away."""
    secret = stock.basic.partition(" ")[2]
    return replace(ended, words=ended.words.replace(stock.password, REDACTED).replace(secret, REDACTED))


def tls_context(certificate: Certificate | None) -> ssl.SSLContext | None:
    """Return how to serve over TLS with a certificate; None without one."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    return context


def _account(
    flow: Flow | None, before: Sequence[Books], after: Books, heard: Sequence[Heard], order_id: str
) -> Balance | None:
    """The books against the intent, as they were at first and last; what somebody else has done need not be done."""
    if flow is None:
        return None
    answered = not flow.answered or any(
        call.name == flow.answered and call.order_id == order_id
        for entry in heard
        if _is_success(entry, reads=flow.reads) and (call := call_in(entry.exchange)) is not None
    )
    first, last = (balance(flow, books, after, answered=answered) for books in (before[0], before[-1]))
    return first if first.fate is Fate.DONE else last


def _is_success(entry: Heard, *, reads: bool) -> bool:
    """Say whether a call did its work: a write when the sandbox took it, a reading when its answer arrived."""
    answer = entry.exchange.response if reads else entry.taken
    return answer is not None and answer.status < 300


def _environment(
    plan: Plan, base_url: str, stock: Stock, orders: Sequence[str], captures: Sequence[str]
) -> dict[str, str]:
    """The environment of the command: ours as it is, where to go, and what to do there."""
    told = {
        "BASE_URL": base_url,
        "HOST": base_url.partition("://")[2],
        "USERNAME": stock.username,
        "PASSWORD": stock.password,
        "ORDER_ID": orders[0],
        "ORDER_IDS": ",".join(orders),
        "ORDER_AMOUNT": str(ORDER_AMOUNT),
        "CUSTOMER_TOKEN": TOKEN,
        "AUTHORIZATION_TOKEN": TOKEN,
    }
    if captures:
        told["CAPTURE_ID"] = captures[0]
    if plan.flow is not None:
        told |= {"FLOW": plan.flow.name, **plan.flow.values}
    if plan.certificate is not None:
        told["CA_FILE"] = plan.certificate.file
        told["PROXY"] = f"http://127.0.0.1:{urlsplit(base_url).port}"
    named = {f"ORDERPROOF_{name}": value for name, value in told.items()}
    filled = {name: _filled(text, told) for name, text in plan.variables.items()}
    return {**_inherited(plan.certificate), **named, **filled}


def _inherited(certificate: Certificate | None) -> dict[str, str]:
    """Our own environment, in which no proxy stands between the command and the front."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERPROOF_")}
    for name in ("NO_PROXY", "no_proxy"):
        kept[name] = ",".join(filter(None, [kept.get(name), "127.0.0.1", "localhost"]))
    if certificate is not None:
        kept |= certificate.trust
    return kept


def _filled(template: str, told: Mapping[str, str]) -> str:
    for name, value in told.items():
        template = template.replace(f"{{{name.lower()}}}", value)
    return template


def credentials() -> tuple[str, str]:
    """Return a user name and a password that nobody else has."""
    return f"merchant-{secrets.token_hex(4)}", secrets.token_urlsafe(18)
