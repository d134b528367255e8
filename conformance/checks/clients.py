"""What a client owes the server, as far as its requests show it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from orderproof import operations
from orderproof.checks.conduct import API, Conduct, order_lines, tidied
from orderproof.checks.contents import content_of, decimals, is_of_money, json_of
from orderproof.checks.registry import HELD, Broken, Mark, check, verdict
from orderproof.checks.step import brief
from orderproof.exchange import ABSENT, Exchange, Request
from orderproof.model.validity import AMOUNT_FIELDS, tax_fits
from orderproof.operations import OPERATIONS

HEADER_BYTES, HEADERS_BYTES, BODY_BYTES = 6 * 1_024, 20 * 1_024, 1_024 * 1_024
"""The document says KB and MB: the larger reading of both is held against a client."""
MOST_RETRIES, SHORTEST_PAUSE = 3, 1.0
CLOCK_SLACK = 0.05
"""Seconds by which a pause may look shorter than it was: two clocks, and a machine that is busy."""
HANG_UP_SLACK = 0.3
"""The same after a try that the client gave up: that it hung up is noticed later than it did."""
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(rf"{_TOKEN}/{_TOKEN}\s*(;\s*({_TOKEN}=({_TOKEN}|\"[^\"]*\"))?\s*)*")
_PLAIN_PATH = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,11}(?= )")
_INTEGER = "integer"


_ACTIONS = "|".join(
    sorted(
        {
            operation.template.split("/")[5]
            for operation in OPERATIONS.values()
            if "/{order_id}/" in operation.template
        }
    )
)
_MEANT = re.compile(rf"/order[-_]?management/|/orders/[^/]+/({_ACTIONS})(/|$)", re.IGNORECASE)
"""What can only be meant for this API, although its path may be another: no other API acts on orders like that."""


def _is_of_the_api(conduct: Conduct) -> bool:
    path = conduct.exchange.request.path
    return API in path or _MEANT.search(path) is not None


@check("CLI-HTTP-1", view="request")
def a_request_is_one_well_framed_message(conduct: Conduct) -> Iterator[Mark]:
    request = conduct.exchange.request
    faults = sorted(fact for fact in conduct.exchange.facts if fact.startswith("framing:"))
    media_type = request.header("content-type")
    if media_type is not None and not _MEDIA_TYPE.fullmatch(media_type.strip()):
        faults.append(f"framing:Content-Type {brief(media_type)} is no media type")
    faults += [
        f"framing:header {name} has a line break"
        for name, value in request.headers
        if re.search(r"[\r\n]", value)
    ]
    expected = "one message: no bytes outside it, a media type as Content-Type, headers without line breaks"
    yield verdict(not faults, expected, "; ".join(fault.removeprefix("framing:") for fault in faults))


@check("CLI-PATH-1", view="request")
def only_documented_paths_are_called(conduct: Conduct) -> Iterator[Mark]:
    request = conduct.exchange.request
    if not _is_of_the_api(conduct):
        return
    if conduct.call is None:
        allowed = operations.allowed_methods(request.path)
        expected = f"{' or '.join(allowed)} on this path" if allowed else "a documented method and path"
        yield Broken(expected, f"{request.method} {brief(request.target)}")
    else:
        encoded = _PLAIN_PATH.fullmatch(request.path) is not None
        yield verdict(encoded, "ids percent-encoded", f"{request.method} {brief(request.target)}")


@check("CLI-PATH-2", view="request")
def paths_have_no_stray_slash(conduct: Conduct) -> Iterator[Mark]:
    if _is_of_the_api(conduct):
        yield verdict(conduct.tidy, "no doubled or trailing slash", brief(conduct.exchange.request.path))


@check("CLI-AUTH-1", view="request")
def every_request_has_credentials(conduct: Conduct) -> Iterator[Mark]:
    if not _is_of_the_api(conduct) or "scrubbed" in conduct.exchange.facts:
        return
    value = conduct.exchange.request.header("authorization")
    basic = value is not None and (value == "REDACTED" or value.lower().startswith("basic "))
    # The credentials themselves are a secret, also where they are of the wrong kind, or of none.
    scheme = _SCHEME.match(value or "")
    shown = f"{scheme[0]} …" if scheme else "a value that is no scheme with credentials"
    yield verdict(basic, "Authorization: Basic …", "none" if value is None else shown)


def _problems(conduct: Conduct) -> list[operations.Problem]:
    return operations.problems(conduct.schema, conduct.body) if conduct.schema else []


def _is_about_an_amount(problem: operations.Problem) -> bool:
    """Say whether an amount is written as something else; null is no number at all, and breaks the schema."""
    is_null = ": null is not" in problem.message
    is_type = problem.keyword == "type" and problem.message.endswith(_INTEGER)
    return is_type and is_of_money(problem.path) and not is_null


@check("CLI-BODY-1", view="request")
def bodies_keep_the_request_schema(conduct: Conduct) -> Iterator[Mark]:
    request = conduct.exchange.request
    if conduct.call is None or conduct.schema is None:
        return
    if not request.body:
        if conduct.call.operation.body_required:
            yield Broken(f"a body valid against {conduct.schema}", "no body")
    elif request.media_type != "application/json":
        yield Broken("application/json", request.header("content-type") or "no Content-Type")
    elif conduct.body is ABSENT:
        expected = "JSON in UTF-8, without a byte order mark"
        yield Broken(expected, brief(conduct.content[:60].decode("utf-8", "backslashreplace")))
    else:
        problems = [problem for problem in _problems(conduct) if not _is_about_an_amount(problem)]
        yield verdict(not problems, f"valid against {conduct.schema}", "; ".join(map(str, problems[:3])))


@check("CLI-BODY-2", view="request")
def amounts_are_integers(conduct: Conduct) -> Iterator[Mark]:
    if conduct.schema is None or not isinstance(conduct.body, dict):
        return
    wrong = [str(problem) for problem in _problems(conduct) if _is_about_an_amount(problem)]
    wrong += [f"{place}: {value!r}" for place, value in decimals(conduct.schema, conduct.body)]
    yield verdict(not wrong, "JSON integers in minor units", "; ".join(dict.fromkeys(wrong[:3])))


@check("CLI-BODY-3", view="request")
def there_is_no_body_where_none_belongs(conduct: Conduct) -> Iterator[Mark]:
    if conduct.call is None or conduct.schema is not None:
        return
    content = conduct.content
    harmless = not content.strip() or conduct.body == {}
    yield verdict(harmless, "no body", brief(content[:60].decode("utf-8", "replace")))


@check("CLI-BODY-4", view="request")
def bodies_have_known_fields_alone(conduct: Conduct) -> Iterator[Mark]:
    if conduct.schema is not None and isinstance(conduct.body, dict):
        unknown = operations.unknown_fields(conduct.schema, conduct.body)
        yield verdict(not unknown, f"fields of {conduct.schema}", f"also {', '.join(unknown[:5])}")


def _is_whole(line: Mapping[str, Any], *names: str) -> bool:
    return all(
        isinstance(line.get(name, 0), int) and not isinstance(line.get(name, 0), bool) for name in names
    )


@check("CLI-LINE-1", view="request")
def lines_multiply(conduct: Conduct) -> Iterator[Mark]:
    for line in order_lines(conduct.body) if conduct.schema else ():
        names = ("quantity", "unit_price", "total_discount_amount", "total_amount")
        if _is_whole(line, *names) and {"quantity", "unit_price", "total_amount"} <= set(line):
            quantity, price, discount, total = (line.get(name, 0) for name in names)
            expected = f"total_amount {quantity * price - discount}: {quantity} * {price} - {discount}"
            yield verdict(total == quantity * price - discount, expected, f"total_amount {total}")


@check("CLI-LINE-2", view="request")
def tax_is_inside_the_total(conduct: Conduct) -> Iterator[Mark]:
    for line in order_lines(conduct.body) if conduct.schema else ():
        names = ("total_amount", "tax_rate", "total_tax_amount")
        if set(names) <= set(line) and _is_whole(line, *names) and line["tax_rate"] >= 0:
            total, rate, tax = (line[name] for name in names)
            exact = total - total * 10_000 / (10_000 + rate)
            expected = f"total_tax_amount {exact:.0f} (within 1): {rate / 100:g} % inside {total}"
            yield verdict(tax_fits(total, rate, tax), expected, f"total_tax_amount {tax}")


@check("CLI-LINE-3", view="request")
def lines_sum_to_the_amount(conduct: Conduct) -> Iterator[Mark]:
    name = AMOUNT_FIELDS.get(conduct.call.name) if conduct.call is not None else None
    lines = order_lines(conduct.body)
    if name is None or not lines or not all(_is_whole(line, "total_amount") for line in lines):
        return
    amount, total = conduct.body.get(name), sum(line.get("total_amount", 0) for line in lines)
    if isinstance(amount, int):
        yield verdict(amount == total, f"{name} {total}, the sum of its lines", f"{name} {amount}")


def _writes(conduct: Conduct) -> bool:
    return conduct.call is not None and conduct.call.operation.writes


@check("CLI-IDM-1", view="request")
def writes_carry_a_key(conduct: Conduct) -> Iterator[Mark]:
    if _writes(conduct):
        yield verdict(bool(conduct.key), "a Klarna-Idempotency-Key", "none")


@check("CLI-IDM-2", view="request")
def keys_are_uuids(conduct: Conduct) -> Iterator[Mark]:
    if _writes(conduct) and conduct.key:
        yield verdict(_version(conduct.key) in (4, 5), "a UUID of version 4 or 5", brief(conduct.key))


def _version(key: str) -> int | None:
    try:
        return uuid.UUID(key).version if len(key) == 36 else None
    except ValueError:
        return None


@check("CLI-IDM-3", view="request")
def a_key_belongs_to_one_call(conduct: Conduct) -> Iterator[Mark]:
    if not _writes(conduct) or not conduct.key:
        return
    first = conduct.first_use
    if first is None:
        yield HELD
        return
    request, before = conduct.exchange.request, first.request
    same_place = (request.method, tidied(request.path)) == (before.method, tidied(before.path))
    same = same_place and (content_of(request) == content_of(before) or _means_the_same(request, before))
    was = f"{before.method} {brief(before.target)} {brief(before.body.decode('utf-8', 'replace'))}"
    now = f"{request.method} {brief(request.target)} {brief(request.body.decode('utf-8', 'replace'))}"
    yield verdict(same, f"a key of its own: {conduct.key} was that of {was}", f"the same key for {now}")


def _means_the_same(one: Request, other: Request) -> bool:
    meaning = json_of(content_of(one))
    return meaning is not ABSENT and meaning == json_of(content_of(other))


@check("CLI-IDM-4", view="request")
def a_retry_keeps_its_key(conduct: Conduct) -> Iterator[Mark]:
    # After a refusal there is nothing that a key could keep from happening twice.
    in_doubt = any(entry.status is None or entry.status >= 500 for entry in conduct.tries)
    first = conduct.tries[0].request.header("klarna-idempotency-key") if in_doubt else None
    if first is not None:
        yield verdict(conduct.key == first, f"the key of the first try, {first}", conduct.key or "no key")


@check("CLI-RETRY-1", view="request")
def only_what_is_safe_is_tried_again(conduct: Conduct) -> Iterator[Mark]:
    if not conduct.is_retry:
        return
    last = conduct.tries[-1]
    keyless = conduct.tries[0].request.header("klarna-idempotency-key") is None
    refused = last.status is not None and 400 <= last.status < 500 and last.status not in (409, 429)
    why = f"it was refused with {last.status}" if refused else "it had no idempotency key"
    yield verdict(not refused and not keyless, f"no second try, as {why}", "the same call again")


@check("CLI-RETRY-2", view="request")
def retries_are_few_and_spaced(conduct: Conduct) -> Iterator[Mark]:
    if not conduct.is_retry:
        return
    pause = _pause(conduct.exchange, conduct.tries[-1])
    retries = len(conduct.tries)
    expected = f"at most {MOST_RETRIES} retries, {SHORTEST_PAUSE:.0f} s apart at least"
    slack = HANG_UP_SLACK if "lost" in conduct.tries[-1].facts else CLOCK_SLACK
    holds = retries <= MOST_RETRIES and pause >= SHORTEST_PAUSE - slack
    yield verdict(holds, expected, f"retry {retries}, {pause:.2f} s after the last try")


def _pause(exchange: Exchange, before: Exchange) -> float:
    """Seconds since the try before ended: for one that the client gave up without hanging up, since it was sent."""
    since_end = exchange.sent_at - before.answered_at
    return since_end if since_end >= 0 else exchange.sent_at - before.sent_at


@check("CLI-SIZE-1", view="request")
def requests_are_of_bounded_size(conduct: Conduct) -> Iterator[Mark]:
    request = conduct.exchange.request
    sizes = [len(name) + len(value) + 2 for name, value in request.headers]
    largest, headers, body = max(sizes, default=0), sum(sizes), len(request.body)
    holds = largest <= HEADER_BYTES and headers <= HEADERS_BYTES and body <= BODY_BYTES
    expected = "a header of at most 6 KB, headers of at most 20 KB, a body of at most 1 MB"
    yield verdict(
        holds, expected, f"the largest header {largest}, all headers {headers}, the body {body} bytes"
    )
