"""Orders are obtained, also from a server that closes its connections when it likes."""

from __future__ import annotations

import json

import pytest

from orderproof.errors import CannotJudge
from orderproof.exchange import Exchange, Request, Response
from orderproof.supply import supply_from

_MADE = Response(headers=(), body=json.dumps({"order_id": "an-id"}).encode(), status=200)


def _obtained(*answers: Response | None) -> tuple[str, int]:
    """Obtain an order where each request is answered so, or lost for None; returns its id and how many were sent."""
    left = list(answers)

    def send(request: Request) -> Exchange:
        answer = left.pop(0)
        fault = None if answer else "the connection was lost"
        return Exchange(number=1, request=request, response=answer, sent_at=0, answered_at=0, fault=fault)

    return supply_from("customer-token:t").obtain({"order_amount": 1}, send), len(answers) - len(left)


def test_an_answer_is_enough() -> None:
    assert _obtained(_MADE, _MADE) == ("an-id", 1)


def test_a_lost_connection_costs_an_order_nobody_sees() -> None:
    assert _obtained(None, _MADE) == ("an-id", 2)


def test_a_server_that_does_not_answer_is_told() -> None:
    with pytest.raises(CannotJudge, match="the connection was lost"):
        _obtained(None, None, _MADE)
