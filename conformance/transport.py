"""The HTTP client behind one small adapter: a request goes out as it stands, its answer or a reason comes back."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from orderproof.exchange import Headers, Request, Response
from orderproof.target import Target, is_loopback

LARGEST_ANSWER = 20_000_000
"""Bytes of a body after which an answer counts as endless."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a request: the answer, or why there is none; times in seconds since the epoch.

    `sent` is False when the request cannot have reached the server; `hung_up` says that the connection ended in place
    of an answer.
    """

    response: Response | None
    fault: str | None
    sent_at: float
    answered_at: float
    sent: bool = True
    hung_up: bool = False


@cache
def tls_context() -> ssl.SSLContext:
    """What TLS connections are checked with; made once, as reading all the certificates takes long."""
    return httpx.create_ssl_context()


class Unreadable(Exception):
    """The answer breaks off, never ends, or is no HTTP."""


class _Address(httpx.URL):
    """The URL of a server with the target of a request, which goes out as it stands, in the hands of a proxy too."""

    def __init__(self, origin: httpx.URL, target: str) -> None:
        super().__init__(origin)
        self._target = target.encode("latin-1")

    @property
    def raw_path(self) -> bytes:
        return self._target


def _proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for a server; none has any business between us and this machine."""
    parts = urlsplit(base_url)
    if is_loopback(base_url) or proxy_bypass(parts.hostname or ""):
        return None
    named = getproxies()
    address = named.get(parts.scheme) or named.get("all")
    return f"http://{address}" if address and "://" not in address else address


class Transport:
    """Sends requests to one target over kept-alive connections.

    Each goes out as it stands and each answer is what it is: redirects are not followed, cookies not kept, credentials
    not added. So it is the transport of httpx alone that is used, without the client that would do all that.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._origin = httpx.URL(target.base_url)
        self._host = self._origin.netloc.decode("ascii")
        self._timeout = httpx.Timeout(target.timeout).as_dict()
        self._prefix = urlsplit(target.base_url).path.rstrip("/")
        self._proxy = _proxy_for(target.base_url)
        self._connections = self._open()

    def _open(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(verify=tls_context(), proxy=self._proxy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections.close()

    def send(self, request: Request, *, prefixed: bool = True) -> Delivery:
        """Send a request once; never repeats it. Faults of the network come back as such, not as exceptions.

        The path prefix of the base URL is put before the request target, unless `prefixed` is False.
        """
        sent_at = time.time()
        target = (self._prefix if prefixed else "") + request.target
        try:
            response = self._exchange(request, target, time.monotonic() + 3 * self._target.timeout)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return Delivery(None, _reason(error), sent_at, time.time(), sent=False)
        except (httpx.HTTPError, httpx.InvalidURL, Unreadable, ValueError) as error:
            self._renew()
            hung_up = isinstance(error, (httpx.NetworkError, httpx.RemoteProtocolError))
            return Delivery(None, _reason(error), sent_at, time.time(), hung_up=hung_up)
        if response.status >= 500:
            # Servers close the connection after an unhandled error, some only after they promised to keep it.
            self._renew()
        return Delivery(response, None, sent_at, time.time())

    def rest(self) -> None:
        """Close the connections that are kept alive: a server may take one at a time, and another is to be opened."""
        self._renew()

    def _renew(self) -> None:
        self._connections.close()
        self._connections = self._open()

    def _exchange(self, request: Request, target: str, deadline: float) -> Response:
        outgoing = httpx.Request(
            request.method,
            self._origin,
            headers=[("Host", self._host), *request.headers, *_length(request)],
            stream=httpx.ByteStream(request.body),
            extensions={"timeout": self._timeout},
        )
        outgoing.url = _Address(self._origin, target)
        answer = self._connections.handle_request(outgoing)
        try:
            body = _read(answer, deadline)
        finally:
            answer.close()
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw
        )
        return Response(headers=headers, body=body, status=answer.status_code)


def _length(request: Request) -> Headers:
    """The `Content-Length` that a request takes and does not bring along."""
    needless = not request.body and request.method not in ("POST", "PATCH", "PUT")
    if needless or request.header("content-length") is not None:
        return ()
    return (("Content-Length", str(len(request.body))),)


def _read(answer: httpx.Response, deadline: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            raise Unreadable(f"the answer is larger than {LARGEST_ANSWER // 1_000_000} MB")
        if time.monotonic() > deadline:
            raise Unreadable("the answer does not come to an end")
    return b"".join(parts)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    text = str(error).strip() or type(error).__name__
    return (
        text if isinstance(error, Unreadable) else f"{_KINDS.get(type(error), 'no readable answer')} ({text})"
    )


_KINDS: dict[type[Exception], str] = {
    httpx.ConnectError: "cannot connect",
    httpx.ProxyError: "the proxy does not lead there",
    httpx.ReadError: "the connection was lost",
    httpx.WriteError: "the connection was lost",
    httpx.RemoteProtocolError: "the answer is no HTTP, or breaks off",
}
