"""What a run comes to when things are not as they should be, and when there are many at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from orderproof.catalogue import select
from orderproof.client.certificate import certificate
from orderproof.client.flows import flow_named
from orderproof.client.judging import Settings, Watch, judge_client
from orderproof.client.outing import Plan
from orderproof.client.stock import Stock
from orderproof.client.weather import chosen
from orderproof.errors import CannotJudge
from orderproof.outcome import RunResult, Verdict
from orderproof.report.result_json import result_data, result_schema
from tests.client.conftest import SAMPLES, Judged, broken, python

COMMAND = [sys.executable, "-m", "orderproof", "client"]


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, check=False, env=environment, timeout=120
    )


def test_ten_clients_at_once_do_not_mix(judged: Judged) -> None:
    slips = {"": set(), "no key": {"CLI-IDM-1"}, "strings": {"CLI-BODY-2"}, "trailing slash": {"CLI-PATH-2"}}
    ten = [*slips, *slips, "", "no key"]
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda slip: judged(python(), SLIP=slip), ten))
    assert [slips[slip] for slip in ten] == [broken(result) for result in results]


def test_a_suite_without_a_flow_gets_orders_of_its_own(judged: Judged) -> None:
    code = (
        "import os, base64, urllib.request as u; ids = os.environ['ORDERPROOF_ORDER_IDS'].split(',')\n"
        "pair = os.environ['NAME'] + ':' + os.environ['ORDERPROOF_PASSWORD']\n"
        "head = {'Authorization': 'Basic ' + base64.b64encode(pair.encode()).decode()}\n"
        "for i in ids:\n"
        "    u.urlopen(u.Request(os.environ['URL'] + '/ordermanagement/v1/orders/' + i, headers=head)).read()\n"
        "assert len(set(ids)) == 10"
    )
    result = judged([sys.executable, "-c", code], flow=None, URL="{base_url}", NAME="{username}")
    verdicts = {entry.rule.id: entry for entry in result.rules}
    assert (0, 10, set()) == (result.exit_code, result.requests, broken(result))
    assert verdicts["CLI-DO-1"].verdict is Verdict.NOT_EXERCISED
    assert "--flow" in verdicts["CLI-DO-1"].reason


SUITE = """
import base64, os, sys, urllib.error, urllib.request as u, uuid
tries, keep = int(sys.argv[1]), "keep" in sys.argv
pair = os.environ["ORDERPROOF_USERNAME"] + ":" + os.environ["ORDERPROOF_PASSWORD"]
order = os.environ["ORDERPROOF_BASE_URL"] + "/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
def attempt(key):
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    headers |= {"Klarna-Idempotency-Key": key, "Content-Type": "application/json"}
    body = b'{"refunded_amount": 1}' if "refund" in sys.argv else b'{"captured_amount": 1}'
    action = "/refunds" if "refund" in sys.argv else "/captures"
    try:
        u.urlopen(u.Request(order + action, body, headers))
        return True
    except urllib.error.HTTPError:
        return False
def call():
    key = str(uuid.uuid4())
    for _ in range(tries):
        if attempt(key):
            return
        key = key if keep else str(uuid.uuid4())
if "again" in sys.argv:
    same = str(uuid.uuid4())
    attempt(same), attempt(same)
else:
    call()
    call()
"""


@pytest.mark.parametrize(
    ("words", "weathers", "rules"),
    [
        # Two tests that make the same call, which is refused each time: nobody retries.
        (["1", "refund"], [], set()),
        # The same in a suite whose calls fail in the weather.
        (["1"], ["503-once", "cut-after", "403"], set()),
        # A client that tries again, with a new key and with the old one.
        (["2"], ["503-once"], {"CLI-IDM-4", "CLI-RETRY-2"}),
        (["2", "keep", "refund"], [], {"CLI-RETRY-1", "CLI-RETRY-2"}),
        # A test of what a key is for, whose calls fail in the weather.
        (["1", "again"], ["403", "503-once"], set()),
        # A client that gives up its first call, and makes another that is alike, with a key of its own.
        (["2", "keep"], ["503-thrice"], {"CLI-RETRY-2"}),
    ],
)
def test_tests_that_repeat_a_call_are_no_retries(
    judged: Judged, words: list[str], weathers: list[str], rules: set[str]
) -> None:
    assert rules == broken(judged([sys.executable, "-c", SUITE, *words], *weathers, flow=None))


TWICE = """
import base64, os, urllib.error, urllib.request as u
pair = os.environ["ORDERPROOF_USERNAME"] + ":" + os.environ["ORDERPROOF_PASSWORD"]
order = os.environ["ORDERPROOF_BASE_URL"] + "/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(), "Content-Type": "application/json"}
done = 0
for parcel in range(2):
    try:
        u.urlopen(u.Request(order + "/captures", b'{"captured_amount": 2500}', headers))
        done += 1
    except OSError:
        print("not captured")
