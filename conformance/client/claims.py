"""What a run shows beyond its requests: how the client coped with the answers, and whether it told the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orderproof.checks.registry import HELD, Broken, Mark
from orderproof.client.books import Fate
from orderproof.client.crashes import crash_in, parsing_crash_in
from orderproof.client.front import Heard, call_in
from orderproof.client.outing import Outing
from orderproof.exchange import Exchange, Request
from orderproof.shown import shown_answer

_WORDS = 160
_MOVED_TWICE, _MOVED_TOO_MUCH = "money moved twice", "more money moved than was meant"


@dataclass(frozen=True)
class Claim:
    """A mark of a rule, and the exchange that shows it best."""

    rule: str
    mark: Mark
    exchange: Exchange
    doubled: bool = False


def claims(outing: Outing, fair: Outing | None) -> Iterator[Claim]:
    """Yield what a run shows; `fair` is the run in fair weather that it is held against, itself where there is none.

    A command that failed says so by its exit code, which is its right in bad weather. It is held against it when it
    succeeded in fair weather and fails where the weather only changes what every client must be able to read.
    """
    yield from _safety(outing)
    if outing.ended.exit_code is None:
        return
    yield from _reading(outing, fair)
    yield from _crashing(outing, fair)
    yield from _sharing(outing)
    yield from _telling(outing)


def _safety(outing: Outing) -> Iterator[Claim]:
    if outing.scenario.puts_to_test != "CLI-SAFE-1" or not outing.met:
        return
    leaks = [entry for entry in outing.elsewhere if entry.request.header("authorization") is not None]
    expected = "no Authorization header on another host than the one configured"
    for leak in leaks[:1]:
        host = leak.request.header("host")
        actual = f"{leak.request.method} with Authorization, sent to {host}, where a Location pointed"
        yield Claim("CLI-SAFE-1", Broken(expected, actual), _met(outing))
    if not leaks:
        yield Claim("CLI-SAFE-1", HELD, _met(outing))


def _reading(outing: Outing, fair: Outing | None) -> Iterator[Claim]:
    if not outing.scenario.is_benign or not outing.met or fair is None or not went_well(fair):
        return
    rule, expected = outing.scenario.puts_to_test, f"as in fair weather, exit code 0: {outing.scenario.says}"
    if went_well(outing):
        yield Claim(rule, HELD, _met(outing))
    else:
        yield Claim(rule, Broken(expected, _how_it_ended(outing)), _met(outing))


def went_well(outing: Outing) -> bool:
    """Say whether the command says that all went well, and it did."""
    return outing.succeeded and (outing.balance is None or outing.balance.fate is Fate.DONE)


def _how_it_ended(outing: Outing) -> str:
    words = crash_in(outing.ended) or next(reversed(outing.ended.words.split("\n")[:-1] or [""]), "").strip()
    undone = outing.balance.actual if outing.balance is not None and outing.succeeded else ""
    return "; ".join(filter(None, [str(outing.ended), undone, words[:_WORDS]]))


def _crashing(outing: Outing, fair: Outing | None) -> Iterator[Claim]:
    last = outing.heard[-1].exchange if outing.heard else None
    if outing.scenario.is_documented_refusal and outing.met:
        words = crash_in(outing.ended)
        if not words or (fair is not None and crash_in(fair.ended)):
            yield Claim("CLI-READ-2", HELD, _met(outing))
        else:
            expected = f"the run goes on, or reports the error: {outing.scenario.says}"
            yield Claim("CLI-READ-2", Broken(expected, f"a crash: {words}"), _met(outing))
    elif last is not None and _is_empty(last) and outing.scenario.effect is None:
        words = parsing_crash_in(outing.ended)
        if words:
            expected = f"{last.status} without a body is read as the success that it is"
            yield Claim("CLI-READ-2", Broken(expected, f"a crash: {words}"), last)
        elif outing.succeeded:
            yield Claim("CLI-READ-2", HELD, last)


_SAID_OTHERWISE = {
    "created-body": ("201 without a body is read as the success that it is", "with a body in the 201"),
    "location-relative": ("a Location that is a whole URL is read", "with a Location that is a path"),
}
"""What of a 201 a client may fail at, by the scenario that says it in another way."""


def stumbling_blocks(outing: Outing) -> list[str]:
    """The scenarios that may show what a command failed at in fair weather: none unless a 201 was the last it got."""
    unclear = bool(outing.ended.exit_code) and not parsing_crash_in(outing.ended)
    return list(_SAID_OTHERWISE) if unclear and _made(outing) is not None else []


def stumbling(fair: Outing, other: Outing) -> Claim:
    """What it shows that a command which failed in fair weather goes well where a 201 is written otherwise."""
    expected, how = _SAID_OTHERWISE[other.scenario.name]
    actual = f"{_how_it_ended(fair)}; {how}, {other.ended}"
    return Claim(other.scenario.puts_to_test, Broken(expected, actual), _made(fair) or _nothing(fair))


def _made(outing: Outing) -> Exchange | None:
    """The last call of the API, where a capture or refund was made by it."""
    calls = [entry for entry in outing.exchanges if call_in(entry) is not None]
    return calls[-1] if calls and calls[-1].status == 201 else None


def _is_empty(exchange: Exchange) -> bool:
    return exchange.response is not None and exchange.status in (201, 204) and not exchange.response.body


def _sharing(outing: Outing) -> Iterator[Claim]:
    """Two calls that are alike and share a key cannot be told from one that is repeated, unless by the intent."""
    account = outing.balance
    if account is None or account.doubled or account.fate not in (Fate.PARTLY, Fate.OTHER):
        return
    first: dict[str, Exchange] = {}
    for exchange in outing.exchanges:
        key = exchange.request.header("klarna-idempotency-key")
        if key is None or exchange.status is None or exchange.status >= 300:
            continue
        before = first.setdefault(key, exchange)
        if before is not exchange:
            expected = f"a key of its own: {key} was that of request {before.number}, which had its answer"
            actual = f"the same key again, and {account.actual}"
            yield Claim("CLI-IDM-3", Broken(expected, actual), exchange)
            return


def _telling(outing: Outing) -> Iterator[Claim]:
    account = outing.balance
    if account is None:
        return
    last = _last_say(outing)
    exchange = last.exchange if last is not None else _nothing(outing)
    refused = exchange.status is not None and exchange.status >= 400
    if account.fate is Fate.DONE:
        if outing.succeeded:
            yield Claim("CLI-DO-1", HELD, exchange)
    elif account.fate is Fate.OTHER:
        actual = f"{account.actual} ({outing.ended})"
        if account.doubled:
            actual = f"{_MOVED_TWICE if _moves(outing) > 1 else _MOVED_TOO_MUCH}: {actual}"
        yield Claim("CLI-DO-1", Broken(account.expected, actual), exchange, account.doubled)
    elif outing.succeeded and refused:
        expected = f"after {shown_answer(exchange)} the command reports a failure"
        yield Claim("CLI-READ-4", Broken(expected, f"exit code 0, and {account.actual}"), exchange)
    elif outing.succeeded:
        yield Claim("CLI-DO-1", Broken(account.expected, f"{account.actual} (exit code 0)"), exchange)
    elif refused:
        yield Claim("CLI-READ-4", HELD, exchange)


def is_of_moved_money(actual: str) -> bool:
    """Say whether what a finding shows is that more money moved than was meant."""
    return actual.startswith((_MOVED_TWICE, _MOVED_TOO_MUCH))


def _moves(outing: Outing) -> int:
    """Count the captures and refunds that were made."""
    taken = [entry.taken for entry in outing.heard if entry.taken is not None and entry.taken.status == 201]
    return len({answer.header("capture-id") or answer.header("refund-id") for answer in taken})


def _last_say(outing: Outing) -> Heard | None:
    """The last call on the order that decides: a write, or a reading where nothing was written."""
    calls = [entry for entry in outing.heard if call_in(entry.exchange) is not None]
    writes = [entry for entry in calls if entry.exchange.request.method != "GET"]
    deciding = writes or calls
    return deciding[-1] if deciding else None


def _met(outing: Outing) -> Exchange:
    """The last exchange that the weather met."""
    met = [entry.exchange for entry in outing.heard if entry.met]
    return met[-1] if met else _nothing(outing)


def _nothing(outing: Outing) -> Exchange:
    """Stands for a run in which no request arrived."""
    if outing.heard:
        return outing.heard[-1].exchange
    return Exchange(
        0, Request((), b"", "?", ""), None, 0.0, 0.0, outing.scenario.name, fault="no request arrived"
    )
