"""What was written and not read yet stays as expected, while a reading shows another part of the order."""

from __future__ import annotations

import pytest

from orderproof.drivers.commands import Command
from orderproof.drivers.drafts import draft, line
from orderproof.drivers.session import Session
from orderproof.drivers.stage import Stage
from orderproof.judge import Judge
from orderproof.sandbox.options import Settings
from orderproof.sandbox.server import background
from orderproof.supply import supply_from
from orderproof.target import Target
from orderproof.transport import Transport

WRITES = (
    Command("captureOrder", body={"captured_amount": 5_000, "order_lines": [line(5_000)]}, read=False),
    Command("refundOrder", body={"refunded_amount": 10, "order_lines": [line(10)]}, read=False),
    Command("updateConsumerDetails", body={"shipping_address": {"given_name": "Other"}}, read=False),
    Command("appendOrderShippingInfo", body={"shipping_info": [{"tracking_number": "1"}]}, read=False),
)


@pytest.mark.parametrize(
    "reading",
    [Command("getCaptures"), Command("getCapture", capture=0), Command("getRefund", refund=0)],
    ids=lambda one: one.operation,
)
def test_reading_a_part_after_several_writes_accuses_nobody(reading: Command) -> None:
    judge = Judge()
    with background(Settings()) as url, Transport(Target(url, "sandbox", "sandbox")) as transport:
        target = Target(url, "sandbox", "sandbox")
        session = Session(transport, target, supply_from(target.orders), judge.observe, judge.state)
        stage = Stage(session, "parts")
        stage.obtain(draft())
        for command in (*WRITES, reading, Command("getOrder")):
            assert stage.perform(command) is not None
    assert [f"{found.rule}: {found.actual}" for found in judge.findings] == []