raise SystemExit(done < 2)
"""


def test_a_command_that_goes_on_with_the_next_parcel_retries_nothing(judged: Judged) -> None:
    command = [sys.executable, "-c", TWICE]
    assert {"CLI-IDM-1"} == broken(judged(command, "503-once", "cut-before", "403", flow="capture-twice"))


KEYED = TWICE.replace(
    '"Content-Type"', '"Klarna-Idempotency-Key": "0b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11", "Content-Type"'
)


def test_a_whole_in_two_calls_under_one_key_is_half_a_whole(judged: Judged) -> None:
    result = judged([sys.executable, "-c", KEYED.replace("2500", "5000")], flow="capture-all")
    assert {"CLI-IDM-3"} == broken(result)
    assert ["CLI-DO-1"] == [follower.id for follower, _, _ in result.blocks[0].follows]


def test_too_much_in_one_call_moved_nothing_twice(judged: Judged) -> None:
    once = KEYED.replace("2500", "10000").replace("range(2)", "range(1)").replace("done < 2", "done < 1")
    (block,) = judged([sys.executable, "-c", once], flow="capture-part").blocks
    assert ("CLI-DO-1", "") == (block.rule.id, block.note)
    assert block.actual.startswith("more money moved than was meant: captured_amount 10000")


LOOKS_AGAIN = (
    TWICE.replace("2500", "10000")
    .replace("range(2)", "range(1)")
    .replace(
        "raise SystemExit(done < 2)",
        "import json\n"
        "del headers['Content-Type']\n"
        "raise SystemExit(json.load(u.urlopen(u.Request(order, headers=headers)))['captured_amount'] < 10000)",
    )
)


def test_what_somebody_else_has_done_is_done(judged: Judged) -> None:
    result = judged([sys.executable, "-c", LOOKS_AGAIN], "captured-elsewhere", "403", flow="capture-all")
    assert {"CLI-IDM-1"} == broken(result)
    assert [0, 1, 0] == [row["exit_code"] for row in result.coverage["client"]["scenarios"]]


def test_a_call_that_took_effect_and_was_not_noticed_is_said(judged: Judged) -> None:
    capture_all = (
        TWICE.replace("2500", "10000").replace("range(2)", "range(1)").replace("done < 2", "done < 1")
    )
    result = judged(
        [sys.executable, "-c", capture_all], "cut-after", "403", "captured-elsewhere", flow="capture-all"
    )
    assert {"CLI-IDM-1"} == broken(result)
    assert "the command reports a failure where its call took effect: cut-after" in result.notes


CHALLENGED = """
import os, urllib.request as u
known = u.HTTPPasswordMgrWithDefaultRealm()
base = os.environ["ORDERPROOF_BASE_URL"]
known.add_password(None, base, os.environ["ORDERPROOF_USERNAME"], os.environ["ORDERPROOF_PASSWORD"])
key = {"Klarna-Idempotency-Key": "0b2f6f4e-7c1b-4f2e-9a55-5d1c8a0a9a11", "Content-Type": "application/json"}
order = base + "/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
u.build_opener(u.HTTPBasicAuthHandler(known)).open(u.Request(order + "/captures", b'{"captured_amount": 4000}', key))
"""


def test_credentials_after_a_challenge_are_late_and_nothing_else(judged: Judged) -> None:
    result = judged([sys.executable, "-c", CHALLENGED], "503-once", "cut-middle", "403")
    assert {"CLI-AUTH-1"} == broken(result)
    assert {"fair": 0, "503-once": 1, "cut-middle": 0, "403": 1} == {
        row["name"]: row["exit_code"] for row in result.coverage["client"]["scenarios"]
    }


def test_a_packed_body_is_read(judged: Judged) -> None:
    code = CHALLENGED.replace("import os", "import gzip, os").replace(
        "b'{\"captured_amount\": 4000}'", "gzip.compress(b'{\"captured_amount\": 4000}')"
    )
    packed = code.replace('"Content-Type"', '"Content-Encoding": "gzip", "Content-Type"')
    assert {"CLI-AUTH-1"} == broken(judged([sys.executable, "-c", packed]))


def test_a_command_that_sends_nothing_cannot_be_judged(judged: Judged) -> None:
    with pytest.raises(CannotJudge, match="sent no request to the sandbox"):
        judged(["true"])


def test_a_command_that_speaks_tls_to_a_plain_port_is_told(judged: Judged) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with pytest.raises(CannotJudge, match="give --tls"):
        judged(["sh", "-c", "curl -sk https://${ORDERPROOF_BASE_URL#http://}/"])


def test_a_command_that_fails_in_fair_weather_is_not_called_conforming(judged: Judged) -> None:
    code = "import os, urllib.request as u; u.urlopen(os.environ['ORDERPROOF_BASE_URL'] + '/nothing')"
    result = judged([sys.executable, "-c", code], "unknown", flow=None)
    assert (3, "not judged", set()) == (result.exit_code, result.verdict, broken(result))
    assert "failed in fair weather" in " ".join(result.notes)


FIXED_HOST = """
import os, sys, uuid, httpx
order = "https://api.playground.klarna.com/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
pair = (os.environ["ORDERPROOF_USERNAME"], os.environ["ORDERPROOF_PASSWORD"])
key = {"Klarna-Idempotency-Key": str(uuid.uuid4())}
with httpx.Client(auth=pair) as http:
    made = http.post(order + "/captures", json={"captured_amount": 4000}, headers=key).raise_for_status()
    place = httpx.URL(order).join(made.headers["location"])
    if place.host == "api.playground.klarna.com":
        assert http.get(place).json()["captured_amount"] == 4000
    for elsewhere in sys.argv[1:]:
        http.get(elsewhere)
