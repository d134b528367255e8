"""Both stores keep the same promises, and a file keeps them over kill -9."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from orderproof.sandbox import service
from orderproof.sandbox.answers import json_answer
from orderproof.sandbox.calls import Answer, new_id
from orderproof.sandbox.idempotency import LIFETIME
from orderproof.sandbox.options import Settings
from orderproof.sandbox.orders import Order
from orderproof.sandbox.records import answer_from, answer_text, order_from, order_text
from orderproof.sandbox.sqlite import SqliteStore
from orderproof.sandbox.store import MemoryStore, Store, StoreError
from tests.sandbox.client import Client, draft, line

Open = Callable[[], Store]
SCOPE = ("captureOrder", "o", "", "k")
ANSWER = Answer(201, (("location", "http://é/"),), "{é}".encode())


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store of each kind."""
    made: Store = MemoryStore() if request.param == "memory" else SqliteStore(str(tmp_path / "s.db"))
    with closing(made):
        yield made


@pytest.fixture
def rich_order() -> Order:
    """An order with something in every field."""
    with closing(Client()) as client:
        path = client.order(merchant_data="d", merchant_reference1="é", shipping_address={"city": "Lund"})
        capture = client.capture(path, 500, description="d", order_lines=[line(500)], shipping_info=[{}])
        client.refund(path, 7, reference="r")
        client.send("PATCH", f"{capture}/extend-due-date", {"number_of_days": 14})
        client.send("POST", f"{path}/shipping-info", {"shipping_info": [{"tracking_number": "1"}]})
        client.send("POST", f"{path}/acknowledge")
        order = client.service.store.order(path.rpartition("/")[2])
    assert order is not None
    return order


def test_orders_and_answers_survive_being_written_down(rich_order: Order) -> None:
    assert order_from(order_text(rich_order)) == rich_order
    assert answer_from(answer_text(ANSWER)) == ANSWER


def test_what_is_saved_is_read(store: Store, rich_order: Order) -> None:
    with store.transaction(rich_order.order_id) as transaction:
        before = transaction.order()
        transaction.save(rich_order)
        inside = transaction.order()

    assert before is None
    assert inside == store.order(rich_order.order_id) == rich_order
    assert store.order("another") is None


def test_reading_makes_no_answer_anew_among_however_many_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counting(status: int, value: Any, *more: Any) -> Answer:
        made.append(value["order_id"])
        return json_answer(status, value, *more)

    with closing(Client()) as client:
        paths = [client.order() for _ in range(1_100)]
        client.capture(paths[1], 500)
        monkeypatch.setattr(service, "json_answer", counting)
        captured = [client.get(path)["captured_amount"] for path in (paths[0], paths[1], paths[-1])]

    assert [0, 500, 0] == captured
    assert [] == made


def test_a_file_has_room_for_records_and_little_else(tmp_path: Path, rich_order: Order) -> None:
    orders = 300
    with closing(SqliteStore(str(tmp_path / "s.db"))) as store:
        for _ in range(orders):
            order = replace(rich_order, order_id=new_id())
            with store.transaction(order.order_id) as transaction:
                transaction.save(order)

    each = (tmp_path / "s.db").stat().st_size / orders
    assert each < 1.5 * len(order_text(rich_order).encode())


def test_a_key_holds_its_answer_until_its_time_is_over(store: Store) -> None:
    with store.transaction("o") as transaction:
        transaction.keep(SCOPE, ANSWER, 1000)
        found = [transaction.answer(SCOPE, now) for now in (1000, 999 + LIFETIME, 1000 + LIFETIME)]
        other = transaction.answer(("refundOrder", "o", "", "k"), 1000)

    assert found == [ANSWER, ANSWER, None]
    assert other is None


def test_the_clock_moves_on(store: Store) -> None:
    assert [store.clock_offset(), store.move_clock(5), store.move_clock(7), store.clock_offset()] == [
        0,
        5,
        12,
        12,
    ]


def save_and_fail(store: Store, order: Order) -> None:
    with store.transaction(order.order_id) as transaction:
        transaction.save(order)
        transaction.keep(SCOPE, ANSWER, 1000)
        raise ZeroDivisionError


def test_a_failed_transaction_leaves_nothing_in_the_file(tmp_path: Path, rich_order: Order) -> None:
    with closing(SqliteStore(str(tmp_path / "s.db"))) as store:
        with pytest.raises(ZeroDivisionError):
            save_and_fail(store, rich_order)
        with store.transaction(rich_order.order_id) as transaction:
            assert transaction.order() is None
            assert transaction.answer(SCOPE, 1000) is None


