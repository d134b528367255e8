"""Exchanges as people read them: a line for a request, a line for an answer, a shell script that sends them again."""

from __future__ import annotations

import json
import math
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from orderproof.exchange import Exchange, Request, redacted_target
from orderproof.model.call import call_of, created_id, is_uuid
from orderproof.report.text import counted
from orderproof.target import Target

_BODY_SHOWN = 160
_TEXT_SHOWN = 24
_ID_SHOWN = 60
_BODY_SENT = 100_000
_OUR_HEADERS = frozenset({"accept", "user-agent", "host", "content-length", "authorization", "content-type"})
_KEY = "klarna-idempotency-key"
_ORDER_PATH = re.compile(r"/ordermanagement/v1/orders/([^/?#]+)")
_NO_NAMES: Mapping[str, str] = {}

_PROLOGUE = """\
#!/bin/sh
# Sends the calls again, to fresh orders, and shows each answer.
: "${{BASE_URL:={base_url}}}"
: "${{CREDENTIALS:?give user:password}}"
call() {{ ANSWER=$(curl --silent --show-error --include --globoff --path-as-is "$@"); printf '%s\\n\\n' "$ANSWER"; }}
header() {{ printf '%s\\n' "$ANSWER" | grep -i "^$1:" | head -n 1 | sed 's/^[^:]*: *//' | tr -d '\\r'; }}
field() {{ printf '%s\\n' "$ANSWER" | sed -n 's/.*"'"$1"'" *: *"\\([^"]*\\)".*/\\1/p' | head -n 1; }}
new_key() {{ uuidgen 2>/dev/null || cat /proc/sys/kernel/random/uuid; }}
"""


def order_names(exchanges: Iterable[Exchange]) -> dict[str, str]:
    """Return a short name for each order that calls go to, by its id; none where all go to one."""
    calls = (call_of(exchange) for exchange in exchanges if "invented-order" not in exchange.facts)
    ids = dict.fromkeys(call.order_id for call in calls if call is not None and is_uuid(call.order_id))
    return {order_id: f"order-{number}" for number, order_id in enumerate(ids, 1)} if len(ids) > 1 else {}


def shown_request(exchange: Exchange, orders: Mapping[str, str] = _NO_NAMES) -> str:
    """One line: `POST …/captures {"captured_amount": 10001}`; the making of an order as `a new order of 10000 SEK`.

    `orders` has the names of orders by their ids, where more than one is called.
    """
    request = exchange.request
    made = _made_order(exchange, orders)
    if made:
        return f"{made} ({request.method} {redacted_target(request.target)})"
    remarks = "" if exchange.credentials == "own" else f" (credentials: {exchange.credentials})"
    if "invented-order" in exchange.facts:
        remarks += " (an order that does not exist)"
    return f"{request.method} {_path(request, orders)} {_body(request)}".rstrip() + remarks


def _made_order(exchange: Exchange, orders: Mapping[str, str]) -> str:
    """What was made, when the request made an order through the Customer Token API; else nothing."""
    wanted, response = exchange.request.json, exchange.response
    if "/customer-token/" not in exchange.request.target or exchange.status != 200 or response is None:
        return ""
    amount = wanted.get("order_amount") if isinstance(wanted, dict) else None
    if not isinstance(amount, int):
        return ""
    order_id = response.json.get("order_id") if isinstance(response.json, dict) else None
    name = f"{orders[order_id]}, " if isinstance(order_id, str) and order_id in orders else ""
    return f"{name}a new order of {amount} {wanted.get('purchase_currency', '')}".rstrip()


def _path(request: Request, orders: Mapping[str, str]) -> str:
    target = redacted_target(request.target)
    found = _ORDER_PATH.match(target)
    if found is None:
        return target or "…"
    order_id, rest = unquote(found[1]), target[found.end() :]
    if is_uuid(order_id):
        return orders.get(order_id, "…") + rest
    known = (
        found[1] if len(found[1]) <= _ID_SHOWN else f"{found[1][:_ID_SHOWN]}… ({len(found[1])} characters)"
    )
    return f"…/orders/{known}{rest}"


