"""A Redis database in which several machines share the counterexamples that they found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from hypothesis.database import ExampleDatabase

from orderproof.errors import CannotJudge, UsageError

__all__ = ["fleet_database", "without_credentials"]

_KEPT = timedelta(days=60)
"""How long a counterexample is kept that no run has read."""

_SECONDS = 5.0


def without_credentials(text: str) -> str:
    """Return a text in which the addresses of Redis databases have no user, no password and no options."""
    return re.sub(r"(rediss?://)(?:\S*@)?([^\s?#]*)(?:[?#]\S*)?", r"\1\2", text)


def fleet_database(url: str) -> ExampleDatabase:
    """Return the database at an address such as redis://HOST:PORT/DB, which may have a user and a password in it.

    Raises UsageError for an address that is none and where the client library is not installed, CannotJudge when
    nothing answers there. None of the sentences has the password in it.
    """
    shown = without_credentials(url)
    try:
        import redis
        from hypothesis.extra.redis import RedisExampleDatabase
    except ImportError:
        raise UsageError(
            f"the example database {shown} needs the Redis client: pip install 'orderproof[fleet]'"
        ) from None
    try:
        client = redis.Redis.from_url(url, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS)
    except ValueError:
        raise UsageError(
            f"the example database {shown} is not of the form redis://HOST:PORT/DB, with DB a number"
        ) from None
    database = _Careful(RedisExampleDatabase(client, expire_after=_KEPT), shown, redis.RedisError)
    with database.careful():
        client.ping()
    return database


class _Careful(ExampleDatabase):
    """A database on another machine, whose troubles are sentences. Raises CannotJudge."""

    def __init__(self, database: ExampleDatabase, shown: str, trouble: type[Exception]) -> None:
        super().__init__()
        self._database = database
        self._shown = shown
        self._trouble = trouble

    @contextmanager
    def careful(self) -> Iterator[None]:
        """Turn what a Redis client raises into a sentence."""
        try:
            yield
        except (self._trouble, OSError) as error:
            said = without_credentials(str(error)).splitlines() or [type(error).__name__]
            raise CannotJudge(f"the example database {self._shown} cannot be used: {said[0]}") from None

    def fetch(self, key: bytes) -> Iterable[bytes]:
        with self.careful():
            return list(self._database.fetch(key))

    def save(self, key: bytes, value: bytes) -> None:
        with self.careful():
            self._database.save(key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        with self.careful():
            self._database.delete(key, value)

    def _start_listening(self) -> Any:
        """Nobody listens: a run reads once, when it begins."""
