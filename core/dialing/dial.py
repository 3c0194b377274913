"""Opens connections to one target: directly or through its proxy, plain or TLS."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from typing import Any, Final

from sendpoll.core.dialing.addresses import AddressBook, Reached, in_turns, reach
from sendpoll.core.dialing.sockets import THREADS, NameTimeoutError, Sockets
from sendpoll.core.dialing.tls import tls_context, tls_fault
from sendpoll.core.target.proxies import Proxy
from sendpoll.core.target.target import Target

_HEAD: Final = 65536
_REFUSAL_SECONDS: Final = 0.3
CREDENTIALS: Final = "give it a user name and a password in the proxy's URL, as in http://NAME:PASSWORD@HOST:PORT"


class DialError(Exception):
    """No connection. `kind` is one word for statistics, the message a sentence for people, its subject the server."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class Dialer:
    """Opens connections to one target; shared by all users of a process. Raises TargetError where it never could."""

    def __init__(self, target: Target, sockets: Sockets = THREADS, *, spread: bool = False) -> None:
        """With `spread`, each connection begins with the next address of the name; else all begin with the first."""
        self.target = target
        self.proxy = target.proxy
        self._sockets = sockets
        self._heard = False
        self._context = tls_context(target, sockets.context) if target.is_tls else None
        at = self.proxy or target
        self._book = AddressBook(at.host, at.port, sockets.look_up, spread=spread)

    @property
    def connections(self) -> dict[str, int]:
        """How many connections were made to each address of the server's name, or of its proxy's."""
        return dict(self._book.connections)

    @property
    def _by(self) -> str:
        """Who is spoken to first, in half a sentence; empty where that is the server."""
        return f"through the proxy {self.proxy.name}, " if self.proxy else ""

    def dial(self, within: float, host: str | None = None) -> Any:
        """A connection of the kind of sockets that this was made for, within so many seconds.

        `host` is another place to connect to, not another one to ask for. Raises DialError.
        """
        until = time.monotonic() + within
        try:
            reached = self._reached(until, host)
            try:
                return self._spoken_to(reached.socket, until)
            except BaseException:
                reached.socket.close()
                raise
        except (OSError, UnicodeError) as error:
            kind, why = dial_fault(error, presented=self.target.client_cert is not None)
            raise DialError(kind, f"{self._by}{why}") from error

    def dial_plain(self, within: float) -> Any:
        """A connection as far as TLS begins, if the target speaks it: for who secures it in a way of their own.

        Raises DialError.
        """
        until = time.monotonic() + within
        try:
            plain = self._reached(until, None).socket
            try:
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is not None and self.proxy is not None:
                    self._open_tunnel(plain, self.proxy, until)
            except BaseException:
                plain.close()
                raise
        except (OSError, UnicodeError) as error:
            kind, why = dial_fault(error, presented=self.target.client_cert is not None)
            raise DialError(kind, f"{self._by}{why}") from error
        return plain

    @property
    def tls(self) -> Any:
        """The context with which to secure it; None for a target that speaks plain HTTP."""
        return self._context

    def _reached(self, until: float, host: str | None) -> Reached:
        within = until - time.monotonic()
        if host is not None:
            port = self.proxy.port if self.proxy else self.target.port
            return reach(in_turns(self._sockets.look_up(host, port, within)), until, self._sockets)
        try:
            reached = reach(self._book.order(within), until, self._sockets)
        except OSError:
            self._book.forget()
            raise
        self._book.took(reached)
        return reached

    def _spoken_to(self, plain: Any, until: float) -> Any:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is None:
            return plain
        plain.settimeout(max(0.01, until - time.monotonic()))
        if self.proxy is not None:
            self._open_tunnel(plain, self.proxy, until)
        secured = self._context.wrap_socket(plain, server_hostname=self.target.host)
        try:
            self._hear_refusal(secured, until)
        except BaseException:
            secured.close()  # the plain socket is no longer the one that is open
            raise
        secured.settimeout(None)
        return secured

    def _hear_refusal(self, secured: Any, until: float) -> None:
        """Once, give a server the time to say that it asks for a client's certificate.

        In TLS 1.3 the handshake is over for us before the server has seen that there is none (RFC 8446 section
        4.4.2.4), and with a request on its way the reason may be lost. Raises OSError with it.
        """
        if self._heard or self.target.client_cert is not None or secured.version() != "TLSv1.3":
            return
        secured.settimeout(max(0.01, min(_REFUSAL_SECONDS, until - time.monotonic())))
        with contextlib.suppress(TimeoutError, ssl.SSLWantReadError):
            secured.recv(1)
        self._heard = True

    def _open_tunnel(self, plain: Any, proxy: Proxy, until: float) -> None:
        """Ask the proxy for a way to a TLS server (RFC 9110 section 9.3.6)."""
        where = self.target.authority
        lines = [f"CONNECT {where} HTTP/1.1", f"Host: {where}"]
        if proxy.authorization:
            lines.append(f"Proxy-Authorization: {proxy.authorization}")
        plain.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        answer = b""
        while b"\r\n\r\n" not in answer and len(answer) < _HEAD:
            plain.settimeout(max(0.01, until - time.monotonic()))
            piece = plain.recv(1024)
            if not piece or time.monotonic() >= until:
                break
            answer += piece
        said = answer.partition(b"\r\n")[0].decode("latin-1")
        status = re.fullmatch(r"HTTP/1\.[01] ([0-9]{3})(?: .*)?", said)
        if status is None or status[1][0] != "2":
            mend = f"; {CREDENTIALS}" if status is not None and status[1] == "407" else ""
            raise DialError("proxy", f"{self._by}there is no tunnel: it said {said[:80]!r}{mend}")


def dial_fault(error: Exception, *, presented: bool = False) -> tuple[str, str]:
    """The kind of an error in connecting, and in words for the server's owner why; its subject is the server."""
    if isinstance(error, ssl.SSLError):
        return "tls", tls_fault(error, presented=presented)
    if isinstance(error, socket.gaierror | UnicodeError):
        return "name", "its name cannot be resolved"
    if isinstance(error, NameTimeoutError):
        return "name", "its name was not resolved in time"
    if isinstance(error, TimeoutError):
        return "connect timeout", "it did not accept the connection in time"
    return "connect", (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
