"""Exchanges as people read them: one line for a request, one for an answer, and a shell script that sends them again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable

from orderproof.exchange import Exchange, Request, redacted_target
from orderproof.model.call import call_of, created_id
from orderproof.target import Target

_BODY_SHOWN = 160
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def shown_request(exchange: Exchange) -> str:
    """One line: `POST …/captures {"captured_amount": 10001}`."""
    request = exchange.request
    path = re.sub(r"^/ordermanagement/v1/orders/[^/]+", "…", redacted_target(request.target)) or "…"
    body = request.body.decode("utf-8", "backslashreplace")
    shown = body if len(body) <= _BODY_SHOWN else f"{body[:_BODY_SHOWN]}… ({len(request.body)} bytes)"
    credentials = "" if exchange.credentials == "own" else f" (credentials: {exchange.credentials})"
    return f"{request.method} {path} {shown}".rstrip() + credentials


def shown_answer(exchange: Exchange) -> str:
    """One line: status, error code, the id of what was made."""
    response = exchange.response
    if response is None:
        return f"no answer: {exchange.fault}"
    body = response.json
    code = f" {body['error_code']}" if isinstance(body, dict) and isinstance(body.get("error_code"), str) else ""
    call = call_of(exchange)
    made = created_id(call) if call is not None and response.status == 201 else None
    return f"{response.status}{code}{f', made {made}' if made else ''}"


def curl_script(trail: Iterable[Exchange], target: Target) -> str:
    """A shell script that sends the requests again with curl, ids taken from the answers as they come.

    It needs `BASE_URL`, `CREDENTIALS` (user:password) and, where orders were created through it, `CUSTOMER_TOKEN`.
    """
    names: dict[str, str] = {}
    lines = [
        "#!/bin/sh",
        "# Sends the calls again. Set CREDENTIALS=user:password, and CUSTOMER_TOKEN for the orders.",
        f": \"${{BASE_URL:={target.base_url}}}\"",
        "call() { curl --silent --show-error --include --user \"$CREDENTIALS\" \"$@\" | tee answer.txt; echo; }",
        "header() { grep -i \"^$1:\" answer.txt | tr -d '\\r' | sed 's/^[^:]*: *//'; }",
    ]
    for exchange in trail:
        if exchange.stands_for is None:
            lines += _call(exchange, names)
    return "\n".join(lines) + "\n"


def _call(exchange: Exchange, names: dict[str, str]) -> list[str]:
    request = exchange.request
    words = ["call", "-X", request.method]
    for name, value in request.headers:
        if name.lower() in ("content-type", "klarna-idempotency-key"):
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if request.body:
        words += ["--data-binary", _shell_text(request.body)]
    line = " ".join([*words, _address(request, names)])
    return [line, *_learned(exchange, names)]


def _shell_text(body: bytes) -> str:
    try:
        return shlex.quote(body.decode("utf-8"))
    except UnicodeDecodeError:
        escaped = "".join(f"\\{byte:03o}" for byte in body)
        return f"\"$(printf '{escaped}')\""


def _address(request: Request, names: dict[str, str]) -> str:
    target = redacted_target(request.target).replace("REDACTED", "$CUSTOMER_TOKEN")
    return '"$BASE_URL' + _UUID.sub(lambda found: names.get(found[0], found[0]), target) + '"'


def _learned(exchange: Exchange, names: dict[str, str]) -> list[str]:
    """Lines that keep the id of what a call made in a shell variable."""
    call = call_of(exchange)
    made = created_id(call) if call is not None and exchange.status == 201 else None
    if made is not None and call is not None:
        kind = "CAPTURE" if call.name == "captureOrder" else "REFUND"
        variable = f"{kind}_{sum(name.startswith(f'${kind}') for name in names.values()) + 1}"
        names[made] = f"${variable}"
        return [f"{variable}=$(header {kind.title()}-Id)"]
    if "/order" in exchange.request.target and exchange.status in (200, 201) and call is None:
        body = exchange.response.json if exchange.response is not None else None
        order_id = body.get("order_id") if isinstance(body, dict) else None
        if isinstance(order_id, str):
            variable = f"ORDER_{sum(name.startswith('$ORDER') for name in names.values()) + 1}"
            names[order_id] = f"${variable}"
            pattern = json.dumps("order_id")[1:-1]
            return [f"{variable}=$(sed -n 's/.*\"{pattern}\": *\"\\([^\"]*\\)\".*/\\1/p' answer.txt)"]
    return []
