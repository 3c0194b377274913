"""Connections under the HTTP client: dialled directly or through a proxy, plain or TLS.

The plain one is the reason for this module. It stays registered with the event loop as long as it is open, so a poll
costs one send, one wake-up and one receive: no attempt to read before the answer can be there, no watcher switched on
and off, no timer. A deadline is kept by shutting the connection down, which wakes the reader with an end of stream.
"""

from __future__ import annotations

import _socket
import errno
import select
import ssl as standard_ssl
import time
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import gevent.socket
import gevent.ssl
from gevent import get_hub, getcurrent
from gevent.monkey import get_original

from sendpoll.core.target.target import Target, TargetError
from sendpoll.load.http.http_request import Proxy, tunnel_request
from sendpoll.load.measure.machine_limits import Limit, limit_of, machine_limits

RECEIVE_BYTES = 65536
_ADDRESS_TTL = 30.0
"""Seconds for which a resolved name is believed: long enough that a thousand users do not ask at once."""

PROXY_CREDENTIALS = "give it a user name and a password in the proxy's URL, as in http://NAME:PASSWORD@HOST:PORT"
_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's numbers for a certificate, or an authority, that is signed by itself or by nobody who is known."""

_poll_now: Callable[[], Any] = get_original("select", "poll")


class ExchangeError(Exception):
    """No answer came. `kind` is a word or two for the statistics, the message a sentence for people.

    `limit` is what this machine ran out of, where it was none of the server's doing.
    """

    def __init__(self, kind: str, sentence: str, limit: Limit | None = None) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.limit = limit


def own_failure(limit: Limit) -> ExchangeError:
    """What is said of a call that never left this machine."""
    return ExchangeError(f"the generator's {limit}", f"the generator ran out of {limit}", limit)


class Transport(Protocol):
    """An open connection, used by one greenlet."""

    def send(self, data: bytes) -> None:
        """Send all of it. Raises OSError."""

    def receive(self) -> bytes:
        """The next bytes, when they come; empty at the end. Raises OSError."""

    def is_stale(self) -> bool:
        """Whether the server ended it, or said something unasked, since the last answer."""

    def abort(self) -> None:
        """Wake whoever waits on it with an end of stream."""

    def close(self) -> None:
        """Give it up."""


