"""Exchanges over connections to the target, every wait under a total deadline."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import select
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from sendpoll.conformance.http.exchange import Failure, Request, Response, Timing
from sendpoll.conformance.http.limits import LARGE_BODY
from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.core.dialing.dial import Dialer, DialError, dial_fault
from sendpoll.core.http.head import Fault

_numbers = itertools.count(1)
_BETWEEN_PACKETS = 0.02
"""Seconds between head and body where they come apart: no server then reads both at once by chance."""


class NoConnectionError(Exception):
    """The target could not be reached; the message says why, in words for its owner."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came back for one request."""

    response: Response | None
    timing: Timing
    failure: Failure | None = None
    detail: str = ""
    stray: tuple[Fault, ...] = ()
    """Faults of bytes that came to no answer."""


class Connection:
    """One connection, for one request after another. A context manager; not for two threads at once."""

    def __init__(self, dialer: Dialer, deadline: float, host: str | None = None) -> None:
        """Connect before `deadline` (monotonic seconds); `host` overrides where to, not what is asked for.

        Raises NoConnectionError.
        """
        self.number = next(_numbers)
        self._kept = True
        target, proxy = dialer.target, dialer.proxy
        self._presented = target.client_cert is not None
        is_forwarded = proxy is not None and not target.is_tls
        absolute = f"{target.url.scheme}://{target.url.netloc}" if is_forwarded else ""
        self._prefix = f"{absolute}{target.path_prefix}"
        self._proxy_authorization = proxy.authorization if proxy is not None and is_forwarded else ""
        try:
            self._socket: socket.socket = dialer.dial(
                max(0.01, min(target.timeouts.connect, deadline - time.monotonic())), host
            )
        except DialError as error:
            raise NoConnectionError(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def interrupt(self) -> None:
        """Let whoever waits for it, in another thread, wait no longer."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS itself is not for two threads

    def close(self) -> None:
        """Close it, whatever state it is in."""
        self._socket.close()

    def may_be_used_again(self) -> bool:
        """Whether neither side has ended it: no client sends anything behind an answer that says that it will close."""
        return self._kept and not self.closed_by_server(within=0.0)

    def closed_by_server(self, within: float) -> bool:
        """Whether the server closes the idle connection within so many seconds."""
        until = time.monotonic() + within
        while select.select([self._socket], [], [], max(0.0, until - time.monotonic()))[0]:
            self._socket.settimeout(0.01)
            try:
                return self._socket.recv(1) == b""
            except (TimeoutError, ssl.SSLWantReadError):  # a TLS session ticket, which is nothing to read
                if time.monotonic() >= until:
                    break
            except OSError:
                return True
        return False

    def exchange(
        self, request: Request, deadline: float, wait_turn: Callable[[float], float] | None = None
    ) -> Received:
        """Send a request and read its whole answer, or what of it comes before `deadline`.

        A body that grows large is read on when `wait_turn` returns, with the deadline that it makes of this one.
        """
        started = time.monotonic()
        reader = ResponseReader(head_only=request.method == "HEAD")
        if self._proxy_authorization:
            authorized = ("Proxy-Authorization", self._proxy_authorization)
            request = dataclasses.replace(request, headers=(*request.headers, authorized))
        lost = self._send_request(request, deadline)
        sent = time.monotonic()
        first_byte: float | None = None
        last, pause = sent, 0.0
        while not reader.done:
            try:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                data = self._socket.recv(262_144)
            except (TimeoutError, ssl.SSLWantReadError):
                data = None
            except OSError as error:
                lost, data = lost or self._why(error), b""
            now = time.monotonic()
            pause, last = max(pause, now - last), now
            if data is None or (now >= deadline and not reader.done):
                reader.time_out()
            elif data:
                first_byte = first_byte or now
                reader.feed(data)
                if wait_turn is not None and reader.size > LARGE_BODY:
                    deadline, wait_turn = wait_turn(deadline), None
                    last = time.monotonic()
            else:
                reader.end()
        timing = Timing(started, sent, first_byte, time.monotonic(), pause)
        detail = "; ".join(part for part in (reader.detail, lost) if part) if reader.failure else ""
        response = reader.response()
        self._kept = response is not None and response.keeps_alive
        return Received(response, timing, reader.failure, detail, reader.stray)

    def _send_request(self, request: Request, deadline: float) -> str:
        head, body = request.head_bytes(self._prefix), request.body or b""
        if not (body and request.body_apart):
            return self._send(head + body, deadline)
        lost = self._send(head, deadline)
        time.sleep(_BETWEEN_PACKETS)
        return lost or self._send(body, deadline)

    def _send(self, data: bytes, deadline: float) -> str:
        """Send all bytes; what went wrong, if anything: a server may refuse a large body and answer all the same."""
        try:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            self._socket.sendall(data)
        except OSError as error:
            return self._why(error)
        return ""

    def _why(self, error: OSError) -> str:
        return dial_fault(error, presented=self._presented)[1]
