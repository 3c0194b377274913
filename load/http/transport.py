"""Connections under the HTTP client: dialled directly or through a proxy, plain or TLS.

The plain one is the reason for this module. It stays registered with the event loop as long as it is open, so a poll
costs one send, one wake-up and one receive: no attempt to read before the answer can be there, no watcher switched on
and off, no timer. A deadline is kept by shutting the connection down, which wakes the reader with an end of stream.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import select
from collections.abc import Callable
from typing import Any, Protocol

import gevent
import gevent.select
import gevent.socket
import gevent.ssl
from gevent import get_hub, getcurrent
from gevent.monkey import get_original

from sendpoll.core.dialing.dial import Dialer, DialError
from sendpoll.core.dialing.sockets import Address, NameTimeoutError, Sockets, address_of
from sendpoll.core.target.target import Target
from sendpoll.load.measure.machine_limits import Limit, limit_of, machine_limits

RECEIVE_BYTES = 65536

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

    @property
    def stale(self) -> bool:
        """Whether the server ended it, or said something unasked, since the last answer."""

    def abort(self) -> None:
        """Wake whoever waits on it with an end of stream."""

    def close(self) -> None:
        """Give it up."""


class PlainTransport:
    """TCP without TLS, registered with the event loop for as long as it is open."""

    __slots__ = ("_hub", "_raw", "_readable", "_waiter", "receive_now", "send_now", "stale")

    def __init__(self, raw: _socket.socket) -> None:
        raw.setblocking(False)
        self._raw = raw
        self.receive_now = raw.recv
        self.send_now = raw.send
        self._hub = get_hub()
        self._waiter: Callable[[], object] | None = None
        self.stale = False
        """Whether the loop saw bytes or the end since the last answer."""
        self._readable = self._hub.loop.io(raw.fileno(), 1)
        self._readable.start(self._on_readable)

    def _on_readable(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            waiter()
        else:
            self.stale = True
            self._readable.stop()

    def send(self, data: bytes) -> None:
        """Send all of it; a request nearly always fits into the kernel's buffer at once."""
        try:
            sent = self.send_now(data)
        except BlockingIOError:
            sent = 0
        while sent != len(data):
            self._hub.wait(self._hub.loop.io(self._raw.fileno(), 2))
            with contextlib.suppress(BlockingIOError):
                sent += self.send_now(data[sent:])

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

    @property
    def stale(self) -> bool:
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


def _look_up(host: str, port: int, within: float) -> list[Address]:
    with gevent.Timeout(within, NameTimeoutError()):
        return [address_of(answer) for answer in gevent.socket.getaddrinfo(host, port, 0, _socket.SOCK_STREAM)]


def _sockets() -> Sockets:
    """Gevent's, whose waits let other users go on: the standard library's would block them all.

    None takes one of the files that this process keeps for itself.
    """
    first_spare_file = machine_limits().first_spare_file

    def make(family: int, kind: int, protocol: int) -> Any:
        made = gevent.socket.socket(family, kind, protocol)
        if first_spare_file is not None and made.fileno() >= first_spare_file:
            made.close()
            raise OSError(errno.EMFILE, "too many open files")
        return made

    return Sockets(make=make, poll=gevent.select.poll, context=gevent.ssl.SSLContext, look_up=_look_up)


class Connector:
    """Opens connections to one target; shared by all users of a process. Raises TargetError where it never could."""

    def __init__(self, target: Target) -> None:
        self._dialer = Dialer(target, _sockets(), spread=True)
        self._patience = target.timeouts.connect

    @property
    def connections(self) -> dict[str, int]:
        """How many connections were made to each address of the target's name, or of its proxy's."""
        return self._dialer.connections

    def connect(self) -> Transport:
        """A new connection, ready for a request. Raises ExchangeError."""
        try:
            with gevent.Timeout(self._patience, TimeoutError()):
                connection = self._dialer.dial(self._patience)
        except DialError as error:
            raise self._told(error) from error
        if self._dialer.target.is_tls:
            return TlsTransport(connection)
        return PlainTransport(_socket.socket(fileno=connection.detach()))

    def _told(self, error: DialError) -> ExchangeError:
        cause = error.__cause__
        has_connected = any(self.connections.values())
        limit = limit_of(cause, has_connected=has_connected) if isinstance(cause, OSError) else None
        return ExchangeError(error.kind, str(error)) if limit is None else own_failure(limit)
