"""What a request body may hold, read off the published field table by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

MOST_MONEY = 200_000_000
INT64 = 2**63 - 1
LINE_TYPES = "physical discount shipping_fee sales_tax store_credit gift_card digital surcharge return_fee"
SHIPPING_METHODS = (
    "PickUpStore Home BoxReg BoxUnreg PickUpPoint Own Postal DHLPackstation Digital Undefined "
    "PickUpWarehouse ClickCollect PalletDelivery"
)


@dataclass(frozen=True)
class Text:
    """Text of bounded length, counted in code points."""

    most: int = 1_000_000

    def faults(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path}: must be text"
        elif self.length(value) > self.most:
            yield f"{path}: size must be between 0 and {self.most}"
        elif any("\ud800" <= letter <= "\udfff" for letter in value):
            yield f"{path}: is not Unicode text"

    def length(self, value: str) -> int:
        return len(value)


@dataclass(frozen=True)
class Whole:
    """A JSON integer within bounds, both included."""

    least: int = -INT64 - 1
    most: int = INT64

    def faults(self, value: Any, path: str) -> Iterator[str]:
        if type(value) is not int:
            yield f"{path}: must be an integer"
        elif value < self.least:
            yield f"{path}: must be greater than or equal to {self.least}"
        elif value > self.most:
            yield f"{path}: must be less than or equal to {self.most}"


@dataclass(frozen=True)
class Flag:
    """true or false."""

    def faults(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, bool):
            yield f"{path}: must be true or false"


@dataclass(frozen=True)
class OneOf:
    """A member of a closed list, letter case included."""

    members: tuple[str, ...]

    def faults(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, str) or not self.takes(value):
            yield f"{path}: must be one of {', '.join(self.members)}"

    def takes(self, value: str) -> bool:
        return value in self.members


@dataclass(frozen=True)
class Items:
    """An array of things of one kind."""

    kind: Rule
    least: int = 0
    most: int = 1000

    def faults(self, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path}: must be an array"
        elif not self.least <= len(value) <= self.most:
            yield f"{path}: size must be between {self.least} and {self.most}"
        else:
            for at, item in enumerate(value):
                yield from self.kind.faults(item, f"{path}[{at}]")


@dataclass(frozen=True)
class Thing:
    """An object; fields that it does not list are let through."""

    fields: Mapping[str, Rule]
    required: tuple[str, ...] = ()
    closed: bool = False

    def faults(self, value: Any, path: str = "body") -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path}: must be an object"
            return
        for name in self.required:
            if name not in value:
                yield f"{path}.{name}: must not be null"
        for name, content in value.items():
            if name in self.fields:
                yield from self.fields[name].faults(content, f"{path}.{name}")
            elif self.closed:
                yield f"{path}.{name[:40]}: unknown field"


Rule = Text | Whole | Flag | OneOf | Items | Thing


def texts(**bounds: int) -> dict[str, Rule]:
    return {name: Text(most) for name, most in bounds.items()}


MONEY = Whole(0, MOST_MONEY)
SIGNED_MONEY = Whole(most=MOST_MONEY)

IDENTIFIERS = Thing(
    texts(
        brand=70,
        category_path=750,
        color=64,
        global_trade_item_number=50,
        manufacturer_part_number=70,
        size=64,
    )
)
SUBSCRIPTION = Thing(
    {"name": Text(255), "interval": OneOf(("DAY", "WEEK", "MONTH", "YEAR")), "interval_count": Whole(1)},
    ("name", "interval", "interval_count"),
)
LINE = Thing(
    {
        **texts(
            image_url=1024, merchant_data=1024, name=255, product_url=1024, quantity_unit=10, reference=255
        ),
        "product_identifiers": IDENTIFIERS,
        "quantity": Whole(0),
        "subscription": SUBSCRIPTION,
        "tax_rate": Whole(0),
        "total_amount": SIGNED_MONEY,
        "total_discount_amount": MONEY,
        "total_tax_amount": SIGNED_MONEY,
        "type": OneOf(tuple(LINE_TYPES.split())),
        "unit_price": SIGNED_MONEY,
    },
    ("name", "quantity", "total_amount", "unit_price"),
)
PARCEL = Thing(
    {
        **texts(
            return_shipping_company=100,
            return_tracking_number=100,
            return_tracking_uri=1024,
            shipping_company=100,
            tracking_number=100,
            tracking_uri=1024,
        ),
        "shipping_method": OneOf(tuple(SHIPPING_METHODS.split())),
    }
)
ADDRESS = Thing(
    {
        **texts(
            attention=255,
            city=200,
            email=100,
            family_name=100,
            given_name=100,
            organization_name=255,
            phone=100,
            postal_code=10,
            region=200,
            street_address=100,
            street_address2=100,
            title=20,
        ),
        "country": Text(),
    }
)
LINES = Items(LINE)
PARCELS = Items(PARCEL, 1, 500)

SHAPES: dict[str, Thing] = {
    "update_authorization": Thing(
        {"order_amount": MONEY, "description": Text(255), "order_lines": LINES}, ("order_amount",)
    ),
    "capture": Thing(
        {
            "captured_amount": MONEY,
            **texts(description=255, reference=255),
            "order_lines": LINES,
            "shipping_delay": Whole(0),
            "shipping_info": Items(PARCEL, 0, 500),
        },
        ("captured_amount",),
    ),
    "refund": Thing(
        {"refunded_amount": MONEY, **texts(description=255, reference=255), "order_lines": LINES},
        ("refunded_amount",),
    ),
    "append_order_shipping": Thing({"shipping_info": PARCELS}, ("shipping_info",)),
    "append_capture_shipping": Thing({"shipping_info": PARCELS}, ("shipping_info",)),
    "update_customer": Thing({"shipping_address": ADDRESS}),
    "update_references": Thing(texts(merchant_reference1=255, merchant_reference2=255)),
    "extend_due_date": Thing({"number_of_days": Whole()}, ("number_of_days",)),
    "create": Thing(
        {
            **texts(purchase_country=10, purchase_currency=10, locale=20, merchant_data=6000),
            **texts(merchant_reference1=255, merchant_reference2=255),
            "order_amount": MONEY,
            "order_tax_amount": MONEY,
            "order_lines": LINES,
            "billing_address": ADDRESS,
            "shipping_address": ADDRESS,
            "auto_capture": Flag(),
        },
        ("purchase_country", "purchase_currency", "order_amount", "order_lines"),
    ),
}


def amended(rule: Any, path: tuple[str, ...], new: Rule) -> Any:
    """Return `rule` with the rule at `path` replaced; "[]" steps into an array."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if step == "[]":
        return replace(rule, kind=amended(rule.kind, rest, new))
    return replace(rule, fields={**rule.fields, step: amended(rule.fields[step], rest, new)})


def reshaped(*paths: str, to: Rule) -> dict[str, Thing]:
    """Return the shapes with another rule at each path, such as `capture.order_lines.[].name`."""
    shapes = dict(SHAPES)
    for path in paths:
        op, *steps = path.split(".")
        shapes[op] = amended(shapes[op], tuple(steps), to)
    return shapes


def converted(rule: Any, change: Callable[[Any], Any]) -> Any:
    """Return `rule` with every rule in it put through `change`, the innermost first."""
    if isinstance(rule, Items):
        rule = replace(rule, kind=converted(rule.kind, change))
    if isinstance(rule, Thing):
        rule = replace(rule, fields={name: converted(one, change) for name, one in rule.fields.items()})
    return change(rule)
