"""Outcomes of made-up runs, one for each thing that a report has to show."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from orderproof.catalogue import catalogue
from orderproof.outcome import Block, RuleResult, RunResult, StepShown, Verdict

ORDER = "1f5cbb1b-5b4c-4d6f-8f3e-7a9d3e2c1b00"
ORDER_PATH = f"/ordermanagement/v1/orders/{ORDER}"
HOSTILE = '\x1b[2J</pre><script>alert("x")</script>\u202e<img src=x onerror=alert(1)>\r\n]]>&\ud800'
"""What a hostile target might put wherever it can put text."""


def message(status_or_method: int | str, body: str = "", **more: Any) -> dict[str, Any]:
    """Return a request (with a method) or an answer (with a status) as the history records it."""
    kind = "status" if isinstance(status_or_method, int) else "method"
    headers = [["Content-Type", "application/json"]] if body else []
    return {kind: status_or_method, "headers": headers, **({"body": body} if body else {}), **more}


def exchange(
    number: int, request: dict[str, Any], answer: dict[str, Any] | None, **more: Any
) -> dict[str, Any]:
    """Return one exchange as the history records it, 10 ms after the last one and answered in 4."""
    start = 1_795_000_000.0 + number / 100
    times = {"sent_at": start, "answered_at": start + 0.004}
    return {
        "number": number,
        "scenario": "capture above",
        **times,
        "request": request,
        "response": answer,
        **more,
    }


OPEN_ORDER = {
    "status": "AUTHORIZED",
    "order_amount": 10_000,
    "captured_amount": 0,
    "refunded_amount": 0,
    "remaining_authorized_amount": 10_000,
}

TOO_MUCH = Block(
    rule=catalogue()["CAP-5"],
    expected="403 CAPTURE_NOT_ALLOWED, order unchanged",
    actual="201 Created, captured_amount 10001",
    operation="captureOrder",
    order_id=ORDER,
    scenario="capture above",
    sent='POST …/captures {"captured_amount": 10001}   (call 2 of 2)',
    steps=(
        StepShown("order of 10000", "200 OK"),
        StepShown('POST …/captures {"captured_amount": 10001}', "201 Created", deciding=True),
    ),
    curl=f"""curl -i -u "$ORDERPROOF_USERNAME:$ORDERPROOF_PASSWORD" \\
  -H 'Content-Type: application/json' \\
  -d '{{"captured_amount": 10001}}' \\
  http://127.0.0.1:8080{ORDER_PATH}/captures""",
    file="counterexamples/CAP-5.json",
    follows=(
        (catalogue()["ORD-SUM-5"], "captured_amount <= order_amount", "10001 > 10000"),
        (catalogue()["ORD-SUM-3"], "remaining_authorized_amount 0", "-1"),
        (catalogue()["ORD-SUM-5"], "captured_amount <= order_amount", "10002 > 10000"),
    ),
    exchanges=(
        exchange(41, message("GET", target=ORDER_PATH), message(200, json.dumps(OPEN_ORDER))),
        exchange(
            42,
            message("POST", '{"captured_amount": 10001}', target=f"{ORDER_PATH}/captures"),
            message(201, '{"captured_amount":10001}'),
        ),
    ),
    count=3,
    deciding=42,
)

UNNAMED = Block(
    rule=catalogue()["GEN-404-2"],
    expected="a message that has the order id",
    actual='"not found"',
    operation="getOrder",
    order_id=None,
    scenario="unknown order",
    sent=f"GET {ORDER_PATH}",
    curl=f"curl -i http://127.0.0.1:8080{ORDER_PATH}",
)

TWICE = Block(
    rule=catalogue()["CON-1"],
    expected="captures of at most 10000 in all",
    actual="201 and 201: 12000 captured",
    operation="captureOrder",
    order_id=ORDER,
    scenario="captures at once",
    sent='POST …/captures {"captured_amount": 6000}   (one of 2 calls at once)',
    steps=(
        StepShown("order of 20000", "200 OK"),
        StepShown('PATCH …/authorization {"order_amount": 10000}', "204 No Content"),
        StepShown('POST …/captures {"captured_amount": 6000}', "201 Created"),
        StepShown('POST …/captures {"captured_amount": 6000}', "201 Created", deciding=True),
    ),
    curl="curl …",
    file="counterexamples/CON-1.json",
    exchanges=(
        exchange(
            50,
            message("POST", '{"captured_amount": 6000}', target=f"{ORDER_PATH}/captures"),
            message(201),
            group=7,
            answered_at=1_795_000_000.512,
        ),
        exchange(
            51,
            message("POST", '{"captured_amount": 6000}', target=f"{ORDER_PATH}/captures"),
            message(201),
            group=7,
            sent_at=1_795_000_000.501,
            answered_at=1_795_000_000.517,
        ),
        exchange(52, message("GET", target=ORDER_PATH), message(200, '{"captured_amount":12000}')),
    ),
    deciding=51,
)


def rule_results(**verdicts: tuple[Verdict, int, str]) -> tuple[RuleResult, ...]:
    """Return a verdict on each server rule: passed four times, unless given by id (`CAP_5=…`)."""
    named = {name.replace("_", "-"): value for name, value in verdicts.items()}
    return tuple(
        RuleResult(rule, *named.get(rule.id, (Verdict.PASSED, 4, "")))
        for rule in catalogue().values()
        if rule.judges == "server"
    )


