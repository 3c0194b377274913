"""A server of a few lines on loopback, told connection by connection what to do with its socket."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Handler = Callable[[socket.socket], None]


@dataclass
class RawServer:
    """Where it listens, and what it was sent."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    """Each request that `ask` read, to the byte."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=64) as listener:
        yield listener


@contextlib.contextmanager
def serving(
    handle: Callable[[RawServer, socket.socket], None], *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[RawServer]:
    """Handle every connection in a thread of its own; all of them are over when the block is left."""
    with listening(host) as listener:
        server = RawServer(listener.getsockname()[1])
        threads: list[threading.Thread] = []
        open_now: set[socket.socket] = set()
        over = threading.Event()

        def work(connection: socket.socket) -> None:
            with contextlib.suppress(OSError, ValueError):  # as a socket is that was closed meanwhile
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                    open_now.add(connection)
                handle(server, connection)
            with contextlib.suppress(OSError):
                connection.close()

        def accept() -> None:
            while not over.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                open_now.add(connection)
                thread = threading.Thread(target=work, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield server
        finally:
            over.set()
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            acceptor.join(10)
            for connection in open_now:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            for thread in threads:
                thread.join(10)


def ask(server: RawServer, connection: socket.socket) -> bytes:
    """The next request on the connection, with its body; nothing where the client closed it."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65_536)
        if not more:
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(65_536)
    server.requests.append(head + b"\r\n\r\n" + body)
    return server.requests[-1]


def reply(value: Any, status: str = "200 OK", *extra: str) -> bytes:
    """A whole answer with a JSON body."""
    body = json.dumps(value).encode()
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        *extra,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def always(answer: bytes) -> Callable[[RawServer, socket.socket], None]:
    """A handler that gives every request on a connection the same answer."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        while ask(server, connection):
            connection.sendall(answer)

    return handle
