"""Writes the page `docs/strategies.md`: every public name of the strategies, with three values of each.

    python -m tests.strategies.page > docs/strategies.md

It runs in a process of its own, because what Hypothesis draws for a seed also depends on the constants in the modules
that happen to be loaded.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from itertools import islice
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture import providers
from hypothesis.strategies import SearchStrategy

from orderproof import strategies

# Which modules count as the user's own, and lend their constants to draws, depends on how the package is installed.
_NO_CONSTANTS = providers._local_constants
providers._get_local_constants = lambda: _NO_CONSTANTS

MADE_WITH = f"The values were drawn by Hypothesis {hypothesis.__version__}."
_SHORT = 420

HEAD = """# Strategies

`orderproof.strategies` makes request bodies for the Order Management API, for tests of your own. It needs Hypothesis
and nothing else of orderproof: no server, no checks.

Structure and bounds are read from the OpenAPI document that comes with the package. What a schema cannot say is
added: order lines whose totals and tax hold and that sum to the amount, the signs of discounts and fees, addresses
that fit their country, text from many scripts that no server has a reason to change. Every value is valid by
construction, and shrinks to what a person would write by hand.

```python
from hypothesis import given

from orderproof.strategies import captures


@given(captures(remaining=10000))
def test_no_capture_is_worth_more_than_what_remains(body):
    assert 0 < body["captured_amount"] <= 10000
    assert body["captured_amount"] == sum(
        line["total_amount"] for line in body.get("order_lines", [{"total_amount": body["captured_amount"]}])
    )
```

Amounts are integers in minor units. Strategies take keyword arguments alone. An argument that makes no sense raises
`hypothesis.errors.InvalidArgument` at the call, not at the first draw, and names its value.

"""

# What stands on the page for each name, in this sequence. Long values are passed over.
STRATEGIES = {
    "Amounts and text": {
        "amounts": "amounts(min_value=1, max_value=10000)",
        "boundary_amounts": "boundary_amounts(near=10000)",
        "texts": "texts(max_length=40)",
        "field_texts": 'field_texts(field="OrderLine.quantity_unit")',
        "full_texts": "full_texts(length=20)",
    },
    "Orders": {
        "order_lines": "order_lines(total=10000)",
        "order_drafts": "order_drafts(max_amount=50000)",
        "edge_order_drafts": "edge_order_drafts()",
        "addresses": 'addresses(country="SE")',
        "address_updates": "address_updates()",
        "merchant_references": "merchant_references()",
        "authorization_updates": "authorization_updates(captured=2500, current=10000)",
    },
    "Captures": {
        "captures": "captures(remaining=10000)",
        "shipping_infos": "shipping_infos()",
        "shipping_info_appends": "shipping_info_appends()",
        "due_date_days": "due_date_days(options=[14, 30, 60])",
        "due_date_extensions": "due_date_extensions(options=[14, 30, 60], offered=False)",
    },
    "Refunds": {
        "refunds": "refunds(refundable=10000, captures=[4000, 6000])",
        "spanning_refunds": "spanning_refunds(captures=[4000, 6000])",
        "return_fee_refunds": "return_fee_refunds(refundable=10000)",
    },
    "Around the body": {
        "idempotency_keys": "idempotency_keys()",
        "invalid_bodies": 'invalid_bodies(component="CaptureRequest", valid={"captured_amount": 500})',
    },
}
ENUMERATIONS = {
    "body_defects": 'body_defects("RefundRequest", full_body("RefundRequest"))',
    "body_boundaries": 'body_boundaries("RefundRequest", full_body("RefundRequest"))',
}
VALUES = {
    "full_body": 'full_body("ShippingInfoAppend")',
    "places": 'places(country="SE")',
}


def main() -> None:
    """Print the page."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(page())


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for title, entries in STRATEGIES.items():
        parts.append(f"## {title}\n\n")
        parts += [_entry(name, call, _drawn(evaluated(call))) for name, call in entries.items()]
    parts.append("## One defect, one bound\n\nBoth are made without chance, and are complete.\n\n")
    for name, call in ENUMERATIONS.items():
        found = list(evaluated(call))
        shown = islice(found, 0, None, len(found) // 3)
        parts.append(_entry(name, call, [f"{each.description}  ({each.kind})" for each in islice(shown, 3)]))
    parts += [_entry(name, call, [_json(evaluated(call))]) for name, call in VALUES.items()]
    parts += [_classes(), _left_out(), f"---\n\n{MADE_WITH}\n"]
    return "".join(parts)


def evaluated(call: str) -> Any:
    """Return what a call on this page gives."""
    return eval(call, dict(vars(strategies)))


def _entry(name: str, call: str, values: list[str]) -> str:
    function = getattr(strategies, name)
    signature = re.sub(r"(: |-> )'([^']*)'", r"\1\2", f"{name}{inspect.signature(function)}")
    return (
        f"### {name}\n\n```python\n{signature}\n```\n\n{inspect.getdoc(function)}\n\n"
        f"`{call}`\n\n```text\n" + "\n".join(values) + "\n```\n\n"
    )


def _drawn(strategy: SearchStrategy[Any]) -> list[str]:
    """Return the plainest value and two others, none of them long."""
    drawn: dict[str, None] = {}

    @seed(1)
    @settings(
        max_examples=100,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        text = _json(value)
        if len(text) <= _SHORT:
            drawn[text] = None

    collect()
    first, *others = drawn
    by_length = sorted(others[:30], key=len)
    return [first, *(by_length[len(by_length) * part // 5] for part in (1, 3))]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _classes() -> str:
    texts = [
        f"### {one.__name__}\n\n{inspect.getdoc(one)}\n\n" for one in (strategies.Defect, strategies.Boundary)
    ]
    return "".join(texts)


def _left_out() -> str:
    rows = (f"| `{field}` | {kind} | {reason} |\n" for (field, kind), reason in strategies.LEFT_OUT.items())
    head = (
        "### LEFT_OUT\n\nBounds that `body_boundaries` passes over: a conforming server may refuse there.\n\n"
    )
    return head + "| field | bound | why |\n|---|---|---|\n" + "".join(rows) + "\n"


if __name__ == "__main__":
    main()
