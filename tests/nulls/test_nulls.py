"""Servers that are none earn no verdict: exit code 1 or 3 in bounded time, and no rule that they did not keep."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.cli.test_check import run
from tests.nulls.servers import NULLS, certificate, serving

SECONDS = 60
# What a server that always shows the same order does keep: it never fails, and nothing in it ever changes.
KEPT = {
    "always 200 with an order id": {
        "GEN-ERR-3",
        "GEN-HTTP-1",
        "GEN-HTTP-4",
        "GEN-VAL-4",
        "ORD-GET-2",
        "ORD-FIX-1",
    }
}
WORDS = ["check", "--profile", "quick", "--seed", "1", "--timeout", "1", "--max-time", "30"]


def passed_rules(report: Path) -> list[str]:
    path = report / "result.json"
    if not path.exists():
        return []
    rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
    return [rule["id"] for rule in rules if rule["verdict"] == "passed" and rule["level"] == "MUST"]


@pytest.mark.parametrize("name", NULLS)
def test_a_null_server_earns_nothing(name: str, tmp_path: Path) -> None:
    # The order comes from a pool, so that a server which makes none gets as far as being read.
    pool = tmp_path / "pool.txt"
    pool.write_text("f3392f8b-6116-4073-ab96-e330819e2c07\n", encoding="utf-8")
    started = time.monotonic()
    with serving(NULLS[name]) as port:
        url = f"http://127.0.0.1:{port}"
        done = run(*WORDS, "--base-url", url, "--orders", f"pool:{pool}", "--report", str(tmp_path / "out"))
    assert done.returncode in (1, 3)
    assert time.monotonic() - started < SECONDS
    assert set() == set(passed_rules(tmp_path / "out")) - KEPT.get(name, set())
    assert "Traceback" not in done.stderr
    assert (1 if done.returncode == 3 else 0) == len(done.stderr.strip().splitlines())


def test_tls_on_a_plain_port_and_the_other_way_round(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    with serving(NULLS["always 200 {}"], lambda plain: context.wrap_socket(plain, server_side=True)) as port:
        plain = run(*WORDS, "--base-url", f"http://127.0.0.1:{port}")
        untrusted = run(*WORDS, "--base-url", f"https://127.0.0.1:{port}")
    with serving(NULLS["always 200 {}"]) as port:
        no_tls = run(*WORDS, "--base-url", f"https://127.0.0.1:{port}")
    assert [3, 3, 3] == [plain.returncode, untrusted.returncode, no_tls.returncode]
    assert "certificate" in untrusted.stderr.lower()
