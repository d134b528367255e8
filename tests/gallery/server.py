"""A correct server of the Order Management API, made of small methods so that others can differ in one.

It was written from the API reference and the published field table alone, and shares no code with the suite.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import json
import re
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from tests.gallery.books import Capture, Json, Order, Refund, Refusal, Task
from tests.gallery.fields import SHAPES, Thing
from tests.gallery.wire import Answer, Call

USERNAME, PASSWORD, TOKEN = "PK12345_gallery", "s3cret-of-the-gallery", "gallery-customer-token"
ORDERS = "/ordermanagement/v1/orders/"
CLOCK = "/_control/clock"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DAY = 86400.0

OPERATIONS: dict[tuple[str, ...], dict[str, str]] = {
    (): {"GET": "get_order"},
    ("acknowledge",): {"POST": "acknowledge"},
    ("authorization",): {"PATCH": "update_authorization"},
    ("cancel",): {"POST": "cancel"},
    ("captures",): {"GET": "list_captures", "POST": "capture"},
    ("captures", "*"): {"GET": "get_capture"},
    ("captures", "*", "extend-due-date"): {"PATCH": "extend_due_date"},
    ("captures", "*", "extend-due-date-options"): {"GET": "due_date_options"},
    ("captures", "*", "shipping-info"): {"POST": "append_capture_shipping"},
    ("captures", "*", "trigger-send-out"): {"POST": "trigger_send_out"},
    ("customer-details",): {"PATCH": "update_customer"},
    ("extend-authorization-time",): {"POST": "extend_authorization"},
    ("merchant-references",): {"PATCH": "update_references"},
    ("refunds",): {"POST": "refund"},
    ("refunds", "*"): {"GET": "get_refund"},
    ("release-remaining-authorization",): {"POST": "release"},
    ("shipping-info",): {"POST": "append_order_shipping"},
}
READS = frozenset({"get_order", "list_captures", "get_capture", "due_date_options", "get_refund"})
FEE_COUNTRIES = frozenset(
    ["AT", "DE", "DK", "FI", "FR", "NL", "NO", "SE", "IT", "ES", "IE", "PT", "CZ", "AU", "GR"]
)
HOME: Json = {
    "given_name": "Alva",
    "family_name": "Ek",
    "email": "alva@example.com",
    "phone": "+46700000000",
    "street_address": "Storgatan 1",
    "postal_code": "11122",
    "city": "Stockholm",
    "country": "SE",
}


class Fake:
    """Takes calls and gives answers; keeps its orders in memory."""

    name: ClassVar[str] = "core"
    kind: ClassVar[str] = "correct"
    primary: ClassVar[str] = ""
    rules: ClassVar[frozenset[str]] = frozenset()
    when: ClassVar[str] = "always"
    needs: ClassVar[frozenset[str]] = frozenset()
    capabilities: ClassVar[frozenset[str]] = frozenset({"clock", "pay-later"})

    # How it speaks HTTP.
    protocol = "HTTP/1.1"
    chunked = False
    closes = False
    sends_date = True
    lower_case_headers = False
    json_type = "application/json"

    # What it chooses where the documents leave a choice.
    shapes: dict[str, Thing] = SHAPES
    invalid_status = 400
    state_first = False
    most_bytes = 1_048_576
    period_days = 28
    extension_days = 180
    key_seconds = DAY

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.kept: dict[tuple[str, ...], tuple[float, Answer]] = {}
        self.skew = 0.0
        self.calls = itertools.count(1)
        self.guard = threading.Lock()

    # --- one call -----------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        try:
            answer = self.handle(call)
        except Refusal as refusal:
            answer = self.refused(refusal)
        return self.finish(call, answer)

    def handle(self, call: Call) -> Answer:
        if call.path == CLOCK and call.method == "POST":
            return self.move_clock(call)
        self.authorize(call)
        self.throttle(call)
        if len(call.body) > self.most_bytes:
            raise Refusal(413, "PAYLOAD_TOO_LARGE", "The body is larger than 1 MB.")
        token = re.fullmatch(r"/customer-token/v1/tokens/([^/]+)/order", call.path)
        if token:
            return self.create(call, unquote(token[1]))
        task = self.route(call)
        return self.read(task) if task.op in READS else self.write(task)

    def finish(self, call: Call, answer: Answer) -> Answer:
        """Add what every answer carries."""
        return answer.plus(("Klarna-Correlation-Id", self.new_id()))

    def move_clock(self, call: Call) -> Answer:
        self.skew += float(json.loads(call.body)["advance_seconds"])
        return Answer(204)

    def now(self) -> float:
        return time.time() + self.skew

    def throttle(self, call: Call) -> None:
        """Refuse with 429 where there is a limit; there is none here."""

    # --- credentials --------------------------------------------------------------------------------------

    def authorize(self, call: Call) -> None:
        if not self.trusts(call):
            raise self.unauthorized()

    def trusts(self, call: Call) -> bool:
        scheme, _, code = (call.header("authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            user, colon, password = base64.b64decode(code.strip(), validate=True).decode().partition(":")
        except ValueError:
            return False
        return bool(colon) and self.knows(user, password)

    def knows(self, user: str, password: str) -> bool:
        known = f"{USERNAME}:{PASSWORD}"
        return hmac.compare_digest(f"{user}:{password}".encode(), known.encode())

    def unauthorized(self) -> Refusal:
        challenge = ("WWW-Authenticate", 'Basic realm="ordermanagement"')
        return Refusal(401, "UNAUTHORIZED", "The credentials are missing or wrong.", challenge)

    # --- the way to an operation --------------------------------------------------------------------------

    def route(self, call: Call) -> Task:
        path = "/" + call.path.lstrip("/")
        if not path.startswith(ORDERS):
            raise self.no_such_path(call)
        order_id, *tail = [unquote(part, errors="replace") for part in path[len(ORDERS) :].split("/")]
        shape = tuple("*" if at == 1 else part for at, part in enumerate(tail))
        methods = OPERATIONS.get(shape)
        if methods is None or not order_id:
            raise self.no_such_path(call)
        op = methods.get("GET" if call.method == "HEAD" else call.method)
        if op is None:
            raise self.wrong_method(call, methods)
        self.check_id(order_id)
        return Task(op, call, order_id, tail[1] if len(tail) > 1 else "")

    def no_such_path(self, call: Call) -> Refusal:
        return Refusal(404, "NOT_FOUND", f"There is nothing at {call.path[:200]}.")

    def wrong_method(self, call: Call, methods: dict[str, str]) -> Refusal:
        allowed = ", ".join(sorted(methods))
        return Refusal(405, "METHOD_NOT_ALLOWED", f"Use one of: {allowed}.", ("Allow", allowed))

    def check_id(self, order_id: str) -> None:
        if not UUID.fullmatch(order_id):
            raise Refusal(400, "INVALID_ORDER_ID", f"{order_id[:100]} is not an order id.")

    def find_order(self, task: Task) -> Order:
        order = self.orders.get(task.order_id)
        if order is None:
            raise self.no_order(task)
        return order

    def no_order(self, task: Task) -> Refusal:
        return Refusal(404, "NO_SUCH_ORDER", f"Order {task.order_id} cannot be found.")

    def find_capture(self, task: Task) -> Capture:
        found = next((one for one in task.order.captures if one.id == task.part_id), None)
        if found is None:
            raise self.no_capture(task)
        return found

    def no_capture(self, task: Task) -> Refusal:
        return Refusal(404, "NO_SUCH_CAPTURE", f"Capture {task.part_id[:100]} cannot be found.")

    def find_refund(self, task: Task) -> Refund:
        found = next((one for one in task.order.refunds if one.id == task.part_id), None)
        if found is None:
            raise self.no_refund(task)
        return found

    def no_refund(self, task: Task) -> Refusal:
        return Refusal(404, "NOT_FOUND", f"Refund {task.part_id[:100]} cannot be found.")

    # --- reading and writing ------------------------------------------------------------------------------

    @contextmanager
    def hold(self, order: Order) -> Iterator[None]:
        """Keep every other call away from the order."""
        with order.lock:
            yield

    def read(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        with self.hold(task.order):
            return self.operate(task)

    def write(self, task: Task) -> Answer:
        task.known = self.find_order(task)
        with self.hold(task.order):
            return self.once(task)

    def operate(self, task: Task) -> Answer:
        answer: Answer = getattr(self, task.op)(task)
        return answer

    def perform(self, task: Task) -> Answer:
        """Check the state and the body in this server's order of precedence, then do what is asked."""
        if self.state_first:
            self.check_state(task)
        task.body = self.body_of(task)
        if not self.state_first:
            self.check_state(task)
        return self.operate(task)

    def check_state(self, task: Task) -> None:
        check = getattr(self, f"may_{task.op}", None)
        if check is not None:
            check(task)

    def settle(self) -> None:
        """Stand between the last check of a call and its first write."""

    # --- idempotency --------------------------------------------------------------------------------------

    def once(self, task: Task) -> Answer:
        scope = self.scope(task)
        if scope is None:
            return self.attempt(task)
        known = self.recall(scope)
        if known is not None:
            return known
        answer = self.attempt(task)
        if self.remembers(answer):
            self.kept[scope] = (self.now(), answer)
        return answer

    def attempt(self, task: Task) -> Answer:
        try:
            return self.perform(task)
        except Refusal as refusal:
            return self.refused(refusal)

    def scope(self, task: Task) -> tuple[str, ...] | None:
        key = task.call.header("klarna-idempotency-key")
        return (key, task.op, task.order_id, task.part_id) if key else None

    def recall(self, scope: tuple[str, ...]) -> Answer | None:
        at, answer = self.kept.get(scope, (0.0, None))
        return answer if self.now() - at <= self.key_seconds else None

    def remembers(self, answer: Answer) -> bool:
        return answer.status < 300 or answer.status == 403

    # --- bodies -------------------------------------------------------------------------------------------

    def body_of(self, task: Task) -> Json:
        shape = self.shapes.get(task.op)
        return {} if shape is None else self.valid(self.parsed(task.call), shape, task)

    def parsed(self, call: Call) -> Any:
        kind = (call.header("content-type") or "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "Send application/json.")
        try:
            return json.loads(call.body.decode("utf-8"), parse_constant=self.no_constant)
        except (ValueError, RecursionError):
            raise self.invalid("The body is not JSON.") from None

    @staticmethod
    def no_constant(name: str) -> float:
        raise ValueError(name)

    def valid(self, value: Any, shape: Thing, task: Task) -> Json:
        faults = list(itertools.islice(shape.faults(value), 5))
        if faults:
            raise self.invalid(*faults)
        body: Json = value
        return body

    def invalid(self, *faults: str, code: str = "BAD_VALUE") -> Refusal:
        return Refusal(self.invalid_status, code, "; ".join(faults))

    # --- answers ------------------------------------------------------------------------------------------

    def ok(self, value: Any) -> Answer:
        return Answer(200, (("Content-Type", self.json_type),), self.encoded(value))

    def encoded(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def done(self, task: Task) -> Answer:
        return Answer(204)

    def created(self, task: Task, header: str, part_id: str) -> Answer:
        path = f"{ORDERS}{task.order_id}/{'captures' if header == 'Capture-Id' else 'refunds'}/{part_id}"
        return Answer(201, (("Location", self.location(task.call, path)), (header, part_id)))

    def location(self, call: Call, path: str) -> str:
        return f"http://{call.header('host') or '127.0.0.1'}{path}"

    def refused(self, refusal: Refusal) -> Answer:
        body = self.encoded(self.error_body(refusal))
        return Answer(refusal.status, (("Content-Type", self.json_type), *refusal.headers), body)

    def error_body(self, refusal: Refusal) -> Json:
        return {
            "error_code": refusal.code,
            "error_messages": [refusal.message],
            "correlation_id": self.new_id(),
        }

    def forbidden(self, code: str, message: str) -> Refusal:
        return Refusal(403, code, message)

    def new_id(self) -> str:
        return str(uuid.uuid4())

    # --- what an order amounts to -------------------------------------------------------------------------

    def captured(self, order: Order) -> int:
        return sum(one.amount for one in order.captures)

    def refunded(self, order: Order) -> int:
        return sum(one.amount for one in order.refunds)

    def remaining(self, order: Order) -> int:
        return 0 if order.released else order.amount - self.captured(order)

    def fully_captured(self, order: Order) -> bool:
        return 0 < self.captured(order) == order.amount

    def expired(self, order: Order) -> bool:
        return not order.cancelled and self.now() >= order.expires and self.remaining(order) > 0

    def status(self, order: Order) -> str:
        if order.cancelled:
            return "CANCELLED"
        if self.fully_captured(order):
            return "CAPTURED"
        if self.expired(order):
            return "EXPIRED"
        return "PART_CAPTURED" if self.captured(order) else "AUTHORIZED"

    # --- how things read ----------------------------------------------------------------------------------

    def moment(self, at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def present(self, fields: Json) -> Json:
        """Show fields, those without a value left out."""
        return {name: value for name, value in fields.items() if value not in (None, "", {})}

    def address(self, fields: Json) -> Json:
        return self.present(fields)

    def items(self, kind: str, things: list[Json]) -> list[Json]:
        """Show order lines (`line`) or shipping info (`parcel`) as they were sent."""
        return things

    def order_view(self, order: Order) -> Json:
        return self.present(
            {
                "order_id": order.id,
                "status": self.status(order),
                "fraud_status": "ACCEPTED",
                "order_amount": order.amount,
                "original_order_amount": order.original,
                "captured_amount": self.captured(order),
                "refunded_amount": self.refunded(order),
                "remaining_authorized_amount": self.remaining(order),
                "purchase_country": order.country,
                "purchase_currency": order.currency,
                "locale": order.locale,
                "order_lines": self.items("line", order.lines),
                "customer": {"date_of_birth": "1980-01-01", "type": "person"},
                "klarna_reference": order.klarna_reference,
                "merchant_reference1": order.references.get("merchant_reference1"),
                "merchant_reference2": order.references.get("merchant_reference2"),
                "merchant_data": order.merchant_data,
                "billing_address": self.address(order.billing),
                "shipping_address": self.address(order.shipping),
                "shipping_info": self.items("parcel", order.shipping_info),
                "created_at": self.moment(order.created),
                "expires_at": self.moment(order.expires),
                "captures": self.captures_view(order),
                "refunds": [self.refund_view(order, one) for one in order.refunds],
                "initial_payment_method": {"type": "INVOICE", "description": "Pay later"},
            }
        )

    def captures_view(self, order: Order) -> list[Json]:
        return [self.capture_view(order, one) for one in order.captures]

    def capture_view(self, order: Order, capture: Capture) -> Json:
        return self.present(
            {
                "capture_id": capture.id,
                "klarna_reference": f"{order.klarna_reference}-{capture.number}",
                "captured_amount": capture.amount,
                "captured_at": self.moment(capture.at),
                "description": capture.description,
                "reference": capture.reference,
                "order_lines": self.items("line", capture.lines),
                "refunded_amount": capture.refunded,
                "billing_address": self.address(capture.billing),
                "shipping_address": self.address(capture.shipping),
                "shipping_info": self.items("parcel", capture.shipping_info),
            }
        )

    def refund_view(self, order: Order, refund: Refund) -> Json:
        return self.present(
            {
                "refund_id": refund.id,
                "refunded_amount": refund.amount,
                "refunded_at": self.moment(refund.at),
                "description": refund.description,
                "reference": refund.reference,
                "order_lines": self.items("line", refund.lines),
                "credit_invoice": False,
            }
        )

    # --- orders from a customer token ---------------------------------------------------------------------

    def create(self, call: Call, token: str) -> Answer:
        if call.method != "POST":
            raise self.wrong_method(call, {"POST": "create"})
        if token != TOKEN:
            raise Refusal(404, "NOT_FOUND", f"Customer token {token[:100]} cannot be found.")
        task = Task("create", call, "")
        task.body = self.body_of(task)
        order = self.new_order(task.body)
        if task.body.get("auto_capture"):
            draft = {"captured_amount": order.amount, "order_lines": order.lines}
            order.captures.append(self.new_capture(order, draft))
        self.orders[order.id] = order
        return self.ok({"order_id": order.id, "fraud_status": "ACCEPTED"})

    def new_order(self, body: Json) -> Order:
        now = self.now()
        billing = body.get("billing_address") or {**HOME, "country": body["purchase_country"]}
        return Order(
            id=self.new_id(),
            amount=body["order_amount"],
            original=body["order_amount"],
            country=body["purchase_country"],
            currency=body["purchase_currency"],
            locale=body.get("locale", "en-SE"),
            created=now,
            expires=self.expiry(now),
            klarna_reference=secrets.token_hex(4).upper(),
            lines=body["order_lines"],
            billing=billing,
            shipping=body.get("shipping_address") or billing,
            references={name: body[name] for name in body if name.startswith("merchant_reference")},
            merchant_data=body.get("merchant_data", ""),
        )

    def expiry(self, at: float) -> float:
        """The midnight that ends an authorization made or extended at some time."""
        day = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return (day + timedelta(days=self.period_days)).timestamp()

    # --- the order itself ---------------------------------------------------------------------------------

    def get_order(self, task: Task) -> Answer:
        return self.ok(self.order_view(task.order))

    def may_acknowledge(self, task: Task) -> None:
        if task.order.cancelled:
            raise self.forbidden("NOT_ALLOWED", "A cancelled order cannot be acknowledged.")

    def acknowledge(self, task: Task) -> Answer:
        task.order.acknowledged = True
        return self.done(task)

    def may_update_authorization(self, task: Task) -> None:
        order = task.order
        if order.cancelled or order.released or self.expired(order) or self.fully_captured(order):
            raise self.forbidden("NOT_ALLOWED", f"The authorization cannot be updated: {self.status(order)}.")

    def update_authorization(self, task: Task) -> Answer:
        order, body = task.order, task.body
        if body["order_amount"] < self.captured(order):
            raise self.forbidden("NOT_ALLOWED", "The order amount cannot go below the captured amount.")
        self.settle()
        order.amount = body["order_amount"]
        order.lines = body.get("order_lines", [])
        return self.done(task)

    def may_update_customer(self, task: Task) -> None:
        if task.order.cancelled:
            raise self.forbidden("NOT_ALLOWED", "The order is cancelled.")

    def update_customer(self, task: Task) -> Answer:
        order = task.order
        order.shipping = {**order.shipping, **task.body.get("shipping_address", {})}
        return self.done(task)

    def may_update_references(self, task: Task) -> None:
        if task.order.cancelled:
            raise self.forbidden("NOT_ALLOWED", "The order is cancelled.")

    def update_references(self, task: Task) -> Answer:
        sent = {name: task.body[name] for name in task.body if name in self.shapes[task.op].fields}
        task.order.references = {**task.order.references, **sent}
        return self.done(task)

    def may_extend_authorization(self, task: Task) -> None:
        order = task.order
        old = self.now() - order.created > self.extension_days * DAY
        if order.cancelled or order.released or self.expired(order) or old:
            raise self.forbidden("NOT_ALLOWED", "The authorization time cannot be extended.")

    def extend_authorization(self, task: Task) -> Answer:
        order = task.order
        order.expires = max(order.expires, self.expiry(self.now()))
        return self.done(task)

    def may_release(self, task: Task) -> None:
        order = task.order
        if order.cancelled or not order.captures or self.fully_captured(order):
            raise self.forbidden("NOT_ALLOWED", "There is no remaining authorization to release.")

    def release(self, task: Task) -> Answer:
        self.settle()
        task.order.released = True
        return self.done(task)

    def may_cancel(self, task: Task) -> None:
        if task.order.captures:
            raise self.forbidden("CANCEL_NOT_ALLOWED", "An order with captures cannot be cancelled.")

    def cancel(self, task: Task) -> Answer:
        self.settle()
        task.order.cancelled = True
        return self.done(task)

    def append_order_shipping(self, task: Task) -> Answer:
        task.order.shipping_info = [*task.order.shipping_info, *task.body["shipping_info"]]
        return self.done(task)

    # --- captures -----------------------------------------------------------------------------------------

    def may_capture(self, task: Task) -> None:
        order = task.order
        if order.cancelled or order.released or self.expired(order) or self.fully_captured(order):
            raise self.forbidden("CAPTURE_NOT_ALLOWED", f"The order is {self.status(order)}.")

    def capture(self, task: Task) -> Answer:
        order, amount = task.order, task.body["captured_amount"]
        self.check_zero(task, amount)
        if amount > self.remaining(order):
            raise self.forbidden("CAPTURE_NOT_ALLOWED", "More than the remaining authorized amount.")
        self.settle()
        capture = self.new_capture(order, task.body)
        order.captures = [*order.captures, capture]
        return self.created(task, "Capture-Id", capture.id)

    def check_zero(self, task: Task, amount: int) -> None:
        if amount == 0:
            raise self.zero(task)

    def zero(self, task: Task) -> Refusal:
        code = "CAPTURE_NOT_ALLOWED" if task.op == "capture" else "REFUND_NOT_ALLOWED"
        return self.forbidden(code, "The amount must be above zero.")

    def new_capture(self, order: Order, body: Json) -> Capture:
        return Capture(
            id=self.new_id(),
            number=len(order.captures) + 1,
            amount=body["captured_amount"],
            at=self.now(),
            description=body.get("description", ""),
            reference=body.get("reference", ""),
            lines=body.get("order_lines", []),
            shipping_info=body.get("shipping_info", []),
            billing=order.billing,
            shipping=order.shipping,
            due_options={14: 0, 30: 500},
        )

    def list_captures(self, task: Task) -> Answer:
        return self.ok(self.captures_view(task.order))

    def get_capture(self, task: Task) -> Answer:
        return self.ok(self.capture_view(task.order, self.find_capture(task)))

    def has_captures(self, task: Task) -> None:
        if not task.order.captures:
            raise self.forbidden("NOT_ALLOWED", "The order has no captures.")
        self.find_capture(task)

    def may_append_capture_shipping(self, task: Task) -> None:
        self.has_captures(task)

    def append_capture_shipping(self, task: Task) -> Answer:
        capture = self.find_capture(task)
        capture.shipping_info = [*capture.shipping_info, *task.body["shipping_info"]]
        return self.done(task)

    def may_trigger_send_out(self, task: Task) -> None:
        self.has_captures(task)

    def trigger_send_out(self, task: Task) -> Answer:
        return self.done(task)

    def due_date_options(self, task: Task) -> Answer:
        offered = self.find_capture(task).due_options
        options = [{"number_of_days": days, "amount": fee} for days, fee in offered.items()]
        return self.ok({"currency": task.order.currency, "options": options})

    def may_extend_due_date(self, task: Task) -> None:
        self.find_capture(task)

    def extend_due_date(self, task: Task) -> Answer:
        capture, days = self.find_capture(task), task.body["number_of_days"]
        if days not in capture.due_options:
            raise self.forbidden("NOT_ALLOWED", "The due date cannot be extended by this number of days.")
        capture.due_options = {other: fee for other, fee in capture.due_options.items() if other != days}
        return self.done(task)

    # --- refunds ------------------------------------------------------------------------------------------

    def may_refund(self, task: Task) -> None:
        if task.order.cancelled or not task.order.captures:
            raise self.forbidden("REFUND_NOT_ALLOWED", "Nothing was captured.")

    def refund(self, task: Task) -> Answer:
        order, amount = task.order, task.body["refunded_amount"]
        self.check_zero(task, amount)
        if amount > self.captured(order) - self.refunded(order):
            raise self.forbidden("REFUND_NOT_ALLOWED", "More than what was captured and not yet refunded.")
        self.check_fee(order, task.body)
        self.settle()
        refund = self.new_refund(task.body)
        self.book(order, amount)
        order.refunds = [*order.refunds, refund]
        return self.created(task, "Refund-Id", refund.id)

    def check_fee(self, order: Order, body: Json) -> None:
        """Refuse a return fee but on an order captured whole in one, with exact lines, where it is known."""
        lines = body.get("order_lines", [])
        if not any(line.get("type") == "return_fee" for line in lines):
            return
        whole = len(order.captures) == 1 and self.fully_captured(order)
        exact = sum(line["total_amount"] for line in lines) == body["refunded_amount"]
        if not (whole and exact and order.country.upper() in FEE_COUNTRIES):
            raise self.forbidden("REFUND_NOT_ALLOWED", "A return fee cannot be charged here.")

    def new_refund(self, body: Json) -> Refund:
        return Refund(
            id=self.new_id(),
            amount=body["refunded_amount"],
            at=self.now(),
            description=body.get("description", ""),
            reference=body.get("reference", ""),
            lines=body.get("order_lines", []),
        )

    def book(self, order: Order, amount: int) -> None:
        """Spread a refund over the captures."""
        for capture in self.booking_order(order):
            share = min(amount, capture.amount - capture.refunded)
            if share:
                capture.bookings = [*capture.bookings, (self.now(), share)]
                amount -= share

    def booking_order(self, order: Order) -> list[Capture]:
        return order.captures

    def get_refund(self, task: Task) -> Answer:
        return self.ok(self.refund_view(task.order, self.find_refund(task)))
