"""A PostgreSQL for all tests of this folder, and an empty database for each."""

from __future__ import annotations

from collections.abc import Generator
from importlib.util import find_spec

import pytest

from tests.postgresql.cluster import cluster, programs

# Without the driver the tests cannot even be read; `tox -e postgres` installs it.
collect_ignore_glob = [] if find_spec("psycopg") else ["test_*.py"]


@pytest.fixture(scope="session")
def server() -> Generator[str]:
    """The URL of a PostgreSQL that is started for the tests."""
    folder = programs()
    if folder is None:
        pytest.skip("initdb was not found: install PostgreSQL (Debian: apt-get install postgresql)")
    with cluster(folder) as url:
        yield url


@pytest.fixture
def database(server: str) -> Generator[str]:
    """The URL of that PostgreSQL, with nothing of the sandbox in it afterwards."""
    import psycopg

    yield server
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS orderproof_sandbox CASCADE")
