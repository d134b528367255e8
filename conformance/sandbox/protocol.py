"""How the sandbox reads HTTP: as uvicorn does, with two changes that a server for real clients needs."""

from __future__ import annotations

import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orderproof.sandbox.answers import refused
from orderproof.sandbox.calls import INVALID, Refusal
from orderproof.sandbox.options import Open

_HEAD = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n"
)
_UPGRADE = re.compile(rb"\r\nUpgrade:", re.IGNORECASE)


class SandboxProtocol(HttpToolsProtocol):
    """One connection of a client."""

    def data_received(self, data: bytes) -> None:
        """Take in bytes. A wish to change the protocol is overlooked.

        Some clients ask for HTTP/2 on every first request. The parser would stop after the head and lose the
        body.
        """
        if (b"pgrade:" in data or b"PGRADE:" in data) and not self._in_body():
            head, blank, rest = data.partition(b"\r\n\r\n")
            data = _UPGRADE.sub(rb"\r\nX-Asked:", head) + blank + rest
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are not HTTP. A whole request before them still gets its answer, the last one."""
        if self.cycle is not None and not self.cycle.response_complete and not self._in_body():
            self.cycle.keep_alive = False
            return
        answer = refused(Refusal(400, INVALID, "The request is not well-formed HTTP."), Open())
        self.transport.write(_HEAD % len(answer.body) + answer.body)
        self.transport.close()

    def _in_body(self) -> bool:
        return self.cycle is not None and self.cycle.more_body
