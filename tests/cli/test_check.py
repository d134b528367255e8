"""`orderproof check` as users meet it: exit codes, sentences, files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from orderproof.exchange import from_record
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve

COMMAND = [sys.executable, "-m", "orderproof"]
# Ids, whole or cut short: what a server makes of itself.
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SCENARIOS = ["--max-time", "250", "--profile", "quick", "--seed", "1"]


def run(*words: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ORDERPROOF_")}
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**variables, **environment},
        timeout=300,
        check=False,
    )


def target(base_url: str) -> list[str]:
    """The options that point a check at a server of the gallery."""
    user, password = CREDENTIALS
    return ["--base-url", base_url, "--user", user, "--password", password, "--orders", ORDERS_SOURCE]


@pytest.fixture(scope="module")
def conforming(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One quick check of the embedded sandbox, with its report."""
    report = tmp_path_factory.mktemp("report")
    return run("check", *SCENARIOS, "--report", str(report)), report


def test_the_embedded_sandbox_conforms(conforming: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    done, _ = conforming
    assert (0, "") == (done.returncode, done.stderr)
    assert "CONFORMS  the embedded sandbox" in done.stdout


def test_the_readme_shows_what_it_prints(conforming: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- output: check -->\n```text\n")[2].partition("```")[0]
    assert re.sub(r"[\d,.]+", "N", shown) in re.sub(r"[\d,.]+", "N", conforming[0].stdout)


def test_progress_says_how_far_it_is_and_how_much_time_is_left(
    conforming: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    lines = [line for line in conforming[0].stdout.splitlines() if "findings ·" in line]
    places = [re.match(r"[a-z ]+ (\d+)/(\d+) ", line) for line in lines]
    assert [int(place[1]) for place in places if place] == sorted(int(p[1]) for p in places if p)
    assert {"11"} == {place[2] for place in places if place}
    assert all(place for place in places)
    assert all(line.endswith(" left") for line in lines)


def test_result_json_keeps_its_schema(conforming: tuple[subprocess.CompletedProcess[str], Path]) -> None:
    from importlib.resources import files

    schema = json.loads((files("orderproof.report") / "result.schema.json").read_text(encoding="utf-8"))
    result = json.loads((conforming[1] / "result.json").read_text(encoding="utf-8"))
    jsonschema.validate(result, schema, jsonschema.Draft202012Validator)
    assert ("conforms", 0) == (result["verdict"], result["exit_code"])


def test_every_rule_of_an_order_s_life_is_exercised(
    conforming: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    result = json.loads((conforming[1] / "result.json").read_text(encoding="utf-8"))
    areas = ("ORD", "ACK", "AUT", "CUS", "REF", "EXT", "REL", "CAN", "EXP", "CAP", "SHP", "SND", "DUE", "RFD")
    not_passed = [r["id"] for r in result["rules"] if r["id"].startswith(areas) and r["verdict"] != "passed"]
    assert [] == not_passed


def test_the_history_has_every_request_and_no_secret(
    conforming: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    lines = (conforming[1] / "history.ndjson").read_text(encoding="utf-8").splitlines()
    result = json.loads((conforming[1] / "result.json").read_text(encoding="utf-8"))
    exchanges = [from_record(json.loads(line)) for line in lines]
    assert result["requests"] == len(exchanges)
    assert {"REDACTED"} == {
        e.request.header("authorization") for e in exchanges if e.request.header("authorization")
    }
    assert not any("/tokens/sandbox/" in e.request.target for e in exchanges)


def test_two_runs_with_one_seed_send_the_same_requests(tmp_path: Path) -> None:
    histories = []
    for name in ("one", "two"):
        run("check", *SCENARIOS, "--report", str(tmp_path / name))
        lines = (tmp_path / name / "history.ndjson").read_text(encoding="utf-8").splitlines()
        histories.append([_without_ids(from_record(json.loads(line)).request) for line in lines])
    assert histories[0] == histories[1]


def _without_ids(request: object) -> tuple[str, str, str]:
    from orderproof.exchange import Request

    assert isinstance(request, Request)
    body = request.body.decode("latin-1")
    return request.method, IDS.sub("ID", request.target), IDS.sub("ID", body)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--base-url", "http://127.0.0.1:1"], 3, "cannot be reached"),
        (["--base-url", "ftp://127.0.0.1"], 2, "'ftp://127.0.0.1' is not of the form"),
        (["--base-url", "http://127.0.0.1:99999"], 2, "is not a number from 1 to 65535"),
        (["--base-url", "https://api.klarna.com"], 2, "is a live host"),
        (["--base-url", "https://API-NA.klarna.com.", "--allow-production"], 2, "is a live host"),
        (["--base-url", "http://user:pass@127.0.0.1"], 2, "credentials in it"),
        (["--only", "CAP-99"], 2, "no rule is called 'CAP-99'"),
        (["--only", "CLI-*"], 2, "nothing is selected"),
        (["--profile", "slow"], 2, "there is no profile 'slow'"),
        (["--orders", "nowhere"], 2, "--orders 'nowhere' is none of"),
        (["--orders", "pool:missing.txt"], 2, "the pool missing.txt cannot be read"),
        (["--max-time", "0"], 2, "leaves no time"),
        (["--rate", "-1"], 2, "is not above 0"),
        (["--max-time", "inf"], 2, "--max-time inf is above 1,000,000"),
        (["--timeout", "1e300"], 2, "--timeout 1e+300 is above 1,000,000"),
        (["--base-url", ""], 2, "--base-url '' has no value"),
        (["--waivers", ""], 2, "--waivers '' has no value"),
        (["--report", ""], 2, "--report '' has no value"),
        (["--base-url", "http://ex ample"], 2, "'http://ex ample' is not of the form"),
        (["--user", "a:b"], 2, "the user 'a:b' has a colon"),
        (["--write-waivers", "nowhere/x.toml"], 2, "nowhere is no folder that can be written to"),
        (["--example-database", __file__], 2, "is neither a folder nor redis://HOST:PORT/DB"),
        (["--write-waivers", "."], 2, "the waivers . cannot be written: it is a folder"),
        (["--no-such-option"], 2, "--no-such-option"),
        (["--config", "missing.toml"], 2, "missing.toml cannot be read"),
    ],
)
def test_bad_input_gets_one_sentence(words: list[str], code: int, sentence: str, tmp_path: Path) -> None:
    done = run("check", *words, cwd=tmp_path)
    assert code == done.returncode
    assert sentence in done.stderr
    assert 1 == len(done.stderr.strip().splitlines())
    assert "pass@" not in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seed = 'x'", "seed = 'x', which is not a whole number"),
        ("rate = true", "rate = True, which is not a whole number or a number"),
        ("clock = 5", "clock = 5, which is not a table"),
        ("base-url = ''", "base-url = '': give a value, or leave it out"),
        ("sede = 1", "unknown key 'sede': did you mean 'seed'?"),
        ("seed = ", "is not TOML"),
        ("[clock]\npath = 'x'", "the clock of the configuration needs a path"),
    ],
)
def test_a_bad_configuration_gets_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "orderproof.toml").write_text(text, encoding="utf-8")
    done = run("check", cwd=tmp_path)
    assert 2 == done.returncode
    assert sentence in done.stderr