CLOCK = "the target has no clock that can be moved (--config, [clock])"
COVERAGE = {
    "transitions": [
        {"state": s, "operation": o, "outcome": w, "count": c, "next": n, "broken": b}
        for s, o, w, c, n, b in (
            ("AUTHORIZED", "captureOrder", "taken", 31, "PART_CAPTURED", False),
            ("AUTHORIZED", "captureOrder", "taken", 12, "CAPTURED", False),
            ("AUTHORIZED", "captureOrder", "refused", 9, None, False),
            ("AUTHORIZED", "cancelOrder", "taken", 14, "CANCELLED", False),
            ("AUTHORIZED", "acknowledgeOrder", "taken", 6, "AUTHORIZED", False),
            ("PART_CAPTURED", "captureOrder", "taken", 8, "CAPTURED", False),
            ("PART_CAPTURED", "refundOrder", "taken", 5, "PART_CAPTURED", False),
            ("PART_CAPTURED", "releaseRemainingAuthorization", "taken", 4, "RELEASED", False),
            ("PART_CAPTURED", "captureOrder", "taken", 1, "CAPTURED", True),
            ("CAPTURED", "refundOrder", "taken", 3, "CAPTURED", False),
            ("CANCELLED", "captureOrder", "refused", 7, None, False),
            ("CANCELLED", "captureOrder", "taken", 1, "CAPTURED", True),
        )
    ]
}

CONFORMS = RunResult(
    command="orderproof check --seed 7",
    target="the embedded sandbox",
    profile="quick",
    seed=7,
    started_at="2026-11-23T10:15:00Z",
    duration_s=4.21,
    requests=1312,
    verdict="conforms",
    exit_code=0,
    rules=rule_results(
        GEN_VAL_3=(Verdict.NOT_EXERCISED, 0, "the profile quick sends no body of 2 MB"),
        IDM_8=(Verdict.NOT_EXERCISED, 0, CLOCK),
        EXT_5=(Verdict.NOT_EXERCISED, 0, CLOCK),
    ),
    coverage=COVERAGE,
)

BROKEN = replace(
    CONFORMS,
    command="orderproof check --base-url http://127.0.0.1:8080 --seed 7",
    target="http://127.0.0.1:8080",
    duration_s=125.4,
    requests=18204,
    verdict="broken",
    exit_code=1,
    rules=rule_results(
        CAP_5=(Verdict.FAILED, 12, ""),
        ORD_SUM_3=(Verdict.FAILED, 204, ""),
        ORD_SUM_5=(Verdict.FAILED, 204, ""),
        CON_1=(Verdict.FAILED, 3, ""),
        GEN_404_2=(Verdict.WARNED, 18, ""),
        EXT_4=(Verdict.WAIVED, 2, "extended by 14 days for test accounts (until 2027-01-31)"),
        RFD_10=(Verdict.ERROR, 1, "ValueError: no description"),
        IDM_8=(Verdict.NOT_EXERCISED, 0, CLOCK),
        EXT_5=(Verdict.NOT_EXERCISED, 0, CLOCK),
        DUE_2=(
            Verdict.NOT_EXERCISED,
            0,
            "the target gives no order that can be paid later (needs pay-later)",
        ),
    ),
    blocks=(TOO_MUCH, TWICE, UNNAMED),
    notes=("the target answered 429 for 14 of 18,204 requests; the run waited 28 s for it",),
)

NOT_JUDGED = replace(
    CONFORMS,
    target="http://127.0.0.1:1",
    requests=0,
    duration_s=0.02,
    verdict="not judged",
    exit_code=3,
    rules=(),
    coverage={},
    notes=("http://127.0.0.1:1 cannot be reached: connection refused",),
)

_HOSTILE_BLOCK = replace(
    TOO_MUCH,
    expected=HOSTILE,
    actual=HOSTILE * 9,
    operation=HOSTILE,
    order_id=HOSTILE,
    scenario=HOSTILE,
    sent=HOSTILE,
    steps=(
        StepShown(HOSTILE, HOSTILE),
        StepShown(HOSTILE, HOSTILE),
        StepShown(HOSTILE, HOSTILE, deciding=True),
    ),
    curl=f"curl '{HOSTILE}'",
    note=HOSTILE,
    exchanges=(
        exchange(1, message("POST", HOSTILE, target=HOSTILE), message(201, f'{{"a": "{HOSTILE}"}}'), group=1),
        exchange(2, message(HOSTILE, HOSTILE, target=HOSTILE), None, group=1, fault=HOSTILE),
        exchange(3, message("GET", target="/"), {**message(200), "headers": [[HOSTILE, HOSTILE]]}),
        exchange(4, message("GET", target="/"), {**message(200), "body_base64": "/w=="}),
    ),
)

HOSTILE_RUN = replace(
    BROKEN,
    command=HOSTILE,
    target=HOSTILE,
    interrupted=HOSTILE,
    rules=rule_results(CAP_5=(Verdict.FAILED, 1, HOSTILE), IDM_8=(Verdict.NOT_EXERCISED, 0, HOSTILE)),
    blocks=(_HOSTILE_BLOCK,),
    notes=(HOSTILE,),
    coverage={
        "transitions": [
            {
                "state": HOSTILE,
                "operation": HOSTILE,
                "outcome": "taken",
                "count": 1,
                "next": HOSTILE,
                "broken": True,
            }
        ]
    },
)