class PlainTransport:
    """TCP without TLS, registered with the event loop for as long as it is open."""

    __slots__ = ("_hub", "_raw", "_readable", "_stale", "_waiter", "receive_now")

    def __init__(self, raw: _socket.socket) -> None:
        raw.setblocking(False)
        self._raw = raw
        self.receive_now = raw.recv
        self._hub = get_hub()
        self._waiter: Callable[[], object] | None = None
        self._stale = False
        self._readable = self._hub.loop.io(raw.fileno(), 1)
        self._readable.start(self._on_readable)

    def _on_readable(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter()
        else:
            self._stale = True
            self._readable.stop()

    def send(self, data: bytes) -> None:
        """Send all of it; a request nearly always fits into the kernel's buffer at once."""
        sent = 0
        while True:
            try:
                sent += self._raw.send(data[sent:] if sent else data)
            except BlockingIOError:
                self._hub.wait(self._hub.loop.io(self._raw.fileno(), 2))
            if sent == len(data):
                return

    def receive(self) -> bytes:
        """Wait for bytes and return them; empty at the end."""
        self._waiter = getcurrent().switch
        try:
            self._hub.switch()
        except BaseException:
            self._waiter = None  # the user was stopped: nobody is left to wake
            raise
        try:
            return self.receive_now(RECEIVE_BYTES)
        except BlockingIOError:
            return self.receive()

    def is_stale(self) -> bool:
        """Whether the loop saw bytes or the end since the last answer."""
        return self._stale

    def abort(self) -> None:
        """Make the connection readable with an end of stream."""
        _shut_down(self._raw.shutdown)

    def close(self) -> None:
        """Leave the event loop and close."""
        self._readable.stop()
        self._readable.close()
        self._raw.close()


class TlsTransport:
    """TLS, on gevent's own sockets: encryption outweighs what a leaner way would save."""

    __slots__ = ("_socket",)

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Wait for bytes and return them; empty at the end."""
        received: bytes = self._socket.recv(RECEIVE_BYTES)
        return received

    def is_stale(self) -> bool:
        """Whether something waits to be read though nothing was asked."""
        poll = _poll_now()
        poll.register(self._socket.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    def abort(self) -> None:
        """Cut the TCP connection below TLS."""
        _shut_down(lambda how: gevent.socket.socket.shutdown(self._socket, how))

    def close(self) -> None:
        """Close without the TLS goodbye, as clients that are done do."""
        self._socket.close()


def _shut_down(shutdown: Callable[[int], object]) -> None:
    try:
        shutdown(_socket.SHUT_RDWR)
    except OSError as error:
        if error.errno not in {errno.ENOTCONN, errno.EBADF}:
            raise


class Dialer:
    """Opens connections to one target; shared by all users of a process. Raises TargetError for a useless CA file."""

    def __init__(self, target: Target, proxy: Proxy | None) -> None:
        self._target = target
        self._proxy = proxy
        self._tls = _tls_context(target) if target.is_tls else None
        self._addresses: list[tuple[Any, ...]] = []
        self._resolved_at = 0.0
        self._has_connected = False
        self._first_spare_file = machine_limits().first_spare_file

    def dial(self) -> Transport:
        """A new connection, ready for a request. Raises ExchangeError."""
        patience = self._target.timeouts.connect
        timeout = gevent.Timeout(patience)
        timeout.start()
        socket = None
        try:
            socket = self._connect()
            self._has_connected = True
            socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            if self._tls is None:
                return PlainTransport(_socket.socket(fileno=socket.detach()))
            if self._proxy:
                self._open_tunnel(socket)
            secured = self._tls.wrap_socket(socket, server_hostname=self._target.host)
            return TlsTransport(secured)
        except BaseException as error:
            if socket is not None:
                socket.close()
            if error is timeout:
                raise ExchangeError("connect timeout", f"no connection{self._through} within {patience:g} s") from error
            if isinstance(error, standard_ssl.SSLCertVerificationError):
                raise ExchangeError("tls", f"TLS failed: {_mend(error)}") from error
            if isinstance(error, standard_ssl.SSLError):
                raise ExchangeError("tls", f"TLS failed: {_reason(error)}") from error
            if isinstance(error, OSError):
                limit = limit_of(error, has_connected=self._has_connected)
                if limit is not None:
                    raise own_failure(limit) from error
                raise ExchangeError("connect", f"cannot connect{self._through}: {_reason(error)}") from error
            raise
        finally:
            timeout.close()

    @property
    def _through(self) -> str:
        """Where the connection leads first, in half a sentence; empty where that is the target."""
        return f" through the proxy {self._proxy.host}:{self._proxy.port}" if self._proxy else ""

    def _connect(self) -> Any:
        failure: OSError = ConnectionError("the name resolves to no address")
        for family, kind, protocol, _, address in self._resolve():
            socket = gevent.socket.socket(family, kind, protocol)
            try:
                if self._first_spare_file is not None and socket.fileno() >= self._first_spare_file:
                    raise OSError(errno.EMFILE, "too many open files")
                socket.connect(address)
            except OSError as error:
                socket.close()
                failure = error
            except BaseException:
                socket.close()
                raise
            else:
                return socket
        self._addresses = []
        raise failure

    def _resolve(self) -> list[tuple[Any, ...]]:
        now = time.perf_counter()
        if not self._addresses or now - self._resolved_at > _ADDRESS_TTL:
            at = self._proxy or self._target
            self._addresses = gevent.socket.getaddrinfo(at.host, at.port, 0, _socket.SOCK_STREAM)
            self._resolved_at = now
        return self._addresses

    def _open_tunnel(self, socket: Any) -> None:
        assert self._proxy is not None  # noqa: S101 - for the type checker; the caller asked
        socket.sendall(tunnel_request(self._target, self._proxy))
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < RECEIVE_BYTES:
            piece = socket.recv(1024)
            if not piece:
                break
            answer += piece
        status = answer.split(b" ", 2)[1:2]
        if status != [b"200"]:
            said = answer.split(b"\r\n", 1)[0].decode("latin-1") or "nothing"
            mend = f"; {PROXY_CREDENTIALS}" if status == [b"407"] else ""
            raise ExchangeError("proxy", f"no tunnel{self._through}: it said {said[:80]!r}{mend}")


def _tls_context(target: Target) -> Any:
    """A context of gevent's kind: the standard library's makes sockets that block everybody. Raises TargetError."""
    context = gevent.ssl.SSLContext(standard_ssl.PROTOCOL_TLS_CLIENT)
    if target.ca_file:
        try:
            context.load_verify_locations(cafile=str(target.ca_file))
        except OSError as error:
            raise TargetError(f"{target.ca_file}: holds no certificates as PEM: {_reason(error)}") from error
    else:
        context.load_default_certs()
    if not target.verify_tls:
        context.check_hostname = False
        context.verify_mode = standard_ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def _mend(error: standard_ssl.SSLCertVerificationError) -> str:
    """Why a certificate is refused; where nobody here knows its authority, with what to do."""
    unknown = error.verify_code in _UNKNOWN_AUTHORITY
    return f"{_reason(error)}{'; name its certificate authority with --ca-file' if unknown else ''}"


def _reason(error: OSError) -> str:
    verification = getattr(error, "verify_message", "")
    return verification or error.strerror or str(error) or type(error).__name__