def _body(request: Request) -> str:
    """The body; of a long one its outline, and how long it is."""
    text = request.body.decode("utf-8", "backslashreplace")
    if len(text) <= _BODY_SHOWN or not isinstance(request.json, dict | list):
        cut = f"… ({len(request.body)} bytes)" if len(text) > _BODY_SHOWN else ""
        return text[:_BODY_SHOWN] + cut
    outlines = [json.dumps(_outline(request.json, depth), ensure_ascii=False) for depth in (3, 2, 1)]
    short = next((outline for outline in outlines if len(outline) <= _BODY_SHOWN), outlines[-1])
    return f"{short[:_BODY_SHOWN]}{'…' if len(short) > _BODY_SHOWN else ''} ({len(request.body)} bytes)"


def _outline(value: Any, depth: int) -> Any:
    """A value with long texts cut, lists cut after their first item, and nothing below a depth."""
    if isinstance(value, str) and len(value) > _TEXT_SHOWN:
        return f"{value[:_TEXT_SHOWN]}… {len(value)} characters"
    if isinstance(value, dict) and value:
        inner = {name: _outline(item, depth - 1) for name, item in value.items()} if depth else None
        return inner or f"… {counted(len(value), 'field')}"
    if isinstance(value, list) and value:
        rest = [f"… {len(value)} items"] if len(value) > 1 else []
        return [_outline(value[0], depth - 1), *rest] if depth else f"… {counted(len(value), 'item')}"
    return value


def shown_answer(exchange: Exchange) -> str:
    """One line: status, error code, the id of what was made."""
    response = exchange.response
    if response is None:
        return f"no answer: {exchange.fault}"
    body = response.json
    code = (
        f" {body['error_code']}" if isinstance(body, dict) and isinstance(body.get("error_code"), str) else ""
    )
    call = call_of(exchange)
    made = created_id(call) if call is not None and response.status == 201 else None
    return f"{response.status}{code}{f', made {made}' if made else ''}"


def curl_script(trail: Iterable[Exchange], target: Target) -> str:
    """A shell script that sends the requests again with curl, ids taken from the answers as they come.

    It has no secrets: `CREDENTIALS` (user:password) is asked for, and `CUSTOMER_TOKEN` where orders were created with
    it; else each fresh order id is (`ORDER_1`, ...). `BASE_URL` can be another.
    """
    sent = [exchange for exchange in trail if exchange.stands_for is None]
    script = _Script(Counter(exchange.request.header(_KEY) for exchange in sent))
    pauses = [0.0, *(later.sent_at - exchange.answered_at for exchange, later in pairwise(sent))]
    lines = [
        line
        for pause, exchange in zip(pauses, sent, strict=False)
        for line in (*_sleep(pause), *script.lines_of(exchange))
    ]
    return "\n".join([_PROLOGUE.format(base_url=target.base_url) + script.asked_for, *lines]) + "\n"


def _sleep(seconds: float) -> list[str]:
    """The line that waits, where the time between two calls may matter."""
    return [f"sleep {math.ceil(seconds)}"] if seconds >= 1 else []


