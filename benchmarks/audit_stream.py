"""Measure how long the audit of a long recording takes, and how much memory.

    python benchmarks/audit_stream.py [--exchanges 10000] [--har]

The recording is the shelf over and over, each time with ids of its own, so that its orders are as many as a merchant's
are. A quarter of it is audited first: memory that grew with the length would show in the second figure.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from orderproof import cassettes
from orderproof.cassette.audit import audit
from orderproof.cassette.entries import Entry
from orderproof.cassette.reading import Recording
from orderproof.catalogue import select

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAMES = [name for name in cassettes.names() if not cassettes.index()[name]["probes"]]


def texts(length: int) -> Iterator[str]:
    """Yield cassettes as text, without their headers, until they have so many exchanges."""
    whole = {name: cassettes.path(name).read_text(encoding="utf-8") for name in NAMES}
    count = 0
    while count < length:
        for name in NAMES:
            ids: dict[str, str] = {}
            text = whole[name][whole[name].index("- recorded_at") :]
            yield UUID.sub(lambda found, ids=ids: ids.setdefault(found[0], str(uuid.uuid4())), text)
            count += cassettes.index()[name]["exchanges"]


def write_yaml(path: Path, length: int) -> None:
    """Write a cassette of at least so many exchanges."""
    with path.open("w", encoding="utf-8") as file:
        file.write("version: 1\ninteractions:\n")
        file.writelines(texts(length))


def write_har(path: Path, source: Path) -> None:
    """Write the same exchanges as a HAR file."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"log": {"version": "1.2", "entries": [\n')
        for entry in Recording(source):
            comma = ",\n" if entry.exchange.number > 1 else ""
            file.write(comma + json.dumps(har_entry(entry)))
        file.write("]}}\n")


def har_entry(entry: Entry) -> dict[str, object]:
    """An exchange as an entry of a HAR file."""
    exchange = entry.exchange
    response = exchange.response
    assert response is not None
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(exchange.sent_at))
    return {
        "startedDateTime": f"{moment}.{int(exchange.sent_at % 1 * 1000):03d}Z",
        "time": 0,
        "request": {
            "method": exchange.request.method,
            "url": f"http://sandbox.example{exchange.request.target}",
            "headers": [{"name": name, "value": value} for name, value in exchange.request.headers],
            "postData": {"text": exchange.request.body.decode()},
        },
        "response": {
            "status": response.status,
            "headers": [{"name": name, "value": value} for name, value in response.headers],
            "content": {"size": len(response.body), "text": response.body.decode()},
        },
    }


def measure(path: Path) -> None:
    """Audit a file and print what it took."""
    started, cpu = time.monotonic(), time.process_time()
    result = audit([Recording(path)], select([]))
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = path.stat().st_size / 1_000_000
    print(
        f"{result.requests:6,} exchanges, {size:5.1f} MB: {result.verdict}, "
        f"{seconds:5.1f} s ({cpu:.1f} s of CPU), peak {peak:.0f} MB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exchanges", type=int, default=10_000, help="how long the recording is")
    parser.add_argument("--har", action="store_true", help="audit a HAR file instead of a cassette")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for length in (chosen.exchanges // 4, chosen.exchanges):
            path = Path(folder) / f"{length}.yaml"
            write_yaml(path, length)
            if chosen.har:
                write_har(path.with_suffix(".har"), path)
                path = path.with_suffix(".har")
            measure(path)


if __name__ == "__main__":
    main()
