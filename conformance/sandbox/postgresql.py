"""Orders and keys in PostgreSQL, for several sandbox processes that serve one state.

A call locks the row of its order until its transaction ends, and an idempotency key, which has no row before its first
answer, by its name. The order always comes first and nothing comes after the key, so that calls wait in no circle.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.idempotency import LIFETIME, Scope
from orderproof.sandbox.orders import Order
from orderproof.sandbox.records import answer_from, answer_text, order_from, order_text
from orderproof.sandbox.store import StoreError, Transaction

FORMAT = 2
CONNECTS_WITHIN_SECONDS = 5
_OURS = 0x6F72_6465_7270_7266
"""The name of the lock that processes hold while they make the tables."""

_SCHEMA = (
    "CREATE SCHEMA orderproof_sandbox",
    "CREATE TABLE orderproof_sandbox.orders (order_id text PRIMARY KEY, record text NOT NULL)",
    "CREATE TABLE orderproof_sandbox.answers (operation text, order_id text, child_id text, key text,"
    " until bigint NOT NULL, answer text NOT NULL, PRIMARY KEY (operation, order_id, child_id, key))",
    "CREATE INDEX answers_until ON orderproof_sandbox.answers (until)",
    "CREATE TABLE orderproof_sandbox.clock (milliseconds bigint NOT NULL)",
    "INSERT INTO orderproof_sandbox.clock VALUES (0)",
    "CREATE TABLE orderproof_sandbox.format (number integer NOT NULL)",
    f"INSERT INTO orderproof_sandbox.format VALUES ({FORMAT})",
)
_READ = "SELECT record FROM orderproof_sandbox.orders WHERE order_id = %s"


class PostgresStore:
    """Keeps everything in a schema of its own, `orderproof_sandbox`, of one database.

    Raises StoreError when the database cannot be reached, or holds a schema of that name that is not ours.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection = _connected(url)
        with ExitStack() as refused:
            refused.callback(self.close)
            try:
                self._prepare()
            except psycopg.Error as problem:
                raise StoreError(_complaint(url, problem)) from problem
            refused.pop_all()

    def _prepare(self) -> None:
        with self._connection.transaction():
            self._connection.execute("SELECT pg_advisory_xact_lock(%s)", [_OURS])
            if self._row("SELECT to_regnamespace('orderproof_sandbox')") == (None,):
                for statement in _SCHEMA:
                    self._connection.execute(statement)
            is_ours = self._row("SELECT to_regclass('orderproof_sandbox.format')") != (None,)
            if not is_ours or self._row("SELECT number FROM orderproof_sandbox.format") != (FORMAT,):
                raise StoreError(
                    f"The schema orderproof_sandbox of {shown(self._url)} was not written by this version of the"
                    " sandbox: name another database, or drop the schema."
                )

    def order(self, order_id: str) -> Order | None:
        """Return the order as last saved, by whichever process, or None."""
        return self._found(_READ, order_id)

    def _found(self, statement: str, order_id: str) -> Order | None:
        if "\0" in order_id:  # which no text of PostgreSQL can hold
            return None
        row = self._row(statement, order_id)
        return None if row is None else order_from(row[0])

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        return self._alive().execute(statement, values).fetchone()

    def _alive(self) -> psycopg.Connection:
        """The connection, a new one where the server closed it."""
        if self._connection.closed:
            self._connection = _connected(self._url)
        return self._connection

    @contextmanager
    def transaction(self, order_id: str) -> Generator[Transaction]:
        """Yield a transaction that holds the row of the order locked; on disk when the block ends."""
        connection = self._alive()
        with connection.transaction():
            yield _PostgresTransaction(connection, self._found(f"{_READ} FOR UPDATE", order_id))

    def clock_offset(self) -> int:
        """Return by how many milliseconds the clock is ahead, for every process."""
        row = self._row("SELECT milliseconds FROM orderproof_sandbox.clock")
        assert row is not None
        return int(row[0])

    def move_clock(self, milliseconds: int) -> int:
        """Move the clock ahead, for every process that uses the database, and return the new offset."""
        row = self._row(
            "UPDATE orderproof_sandbox.clock SET milliseconds = milliseconds + %s RETURNING milliseconds",
            milliseconds,
        )
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _PostgresTransaction:
    __slots__ = ("_connection", "_order")

    def __init__(self, connection: psycopg.Connection, order: Order | None) -> None:
        self._connection = connection
        self._order = order

    def order(self) -> Order | None:
        return self._order

    def answer(self, scope: Scope, now: int) -> Answer | None:
        # A statement of its own: the next one sees what was committed while this one waited.
        self._connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", ["\n".join(scope)])
        row = self._connection.execute(
            "SELECT answer FROM orderproof_sandbox.answers"
            " WHERE operation = %s AND order_id = %s AND child_id = %s AND key = %s AND until > %s",
            (*scope, now),
        ).fetchone()
        return None if row is None else answer_from(row[0])

    def save(self, order: Order) -> None:
        self._connection.execute(
            "INSERT INTO orderproof_sandbox.orders VALUES (%s, %s)"
            " ON CONFLICT (order_id) DO UPDATE SET record = excluded.record",
            (order.order_id, order_text(order)),
        )
        self._order = order

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self._connection.execute(
            "INSERT INTO orderproof_sandbox.answers VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (operation, order_id, child_id, key)"
            " DO UPDATE SET until = excluded.until, answer = excluded.answer",
            (*scope, now + LIFETIME, answer_text(answer)),
        )
        # Last, and past what others hold: waiting here with a key in hand might go in a circle.
        self._connection.execute(
            "DELETE FROM orderproof_sandbox.answers WHERE ctid = ANY (ARRAY(SELECT ctid"
            " FROM orderproof_sandbox.answers WHERE until <= %s LIMIT 10 FOR UPDATE SKIP LOCKED))",
            [now],
        )


def shown(url: str) -> str:
    """Return what messages call a database: its URL without the password. Raises StoreError for no URL at all."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error:
        parts = {}
    host, port, name = (str(parts.get(word) or "") for word in ("host", "port", "dbname"))
    # A password with an @, / or : that is not percent-encoded would stand in the wrong place.
    misplaced = "@" in host + name or not f"0{port}".replace(",", "").isdigit()
    if not parts or misplaced:
        raise StoreError(
            "The URL of the database cannot be read: write postgresql://user:password@host:port/name, with the"
            " special characters of the password percent-encoded."
        )
    user = f"{parts['user']}@" if parts.get("user") else ""
    return f"postgresql://{user}{host}{port and ':'}{port}/{name}"


def _connected(url: str) -> psycopg.Connection:
    shown(url)  # which raises for what is no URL
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=CONNECTS_WITHIN_SECONDS)
        # A process that stopped with a lock in its hands must not stop the others for good.
        connection.execute("SET lock_timeout = '10s'")
    except psycopg.Error as problem:
        raise StoreError(_complaint(url, problem)) from problem
    return connection


def _complaint(url: str, problem: psycopg.Error) -> str:
    text = (str(problem).strip().splitlines() or ["it gave no reason"])[0]
    password = conninfo_to_dict(url).get("password")
    if password:
        text = text.replace(str(password), "REDACTED")
    return f"The database {shown(url)} cannot be used: {text.rstrip('.')}."