def test_a_broken_server_is_named() -> None:
    with serve("one-too-much") as base_url:
        done = run("check", *SCENARIOS, *target(base_url))
    assert 1 == done.returncode
    assert "× CAP-5" in done.stdout


def test_refused_credentials_are_no_verdict() -> None:
    with serve("core") as base_url:
        done = run("check", "--base-url", base_url, "--user", "nobody", ORDERPROOF_PASSWORD="wrong-secret")
    assert 3 == done.returncode
    assert "refused the credentials of user 'nobody'" in done.stderr
    assert "wrong-secret" not in done.stdout + done.stderr


def test_an_interrupt_leaves_what_was_found(tmp_path: Path) -> None:
    with serve("unhurried") as base_url:
        words = [*COMMAND, "check", *target(base_url), "--report", str(tmp_path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            _wait_for_lines(tmp_path / "history.ndjson", 100)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=30)
    lines = (tmp_path / "history.ndjson").read_text(encoding="utf-8").splitlines()
    assert 100 <= len([from_record(json.loads(line)) for line in lines])
    assert "interrupted" in out
    assert 3 == process.returncode


def _wait_for_lines(path: Path, count: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if path.exists() and path.read_text(encoding="utf-8").count("\n") >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"{path.name} has not {count} lines within 30 s")
