"""The sandbox is a second reading of the contract: it shares the document, and no code, with the judge."""

from __future__ import annotations

import json
import subprocess
import sys

LIST = """
import json, sys
from orderproof.sandbox import server
print(json.dumps([name for name in sys.modules if name.split(".")[0] == "orderproof"]))
"""


def test_nothing_but_the_document_is_shared() -> None:
    printed = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True).stdout
    others = [name for name in json.loads(printed) if not name.startswith("orderproof.sandbox")]

    assert sorted(others) == ["orderproof", "orderproof.spec"]
