"""What a sandbox can be told: credentials, storage, periods, and which outcome it takes at each open point.

The contract leaves many points to the server. `Open` names them; every value of every choice is a correct
server. A flavour is a set of choices under one name. The first value of a choice is the default: what
recorded traffic of the real service shows, or the plainest outcome where nothing was recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Literal, get_args, get_type_hints


class OptionError(ValueError):
    """An option that the sandbox does not have; the message is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Open:
    """One outcome for every point that the contract leaves open.

    Raises OptionError for a value that is none.
    """

    # How answers are written.
    location: Literal["absolute", "path", "relative", "prefixed"] = "absolute"
    created_body: Literal["none", "object"] = "none"
    charset: Literal["none", "utf-8"] = "none"
    chunked: Literal["off", "on"] = "off"
    connection: Literal["keep-alive", "close"] = "keep-alive"
    extra_fields: Literal["none", "some"] = "none"
    empty_fields: Literal["recorded", "absent", "null", "blank"] = "recorded"
    times: Literal["millis", "seconds", "offset"] = "millis"
    letter_case: Literal["as-sent", "upper", "lower"] = "as-sent"
    capture_order: Literal["oldest-first", "newest-first"] = "oldest-first"
    capture_address: Literal["copied", "absent"] = "copied"
    bare_errors: Literal["json", "empty", "text"] = "json"

    # Which requests are well formed.
    invalid_status: Literal["400", "422"] = "400"
    not_json: Literal["400", "415", "422"] = "400"
    media_type: Literal["415", "400", "422"] = "415"
    malformed_order_id: Literal["400", "404"] = "400"
    malformed_child_id: Literal["404", "400"] = "404"
    unknown_fields: Literal["ignored", "refused"] = "ignored"
    integer_floats: Literal["taken", "refused"] = "taken"
    length_unit: Literal["code-point", "utf-16"] = "code-point"
    markup: Literal["taken", "400", "422"] = "taken"
    address_fit: Literal["taken", "400", "422"] = "taken"
    line_arithmetic: Literal["taken", "400", "403", "422"] = "taken"
    shipping_delay: Literal["taken", "400", "403", "422"] = "taken"
    billing_in_update: Literal["ignored", "400", "403", "422"] = "ignored"
    precedence: Literal["validation-first", "state-first"] = "validation-first"

    # Limits, keys and calls at the same time.
    rate_limit: Literal["off", "every-40th"] = "off"
    operations_per_order: Literal["unlimited", "30"] = "unlimited"
    key_after_invalid: Literal["fresh", "spent"] = "fresh"
    key_scope: Literal["call", "merchant"] = "call"
    pace: Literal["instant", "5ms"] = "instant"
    in_flight: Literal["409", "wait"] = "409"
    busy_order: Literal["wait", "409"] = "wait"

    # Orders.
    acknowledge_again: Literal["204", "403"] = "204"
    acknowledge_captured: Literal["204", "403"] = "204"
    acknowledge_released: Literal["204", "403"] = "204"
    acknowledge_cancelled: Literal["204", "403"] = "204"
    acknowledge_expired: Literal["204", "403"] = "204"
    increase: Literal["taken", "refused"] = "taken"
    same_amount: Literal["taken", "refused"] = "taken"
    decrease_to_captured_status: Literal["CAPTURED", "CLOSED", "PART_CAPTURED"] = "CAPTURED"
    address_update: Literal["taken", "refused"] = "taken"
    address_captured: Literal["204", "403"] = "204"
    address_released: Literal["204", "403"] = "204"
    address_expired: Literal["403", "204"] = "403"
    references_expired: Literal["204", "403"] = "204"
    extension_captured: Literal["403", "204"] = "403"
    extension_released: Literal["403", "204"] = "403"
    shipping_info_cancelled: Literal["204", "403"] = "204"
    shipping_info_expired: Literal["204", "403"] = "204"
    cancel_again: Literal["204", "403"] = "204"
    cancel_expired: Literal["204", "403"] = "204"
    cancel_remaining: Literal["kept", "zero"] = "kept"
    expired_remaining: Literal["kept", "zero"] = "kept"
    expired_status: Literal["EXPIRED", "CLOSED-later"] = "EXPIRED"
    release_again: Literal["204", "403"] = "204"
    release_expired: Literal["403", "204"] = "403"
    release_status: Literal["PART_CAPTURED", "CAPTURED", "CLOSED"] = "PART_CAPTURED"
    release_amount: Literal["kept", "lowered"] = "kept"

    # Captures and refunds.
    capture_zero: Literal["taken", "400", "403", "422"] = "taken"
    zero_capture_counts: Literal["yes", "no"] = "yes"
    full_capture_status: Literal["CAPTURED", "CLOSED"] = "CAPTURED"
    unknown_capture_code: Literal["NO_SUCH_CAPTURE", "NO_SUCH_ORDER", "NOT_FOUND"] = "NO_SUCH_CAPTURE"
    no_captures: Literal["403", "404"] = "403"
    due_date_refusal: Literal["403", "400", "422"] = "403"
    due_date_options: Literal["used-up", "kept"] = "used-up"
    refund_zero: Literal["taken", "400", "403", "422"] = "taken"
    refund_booking: Literal["oldest", "newest", "spread"] = "oldest"
    full_refund_status: Literal["kept", "CLOSED"] = "kept"
    refunds_unknown_order_code: Literal["NO_SUCH_ORDER", "NOT_FOUND"] = "NO_SUCH_ORDER"
    unknown_refund: Literal["404", "400"] = "404"

    def __post_init__(self) -> None:
        for name, values in choices().items():
            if getattr(self, name) not in values:
                raise OptionError(
                    f"{name}={getattr(self, name)!r} is no choice: take one of {', '.join(values)}."
                )


