"""PostgreSQL keeps the promises of every store, across processes, and says what is wrong without the password."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import httpx
import psycopg
import pytest

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.idempotency import LIFETIME
from orderproof.sandbox.options import Settings
from orderproof.sandbox.orders import Order
from orderproof.sandbox.postgresql import PostgresStore, shown
from orderproof.sandbox.server import background
from orderproof.sandbox.store import Store, StoreError
from tests.postgresql.cluster import PASSWORD
from tests.sandbox.client import Client, draft
from tests.sandbox.test_store import (
    rich_order,
    save_and_fail,
    test_a_key_holds_its_answer_until_its_time_is_over,
    test_the_clock_moves_on,
    test_what_is_saved_is_read,
)

# What holds for every store is collected here again, with the store of this module.
__all__ = [
    "rich_order",
    "test_a_key_holds_its_answer_until_its_time_is_over",
    "test_the_clock_moves_on",
    "test_what_is_saved_is_read",
]

pytestmark = pytest.mark.postgres
SCOPE = ("captureOrder", "o", "", "k")
ANSWER = Answer(204)


@pytest.fixture
def store(database: str) -> Generator[Store]:
    """A store in an empty database."""
    with closing(PostgresStore(database)) as made:
        yield made


def test_a_failed_transaction_leaves_nothing(store: Store, rich_order: Order) -> None:
    with pytest.raises(ZeroDivisionError):
        save_and_fail(store, rich_order)

    with store.transaction(rich_order.order_id) as transaction:
        assert transaction.order() is None
        assert transaction.answer(SCOPE, 1000) is None


def test_processes_see_each_others_writes(store: Store, database: str, rich_order: Order) -> None:
    with closing(PostgresStore(database)) as other:
        for one in (store, other):
            with one.transaction(rich_order.order_id) as transaction:
                transaction.save(rich_order)
            assert store.order(rich_order.order_id) == other.order(rich_order.order_id) == rich_order
        store.move_clock(5)
        assert other.clock_offset() == 5


@pytest.mark.parametrize("what", ["order", "key"])
def test_a_transaction_waits_for_another_on_the_same_order_or_key(
    store: Store, database: str, rich_order: Order, what: str
) -> None:
    with store.transaction(rich_order.order_id) as transaction:
        transaction.save(rich_order)
    entered = threading.Event()
    name = rich_order.order_id if what == "order" else "another"

    def enter() -> None:
        with closing(PostgresStore(database)) as other, other.transaction(name) as transaction:
            if what == "key":
                assert transaction.answer(SCOPE, 1000) == ANSWER
            entered.set()

    with ThreadPoolExecutor(1) as pool:
        with store.transaction(rich_order.order_id) as transaction:
            assert transaction.answer(SCOPE, 1000) is None
            waiting = pool.submit(enter)
            assert not entered.wait(0.3)
            transaction.keep(SCOPE, ANSWER, 1000)
        waiting.result(timeout=5)
    assert entered.is_set()


def test_what_no_text_can_hold_is_no_order(store: Store) -> None:
    assert store.order("\0") is None


def test_keys_are_forgotten_when_their_time_is_over(store: PostgresStore, database: str) -> None:
    for number, now in ((1, 0), (2, LIFETIME + 1)):
        with store.transaction("o") as transaction:
            transaction.keep((*SCOPE[:3], str(number)), ANSWER, now)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT key FROM orderproof_sandbox.answers").fetchall() == [("2",)]


def test_a_connection_that_the_server_closed_is_made_anew(store: PostgresStore, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND usename = 'sandbox' AND datname IS NOT NULL"
        )
    with pytest.raises(psycopg.OperationalError):
        store.clock_offset()
    assert store.clock_offset() == 0


def test_a_schema_that_is_not_ours_is_left_alone(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA orderproof_sandbox CREATE TABLE mine (x integer)")
    with pytest.raises(StoreError, match=r"not written by this version .* drop the schema"):
        PostgresStore(database)
    with psycopg.connect(database) as connection:
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'orderproof_sandbox'"
        assert connection.execute(tables).fetchall() == [("mine",)]


def test_processes_that_start_at_once_agree_on_the_tables(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(PostgresStore, [database] * 4):
            store.close()


@pytest.mark.parametrize("change", [(PASSWORD, "wr0ng-word"), ("127.0.0.1:", "127.0.0.1:1")])
def test_a_server_that_refuses_or_is_not_there_is_one_sentence(
    database: str, change: tuple[str, str]
) -> None:
    url = database.replace(*change) if PASSWORD in change else "postgresql://sandbox:wr0ng-word@127.0.0.1:1/x"
    with pytest.raises(
        StoreError, match=r"The database postgresql://sandbox@127\.0\.0\.1:\d+/\w+ cannot"
    ) as told:
        PostgresStore(url)
    assert "wr0ng" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["postgresql://u:p%zz@h/d", "postgresql://u:s3/cr@h/d", "postgresql://u:s3@cr/t@h/d"]
)
def test_a_url_that_cannot_be_read_is_not_shown(url: str) -> None:
    with pytest.raises(StoreError, match="percent-encoded") as told:
        shown(url)
    assert "s3" not in str(told.value)


def test_the_command_line_ends_with_the_documented_code_and_no_password() -> None:
    url = "postgresql://sandbox:wr0ng-word@127.0.0.1:1/x"
    command = [sys.executable, "-m", "orderproof", "sandbox", "--port", "0", "--database", url]
    for more in ([], ["--processes", "2"]):
        done = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "postgresql://sandbox@127.0.0.1:1/x cannot be used" in done.stderr
        assert "wr0ng" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_restarted_sandbox_answers_as_before(database: str) -> None:
    seen = []
    for _ in range(2):
        with closing(PostgresStore(database)) as store, closing(Client(store=store)) as client:
            if not seen:
                path = client.order()
                client.advance(days=2)
            reply = client.send(
                "POST", f"{path}/captures", {"captured_amount": 5}, klarna_idempotency_key="k"
            )
            seen.append((reply.status, reply.headers["location"], client.get(path)))
    assert seen[0] == seen[1]


def test_nothing_that_was_answered_is_lost_when_the_sandbox_is_killed(database: str) -> None:
    command = [sys.executable, "-m", "orderproof", "sandbox", "--port", "0", "--database", database]
    taken: list[str] = []
    order = ""
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            base_url = child.stdout.readline().strip()
            with httpx.Client(base_url=base_url, auth=("sandbox", "sandbox")) as client:
                if not order:
                    made = client.post("/customer-token/v1/tokens/sandbox/order", json=draft(100_000))
                    order = f"/ordermanagement/v1/orders/{made.json()['order_id']}"
                ids = [one["capture_id"] for one in client.get(order).json()["captures"]]
                assert taken == ids[: len(taken)]
                assert len(ids) - len(taken) <= 1
                taken = ids
                threading.Timer(0.3, os.kill, [child.pid, signal.SIGKILL]).start()
                with suppress(httpx.TransportError):
                    while True:
                        reply = client.post(f"{order}/captures", json={"captured_amount": 1})
                        taken.append(reply.headers["capture-id"])
    assert len(taken) > 10


def test_several_processes_take_turns(database: str) -> None:
    with background(Settings(database=database), processes=2) as url:
        auth = ("sandbox", "sandbox")
        order = httpx.post(f"{url}/customer-token/v1/tokens/sandbox/order", json=draft(), auth=auth).json()
        path = f"{url}/ordermanagement/v1/orders/{order['order_id']}"
        for number in range(1, 9):  # each on a connection of its own, and so with either process
            captures = f"{path}/captures"
            assert httpx.post(captures, json={"captured_amount": 1}, auth=auth).status_code == 201
            assert httpx.get(path, auth=auth).json()["captured_amount"] == number
        with psycopg.connect(database) as connection:
            asking = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
            )
            assert connection.execute(asking).fetchone() == (2,)
