"""A listener on an address: connections, each in a thread of its own, and the requests that arrive on them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from orderproof.client.arriving import Arrival, Arrivals, OtherProtocol
from orderproof.client.certificate import HOSTS

_TLS_HANDSHAKE = 0x16
_CONNECT = b"CONNECT "
_HANDSHAKE_SECONDS = 10.0

Handler = Callable[[Arrival, Arrivals, socket.socket], bool]
"""Answers a request on its connection; returns whether the connection goes on."""


class Listener:
    """Listens on an address (port 0: a free one) until the block ends, and gives each request to a handler.

    With a TLS context it speaks TLS alone, straight or as the proxy that a client takes to one of the API's hosts; it
    leads nowhere else. A `shut` one holds its port, where nobody listens then. `notes` say what
    went wrong below HTTP. Raises OSError when the address cannot be had.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        shut: bool = False,
    ) -> None:
        self._handler = handler
        self._tls = tls
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host, port))
            if not shut:
                self._listener.listen(256)
        except (OSError, OverflowError):
            self._listener.close()
            raise
        self.port: int = self._listener.getsockname()[1]
        self.notes: dict[str, None] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._accepting = None if shut else threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        if self._accepting is not None:
            self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # which wakes the thread that accepts
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            still_open = list(self._open)
        for connection in still_open:
            _hang_up(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        try:
            with connection, contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                secured = self._secured(connection)
                if secured is not None:
                    with secured:
                        self._converse(secured)
        finally:
            with self._lock:
                self._open.discard(connection)

    def _secured(self, connection: socket.socket) -> socket.socket | None:
        """The connection as requests arrive on it; None where the client speaks another protocol."""
        if connection.recv(len(_CONNECT), socket.MSG_PEEK) == _CONNECT and not self._is_tunnelled(connection):
            return None
        first = connection.recv(1, socket.MSG_PEEK)
        speaks_tls = first[:1] == bytes([_TLS_HANDSHAKE])
        if first and speaks_tls is (self._tls is None):
            spoken = "TLS to a plain port: give --tls" if speaks_tls else "plain HTTP to a TLS port"
            self.notes[f"the command spoke {spoken}"] = None
            return None
        if self._tls is None:
            return connection
        connection.settimeout(_HANDSHAKE_SECONDS)
        try:
            secured = self._tls.wrap_socket(connection, server_side=True)
        except ssl.SSLError as error:
            reason = (error.reason or "no reason given").lower().replace("_", " ")
            self.notes[f"a TLS handshake failed ({reason}): does the command trust ORDERPROOF_CA_FILE?"] = (
                None
            )
            return None
        secured.settimeout(None)
        return secured

    def _is_tunnelled(self, connection: socket.socket) -> bool:
        """Answer a client that takes us for a proxy; says whether it may go on."""
        arrival = Arrivals(connection).next()
        host = arrival.request.target.rpartition(":")[0] if arrival is not None else ""
        if self._tls is not None and host in HOSTS:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            return True
        why = "give --tls" if host in HOSTS else f"there is a way to {', '.join(HOSTS)} alone"
        self.notes[f"the command asked for a way to {host[:60]!r}: {why}"] = None
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        return False

    def _converse(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)
        arrivals = Arrivals(connection)
        try:
            while (arrival := arrivals.next()) is not None:
                if not self._handler(arrival, arrivals, connection):
                    break
            _say_goodbye(connection)
        except OtherProtocol as error:
            self.notes[f"the command spoke {error}"] = None
        finally:
            with self._lock:
                self._open.discard(connection)


def _say_goodbye(connection: socket.socket) -> None:
    """End our side first: bytes of the client that nobody read would turn the end into a reset."""
    with contextlib.suppress(OSError):
        connection.settimeout(0.5)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            continue


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
