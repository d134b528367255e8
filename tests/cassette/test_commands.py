"""`orderproof record`, `replay` and `audit` as users meet them: exit codes, sentences, files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

from orderproof import cassettes
from orderproof.target import Target
from tests.cassette.conftest import loaded
from tests.gallery.serving import CREDENTIALS, ORDERS_SOURCE, serve

COMMAND = [sys.executable, "-m", "orderproof"]


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with nothing of the environment's configuration."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("ORDERPROOF_")}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, cwd=cwd, env=variables, timeout=300, check=False
    )


def options(base_url: str) -> list[str]:
    user, password = CREDENTIALS
    return ["--base-url", base_url, "--user", user, "--password", password, "--orders", ORDERS_SOURCE]


def test_record_replay_and_audit_hold_together(sandbox: Target, tmp_path: Path) -> None:
    folder = tmp_path / "tapes"
    done = run("record", "--base-url", sandbox.base_url, "--to", str(folder), "--scenario", "captures/*")
    assert (0, "") == (done.returncode, done.stderr)
    assert 3 == len(done.stdout.splitlines())
    assert {"full.yaml", "partial.yaml", "shipping-info.yaml"} == {
        p.name for p in (folder / "captures").iterdir()
    }
    audited = run("audit", str(folder))
    assert (0, "") == (audited.returncode, audited.stderr)
    assert audited.stdout.startswith("CONFORMS  3 recordings: nothing is broken")
    replayed = run("replay", str(folder), "--base-url", sandbox.base_url)
    assert (0, "") == (replayed.returncode, replayed.stderr)
    assert replayed.stdout.startswith("AS RECORDED")


def test_audit_names_rule_and_entry(tmp_path: Path) -> None:
    data = loaded("captures/full")
    number, found = next(
        (n, i) for n, i in enumerate(data["interactions"], 1) if i["response"]["status"]["code"] == 403
    )
    found["response"]["status"]["code"] = 400
    path = tmp_path / "altered.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    done = run("audit", str(path), "--quiet", "--report", str(tmp_path / "report"))
    assert (1, "") == (done.returncode, done.stderr)
    assert "BROKEN" in done.stdout
    assert "CAP-5" in done.stdout
    assert f"entry {number}" in done.stdout.replace("\n             ", " ")
    result = json.loads((tmp_path / "report" / "result.json").read_text(encoding="utf-8"))
    assert (1, "broken") == (result["exit_code"], result["verdict"])


def test_strict_makes_a_warning_fail(tmp_path: Path) -> None:
    text = cassettes.path("captures/full").read_text(encoding="utf-8")
    path = tmp_path / "keyless.yaml"
    path.write_text(text.replace("Klarna-Idempotency-Key", "X-Other"), encoding="utf-8")
    assert [0, 1] == [run("audit", str(path), *more).returncode for more in ([], ["--strict"])]


@pytest.mark.parametrize(
    "words", [["audit", "missing.yaml"], ["replay", "captures/none"], ["audit", "bad.yaml"], ["audit"]]
)
def test_wrong_usage_is_one_sentence(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "bad.yaml").write_text("interactions: !!python/name:os.system ''\n", encoding="utf-8")
    done = run(*words, cwd=tmp_path)
    assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert done.stderr.startswith("orderproof: ")


def test_a_recording_without_the_api_cannot_be_judged(tmp_path: Path) -> None:
    row = {"request": {"method": "GET", "uri": "http://x/"}, "response": {"status": {"code": 200}}}
    path = tmp_path / "other.yaml"
    path.write_text(yaml.safe_dump({"interactions": [row]}), encoding="utf-8")
    done = run("audit", str(path))
    assert (3, "NOT JUDGED") == (done.returncode, done.stdout[:10])


def test_replay_finds_a_defect(tmp_path: Path) -> None:
    with serve("any-password") as base_url:
        done = run("replay", "wire/credentials", *options(base_url))
    assert (1, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"DRIFTED  {base_url}: ")
    assert "GEN-AUTH-2" in done.stdout
    assert CREDENTIALS[1] not in done.stdout


def test_replay_against_a_live_host_is_refused() -> None:
    for more in ([], ["--allow-production"]):
        done = run("replay", "captures/full", "--base-url", "https://api.klarna.com", *more)
        assert (2, "", 1) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
        assert "live host" in done.stderr


def test_replay_against_nobody(tmp_path: Path) -> None:
    done = run("replay", "captures/full", "--base-url", "http://127.0.0.1:9")
    assert (3, "NOT JUDGED") == (done.returncode, done.stdout[:10])


def test_recording_of_nobody_leaves_nothing(tmp_path: Path) -> None:
    words = [
        "record",
        "--base-url",
        "http://127.0.0.1:9",
        "--to",
        str(tmp_path / "to"),
        "--scenario",
        "captures/full",
    ]
    done = run(*words)
    assert (3, False) == (done.returncode, (tmp_path / "to").exists())
    assert "× captures/full" in done.stdout


def test_serve_and_base_url_exclude_each_other() -> None:
    done = run("replay", "captures/full", "--serve", "--base-url", "http://127.0.0.1:9")
    assert (2, 1) == (done.returncode, len(done.stderr.splitlines()))


@pytest.mark.parametrize(
    ("path", "code", "verdict"),
    [("", 0, "AS RECORDED"), ("/elsewhere", 1, "STRAYED"), (None, 3, "NOT JUDGED")],
)
def test_serve_ends_with_an_account_of_what_was_asked(path: str | None, code: int, verdict: str) -> None:
    order = loaded("captures/full")["interactions"][1]["request"]["uri"].partition("example")[2]
    with subprocess.Popen(
        [*COMMAND, "replay", "captures/full", "--serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        if path is not None:
            with httpx.Client(trust_env=False, headers={"Authorization": "Basic eDp5"}) as client:
                assert (200 if path == "" else 501) == client.get(f"{base_url}{order}{path}").status_code
        process.send_signal(signal.SIGINT)
        shown = process.stdout.read()
    assert (code, verdict) == (process.returncode, shown[: len(verdict)])


def test_a_cassette_that_is_spelled_otherwise_is_guessed(tmp_path: Path) -> None:
    done = run("replay", "captures/ful", cwd=tmp_path)
    assert (2, "neither a file nor a cassette 'captures/ful': did you mean 'captures/full'?") == (
        done.returncode,
        done.stderr.strip().removeprefix("orderproof: there is "),
    )
