"""Counterexamples sent again: from a file, as a shell script, and by the next run."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis.database import InMemoryExampleDatabase

from orderproof.catalogue import select
from orderproof.checking import Settings, Watch, check
from orderproof.counterexample import Counterexample, save
from orderproof.drivers.commands import Command, Sequence
from orderproof.drivers.drafts import draft
from orderproof.drivers.stage import Stage
from orderproof.errors import CannotJudge, UsageError
from orderproof.examples import Examples
from orderproof.reproducing import Again, reproduce
from orderproof.shown import curl_script
from orderproof.target import SANDBOX_CLOCK, Target
from tests.drivers.sessions import watched
from tests.gallery.catalogue import find
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve_here

TOO_MUCH = Counterexample(
    rule="CAP-5",
    expected="403 CAPTURE_NOT_ALLOWED",
    actual="201",
    seed=1,
    scenario="walk 1",
    sequence=Sequence(
        (draft(10),),
        (
            Command("captureOrder", body={"captured_amount": 2}, read=False),
            Command("captureOrder", body={"captured_amount": 2}, read=False),
            Command("captureOrder", body={"captured_amount": 7}),
        ),
    ),
)


def target_at(url: str) -> Target:
    return Target(url, *CREDENTIALS, orders=ORDERS_SOURCE, clock=SANDBOX_CLOCK)


@pytest.mark.parametrize(
    ("server", "outcome", "exit_code"),
    [("third-unchecked", Again.FAILS, 1), ("core", Again.HOLDS, 0)],
)
def test_a_file_is_sent_again(server: str, outcome: Again, exit_code: int, tmp_path: Path) -> None:
    path = save(tmp_path, TOO_MUCH)
    with serve_here(find(server)) as url:
        again = reproduce(path, target_at(url))
    assert (outcome, exit_code, 1) == (again.outcome, again.exit_code, again.tries)
    assert (outcome is Again.FAILS) == (again.finding is not None)


def test_a_flaky_one_is_sent_until_it_fails(tmp_path: Path) -> None:
    path = save(tmp_path, replace(TOO_MUCH, flaky=(1, 4)))
    with serve_here(find("core")) as url:
        assert 10 == reproduce(path, target_at(url)).tries
    with serve_here(find("third-unchecked")) as url:
        assert (1, 1) == ((again := reproduce(path, target_at(url))).tries, again.failures)


def test_what_puts_the_rule_to_no_test_is_not_judged(tmp_path: Path) -> None:
    empty = replace(TOO_MUCH, sequence=Sequence((draft(10),), (Command("getOrder"),)))
    with serve_here(find("core")) as url:
        again = reproduce(save(tmp_path, empty), target_at(url))
    assert (Again.UNCLEAR, 3) == (again.outcome, again.exit_code)
    assert again.why


def test_a_clock_that_cannot_be_moved_cannot_be_judged(tmp_path: Path) -> None:
    late = replace(TOO_MUCH, sequence=Sequence((draft(10),), (Command("getOrder", advance=60.0),)))
    with serve_here(find("core")) as url, pytest.raises(CannotJudge, match="clock"):
        reproduce(save(tmp_path, late), replace(target_at(url), clock=None))


def test_a_rule_that_there_is_not_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    path = save(tmp_path, replace(TOO_MUCH, rule="CAP-999"))
    with pytest.raises(UsageError, match="CAP-999"):
        reproduce(path, target_at("http://127.0.0.1:1"))


def test_the_next_run_tries_first_what_was_found_and_forgets_what_is_mended() -> None:
    examples = Examples(InMemoryExampleDatabase(), "the target")
    examples.keep(TOO_MUCH)
    rules = select(["CAP-5"])
    first: list[str] = []

    def run(server: str) -> list[str]:
        first.clear()
        with serve_here(find(server)) as url:
            settings = Settings(target_at(url), rules, profile="quick", max_time=1.5, examples=examples)
            result = check(settings, Watch(exchange=lambda exchange: first.append(exchange.scenario)))
        return [block.scenario for block in result.blocks]

    assert ["found before 1"] == run("third-unchecked")
    assert "found before 1" == next(name for name in first if name != "sanity")
    assert [TOO_MUCH] == examples.known()
    assert [] == run("core")
    assert [] == examples.known()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the script needs curl")
def test_the_script_sends_the_calls_again(tmp_path: Path) -> None:
    with watched("third-unchecked") as watch:
        stage = Stage(watch.session, "a sequence")
        stage.obtain(draft(10, merchant_data="a 'quoted' basket"))
        for amount in (2, 2, 7):
            stage.perform(Command("captureOrder", body={"captured_amount": amount}))
        refund = Command("refundOrder", body={"refunded_amount": 1, "description": "åäö 🧾"}, key="again")
        stage.perform(refund)
        stage.perform(refund)
        stage.perform(Command("getCapture", capture=1))
        stage.perform(Command("captureOrder", content=b'\xff"\x00', read=False))
        stage.perform(Command("getOrder", credentials="wrong-user"))
        script = curl_script(watch.history, watch.session.target)
        answers = [str(exchange.status) for exchange in watch.history]
        path = tmp_path / "again.sh"
        path.write_text(script, encoding="utf-8")
        secrets = {"CREDENTIALS": ":".join(CREDENTIALS), "CUSTOMER_TOKEN": ORDERS_SOURCE.partition(":")[2]}
        done = subprocess.run(
            ["sh", str(path)], env={**os.environ, **secrets}, capture_output=True, check=False, timeout=60
        )
    output = done.stdout.decode()
    statuses = [line.split()[1] for line in output.splitlines() if line.startswith("HTTP/")]
    assert (0, b"") == (done.returncode, done.stderr)
    assert answers == statuses
    assert '"captured_amount":7' in output.replace(" ", "")


def test_the_script_has_no_secrets_and_says_what_it_needs() -> None:
    with watched("core") as watch:
        stage = Stage(watch.session, "a sequence")
        stage.obtain(draft(10))
        for kind in ("own", "none", "wrong-user", "shorter-password", "longer-password"):
            stage.perform(Command("getOrder", credentials=kind))
        script = curl_script(watch.history, watch.session.target)
    user, password = CREDENTIALS
    for secret in (user, password, password[:-1], ORDERS_SOURCE.partition(":")[2]):
        assert secret not in script
    assert ': "${CREDENTIALS:?' in script
    assert ': "${CUSTOMER_TOKEN:?' in script
    orders_from_elsewhere = curl_script(watch.history[1:], watch.session.target)
    assert ': "${ORDER_1:?' in orders_from_elsewhere
