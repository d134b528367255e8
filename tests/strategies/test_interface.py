"""What the strategies are as a library: what they import, how they are called, and where their bounds come from."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from orderproof import strategies

FOLDER = Path(strategies.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
POSITIONAL = {"body_boundaries", "body_defects", "full_body"}

# Every bound of the document cut down, and every closed list to its last member: values then have to follow.
SHRUNK = """
import json, sys
from hypothesis import HealthCheck, find, given, settings, strategies as st
from orderproof import spec

document = json.loads(json.dumps(spec.openapi()))
schemas = document["components"]["schemas"]
schemas["CaptureRequest"]["properties"]["captured_amount"]["maximum"] = 77
schemas["CaptureRequest"]["properties"]["description"]["maxLength"] = 7
schemas["CaptureRequest"]["properties"]["order_lines"]["maxItems"] = 3
for name in ("unit_price", "total_amount", "total_discount_amount", "total_tax_amount"):
    schemas["OrderLine"]["properties"][name]["maximum"] = 80
schemas["ShippingInfo"]["properties"]["shipping_method"]["enum"] = ["Pigeon"]
schemas["Subscription"]["properties"]["interval_count"]["minimum"] = 36
spec.openapi = lambda: document

from hypothesis.errors import InvalidArgument
from orderproof.strategies import amounts, body_defects, captures, order_lines

seen = {"amounts": [], "lengths": [], "prices": [], "methods": [], "counts": []}

@settings(max_examples=300, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(amounts(), captures(remaining=60), order_lines(total=70, max_size=3))
def collect(amount, body, lines):
    seen["amounts"].append(amount)
    seen["lengths"].append(len(body.get("description", "")))
    seen["methods"] += [item["shipping_method"] for item in body.get("shipping_info", []) if "shipping_method" in item]
    for line in lines:
        seen["prices"] += [line["unit_price"], line.get("total_discount_amount", 0)]
        seen["counts"] += [line["subscription"]["interval_count"]] if "subscription" in line else []

collect()
try:
    order_lines(total=70, max_size=4)
    refusal = ""
except InvalidArgument as error:
    refusal = str(error)
defects = body_defects("CaptureRequest", {"captured_amount": 5})
above = [each.body["captured_amount"] for each in defects if each.kind == "above"]
print(json.dumps({
    "amount": max(seen["amounts"]), "length": max(seen["lengths"]), "price": max(seen["prices"]),
    "methods": sorted(set(seen["methods"])), "counts": sorted(set(seen["counts"])), "refusal": refusal, "above": above,
}))
"""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_strategies_import_the_spec_hypothesis_and_the_standard_library_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top = name.partition(".")[0]
            ours = name.startswith(("orderproof.spec", "orderproof.strategies"))
            assert ours or top == "hypothesis" or top in sys.stdlib_module_names, (
                f"{path.name} imports {name}"
            )


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_nothing_is_filtered(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not [word for word in (".filter(", "assume(", "reject(") if word in text]


def test_everything_public_is_documented() -> None:
    undocumented = [
        name for name in strategies.__all__ if name != "LEFT_OUT" and not vars(strategies)[name].__doc__
    ]
    assert [] == undocumented


@pytest.mark.parametrize("name", sorted(set(strategies.__all__) - {"LEFT_OUT", "Boundary", "Defect"}))
def test_strategies_are_called_by_keyword(name: str) -> None:
    kinds = {each.kind for each in inspect.signature(getattr(strategies, name)).parameters.values()}
    assert name in POSITIONAL or kinds <= {inspect.Parameter.KEYWORD_ONLY}


def test_bounds_are_those_of_the_document_at_run_time() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SHRUNK], capture_output=True, check=True, text=True, timeout=120
    )
    assert {
        "amount": 77,
        "length": 7,
        "price": 80,
        "methods": ["Pigeon"],
        "counts": [36],
        "refusal": "max_size=4 is above 3",
        "above": [78],
    } == json.loads(run.stdout)
