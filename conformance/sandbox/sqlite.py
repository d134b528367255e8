"""Orders and keys in a SQLite file, so that a sandbox that was killed has lost nothing that it answered."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orderproof.sandbox.calls import Answer
from orderproof.sandbox.idempotency import LIFETIME, Scope
from orderproof.sandbox.orders import Order
from orderproof.sandbox.records import answer_from, answer_text, order_from, order_text
from orderproof.sandbox.store import StoreError, Transaction

FORMAT = 2

_SCHEMA = (
    # Records stand in the order in which they were made, and the ids in an index beside them: among a hundred thousand
    # it takes as long to add one, or to find one, as among a hundred.
    "CREATE TABLE orders (order_id TEXT PRIMARY KEY, record TEXT NOT NULL)",
    "CREATE TABLE answers (operation TEXT, order_id TEXT, child_id TEXT, key TEXT, until INTEGER NOT NULL,"
    " answer TEXT NOT NULL, PRIMARY KEY (operation, order_id, child_id, key)) WITHOUT ROWID",
    "CREATE INDEX answers_until ON answers (until)",
    "CREATE TABLE clock (milliseconds INTEGER NOT NULL)",
    "INSERT INTO clock VALUES (0)",
    f"PRAGMA user_version = {FORMAT}",
)


class SqliteStore:
    """Keeps everything in one file. Several processes may share it.

    Raises StoreError when the file cannot be opened, or is not one of ours.
    """

    def __init__(self, path: str) -> None:
        with ExitStack() as refused:
            try:
                self._connection = sqlite3.connect(path, timeout=10, isolation_level=None)
                refused.callback(self._connection.close)
                self._prepare(path)
            except sqlite3.Error as problem:
                raise StoreError(
                    f"The database {path!r} cannot be used: {_reason(path, problem)}."
                ) from problem
            refused.pop_all()

    def _prepare(self, path: str) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode=WAL")
        # FULL writes the log to disk before an answer goes out: a power cut loses no more than kill -9 does.
        run("PRAGMA synchronous=FULL")
        with self.transaction(""):
            (found,) = run("PRAGMA user_version").fetchone()
            (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
            if found != FORMAT and (found or tables):
                message = f"The database {path!r} was not written by this version of the sandbox"
                raise StoreError(f"{message}: name another file.")
            if not tables:
                for statement in _SCHEMA:
                    run(statement)

    def order(self, order_id: str) -> Order | None:
        """Return the order as last saved, by whichever process, or None."""
        found = self._connection.execute(
            "SELECT record FROM orders WHERE order_id = ?", (order_id,)
        ).fetchone()
        return None if found is None else order_from(found[0])

    @contextmanager
    def transaction(self, order_id: str) -> Generator[Transaction]:
        """Yield a transaction that excludes every other writer of the file; on disk when the block ends."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield _SqliteTransaction(self, self._connection, order_id)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def clock_offset(self) -> int:
        """Return by how many milliseconds the clock is ahead."""
        (offset,) = self._connection.execute("SELECT milliseconds FROM clock").fetchone()
        return int(offset)

    def move_clock(self, milliseconds: int) -> int:
        """Move the clock ahead, for every process that uses the file, and return the new offset."""
        self._connection.execute("UPDATE clock SET milliseconds = milliseconds + ?", (milliseconds,))
        return self.clock_offset()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class _SqliteTransaction:
    __slots__ = ("_connection", "_order_id", "_store")

    def __init__(self, store: SqliteStore, connection: sqlite3.Connection, order_id: str) -> None:
        self._store = store
        self._connection = connection
        self._order_id = order_id

    def order(self) -> Order | None:
        return self._store.order(self._order_id)

    def answer(self, scope: Scope, now: int) -> Answer | None:
        row = self._connection.execute(
            "SELECT answer FROM answers"
            " WHERE operation = ? AND order_id = ? AND child_id = ? AND key = ? AND until > ?",
            (*scope, now),
        ).fetchone()
        return None if row is None else answer_from(row[0])

    def save(self, order: Order) -> None:
        self._connection.execute(
            "INSERT INTO orders VALUES (?, ?) ON CONFLICT (order_id) DO UPDATE SET record = excluded.record",
            (order.order_id, order_text(order)),
        )

    def keep(self, scope: Scope, answer: Answer, now: int) -> None:
        self._connection.execute("DELETE FROM answers WHERE until <= ?", (now,))
        self._connection.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)",
            (*scope, now + LIFETIME, answer_text(answer)),
        )


def _reason(path: str, problem: sqlite3.Error) -> str:
    folder = Path(path).parent
    if not folder.is_dir():
        return f"there is no folder {str(folder)!r}"
    return str(problem)