"""


@pytest.fixture
def behind_the_proxy(stock: Stock) -> Iterator[Callable[..., RunResult]]:
    """Judge a client that knows one host alone, which it takes the sandbox's way to."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    with certificate() as made:

        def judge(*words: str, weathers: Sequence[str] = ()) -> RunResult:
            command = [sys.executable, "-c", FIXED_HOST, *words]
            plan = Plan(
                command, flow_named("capture-part"), {"HTTPS_PROXY": "{proxy}"}, certificate=made, show=False
            )
            return judge_client(Settings(plan, chosen(tuple(weathers)), select(["CLI-*"])), Watch(), stock)

        yield judge


def test_a_client_with_a_fixed_host_is_judged_behind_a_proxy(
    behind_the_proxy: Callable[..., RunResult],
) -> None:
    weathers = ["location-absolute", "location-relative", "location-elsewhere", "unknown"]
    result = behind_the_proxy(weathers=weathers)
    assert (0, set(), 9) == (result.exit_code, broken(result), result.requests)


def test_the_proxy_leads_to_the_sandbox_alone(behind_the_proxy: Callable[..., RunResult]) -> None:
    result = behind_the_proxy("https://elsewhere.invalid/")
    assert "asked for a way to 'elsewhere.invalid'" in " ".join(result.notes)


def test_a_command_that_takes_too_long_is_not_called_conforming(judged: Judged) -> None:
    code = (
        "import os, time, urllib.request as u\n"
        "try: u.urlopen(os.environ['ORDERPROOF_BASE_URL'])\n"
        "except OSError: time.sleep(60)"
    )
    result = judged([sys.executable, "-c", code], flow=None, timeout=3)
    assert 3 == result.exit_code
    assert "--timeout" in " ".join(result.notes)


@pytest.mark.parametrize("failing", [1, 2])
def test_a_failure_that_does_not_come_back_is_not_held_against_the_client(
    judged: Judged, tmp_path: Path, failing: int
) -> None:
    runs = tmp_path / "runs"
    script = f"sh {SAMPLES / 'tidy.sh'} || exit 1; echo >> {runs}; [ $(wc -l < {runs}) != {failing} ]"
    result = judged(["sh", "-c", script], "charset", "unknown", "location-relative")
    assert set() == broken(result)
    assert "went well when it was run again" in " ".join(result.notes)


GLUED = """
import os, sys, uuid, httpx
order = "/ordermanagement/v1/orders/" + os.environ["ORDERPROOF_ORDER_ID"]
with httpx.Client(auth=(os.environ["ORDERPROOF_USERNAME"], os.environ["ORDERPROOF_PASSWORD"])) as http:
    base, key = os.environ["ORDERPROOF_BASE_URL"], {"Klarna-Idempotency-Key": str(uuid.uuid4())}
    made = http.post(f"{base}{order}/captures", json={"captured_amount": 4000}, headers=key).raise_for_status()
    sys.exit(http.get(base + sys.argv[1] + made.headers["location"]).is_error)
"""


