"""A tour through every corner of a server: what it answers is what sets it apart from another.

The tour judges nothing. It exists to show that a defective server really differs from the one it is built on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.gallery.fields import SHAPES, Items, OneOf, Rule, Text, Thing, Whole
from tests.gallery.server import CLOCK, PASSWORD, UUID, Fake
from tests.gallery.visitor import CREDENTIALS, Visit, Visitor, basic, line, seen, some_id
from tests.gallery.wire import Answer

Stop = Callable[[Visitor], None]
STOPS: list[Stop] = []
START = 1_790_000_000.0
DULL = {"date", "klarna-correlation-id", "etag"}


def stop(function: Stop) -> Stop:
    STOPS.append(function)
    return function


def frozen(server: type[Fake]) -> Fake:
    """A server whose clock moves by a second a call, and only then."""

    class Frozen(server):  # type: ignore[misc, valid-type]
        instant = START

        def answer(self, call: Any) -> Answer:
            self.instant += 1.0
            answer: Answer = super().answer(call)
            return answer

        def now(self) -> float:
            return self.instant + float(self.skew)

    fake: Fake = Frozen()
    return fake


class Recorder(Visitor):
    """A visitor that writes down what it hears, ids replaced by their order of appearance."""

    def __init__(self, fake: Fake) -> None:
        super().__init__(fake)
        self.heard: list[str] = []
        self.names: dict[str, str] = {}

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        answer = super().send(method, path, body, **options)
        headers = sorted(f"{name}: {value}" for name, value in answer.headers if name.lower() not in DULL)
        text = answer.body.decode("utf-8", "replace")
        text = re.sub(r'"correlation_id": ?"[^"]*"', '"correlation_id":"*"', text)
        text = re.sub(r'("klarna_reference": ?")[0-9A-F]{8}', r"\1*", text)
        self.heard.append(self.named(f"{method} {path} {answer.status} {headers} {text}"))
        return answer

    def named(self, text: str) -> str:
        text = UUID.sub(lambda found: self.names.setdefault(found[0], f"#{len(self.names)}"), text)
        return re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){0,3}(-[0-9a-f]{1,11})?\b", "#part", text)


_HEARD: dict[tuple[type[Fake], Stop], list[str]] = {}


def heard_at(server: type[Fake], place: Stop) -> list[str]:
    """Everything that a server answers at one stop; asked once."""
    if (server, place) not in _HEARD:
        recorder = Recorder(frozen(server))
        place(recorder)
        _HEARD[server, place] = recorder.heard
    return _HEARD[server, place]


class Differs(Exception):
    """A server answered in another way than the one it is built on."""


class Comparer(Recorder):
    """A visitor that leaves at the first answer that is not the expected one."""

    def __init__(self, fake: Fake, expected: list[str]) -> None:
        super().__init__(fake)
        self.expected = expected

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        answer = super().send(method, path, body, **options)
        at = len(self.heard) - 1
        if self.heard[at : at + 1] != self.expected[at : at + 1]:
            raise Differs(
                f"{self.heard[at]} <> {self.expected[at] if at < len(self.expected) else 'nothing'}"
            )
        return answer


def difference(server: type[Fake], base: type[Fake], stops: list[Stop] | None = None) -> str:
    """Return where a server first answers in another way than its base, or nothing."""
    for place in STOPS if stops is None else stops:
        try:
            place(Comparer(frozen(server), heard_at(base, place)))
        except Differs as found:
            return f"{place.__name__}: {found}"
    return ""


RULE_STOPS = {
    "GEN-AUTH": "strangers",
    "GEN-404": "lost",
    "GEN-ID": "lost",
    "GEN-VAL-4": "words",
    "GEN-ERR-3": "words not_json odd_refund",
    "GEN-ERR-4": "half_valid captures updates releases cancellations",
    "GEN-VAL-1": "half_valid odd_update_references odd_update_customer odd_refund",
    "GEN-VAL-2": "not_json",
    "GEN-HTTP": "headers captures refunds",
    "GEN-RATE": "many_calls",
    "ORD-FIX": "small_changes parcels releases",
    "AUT": "updates",
    "REL": "releases",
    "CAN": "cancellations",
    "CUS": "small_changes words",
    "REF": "small_changes words releases",
    "ACK": "small_changes",
    "EXT": "small_changes time",
    "EXP": "time",
    "IDM": "keys",
    "DUE": "due_dates lost",
    "SHP": "parcels lost",
    "SND": "parcels lost",
    "RFD": "refunds",
    "CAP": "captures updates",
}
AREA_STOPS = {"lies_refunds": "refunds words neighbours", "lies_reading": "refunds captures neighbours"}

LONG_STOPS = {"thirty_five", "many_calls", "odd_capture", "odd_refund", "odd_update_authorization"}


def likely(server: type[Fake]) -> list[Stop]:
    """All stops, those first at which a server is likely to show, by what it is said to break."""
    first = [f"odd_{op}" for op in reversed(WAYS) if server.shapes[op] is not SHAPES[op]]
    for rule in (server.primary, *sorted(server.rules)):
        for start, names in RULE_STOPS.items():
            first += names.split() if rule.startswith(start) else []
    first += AREA_STOPS.get(server.__module__.rpartition(".")[2], "captures refunds words").split()
    ranks = {name: rank for rank, name in reversed(list(enumerate(first)))}
    last = len(first)
    return sorted(STOPS, key=lambda place: ranks.get(place.__name__, last + (place.__name__ in LONG_STOPS)))


TAILS = [
    ("GET", "", None),
    ("GET", "captures", None),
    ("GET", "captures/{c}", None),
    ("GET", "captures/{c}/extend-due-date-options", None),
    ("GET", "refunds/{r}", None),
    ("POST", "acknowledge", None),
    ("POST", "captures", {"captured_amount": 1}),
    ("POST", "refunds", {"refunded_amount": 1}),
    ("POST", "shipping-info", {"shipping_info": [{"tracking_number": "1"}]}),
    ("POST", "captures/{c}/shipping-info", {"shipping_info": [{"tracking_number": "1"}]}),
    ("POST", "captures/{c}/trigger-send-out", None),
    ("PATCH", "captures/{c}/extend-due-date", {"number_of_days": 14}),
    ("PATCH", "customer-details", {"shipping_address": {"city": "Lund"}}),
    ("PATCH", "merchant-references", {"merchant_reference1": "new"}),
    ("PATCH", "authorization", {"order_amount": 9000}),
    ("POST", "extend-authorization-time", None),
    ("POST", "release-remaining-authorization", None),
    ("POST", "cancel", None),
]


def everywhere(order: Visit, capture: str, refund: str, **options: Any) -> None:
    for method, tail, body in TAILS:
        path = order.path(tail.format(c=capture, r=refund))
        order.visitor.send(method, path, body, **options)


def look(order: Visit) -> None:
    view = order.read()
    order.get("captures")
    parts = view.get("captures") if isinstance(view, dict) else None
    for one in parts if isinstance(parts, list) else []:
        order.get(f"captures/{one['capture_id']}")
    for one in view.get("refunds") or [] if isinstance(view, dict) else []:
        order.get(f"refunds/{one['refund_id']}")


@stop
def strangers(visitor: Visitor) -> None:
    user = "PK12345_gallery"
    bad = [None, basic("who", PASSWORD), basic(user, "wrong"), basic(user, ""), basic(user, PASSWORD[:4])]
    bad += [basic(user, PASSWORD + "x"), basic(user, PASSWORD.upper()), "Bearer abc", basic("", "")]
    bad += [basic(user + "x", PASSWORD), basic(user.lower(), PASSWORD)]
    for credentials in bad:
        order = visitor.order()
        capture, refund = order.captured(500), order.refunded(100)
        everywhere(order, capture, refund, credentials=credentials)
        look(order)
        order.post("captures", {"captured_amount": "x"}, credentials=credentials)
        order.post("captures", {"captured_amount": 1}, klarna_idempotency_key="k")
        order.post("captures", {"captured_amount": 1}, klarna_idempotency_key="k", credentials=credentials)
        Visit(visitor, some_id()).get(credentials=credentials)
        fresh = visitor.order()
        fresh.post("cancel", credentials=credentials)
        fresh.get()


@stop
def lost(visitor: Visitor) -> None:
    order = visitor.order()
    capture, refund = order.captured(100), order.refunded(10)
    for order_id in (some_id(), "nonsense", order.id[:8], order.id[:-1], "a" * 300, "%00"):
        everywhere(Visit(visitor, order_id), capture, refund)
    for part in (some_id(), "nonsense"):
        everywhere(order, part, part)
        look(order)
    empty = visitor.order()
    everywhere(empty, some_id(), some_id())
    empty = visitor.order()
    unknown = f"captures/{some_id()}"
    empty.post(f"{unknown}/shipping-info", {"shipping_info": [{"tracking_number": "1"}]})
    empty.post(f"{unknown}/trigger-send-out")
    empty.get(f"{unknown}/extend-due-date-options")
    other = visitor.order()
    everywhere(other, capture, refund)
    look(order)
    visitor.send("DELETE", order.path(""))
    visitor.send("GET", "/nowhere")


@stop
def headers(visitor: Visitor) -> None:
    order = visitor.order()
    order.get(klarna_integrator="shop 1.0")
    order.get(x_trace="1")
    order.post("acknowledge", klarna_idempotency_key="no-uuid")
    order.post("acknowledge", klarna_idempotency_key=some_id())


@stop
def many_calls(visitor: Visitor) -> None:
    order = visitor.order(100_000)
    for number in range(130):
        key = some_id()
        for _ in range(2):
            order.post("captures", {"captured_amount": 1}, klarna_idempotency_key=key)
        if number % 10 == 0:
            order.get()


@stop
def thirty_five(visitor: Visitor) -> None:
    order, first = visitor.order(100_000), ""
    for number in range(35):
        capture = order.captured(100 + number, reference=str(number))
        first = first or capture
        order.get()
        order.get("captures")
        order.get(f"captures/{capture}")
        order.get(f"captures/{first}")
    for number in range(35):
        order.refund(90 + number, reference=str(number))
        order.get()


SCRIPTS = (
    'O\'Neill "quoted"',
    "Ёлка",
    "𝄞 clef",
    "e\u0301 combining",
    "100 % of it",
    " spaced ",
    "a&b",
    "a\nb",
    "<b>",
    "x" * 255,
    "ж" * 255,
)


@stop
def words(visitor: Visitor) -> None:
    for text in SCRIPTS:
        order = visitor.order()
        for name in ("merchant_reference1", "merchant_reference2"):
            order.patch("merchant-references", {name: text})
            order.get()
        order.capture(
            1000, reference=text, description=text, order_lines=[line(1000, name=text, reference=text)]
        )
        order.refund(500, reference=text, description=text, order_lines=[line(500, name=text)])
        short = text[:100]
        names = {"given_name": short, "family_name": short, "city": short, "phone": "+46 8 1"}
        order.patch("customer-details", {"shipping_address": names})
        order.post("shipping-info", {"shipping_info": [{"shipping_company": short}]})
        order.authorize(9000, description=text, order_lines=[line(9000, name=text)])
        look(order)


FULL_LINE = line(
    2000,
    reference="r",
    type="digital",
    quantity_unit="pcs",
    tax_rate=2500,
    total_tax_amount=400,
    total_discount_amount=0,
    merchant_data="m",
    image_url="https://example.com/i",
    product_url="https://example.com/p",
    product_identifiers={"brand": "B", "size": "4", "color": "c", "category_path": "a > b"},
    subscription={"name": "s", "interval": "MONTH", "interval_count": 1},
)
FULL_PARCEL = {
    "shipping_company": "DHL",
    "shipping_method": "Home",
    "tracking_number": "1",
    "tracking_uri": "https://example.com/1",
    "return_shipping_company": "DHL",
    "return_tracking_number": "2",
    "return_tracking_uri": "https://example.com/2",
}


@stop
def captures(visitor: Visitor) -> None:
    order = visitor.order()
    order.capture(10_001)
    order.capture(10_001, order_lines=[line(10_000)])
    order.capture(0)
    full: dict[str, Any] = {"description": "d", "order_lines": [FULL_LINE], "shipping_info": [FULL_PARCEL]}
    full["reference"] = "r"
    full["order_lines"] += [line(-1000, type="discount")]
    drafts: list[Any] = [{}, {"order_lines": []}, full, {"description": "x" * 150}, {}, {"reference": "same"}]
    for body in drafts:
        order.capture(1000, **body)
        order.capture(5000)
        look(order)
    order.capture(1)
    look(order)
    whole = visitor.order()
    whole.capture(9_999)
    whole.capture(2)
    whole.capture(1)
    whole.capture(1)
    look(whole)
    large = visitor.order(190_000_001)
    large.capture(133_333_333)
    look(large)
    for amount in (10_000, 1):
        whole = visitor.order()
        whole.capture(amount)
        look(whole)
    visitor.order(500, auto_capture=True).get()
    lines = visitor.order()
    many = [line(1, reference=str(number)) for number in range(120)]
    lines.capture(120, order_lines=many)
    lines.capture(30, order_lines=[line(20)])
    look(lines)


@stop
def refunds(visitor: Visitor) -> None:
    order = visitor.order()
    order.refund(1)
    order.refund(0)
    for amount in (3000, 2000, 1000):
        order.capture(amount)
    order.refund(6001)
    order.refund(0)
    full = {"description": "d" * 150, "reference": "r", "order_lines": [FULL_LINE]}
    for amount in (1000, 2500, 500):
        order.refund(amount, **full)
        order.refund(5001)
        look(order)
    order.capture(4001)
    order.capture(100)
    order.authorize(6050)
    look(order)
    order.refund(2101)
    order.refund(2100)
    order.refund(1)
    look(order)
    order.cancel()
    same = visitor.order()
    same.capture(2000, order_lines=[FULL_LINE])
    same.refund(2000, order_lines=[FULL_LINE])
    look(same)
    spans = visitor.order()
    spans.capture(4000)
    spans.capture(6000)
    for amount in (5000, 5001, 5000, 1):
        spans.refund(amount)
        look(spans)
    spans.capture(1)
    part = visitor.order()
    part.capture(4000)
    part.refund(4001)
    part.refund(4001, order_lines=[line(4000)])
    part.refund(4000)
    look(part)
    part.capture(6001)
    part.cancel()
    part.capture(6000)
    part.refund(6000)
    look(part)


@stop
def updates(visitor: Visitor) -> None:
    order = visitor.order()
    for amount in (12_000, 12_000, 8000, 15_000):
        order.authorize(amount, order_lines=[line(amount, reference="a"), line(1, reference="b")])
        order.get()
    order.authorize(9000, order_lines=[line(0, quantity=2**32 + 1)])
    order.get()
    order.authorize(9000, order_lines=[FULL_LINE])
    order.authorize(9000, order_lines=[])
    order.get()
    order.authorize(9000, order_lines=[line(1, reference=str(number)) for number in range(150)])
    order.get()
    order.capture(9001)
    order.capture(3000)
    order.get()
    for amount in (2999, 2000, 20_000, 7000):
        order.authorize(amount, order_lines=[line(amount)], description=f"to {amount}")
        order.get()
    order.refund(1000)
    order.authorize(2500)
    order.get()
    order.capture(4001)
    order.get()
    order.authorize(3000)
    look(order)
    order.authorize(5000)
    order.capture(1)
    order.release()
    order.refund(10)
    order.get()
    grown = visitor.order()
    grown.authorize(20_000)
    grown.capture(10_000)
    grown.get()
    grown.capture(10_000)
    grown.get()
    nothing = visitor.order()
    nothing.authorize(0)
    nothing.get()
    nothing.authorize(200_000_000)
    nothing.get()
    late = visitor.order()
    late.authorize(9000)
    late.cancel()
    late.get()


@stop
def releases(visitor: Visitor) -> None:
    order = visitor.order()
    order.release()
    order.get()
    order.post("shipping-info", {"shipping_info": [FULL_PARCEL]})
    order.capture(1000, description="first")
    order.capture(1000)
    order.release()
    look(order)
    for call in (order.release, lambda: order.capture(1), lambda: order.authorize(9000), order.cancel):
        call()
        order.get()
    order.patch("merchant-references", {"merchant_reference1": "late"})
    order.patch("customer-details", {"shipping_address": {"city": "Lund"}})
    order.post("extend-authorization-time")
    order.refund(1500)
    order.refund(501)
    look(order)
    grown = visitor.order()
    grown.authorize(11_000)
    grown.capture(1)
    grown.release()
    grown.post("shipping-info", {"shipping_info": [FULL_PARCEL]})
    grown.get()
    single = visitor.order()
    single.capture(1)
    single.release()
    single.get()
    whole = visitor.order()
    whole.capture(10_000)
    whole.release()
    whole.get()


@stop
def cancellations(visitor: Visitor) -> None:
    bystander = visitor.order()
    order = visitor.order()
    order.post("shipping-info", {"shipping_info": [FULL_PARCEL]})
    order.cancel()
    order.get()
    bystander.get()
    everywhere(order, some_id(), some_id())
    order.get()
    order.cancel()
    order.get()
    order.post("acknowledge")
    order.post("shipping-info", {"shipping_info": [FULL_PARCEL]})
    order.get()
    for amounts in ((100,), (100, 200), (100, 200, 300), (10_000,)):
        order = visitor.order()
        for amount in amounts:
            order.capture(amount)
        order.cancel()
        order.get()
        order.refund(sum(amounts))
        order.cancel()
        order.get()
    order = visitor.order()
    order.post("acknowledge")
    order.get()
    order.cancel()
    order.get()


@stop
def small_changes(visitor: Visitor) -> None:
    order = visitor.order()
    for tail in ("acknowledge", "acknowledge", "extend-authorization-time", "extend-authorization-time"):
        order.post(tail)
        order.get()
    addresses: list[Any] = [
        {"city": "Lund"},
        {"phone": ""},
        {"street_address2": "c/o", "given_name": "x" * 100},
        {
            "email": "New@example.com",
            "phone": "+46 8 1",
            "country": "NO",
            "postal_code": "0150",
            "title": "Geheime Kommerzienr.",
        },
        {},
    ]
    for address in addresses:
        order.patch("customer-details", {"shipping_address": address})
        order.get()
    order.patch("customer-details", {})
    order.patch("customer-details", {"billing_address": {"city": "Kiruna"}})
    order.patch(
        "customer-details", {"billing_address": {"city": "Kiruna"}, "shipping_address": {"city": "Mora"}}
    )
    order.get()
    references = [{"merchant_reference1": "1"}, {"merchant_reference2": "2"}, {"merchant_reference1": ""}, {}]
    order.capture(500)
    for sent in [*references, {"merchant_reference1": "a", "merchant_reference2": "b"}]:
        order.patch("merchant-references", sent)
        order.get()
    order.post("acknowledge")
    order.post("extend-authorization-time")
    order.patch("customer-details", {"shipping_address": {"city": "Umeå"}})
    look(order)
    order.capture(9500)
    order.patch("merchant-references", {"merchant_reference1": "late"})
    order.patch("customer-details", {"shipping_address": {"city": "Ystad"}})
    order.authorize(20_000)
    order.post("acknowledge")
    look(order)
    order.refund(10_000)
    order.get()
    order.patch("merchant-references", {"merchant_reference1": "later"})
    order.get()


@stop
def parcels(visitor: Visitor) -> None:
    order = visitor.order()
    batches = [
        [FULL_PARCEL],
        [{"tracking_number": "2"}, {"tracking_number": "3"}],
        [{"tracking_number": "2"}],
    ]
    batches += [[{"tracking_number": str(number)} for number in range(120)]]
    for batch in batches:
        order.post("shipping-info", {"shipping_info": batch})
        order.get()
    first, second = order.captured(100, shipping_info=[FULL_PARCEL]), order.captured(200)
    for capture in (second, first):
        for batch in batches:
            order.post(f"captures/{capture}/shipping-info", {"shipping_info": batch})
            look(order)
        for _ in range(2):
            order.post(f"captures/{capture}/trigger-send-out")
            look(order)
    order.refund(10)
    order.get()
    for items in ([], [{"tracking_number": "1"}, {"tracking_number": 1}], [{"shipping_method": "home"}]):
        order.post("shipping-info", {"shipping_info": items})
        order.post(f"captures/{first}/shipping-info", {"shipping_info": items})
        order.get()
    order.post("shipping-info")
    order.post(f"captures/{first}/shipping-info")


@stop
def due_dates(visitor: Visitor) -> None:
    order = visitor.order()
    first, second = order.captured(100), order.captured(200)
    other = visitor.order().captured(100)
    for capture in (first, second, other, some_id()):
        part = f"captures/{capture}"
        order.get(f"{part}/extend-due-date-options")
        for days in (999, 0, -1, 14, 14, 30, "30"):
            order.patch(f"{part}/extend-due-date", {"number_of_days": days})
            order.get(f"{part}/extend-due-date-options")
        look(order)


@stop
def keys(visitor: Visitor) -> None:
    order = visitor.order(100_000)
    for method, tail, body in TAILS[5:]:
        capture = order.captured(10) if "{c}" in tail or tail == "refunds" else ""
        for key in (some_id(), some_id()):
            contents: list[Any] = [body, body, {**(body or {}), "description": "other"}]
            for content in contents:
                path = order.path(tail.format(c=capture, r=""))
                visitor.send(method, path, content, klarna_idempotency_key=key)
                order.get()
            if method == "PATCH" and tail == "merchant-references":
                visitor.send(
                    method, order.path(tail), {"merchant_reference1": "x"}, klarna_idempotency_key=key
                )
                order.get()
    order = visitor.order(100_000)
    other = {"shipping_address": {"city": "Mora"}}
    order.patch("customer-details", other, klarna_idempotency_key="addresses")
    order.patch(
        "customer-details", {"shipping_address": {"city": "Lund"}}, klarna_idempotency_key="addresses"
    )
    for amount in (90_000, 80_000):
        order.patch("authorization", {"order_amount": amount}, klarna_idempotency_key="amounts")
    order.get()
    for key in ("A-key", "a-key", "A-key-1", "", "x" * 60 + "1", "x" * 60 + "2"):
        order.post("captures", {"captured_amount": 7}, klarna_idempotency_key=key)
        order.get()
    for _ in range(2):
        order.capture(7)
        order.get()
    small = visitor.order(100)
    for body in ({"captured_amount": 101}, {"captured_amount": 100}, {"captured_amount": 100}):
        small.post("captures", body, klarna_idempotency_key="refused")
        small.get()
    small.post("captures", {"captured_amount": 100}, klarna_idempotency_key="whole")
    small.post("captures", {"captured_amount": 100}, klarna_idempotency_key="whole")
    small.post("refunds", {"refunded_amount": 100}, klarna_idempotency_key="whole back")
    small.post("refunds", {"refunded_amount": 100}, klarna_idempotency_key="whole back")
    for key in [str(number) for number in range(30)]:
        order.post("captures", {"captured_amount": 3}, klarna_idempotency_key=key)
    order.post("captures", {"captured_amount": 3}, klarna_idempotency_key="0")
    order.post("captures", {"captured_amount": 3}, klarna_idempotency_key="hours")
    for hours in (2, 11, 10.5):
        visitor.send("POST", CLOCK, {"advance_seconds": hours * 3600}, credentials=None)
        order.post("captures", {"captured_amount": 3}, klarna_idempotency_key="hours")
        order.get()


@stop
def time(visitor: Visitor) -> None:
    def days(number: float) -> None:
        visitor.send("POST", CLOCK, {"advance_seconds": number * 86400}, credentials=None)

    orders = [visitor.order() for _ in range(8)]
    for order in orders[2:5]:
        order.capture(1000)
    orders[7].capture(10_000)
    days(10)
    for _ in range(2):
        orders[0].post("extend-authorization-time")
        orders[0].get()
    orders[4].release()
    days(20)
    for order in orders:
        order.get()
        order.post("extend-authorization-time")
        order.authorize(20_000)
        order.capture(1)
        order.refund(100)
        order.get()
        order.patch("merchant-references", {"merchant_reference1": "late"})
        order.patch("customer-details", {"shipping_address": {"city": "Lund"}})
        order.cancel()
        order.release()
        order.get()
    ages = [visitor.order() for _ in range(2)]
    for _ in range(9):
        days(25)
        ages[0].post("extend-authorization-time")
        ages[0].get()


@stop
def fees(visitor: Visitor) -> None:
    lines = [line(10_000), line(-500, type="return_fee")]
    visitor.order().capture(9500, order_lines=[line(10_000), line(-500, type="discount")])
    for country, amounts, refunded in (
        ("SE", [10_000], 9500),
        ("SE", [10_000], 9400),
        ("SE", [6000, 4000], 9500),
        ("SE", [9600], 9500),
        ("US", [10_000], 9500),
    ):
        order = visitor.order(purchase_country=country)
        for amount in amounts:
            order.capture(amount)
        order.refund(refunded, order_lines=lines)
        order.get()


@stop
def neighbours(visitor: Visitor) -> None:
    one, two = visitor.order(1000), visitor.order(2000)
    for order, name in ((one, "one"), (two, "two"), (one, "one"), (two, "two")):
        order.capture(300)
        order.patch("merchant-references", {"merchant_reference1": name})
        order.post("shipping-info", {"shipping_info": [{"tracking_number": "1"}]})
        one.get()
        two.get()
    one.refund(500)
    two.refund(100)
    look(one)
    look(two)
    for order, stranger in ((one, two), (two, one)):
        capture, refund = order.captured(10), order.refunded(10)
        everywhere(stranger, capture, refund)
    look(one)
    look(two)
    third = visitor.order()
    third.cancel()
    one.get()
    third.get()


@stop
def not_json(visitor: Visitor) -> None:
    bodies = [
        b"",
        b"{",
        b"null",
        b'"x"',
        b"[{}]",
        b"[]",
        b"[" * 2000,
        b'{"a":' * 2000,
        b"9" * 5000,
        b"{} x",
        b"{}{}",
    ]
    bodies += [b'{"merchant_reference1": "\xe9"}', b'[{"captured_amount": 1}]', b"<x/>", b"{'a': 1}", b"1"]
    bodies += [
        b'{"captured_amount": 1} junk',
        b'{"captured_amount": NaN}',
        b" " * 70_000 + b'{"captured_amount": 1}',
    ]
    bodies += [b" " * 2_000_000 + b"{}"]
    for raw in bodies:
        order = visitor.order()
        part = f"captures/{order.captured(10)}"
        for method, tail in (
            ("POST", "captures"),
            ("POST", "refunds"),
            ("POST", "shipping-info"),
            ("POST", f"{part}/shipping-info"),
            ("PATCH", "authorization"),
            ("PATCH", "merchant-references"),
            ("PATCH", "customer-details"),
            ("PATCH", f"{part}/extend-due-date"),
        ):
            visitor.send(method, order.path(tail), raw=raw)
        order.get()
    order = visitor.order()
    order.post("captures", {"captured_amount": 1}, content_type="text/plain")
    order.get()


VALID: dict[str, Any] = {
    "capture": {
        "captured_amount": 2000,
        "order_lines": [FULL_LINE],
        "shipping_info": [FULL_PARCEL],
        "description": "d",
        "reference": "r",
    },
    "refund": {"refunded_amount": 200, "order_lines": [FULL_LINE], "description": "d", "reference": "r"},
    "update_authorization": {"order_amount": 9000, "order_lines": [FULL_LINE], "description": "d"},
    "update_references": {"merchant_reference1": "a", "merchant_reference2": "b"},
    "update_customer": {"shipping_address": {"city": "Lund", "country": "SE"}},
    "append_order_shipping": {"shipping_info": [FULL_PARCEL]},
    "append_capture_shipping": {"shipping_info": [FULL_PARCEL]},
    "extend_due_date": {"number_of_days": 14},
}
WAYS = {
    "capture": ("POST", "captures"),
    "refund": ("POST", "refunds"),
    "update_authorization": ("PATCH", "authorization"),
    "update_references": ("PATCH", "merchant-references"),
    "update_customer": ("PATCH", "customer-details"),
    "append_order_shipping": ("POST", "shipping-info"),
    "append_capture_shipping": ("POST", "captures/{c}/shipping-info"),
    "extend_due_date": ("PATCH", "captures/{c}/extend-due-date"),
}


def odd_values(rule: Rule) -> Iterator[Any]:
    """Values on both sides of what a rule takes."""
    if isinstance(rule, Text) and rule.most < 10_000:
        yield from ("x" * rule.most, "x" * (rule.most + 1), "", 7, None)
    elif isinstance(rule, Whole):
        yield from ("5", None, 1.5, True, 2**33, 10**20)
        yield from (
            edge + step for edge in (rule.least, rule.most) for step in (-1, 0, 1) if abs(edge) < 10**10
        )
    elif isinstance(rule, OneOf):
        first = rule.members[-1]
        yield from (
            first,
            first.lower(),
            first[:4],
            f"{first}X",
            f"BI{first}LY",
            "HomeDelivery",
            "gift",
            "",
            1,
        )
        yield from rule.members
    elif isinstance(rule, Items):
        yield from ({}, "x", None, [], ["x"], [{}])
    elif isinstance(rule, Thing):
        yield from ("x", [], None, {})


def altered(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [altered(one, rest, new) if at == step else one for at, one in enumerate(value)]
    copy = dict(value)
    if new is ... and not rest:
        copy.pop(step, None)
    else:
        copy[step] = altered(copy.get(step, {}), rest, new)
    return copy


def places(rule: Rule, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Rule]]:
    yield path, rule
    if isinstance(rule, Thing):
        for name, inner in rule.fields.items():
            yield from places(inner, (*path, name))
    elif isinstance(rule, Items):
        yield from places(rule.kind, (*path, 0))


def odd_bodies(op: str) -> Iterator[Any]:
    for path, rule in places(SHAPES[op]):
        if path:
            yield altered(VALID[op], path, ...) if path[-1] != 0 else {}
        for value in odd_values(rule):
            yield altered(VALID[op], path, value)
        if isinstance(rule, Items):
            item = {"tracking_number": "1"} if rule.most == 500 else line(1)
            yield from (altered(VALID[op], path, [item] * count) for count in (rule.most, rule.most + 1))
            yield altered(VALID[op], path, item)


def odd_stop(op: str) -> Stop:
    def place(visitor: Visitor) -> None:
        method, tail = WAYS[op]
        for body in odd_bodies(op):
            order = visitor.order()
            capture = order.captured(2000) if op == "refund" or "{c}" in tail else ""
            path = order.path(tail.format(c=capture))
            answer = visitor.send(method, path, body)
            if answer.status >= 300 and op in {"update_references", "update_customer", "capture"}:
                order.get()

    place.__name__ = f"odd_{op}"
    return place


@stop
def half_valid(visitor: Visitor) -> None:
    order = visitor.order()
    order.patch("merchant-references", {"merchant_reference1": "good", "merchant_reference2": "x" * 256})
    order.patch("customer-details", {"shipping_address": {"city": "Lund", "title": "x" * 21}})
    order.post("shipping-info", {"shipping_info": [{"tracking_number": "1"}, {"shipping_method": "no"}]})
    order.capture(100, order_lines=[{"name": "x"}])
    order.patch("authorization", {"order_amount": 9000, "order_lines": [{}]})
    order.post("refunds", {"refunded_amount": None})
    look(order)


STOPS += [odd_stop(op) for op in WAYS]


def sums_hold(view: dict[str, Any]) -> bool:
    """Whether the sums of an order hold, as a caller would expect of any correct server."""
    captures, back = view.get("captures") or [], view.get("refunds") or []
    captured, refunded = view["captured_amount"], view["refunded_amount"]
    remaining, amount = view["remaining_authorized_amount"], view["order_amount"]
    in_order = 0 <= refunded <= captured <= amount and remaining >= 0
    booked = all(0 <= one["refunded_amount"] <= one["captured_amount"] for one in captures)
    return (
        in_order
        and booked
        and captured == sum(one["captured_amount"] for one in captures)
        and refunded == sum(one["refunded_amount"] for one in back)
        and (view["status"] not in {"AUTHORIZED"} or remaining == amount - captured)
        and (view["status"] != "PART_CAPTURED" or remaining in {0, amount - captured})
    )


def upheld(server: type[Fake], stops: list[Stop] | None = None) -> Iterator[str]:
    """Yield what a server does on the tour that no correct server would do: broken sums, answers of 5xx."""

    class Watcher(Recorder):
        def send(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
            answer = super().send(method, path, body, **options)
            if answer.status >= 500:
                faults.append(f"{method} {path}: {answer.status}")
            view = seen(answer) if method == "GET" and answer.status == 200 else None
            if isinstance(view, dict) and "order_amount" in view and not sums_hold(view):
                faults.append(f"{path}: {json.dumps(view)[:400]}")
            return answer

    faults: list[str] = []
    for place in STOPS if stops is None else stops:
        place(Watcher(frozen(server)))
        yield from (f"{place.__name__}: {fault}" for fault in faults)
        faults.clear()


__all__ = ["CREDENTIALS", "STOPS", "difference", "frozen", "likely", "upheld"]
