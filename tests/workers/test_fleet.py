"""Examples in a Redis database: shared between machines, with credentials that nobody gets to see."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderproof.checking import Watch
from orderproof.counterexample import Counterexample
from orderproof.drivers.commands import Command, Sequence
from orderproof.drivers.drafts import draft
from orderproof.errors import CannotJudge, UsageError
from orderproof.examples import Examples, examples_at
from orderproof.fleet import without_credentials
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve
from tests.workers.running import checked

PASSWORD = "nobody-may-see-this"
EXAMPLE = Counterexample(
    rule="CAP-5",
    expected="403",
    actual="201",
    seed=1,
    scenario="over the limit",
    sequence=Sequence((draft(),), (Command("captureOrder", body={"captured_amount": 10_001}),)),
)
needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None,
    reason="there is no redis-server (Debian: apt-get install redis-server)",
)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis server of our own, with a password."""
    port, folder = _free_port(), tmp_path_factory.mktemp("redis")
    words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--requirepass", PASSWORD]
    with subprocess.Popen([*words, "--save", "", "--dir", str(folder)], stdout=subprocess.DEVNULL) as server:
        until = time.monotonic() + 20
        while not _answers(port):
            assert time.monotonic() < until, "redis-server does not answer"
            time.sleep(0.05)
        yield f"redis://:{PASSWORD}@127.0.0.1:{port}"
        server.terminate()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _examples(place: str, target: str = "http://fake") -> Examples:
    found = examples_at(place, target, {})
    assert found is not None
    return found


@needs_redis
def test_what_one_machine_keeps_another_knows(redis: str) -> None:
    _examples(f"{redis}/1").keep(EXAMPLE)
    assert [EXAMPLE] == _examples(f"{redis}/1").known()
    assert [] == _examples(f"{redis}/1", "http://another").known()
    assert [] == _examples(f"{redis}/2").known()
    _examples(f"{redis}/1").drop(EXAMPLE)
    assert [] == _examples(f"{redis}/1").known()


@needs_redis
def test_what_one_run_found_the_next_one_tries_first(redis: str) -> None:
    with serve("one-too-much") as url:
        names: list[str] = []
        watch = Watch(
            finding=lambda finding: names.append(finding.exchange.scenario), enough=lambda: bool(names)
        )
        checked(url, watch=watch, workers=2, examples=_examples(f"{redis}/3", url))
        assert not names[0].startswith("found before")
        names.clear()
        checked(url, watch=watch, examples=_examples(f"{redis}/3", url))
        assert names[0].startswith("found before")


@needs_redis
def test_what_does_not_fail_any_more_is_dropped(redis: str) -> None:
    with serve("core") as url:
        examples = _examples(f"{redis}/4", url)
        examples.keep(EXAMPLE)
        checked(url, examples=examples, max_time=2.0)
        assert [] == _examples(f"{redis}/4", url).known()


@needs_redis
def test_a_wrong_password_gets_a_sentence_without_it(redis: str) -> None:
    place = redis.replace(PASSWORD, "wrong-secret") + "/0"
    with pytest.raises(CannotJudge, match="cannot be used") as caught:
        _examples(place)
    assert "wrong-secret" not in str(caught.value)


@needs_redis
def test_the_command_line_leaves_no_credentials(redis: str, tmp_path: Path) -> None:
    with serve("one-too-much") as url:
        user, password = CREDENTIALS
        target = ["--base-url", url, "--user", user, "--password", password, "--orders", ORDERS_SOURCE]
        words = [sys.executable, "-m", "orderproof", "check", *target, "--max-time", "3", "--report", "out"]
        done = subprocess.run(
            [*words, "--example-database", f"{redis}/5"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert 1 == done.returncode
    files = [path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert not [text for text in (done.stdout, done.stderr, *files) if PASSWORD in text]
    assert "--example-database redis://127.0.0.1:" in (tmp_path / "out" / "result.json").read_text("utf-8")


@needs_redis
def test_a_database_that_goes_away_does_not_end_a_run(tmp_path: Path) -> None:
    port = _free_port()
    words = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server:
        while not _answers(port):
            time.sleep(0.05)
        examples = _examples(f"redis://127.0.0.1:{port}/0")
        server.terminate()
    with serve("core") as url:
        result = checked(url, examples=examples, max_time=2.0)
    assert "" == result.interrupted
    assert f"the example database redis://127.0.0.1:{port}/0 cannot be used" in " ".join(result.notes)


def test_nothing_that_answers_gets_a_sentence() -> None:
    port = _free_port()
    with pytest.raises(CannotJudge, match=f"redis://127.0.0.1:{port}/0 cannot be used"):
        _examples(f"redis://user:{PASSWORD}@127.0.0.1:{port}/0")


@pytest.mark.parametrize("place", ["redis:nowhere", "redis://user:secret@host:port/0"])
def test_an_address_that_is_none_gets_a_sentence(place: str) -> None:
    with pytest.raises((UsageError, CannotJudge)) as caught:
        _examples(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("rediss://u:p@h/2", "rediss://h/2"),
        ("redis://:p@s@h:1", "redis://h:1"),
        ("redis://u:a/b@h:1/0", "redis://h:1/0"),
        ("redis://h:1/0?password=p", "redis://h:1/0"),
        ("--example-database=redis://:p@h/0", "--example-database=redis://h/0"),
    ],
)
def test_addresses_are_shown_without_credentials(text: str, shown: str) -> None:
    assert shown == without_credentials(text)