@cache
def choices() -> Mapping[str, tuple[str, ...]]:
    """Return the permitted values of every choice, the default first."""
    hints = get_type_hints(Open)
    return MappingProxyType({one.name: get_args(hints[one.name]) for one in fields(Open)})


FLAVOURS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "recorded": {},
        "strict": {
            "invalid_status": "422",
            "not_json": "422",
            "unknown_fields": "refused",
            "integer_floats": "refused",
            "markup": "422",
            "address_fit": "400",
            "line_arithmetic": "422",
            "shipping_delay": "403",
            "billing_in_update": "403",
            "malformed_child_id": "400",
            "capture_zero": "400",
            "refund_zero": "403",
            "increase": "refused",
            "same_amount": "refused",
            "address_update": "refused",
            "acknowledge_again": "403",
            "acknowledge_captured": "403",
            "acknowledge_released": "403",
            "acknowledge_cancelled": "403",
            "acknowledge_expired": "403",
            "address_captured": "403",
            "address_released": "403",
            "references_expired": "403",
            "shipping_info_cancelled": "403",
            "shipping_info_expired": "403",
            "cancel_again": "403",
            "cancel_expired": "403",
            "release_again": "403",
            "operations_per_order": "30",
            "length_unit": "utf-16",
        },
        "lenient": {
            "address_expired": "204",
            "extension_captured": "204",
            "extension_released": "204",
            "release_expired": "204",
            "due_date_options": "kept",
            "zero_capture_counts": "no",
            "media_type": "400",
            "bare_errors": "text",
        },
        "closed": {
            "full_capture_status": "CLOSED",
            "release_status": "CLOSED",
            "release_amount": "lowered",
            "full_refund_status": "CLOSED",
            "decrease_to_captured_status": "CLOSED",
            "expired_status": "CLOSED-later",
            "cancel_remaining": "zero",
            "expired_remaining": "zero",
        },
        "relative": {
            "location": "relative",
            "created_body": "object",
            "times": "offset",
            "letter_case": "lower",
            "charset": "utf-8",
        },
        "path": {
            "location": "path",
            "times": "seconds",
            "letter_case": "upper",
            "capture_order": "newest-first",
        },
        "null-fields": {
            "empty_fields": "null",
            "extra_fields": "some",
            "capture_address": "absent",
            "bare_errors": "empty",
        },
        "absent-fields": {"empty_fields": "absent", "release_status": "CAPTURED", "refund_booking": "spread"},
        "blank-fields": {
            "empty_fields": "blank",
            "decrease_to_captured_status": "PART_CAPTURED",
            "refund_booking": "newest",
        },
        "not-found": {
            "malformed_order_id": "404",
            "unknown_capture_code": "NOT_FOUND",
            "no_captures": "404",
            "refunds_unknown_order_code": "NOT_FOUND",
            "unknown_refund": "400",
            "due_date_refusal": "422",
            "key_after_invalid": "spent",
        },
        "state-first": {
            "precedence": "state-first",
            "unknown_capture_code": "NO_SUCH_ORDER",
            "due_date_refusal": "400",
            "not_json": "415",
            "key_scope": "merchant",
        },
        "edge": {
            "rate_limit": "every-40th",
            "chunked": "on",
            "location": "prefixed",
            "extra_fields": "some",
            "charset": "utf-8",
        },
        "slow": {"pace": "5ms"},
        "slow-conflict": {"pace": "5ms", "busy_order": "409"},
        "slow-patient": {"pace": "5ms", "in_flight": "wait", "connection": "close"},
    }
)


def _known(word: str, name: str, names: Iterable[str]) -> str:
    names = list(names)
    if name in names:
        return name
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}."
    raise OptionError(f"There is no {word} {name!r}: {hint}")


def open_choices(assignments: Iterable[str] = (), flavour: str = "recorded") -> Open:
    """Return the choices of a flavour, changed by assignments such as `location=relative`.

    Raises OptionError for an unknown flavour, an unknown choice, or a value that the choice does not have.
    """
    chosen = dict(FLAVOURS[_known("flavour", flavour, FLAVOURS)])
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise OptionError(
                f"{assignment!r} is no choice: write it as NAME=VALUE, for example location=relative."
            )
        chosen[_known("choice", name, choices())] = value
    return open_from(chosen)


def open_from(chosen: Mapping[str, str]) -> Open:
    """Return the choices of a mapping from names to values, defaults for the rest. Raises OptionError."""
    known = {_known("choice", name, choices()): value for name, value in chosen.items()}
    return Open(**known)  # type: ignore[arg-type]  # __post_init__ holds every value against its Literal


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a sandbox can be told. Raises OptionError where a value makes no sense.

    `database` is the path of a SQLite file, the URL of a PostgreSQL database (`postgresql://…`), or None to keep
    everything in memory. `authorization_days` is the account's authorization period. `due_date_options` are pairs of
    a number of days and its fee in minor units. `tokens` are the customer and authorization tokens on which orders
    can be created.
    """

    username: str = "sandbox"
    password: str = "sandbox"
    database: str | None = field(default=None, repr=False)
    open: Open = field(default_factory=Open)
    authorization_days: int = 28
    due_date_options: tuple[tuple[int, int], ...] = ((14, 195), (30, 495), (60, 995))
    tokens: tuple[str, ...] = ("sandbox",)

    def __post_init__(self) -> None:
        if ":" in self.username:
            raise OptionError(
                f"The user name {self.username!r} has a colon, which Basic authentication cannot carry."
            )
        if self.authorization_days < 1:
            raise OptionError(
                f"An authorization period of {self.authorization_days} days is too short: take 1 or more."
            )