class _Script:
    """Writes calls as shell commands, and keeps in mind which variable has which id or key."""

    def __init__(self, keys: Counter[str | None]) -> None:
        self._keys = keys
        self._names: dict[str, str] = {}
        self.asked_for = ""

    def lines_of(self, exchange: Exchange) -> Iterator[str]:
        """The lines that send one request, and keep the id of what it made."""
        request = exchange.request
        call = call_of(exchange)
        if call is not None and "invented-order" not in exchange.facts and call.order_id not in self._names:
            self._ask_for(self._variable("ORDER", call.order_id), "an order that was not used before")
        if redacted_target(request.target) != request.target and "CUSTOMER_TOKEN" not in self.asked_for:
            self._ask_for("CUSTOMER_TOKEN", "the customer token that makes orders")
        yield f"# Then answered: {shown_answer(exchange)}".replace("\n", " ")
        yield from self._new_keys(request)
        if len(request.body) > _BODY_SENT:
            yield f"# {request.method} with {len(request.body)} bytes is left out: orderproof reproduce sends it."
            return
        feed, data = _data(request.body)
        words = ["call", "--request", request.method, *_credentials(exchange), *self._headers(request), *data]
        yield feed + " ".join([*words, self._address(request)])
        yield from self._learned(exchange)

    def _ask_for(self, variable: str, what: str) -> None:
        self.asked_for += f': "${{{variable}:?give {what}}}"\n'

    def _variable(self, kind: str, value: str) -> str:
        number = 1 + sum(name.startswith(f"{kind}_") for name in self._names.values())
        self._names[value] = f"{kind}_{number}"
        return self._names[value]

    def _new_keys(self, request: Request) -> Iterator[str]:
        key = request.header(_KEY)
        if key is not None and self._keys[key] > 1 and key not in self._names:
            yield f"{self._variable('KEY', key)}=$(new_key)"

    def _headers(self, request: Request) -> Iterator[str]:
        media_type = request.header("content-type")
        if media_type is not None or request.body:
            yield "--header " + shlex.quote(f"Content-Type: {media_type}" if media_type else "Content-Type:")
        for name, value in request.headers:
            if name.lower() == _KEY:
                key = f"${self._names[value]}" if value in self._names else "$(new_key)"
                yield f'--header "{name}: {key}"'
            elif name.lower() not in _OUR_HEADERS:
                yield "--header " + shlex.quote(f"{name}: {value}")

    def _address(self, request: Request) -> str:
        """The URL, its known ids as variables, and everything else quoted."""
        target = redacted_target(request.target)
        names = {**self._names, "REDACTED": "CUSTOMER_TOKEN"}
        known = "|".join(re.escape(value) for value in sorted(names, key=len, reverse=True))
        parts = re.split(f"({known})", target)
        return '"$BASE_URL"' + "".join(
            f'"${names[part]}"' if part in names else shlex.quote(part) for part in parts if part
        )

    def _learned(self, exchange: Exchange) -> Iterator[str]:
        """The line that keeps the id of what the call made in a variable."""
        call = call_of(exchange)
        if exchange.response is None or exchange.status not in (200, 201):
            return
        if call is None:
            body = exchange.response.json
            order_id = body.get("order_id") if isinstance(body, dict) else None
            if isinstance(order_id, str):
                yield f"{self._variable('ORDER', order_id)}=$(field order_id)"
            return
        made = created_id(call) if exchange.status == 201 else None
        if made is not None and made not in self._names:
            kind = "Capture" if call.name == "captureOrder" else "Refund"
            given = exchange.response.header(f"{kind}-Id")
            source = f"header {kind}-Id" if given else "header Location | sed 's/.*\\///'"
            yield f"{self._variable(kind.upper(), made)}=$({source})"


_USER, _PASSWORD = "${CREDENTIALS%%:*}", "${CREDENTIALS#*:}"
_WRONG_CREDENTIALS = {
    "none": "",
    "wrong-password": f'--user "{_USER}:not-{_PASSWORD}"',
    "wrong-user": '--user "nobody-$CREDENTIALS"',
    "longer-user": f'--user "{_USER}x:{_PASSWORD}"',
    "user-in-other-case": f'--user "$(printf %s "{_USER}" | tr a-zA-Z A-Za-z):{_PASSWORD}"',
    "empty": '--user ":"',
    "empty-password": f'--user "{_USER}:"',
    "shorter-password": '--user "${CREDENTIALS%?}"',
    "longer-password": '--user "${CREDENTIALS}x"',
    "password-in-other-case": f'--user "{_USER}:$(printf %s "{_PASSWORD}" | tr a-zA-Z A-Za-z)"',
    "bearer": '--header "Authorization: Bearer 0"',
    "garbled": '--header "Authorization: Basic %%%"',
}
"""By kind of credentials: the words for them, made from the right ones where a right part is in them."""


def _credentials(exchange: Exchange) -> list[str]:
    words = _WRONG_CREDENTIALS.get(exchange.credentials, '--user "$CREDENTIALS"')
    return [words] if words else []


def _data(body: bytes) -> tuple[str, list[str]]:
    """What goes before the command, and the words in it, that send a body."""
    if not body:
        return "", []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = "\x00"
    if "\x00" not in text:
        return "", ["--data-raw", shlex.quote(text)]
    octal = "".join(f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | ", ["--data-binary", "@-"]
