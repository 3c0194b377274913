"""Connections to the target: plain, TLS, or through a proxy of the environment, every wait under a total deadline."""

from __future__ import annotations

import base64
import dataclasses
import functools
import itertools
import os
import select
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit

from sendpoll.conformance.http.exchange import Failure, Request, Response, Timing
from sendpoll.conformance.http.limits import LARGE_BODY
from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.conformance.server.transport.dialing import NameTimeoutError, dial
from sendpoll.core.target.target import Target

_numbers = itertools.count(1)
_BETWEEN_PACKETS = 0.02
"""Seconds between head and body where they come apart: no server then reads both at once by chance."""


class NoConnectionError(Exception):
    """The target could not be reached; the message says why, in words for its owner."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    response: Response | None
    timing: Timing
    failure: Failure | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Route:
    """Where to connect, and what stands before a request target there."""

    host: str
    port: int
    prefix: str
    tunnel: bool = False
    authorization: str | None = None
    is_proxy: bool = False


def _route(target: Target) -> _Route:
    """Directly, or through the proxy that the environment names for this host."""
    proxies = {} if target.is_local else urllib.request.getproxies()
    proxy = proxies.get(target.url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(target.host):
        return _Route(target.host, target.port, target.path_prefix)
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.scheme != "http" or not parts.hostname:
        raise NoConnectionError(f"the proxy {parts.scheme}://{parts.hostname} is not supported; only http:// ones are")
    credentials = None
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        credentials = f"Basic {base64.b64encode(pair.encode()).decode()}"
    absolute = f"{target.url.scheme}://{target.url.netloc}{target.path_prefix}"
    prefix = target.path_prefix if target.is_tls else absolute
    return _Route(parts.hostname, parts.port or 80, prefix, target.is_tls, credentials, is_proxy=True)


class Connection:
    """One connection, for one request after another. A context manager; not for two threads at once."""

    def __init__(self, target: Target, deadline: float, host: str | None = None) -> None:
        """Connect before `deadline` (monotonic seconds); `host` overrides where to, not what is asked for.

        Raises NoConnectionError.
        """
        self.number = next(_numbers)
        self._kept = True
        route = _route(target)
        self._prefix = route.prefix
        self._proxy_authorization = None if route.tunnel else route.authorization
        wait = max(0.01, min(target.timeouts.connect, deadline - time.monotonic()))
        try:
            self._socket = dial(host or route.host, route.port, within=wait)
            try:
                if route.tunnel:
                    self._open_tunnel(target, route, time.monotonic() + wait)
                if target.is_tls:
                    context = _tls_context(target.ca_file, target.verify_tls)
                    self._socket = context.wrap_socket(self._socket, server_hostname=target.host)
            except BaseException:
                self._socket.close()
                raise
        except (OSError, UnicodeError) as error:
            by = f"by the proxy {route.host}:{route.port}, " if route.is_proxy else ""
            raise NoConnectionError(f"{by}{_why(error)}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _open_tunnel(self, target: Target, route: _Route, give_up: float) -> None:
        authority = f"[{target.host}]:{target.port}" if ":" in target.host else f"{target.host}:{target.port}"
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if route.authorization:
            lines.append(f"Proxy-Authorization: {route.authorization}")
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        reader = ResponseReader(head_only=True)
        while not reader.done:
            self._socket.settimeout(max(0.001, give_up - time.monotonic()))
            data = self._socket.recv(4096)
            if not data or time.monotonic() >= give_up:
                break
            reader.feed(data)
        answer = reader.response()
        if answer is None or not answer.ok:
            raise ConnectionError(f"the proxy refused the tunnel: {answer.status if answer else 'no answer'}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def exchange(self, request: Request, deadline: float, wait_turn: Callable[[float], float] | None = None) -> Answer:
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
                lost, data = lost or _why(error), b""
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
        return Answer(response, timing, reader.failure, detail)

    def _send_request(self, request: Request, deadline: float) -> str:
        head, body = request.wire(self._prefix), request.body or b""
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
            return _why(error)
        return ""


@functools.cache
def _tls_context(ca_file: Path | None, verify: bool) -> ssl.SSLContext:
    """Made once a run: to read the authorities of a system takes longer than an exchange."""
    try:
        context = ssl.create_default_context(cafile=os.fspath(ca_file) if ca_file else None)
    except OSError as error:
        raise NoConnectionError(f"{ca_file} holds no certificate of an authority in PEM") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); give --ca-file, or --insecure to look away"
    if isinstance(error, ssl.SSLError):
        return f"it does not speak TLS as expected ({error.reason or error})"
    if isinstance(error, socket.gaierror):
        return "its name cannot be resolved"
    if isinstance(error, NameTimeoutError):
        return "its name was not resolved in time"
    if isinstance(error, TimeoutError):
        return "it did not accept the connection in time"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