def test_two_processes_see_each_others_writes(tmp_path: Path, rich_order: Order) -> None:
    path = str(tmp_path / "s.db")
    with closing(SqliteStore(path)) as one, closing(SqliteStore(path)) as two:
        for store in (one, two):
            with store.transaction(rich_order.order_id) as transaction:
                transaction.save(rich_order)
            assert one.order(rich_order.order_id) == two.order(rich_order.order_id)
        one.move_clock(5)
        assert two.clock_offset() == 5


def test_a_file_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    text, foreign, folder = tmp_path / "text", tmp_path / "foreign.db", tmp_path / "none" / "s.db"
    text.write_text("This is no database, and it is long enough to be told from an empty file." * 20)
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    before = foreign.read_bytes()

    for path, reason in (
        (text, "not a database"),
        (foreign, "name another file"),
        (folder, "there is no folder"),
    ):
        with pytest.raises(StoreError, match=reason):
            SqliteStore(str(path))
    with closing(sqlite3.connect(foreign)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    assert before[:16] == foreign.read_bytes()[:16]


def test_a_restarted_sandbox_answers_as_before(tmp_path: Path) -> None:
    settings = Settings(database=str(tmp_path / "s.db"))
    with closing(SqliteStore(str(tmp_path / "s.db"))) as store, closing(Client(settings, store)) as client:
        path = client.order()
        client.advance(days=2)
        first = client.send("POST", f"{path}/captures", {"captured_amount": 5}, klarna_idempotency_key="k")
        before = client.get(path)
    with closing(SqliteStore(str(tmp_path / "s.db"))) as store, closing(Client(settings, store)) as client:
        again = client.send("POST", f"{path}/captures", {"captured_amount": 5}, klarna_idempotency_key="k")
        after = client.get(path)
        moved = client.get("/_control/clock")["advanced_seconds"]

    assert (first.status, first.headers["location"]) == (again.status, again.headers["location"])
    assert after == before
    assert moved == 2 * 86400


# The child serves with a database until it is killed; it prints its address and nothing else.
SERVE = """
import sys
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import run
run(Settings(database=sys.argv[1]))
"""


def serving(database: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SERVE, str(database)], stdout=subprocess.PIPE, text=True)


def capture_until_cut_off(client: httpx.Client, order: str, first: int, taken: dict[str, str]) -> None:
    """Capture 1 with a key each until the server is gone; note the capture id of every 201."""
    try:
        for number in range(first, 100_000):
            headers = {"Klarna-Idempotency-Key": f"key-{number}"}
            reply = client.post(f"{order}/captures", json={"captured_amount": 1}, headers=headers)
            assert reply.status_code == 201
            taken[f"key-{number}"] = reply.headers["capture-id"]
    except httpx.TransportError:
        return


def test_nothing_that_was_answered_is_lost_when_the_sandbox_is_killed(tmp_path: Path) -> None:
    taken: dict[str, str] = {}
    order = ""
    for round_number in range(3):
        with serving(tmp_path / "s.db") as child:
            assert child.stdout is not None
            client = httpx.Client(base_url=child.stdout.readline().strip(), auth=("sandbox", "sandbox"))
            if not order:
                made = client.post("/customer-token/v1/tokens/sandbox/order", json=draft(100_000))
                order = f"/ordermanagement/v1/orders/{made.json()['order_id']}"
            read = client.get(order).json()
            ids = [one["capture_id"] for one in read["captures"]]
            assert set(taken.values()) <= set(ids)
            assert read["captured_amount"] == len(ids) <= len(taken) + round_number
            for key, capture_id in list(taken.items())[-5:]:
                again = client.post(
                    f"{order}/captures", json={"captured_amount": 1}, headers={"Klarna-Idempotency-Key": key}
                )
                assert again.headers["capture-id"] == capture_id
            threading.Timer(0.4, os.kill, [child.pid, signal.SIGKILL]).start()
            capture_until_cut_off(client, order, round_number * 1000, taken)
            client.close()
    assert len(taken) > 10


def test_the_file_keeps_no_credentials(tmp_path: Path) -> None:
    settings = Settings(username="merchant-77", password="hunter2-secret", database=str(tmp_path / "s.db"))
    with closing(SqliteStore(str(tmp_path / "s.db"))) as store, closing(Client(settings, store)) as client:
        own = httpx.BasicAuth("merchant-77", "hunter2-secret")._auth_header
        made = client.send("POST", "/customer-token/v1/tokens/sandbox/order", draft(), authorization=own)
        assert json.loads(made.body)["order_id"]
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"hunter2" not in written
    assert b"merchant-77" not in written
