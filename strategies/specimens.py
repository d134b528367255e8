"""Bodies with every field of their component, made without chance: what a test of each field starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orderproof.strategies import arguments, schema
from orderproof.strategies.addresses import Place, places
from orderproof.strategies.arithmetic import Line, plain_line, tax_of, tax_within, total_of
from orderproof.strategies.formats import text_of
from orderproof.strategies.records import Record

_TAX_RATE = 2500
_DAYS = 14


def full_body(
    component: str, *, amount: int = 10000, days: int = _DAYS, sign: str = "A", full_length: bool = False
) -> Record:
    """Return a valid body of a request component with every documented field, nested ones included.

    Lists have two items. The order lines sum to `amount` (minor units), an address is in the first known
    place that has a region, and a due date moves by `days`. Texts are `sign`, one character, once, or with
    `full_length` as often as the field takes it. Raises InvalidArgument for a component that is no request
    and for an amount out of bounds.
    """
    arguments.one_of("component", component, schema.requests())
    arguments.integer("amount", amount, low=0, high=schema.largest(schema.AMOUNT))
    place = next(place for place in places() if "region" in place)
    filler = _Filler(sign, full_length, place)
    lines = [_taxed_line(filler, total) for total in (amount - amount // 2, amount // 2)]
    meant = {
        "captured_amount": amount,
        "refunded_amount": amount,
        "number_of_days": days,
        "shipping_delay": 0,
    }
    return filler.record(component, meant | draft_of(lines, place))


def plainest(component: str) -> Record:
    """Return an object with the required fields of a component alone."""
    record = _Filler("A", False, places()[0]).record(component, {})
    return {name: record[name] for name in schema.component(component).get("required", ())}


def draft_of(lines: Sequence[Line], place: Place) -> Record:
    """Return the body that creates an order of these lines in a place, with the required fields alone."""
    return {
        "purchase_country": place["country"],
        "purchase_currency": place["currency"],
        "locale": place["locale"],
        "order_amount": total_of(lines),
        "order_tax_amount": tax_of(lines),
        "order_lines": list(lines),
    }


def _taxed_line(filler: _Filler, total: int) -> Line:
    numbers = plain_line(total) | {"total_discount_amount": 0, "tax_rate": _TAX_RATE}
    del numbers["name"]
    return filler.record("OrderLine", numbers | {"total_tax_amount": tax_within(total, _TAX_RATE)})


@dataclass(frozen=True)
class _Filler:
    """How fields are filled that may hold anything."""

    sign: str
    full_length: bool
    place: Place

    def record(self, component: str, meant: Record) -> Record:
        """Return an object with the fields that mean something as they are given, and the others filled."""
        fields = schema.component(component)["properties"]
        known = self.place if component == "Address" else meant
        return {name: known[name] if name in known else self._value(f"{component}.{name}") for name in fields}

    def _value(self, field: str) -> Any:
        rules = schema.field(field)
        if "enum" in rules:
            return rules["enum"][0]
        match rules["type"]:
            case "object":
                return self.record(schema.reference(field), {})
            case "array":
                return [self.record(schema.reference(field), {}) for _ in range(2)]
            case "integer":
                return rules.get("minimum", 0)
            case "boolean":
                return False
        return text_of(field, schema.longest(field) if self.full_length else 1, self.sign)
