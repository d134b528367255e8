"""What holds for every operation: credentials, errors, unknown ids, bodies, statuses, rate limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from orderproof import operations
from orderproof.checks.registry import HELD, Broken, Mark, check, verdict
from orderproof.checks.step import Event, Step, brief, entries_of, mark_of, shown
from orderproof.exchange import ABSENT, Exchange, Response
from orderproof.model.forecast import Situation
from orderproof.model.validity import Standing
from orderproof.model.values import Difference

ALWAYS_POSSIBLE = frozenset({400, 401, 404, 405, 409, 413, 415, 422, 429})
_WITHOUT_ERROR_BODY = frozenset({401, 405, 413, 415, 429})
_ORDER_FIELDS = ("order_id", "order_amount", "captures", "captured_amount", "order_lines", "billing_address")
_TELLING_FIELDS = ("klarna_reference", "merchant_data", "email", "street_address", "phone")
_SHORTEST_TELLING = 6
_LISTS = {"captureOrder": "captures", "refundOrder": "refunds"}
TOO_LARGE = 2_000_000


def _unauthenticated(step: Step, *names: str) -> Iterator[Mark]:
    """Marks for a call without valid credentials: 401, no order data; and for the reading after it: unchanged."""
    if (
        step.situation is Situation.UNAUTHENTICATED
        and step.exchange.credentials in names
        and step.is_answered
    ):
        yield from step.answers(Situation.UNAUTHENTICATED)
        leaked = _order_data(step)
        yield verdict(not leaked, "no order data", f"{step.exchange.status} with {', '.join(leaked)}")
    refused = [e for e in step.since if e.situation is Situation.UNAUTHENTICATED]
    if step.document is None or not step.is_reading or not refused or refused != list(step.since):
        return
    if refused[-1].call.exchange.credentials in names:
        yield mark_of(list(step.differences))


def _order_data(step: Step) -> list[str]:
    """Name what an answer shows of an order: fields of one at any depth, or values that only it has."""
    if step.response is None:
        return []
    present = {name for name, _ in _fields_in(step.response.json)}
    text = step.response.body.decode("utf-8", "replace")
    values = {name: value for name, value in _fields_in(step.state.order) if name in _TELLING_FIELDS}
    telling = (
        name for name, value in values.items() if isinstance(value, str) and len(value) >= _SHORTEST_TELLING
    )
    return [name for name in _ORDER_FIELDS if name in present] + [
        name for name in telling if values[name] in text
    ]


def _fields_in(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _fields_in(child)


@check("GEN-AUTH-1")
def without_credentials_nothing_is_shown_or_done(step: Step) -> Iterator[Mark]:
    yield from _unauthenticated(step, "none")


@check("GEN-AUTH-2")
def with_wrong_credentials_nothing_is_shown_or_done(step: Step) -> Iterator[Mark]:
    others = {event.call.exchange.credentials for event in step.since} | {step.exchange.credentials}
    yield from _unauthenticated(step, *(others - {"none", "own"}))


@check("GEN-AUTH-3")
def a_401_says_how_to_authenticate(step: Step) -> Iterator[Mark]:
    if step.response is not None and step.response.status == 401:
        yield verdict(bool(step.response.header("www-authenticate")), "WWW-Authenticate", "none")


def owes_error_body(exchange: Exchange) -> bool:
    """Say whether an answer has to have an error body; those of a gateway, before any call is read, need none."""
    refused = exchange.status is not None and 400 <= exchange.status < 500
    return refused and exchange.status not in _WITHOUT_ERROR_BODY and exchange.credentials != "garbled"


@check("GEN-ERR-1")
def refusals_have_an_error_body(step: Step) -> Iterator[Mark]:
    response = step.response
    if step.call is None or response is None or not 400 <= response.status < 500:
        return
    if owes_error_body(step.exchange):
        expected = "application/json with correlation_id, error_code and error_messages"
        yield _error_body(_fault_of(response), expected, str(response.status))


def _error_body(fault: str, expected: str, status: str) -> Mark:
    """The mark for an answer that owes an error body, and has this fault or none."""
    return Broken(expected, f"{status}: {fault}", "errors without their body") if fault else HELD


def _fault_of(response: Response) -> str:
    """What keeps an answer from being an error body; empty when it is one."""
    if response.media_type != "application/json":
        return f"content type {response.media_type or 'missing'}"
    body = response.json
    if not isinstance(body, dict):
        return "no JSON object" if response.body else "no body"
    messages = body.get("error_messages")
    wrong = [name for name in ("correlation_id", "error_code") if not isinstance(body.get(name), str)]
    if not (isinstance(messages, list) and all(isinstance(message, str) for message in messages)):
        wrong.append("error_messages")
    return "; ".join(f"{name} {brief(body.get(name, ABSENT))}" for name in wrong)


@check("GEN-ERR-2")
def correlation_ids_are_unique(step: Step) -> Iterator[Mark]:
    response = step.response
    if response is None or response.status < 400 or not isinstance(response.json, dict):
        return
    correlation = response.json.get("correlation_id")
    if isinstance(correlation, str) and not step.repeats_a_key:
        yield verdict(not step.repeated_error, "a correlation_id of its own", f"{correlation} again")


@check("GEN-ERR-3")
def nothing_is_answered_with_5xx(step: Step) -> Iterator[Mark]:
    if step.response is not None:
        yield verdict(step.response.status < 500, "no 5xx", shown(step.response))


@check("GEN-ERR-4")
def refusals_change_nothing(step: Step) -> Iterator[Mark]:
    refused = [
        event for event in step.since if not event.taken and 400 <= (event.call.exchange.status or 0) < 500
    ]
    if step.document is None or not step.is_reading or not refused:
        return
    if refused == list(step.since):
        yield step.untouched(refused)
    elif made := _made_by_nobody(step, refused):
        yield mark_of(made)


def _made_by_nobody(step: Step, refused: Sequence[Event]) -> list[Difference]:
    """Captures and refunds that no call made which was taken, where one that would have made them was refused.

    That a 401 or a 429 changes nothing is what other rules say.
    """
    taken = [event for event in step.since if event.taken]
    named = Counter(event.created for event in taken)
    old = {
        one.get(f"{kind}_id")
        for kind in ("capture", "refund")
        for one in entries_of(step.before or {}, f"{kind}s")
    }
    # Of a call that was answered without an id, or with that of another, nobody knows what it made.
    anonymous = {e.call.name for e in taken if not e.created or named[e.created] > 1 or e.created in old}
    names = {event.call.name for event in refused if event.call.exchange.status not in (401, 429)}
    lists = {_LISTS[name] for name in names & (_LISTS.keys() - anonymous)}
    return [d for d in step.differences if d.expected is ABSENT and len(d.path) == 2 and d.path[0] in lists]


@check("GEN-404-1")
def an_unknown_order_is_not_found(step: Step) -> Iterator[Mark]:
    yield from step.answers(Situation.UNKNOWN_ORDER)


@check("GEN-404-2")
def the_message_names_the_unknown_id(step: Step) -> Iterator[Mark]:
    if step.situation is not Situation.UNKNOWN_ORDER or step.exchange.status != 404 or step.call is None:
        return
    body = step.response.json if step.response is not None else ABSENT
    messages = body.get("error_messages") if isinstance(body, dict) else None
    named = isinstance(messages, list) and any(step.call.order_id in str(message) for message in messages)
    yield verdict(named, f"a message that names {step.call.order_id}", brief(messages))


@check("GEN-ID-1")
def a_malformed_order_id_is_refused(step: Step) -> Iterator[Mark]:
    if step.situation is not Situation.MALFORMED_ORDER or step.response is None:
        return
    yield from step.answers(Situation.MALFORMED_ORDER)
    if step.exchange.status in (400, 404):
        status = str(step.exchange.status)
        yield _error_body(_fault_of(step.response), f"{status} with an error body", status)


def _is_unreadable(step: Step) -> bool:
    reasons = step.call.validity.reasons if step.call else ()
    body = step.call.body if step.call else ABSENT
    return bool({"not JSON", "no body"} & set(reasons)) or not isinstance(body, dict)


def _refusals_of_invalid_bodies(step: Step, *, unreadable: bool) -> Iterator[Mark]:
    """Marks for invalid bodies. A refusal counts where the defect is the reason: the same call without it was taken."""
    if (
        step.situation is not Situation.INVALID_BODY
        or step.call is None
        or _is_unreadable(step) is not unreadable
    ):
        return
    reasons = "; ".join(step.call.validity.reasons[:2])
    for mark in step.answers(Situation.INVALID_BODY):
        if isinstance(mark, Broken):
            yield Broken(f"{mark.expected} ({reasons})", mark.actual)
        elif "twin-taken" in step.exchange.facts:
            yield mark


@check("GEN-VAL-1")
def a_body_outside_the_schema_is_refused(step: Step) -> Iterator[Mark]:
    yield from _refusals_of_invalid_bodies(step, unreadable=False)


@check("GEN-VAL-2")
def a_body_that_is_no_json_object_is_refused(step: Step) -> Iterator[Mark]:
    yield from _refusals_of_invalid_bodies(step, unreadable=True)


@check("GEN-VAL-3")
def a_body_far_over_the_limit_is_too_large(step: Step) -> Iterator[Mark]:
    if len(step.exchange.request.body) >= TOO_LARGE and step.is_answered:
        yield verdict(step.exchange.status == 413, "413", shown(step.response))


@check("GEN-VAL-4")
def a_valid_body_is_not_called_invalid(step: Step) -> Iterator[Mark]:
    call = step.call
    if call is None or not step.is_answered or not step.exchange.request.body or step.assessment is None:
        return
    if call.validity.standing is not Standing.VALID or step.situation is Situation.UNAUTHENTICATED:
        return
    if "optional-headers" in step.exchange.facts:
        return  # the same body was taken without them: see GEN-HTTP-5
    refused = step.exchange.status in (400, 413, 415, 422) and not step.assessment.answer_allowed
    yield verdict(not refused, "a valid body is not refused as invalid", shown(step.response))


@check("GEN-HTTP-1")
def a_200_is_json_of_the_documented_shape(step: Step) -> Iterator[Mark]:
    call, response = step.call, step.response
    if call is None or response is None or response.status != 200:
        return
    schema = call.operation.response_schemas.get(200)
    if response.media_type != "application/json":
        yield verdict(not response.body, "application/json", response.media_type or "no content type")
    elif response.json is ABSENT:
        yield verdict(False, "JSON", brief(response.body[:60].decode("utf-8", "replace")))
    elif schema is not None:
        problems = operations.reading_problems(schema, response.json)
        yield verdict(not problems, f"valid against {schema}", "; ".join(map(str, problems[:3])))
    elif call.name == "getCaptures":
        yield from _captures_of(response.json)


def _captures_of(body: Any) -> Iterator[Mark]:
    items = body if isinstance(body, list) else []
    problems = [problem for item in items for problem in operations.reading_problems("Capture", item)]
    actual = "; ".join(map(str, problems[:3])) or "no array"
    yield verdict(isinstance(body, list) and not problems, "an array of captures", actual)


@check("GEN-HTTP-2")
def a_204_has_no_body(step: Step) -> Iterator[Mark]:
    response = step.response
    if response is not None and response.status == 204 and step.call is not None:
        length = response.header("content-length")
        announced = (length or "0").strip() != "0"
        actual = f"{len(response.body)} bytes" if response.body else f"Content-Length: {length}"
        yield verdict(not response.body and not announced, "no body", actual)


@check("GEN-HTTP-3")
def an_unknown_method_is_not_allowed(step: Step) -> Iterator[Mark]:
    if step.call is not None or step.response is None:
        return
    method, path = step.exchange.request.method, step.exchange.request.path
    allowed = operations.allowed_methods(path)
    if not allowed or method in (*allowed, "HEAD", "OPTIONS"):
        return
    if step.response.status != 429:
        fits = step.response.status == 405 and bool(step.response.header("allow"))
        yield verdict(fits, f"405 with Allow: {', '.join(allowed)}", _with_allow(step.response))


def _with_allow(response: Response) -> str:
    allow = response.header("allow")
    return f"{response.status} {f'with Allow: {allow}' if allow else 'without Allow'}"


@check("GEN-HTTP-4")
def only_documented_statuses_are_used(step: Step) -> Iterator[Mark]:
    if step.call is None or step.response is None or step.response.status >= 500:
        return
    documented = {int(status) for status in step.call.operation.statuses}
    expected = " or ".join(map(str, sorted(documented)))
    if step.response.status in documented | ALWAYS_POSSIBLE:
        yield HELD
    else:
        yield Broken(expected, shown(step.response), step.symptom)


@check("GEN-HTTP-5")
def optional_headers_are_no_reason_to_refuse(step: Step) -> Iterator[Mark]:
    if "optional-headers" in step.exchange.facts and step.is_answered and step.assessment is not None:
        expected = f"{step.assessment.forecast}, as without the optional headers"
        yield verdict(step.assessment.answer_allowed, expected, shown(step.response))


@check("GEN-RATE-1")
def a_rate_limited_call_changes_nothing(step: Step) -> Iterator[Mark]:
    limited = [event for event in step.since if event.call.exchange.status == 429]
    if (
        step.document is not None
        and step.is_reading
        and limited
        and limited == list(step.since)
        and not step.follows_a_race
    ):
        yield mark_of(list(step.differences))
        if any("gave-up" in event.call.exchange.facts for event in limited):
            yield Broken("the call goes through after waiting, as reading does", "429 each time")
    elif step.document is not None and step.is_reading and limited and _is_one_call(step):
        yield mark_of(list(step.differences))
    for operation, entries in (("captureOrder", "captures"), ("refundOrder", "refunds")):
        if step.document is not None and step.before and any(e.call.name == operation for e in limited):
            yield from _one_entry_each(step, operation, entries)


def _is_one_call(step: Step) -> bool:
    """Say whether the call that was limited was tried again, and nothing else: together they may have one effect."""
    tries = {(event.call.name, event.call.exchange.request.body) for event in step.since}
    return len(tries) == 1 and not step.follows_a_race


def _one_entry_each(step: Step, operation: str, entries: str) -> Iterator[Mark]:
    """A mark for the reading after a call that got through when it was sent again: the first try left nothing."""
    taken = sum(event.taken for event in step.events(operation))
    new = len((step.document or {}).get(entries) or ()) - len((step.before or {}).get(entries) or ())
    lost = any(event.call.exchange.response is None for event in step.since)
    if not lost and not step.follows_a_race:
        yield verdict(new <= taken, f"{taken} more of {entries}, as a 429 changes nothing", f"{new} more")