@pytest.mark.parametrize(("between", "also"), [("", set()), ("/", {"CLI-PATH-1", "CLI-PATH-2"})])
def test_a_client_that_takes_every_location_for_a_path_is_named(
    judged: Judged, between: str, also: set[str]
) -> None:
    result = judged([sys.executable, "-c", GLUED, between])
    assert {"CLI-READ-3"} | also == broken(result)
    found = next(block for block in result.blocks if block.rule.id == "CLI-READ-3")
    assert "a Location that is a whole URL is read" == found.expected


def test_the_outcome_keeps_the_published_schema(judged: Judged) -> None:
    import jsonschema

    result = judged(python(), "cut-after", SLIP="new key")
    data = json.loads(json.dumps(result_data(result)))
    jsonschema.validate(data, result_schema())
    rows = data["coverage"]["client"]["scenarios"]
    assert ["fair", "cut-after"] == [row["name"] for row in rows]
    assert {"exercised": 1, "broken": 1} == rows[1]["rules"]["CLI-IDM-4"]


def test_the_command_line_writes_a_report_without_secrets(tmp_path: Path) -> None:
    code = "import os, sys; print(os.environ['ORDERPROOF_PASSWORD'], file=open(sys.argv[1], 'w'))"
    script = f'"{sys.executable}" -c "{code}" {tmp_path / "secret"}; sh {SAMPLES / "tidy.sh"}'
    report = tmp_path / "report"
    done = run(
        "--flow", "capture-part", "--scenario", "unknown", "--report", str(report), "--", "sh", "-c", script
    )
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    secret = (tmp_path / "secret").read_text(encoding="utf-8").strip()
    assert len(secret) > 10
    written = {file.name: file.read_text(encoding="utf-8") for file in report.iterdir()}
    assert {"result.json", "report.html", "junit.xml", "matrix.md", "history.ndjson"} <= set(written)
    assert not [name for name, text in written.items() if secret in text]
    assert "| CLI-IDM-2 | ✓ | ✓ |" in written["matrix.md"]
    assert "Scenarios and rules" in written["report.html"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--", "no-such-command"], 2, "the command 'no-such-command' cannot be started"),
        ([], 2, "there is no command to run"),
        (["--scenario", "409s", "--", "true"], 2, "did you mean '409'?"),
        (["--flow", "captureall", "--", "true"], 2, "did you mean 'capture-all'?"),
        (["--env", "URL", "--", "true"], 2, "write NAME=VALUE"),
        (["--timeout", "0", "--", "true"], 2, "--timeout 0 is not above 0"),
        (["--only", "CAP-5", "--", "true"], 2, "judge a server, not a client"),
        (["--", "true"], 3, "sent no request to the sandbox"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], code: int, sentence: str) -> None:
    done = run(*words)
    assert code == done.returncode
    assert sentence in done.stderr
    assert 1 == done.stderr.count("\n")


TRAPPED = """
import os, pathlib, signal, sys, time, urllib.request as u
def note(number, frame):
    pathlib.Path(sys.argv[1] + ".got").write_text(str(number))
    os._exit(9)
signal.signal(int(sys.argv[2]), note)
try: u.urlopen(os.environ["ORDERPROOF_BASE_URL"])
except OSError: pass
pathlib.Path(sys.argv[1]).touch()
time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_to_the_command(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    words = [*COMMAND, "--", sys.executable, "-c", TRAPPED, str(ready), str(number.value)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for _ in range(200):
            if ready.exists():
                break
            time.sleep(0.1)
        child.send_signal(number)
        output, _ = child.communicate(timeout=30)
    assert (3, False) == (child.returncode, "Traceback" in output)
    assert str(number.value) == Path(f"{ready}.got").read_text(encoding="utf-8")


def test_an_interrupt_stops_the_command_and_keeps_what_was_found(tmp_path: Path) -> None:
    script = f"sh {SAMPLES / 'tidy.sh'}; echo $$ > {tmp_path / 'pid'}; sleep 60"
    words = [*COMMAND, "--flow", "capture-part", "--", "sh", "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as child:
        for _ in range(200):
            if (tmp_path / "pid").exists():
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        output, _ = child.communicate(timeout=30)
    assert 3 == child.returncode
    assert "Traceback" not in output
    pid = int((tmp_path / "pid").read_text(encoding="utf-8"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
