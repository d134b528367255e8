"""What a stage does around the calls of its sequence."""

from __future__ import annotations

from orderproof.drivers.stage import Stage
from orderproof.exchange import Request
from orderproof.transport import Delivery
from tests.drivers.sessions import watched


def test_the_clock_is_moved_over_a_new_connection() -> None:
    done: list[str] = []
    with watched("core") as watch:
        sender = watch.session.sender

        class Noting:
            def send(self, request: Request, *, prefixed: bool = True) -> Delivery:
                done.append(request.method)
                return sender.send(request, prefixed=prefixed)

            def rest(self) -> None:
                done.append("rest")
                sender.rest()

        watch.session.sender = Noting()
        Stage(watch.session, "a sequence").move_clock(60)
    assert done == ["rest", "POST"]
