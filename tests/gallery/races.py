"""Groups of calls that come at once, and what no order of them explains."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.gallery.server import Fake
from tests.gallery.visitor import Visit, Visitor, line, seen
from tests.gallery.wire import Answer

Send = Callable[[], Answer]
Race = Callable[[Visit], Iterator[str]]
RACES: list[Race] = []


def race(function: Race) -> Race:
    RACES.append(function)
    return function


def together(*calls: Send) -> list[Answer]:
    """Make calls at once and return their answers in the order of the calls."""
    answers: list[Any] = [None] * len(calls)
    barrier = threading.Barrier(len(calls))

    def run(at: int) -> None:
        barrier.wait()
        answers[at] = calls[at]()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def statuses(answers: list[Answer]) -> Iterator[str]:
    odd = {answer.status for answer in answers} - {200, 201, 204, 403, 409, 429}
    if odd:
        yield f"answers of {odd}"


def agreed(order: Visit, answers: list[Answer], header: str, part: str) -> Iterator[str]:
    """The parts of an order are those that were answered 201, and its sums hold."""
    yield from statuses(answers)
    view = order.read()
    told = sorted(answer.header(header) or "" for answer in answers if answer.status == 201)
    kept = sorted(one[f"{part}_id"] for one in view[f"{part}s"])
    if told != kept:
        yield f"{len(told)} were answered 201, {len(kept)} are there"
    yield from broken_sums(view)


def broken_sums(view: dict[str, Any]) -> Iterator[str]:
    captured, refunded = view["captured_amount"], view["refunded_amount"]
    if captured != sum(one["captured_amount"] for one in view["captures"]):
        yield "captured_amount is not the sum"
    if refunded != sum(one["refunded_amount"] for one in view["refunds"]):
        yield "refunded_amount is not the sum"
    if not refunded <= captured <= view["order_amount"]:
        yield f"{refunded} <= {captured} <= {view['order_amount']} does not hold"


@race
def captures(order: Visit) -> Iterator[str]:
    answers = together(*[lambda: order.capture(3000)] * 6)
    yield from agreed(order, answers, "Capture-Id", "capture")


@race
def refunds(order: Visit) -> Iterator[str]:
    order.capture(10_000)
    answers = together(*[lambda: order.refund(3000)] * 6)
    yield from agreed(order, answers, "Refund-Id", "refund")


@race
def cancel_and_capture(order: Visit) -> Iterator[str]:
    answers = together(order.cancel, lambda: order.capture(100), order.cancel, lambda: order.capture(100))
    yield from statuses(answers)
    won = {answer.status for answer in answers} & {201, 204}
    if len(won) != 1:
        yield "both were taken"
    if (order.read()["status"] == "CANCELLED") != (204 in won):
        yield "the order does not agree"


@race
def release_and_capture(order: Visit) -> Iterator[str]:
    first = order.capture(100)

    def capture_later() -> Answer:
        threading.Event().wait(0.001)
        return order.capture(200)

    released: list[int] = []

    def release_and_read() -> Answer:
        threading.Event().wait(0.001)
        released.append(order.release().status)
        return order.get()

    captured, early, later, between = together(
        lambda: order.capture(200), lambda: order.capture(300), capture_later, release_and_read
    )
    # A server that is busy with a capture may answer the release with 409.
    if released == [204] and order.read()["captured_amount"] > seen(between)["captured_amount"]:
        yield "captured after a release"
    yield from agreed(order, [first, captured, early, later], "Capture-Id", "capture")


@race
def update_and_capture(order: Visit) -> Iterator[str]:
    together(lambda: order.authorize(5000, order_lines=[line(5000)]), lambda: order.capture(6000))
    yield from broken_sums(order.read())


def kept(sent: dict[str, str], read: dict[str, Any], answers: list[Answer]) -> Iterator[str]:
    lost = [name for name, value in sent.items() if read.get(name) != value]
    if lost and all(answer.status == 204 for answer in answers):
        yield f"{lost} is lost"


@race
def references(order: Visit) -> Iterator[str]:
    sent = {"merchant_reference1": "one", "merchant_reference2": "two"}
    calls = [lambda one=one: order.patch("merchant-references", dict([one])) for one in sent.items()]
    answers = together(*calls)
    yield from kept(sent, order.read(), answers)


@race
def addresses(order: Visit) -> Iterator[str]:
    sent = {"city": "Lund", "given_name": "Bo"}
    calls = [
        lambda one=one: order.patch("customer-details", {"shipping_address": dict([one])})
        for one in sent.items()
    ]
    answers = together(*calls)
    yield from kept(sent, order.read()["shipping_address"], answers)


@race
def parcels(order: Visit) -> Iterator[str]:
    body = {"shipping_info": [{"tracking_number": "1"}]}
    answers = together(*[lambda: order.post("shipping-info", body)] * 4)
    taken = sum(answer.status == 204 for answer in answers)
    if taken != len(order.read()["shipping_info"]):
        yield "shipping info is lost"


@race
def one_key(order: Visit) -> Iterator[str]:
    body = {"captured_amount": 1000}
    answers = together(*[lambda: order.post("captures", body, klarna_idempotency_key="one")] * 5)
    yield from statuses(answers)
    if len({answer.header("Capture-Id") for answer in answers if answer.status == 201}) > 1:
        yield "one key gave several captures"
    if order.read()["captured_amount"] != 1000:
        yield "one key took effect several times"


@race
def reads_during_writes(order: Visit) -> Iterator[str]:
    order.capture(1000)
    reads: list[Answer] = []

    def keep_reading() -> Answer:
        for _ in range(15):
            reads.append(order.get())
            threading.Event().wait(0.001)
        return reads[-1]

    together(keep_reading, lambda: order.capture(500), lambda: order.refund(100), lambda: order.capture(500))
    for answer in reads:
        yield from broken_sums(seen(answer))


def anomalies(server: type[Fake], rounds: int = 1) -> Iterator[str]:
    """Yield what a server does in races that no order of the calls explains."""
    fake = server()
    for _ in range(rounds):
        for function in RACES:
            yield from (f"{function.__name__}: {found}" for found in function(Visitor(fake).order()))
