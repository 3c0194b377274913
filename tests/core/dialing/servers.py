"""Servers that take connections, or let them wait for ever."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

ANSWER = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class _Server:
    answer: Callable[[], bytes]
    tls: ssl.SSLContext | None
    seen: Counter[str] = field(default_factory=Counter)

    def serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                self.seen[listener.getsockname()[0]] += 1
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            spoken = connection if self.tls is None else _secured(connection, self.tls)
            if spoken.recv(65536):
                spoken.sendall(self.answer())
            spoken.close()


def _secured(connection: socket.socket, tls: ssl.SSLContext) -> ssl.SSLSocket:
    spoken = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
    try:
        spoken.do_handshake()
    except ssl.SSLError:  # the alert must arrive, and would not behind what is left unread
        with socket.socket(fileno=spoken.detach()) as plain:
            plain.settimeout(10)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(65536):
                pass
        raise
    return spoken


@contextlib.contextmanager
def listening(
    *hosts: str, answer: Callable[[], bytes] = lambda: ANSWER, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, Counter[str]]]:
    """Answers at each of these addresses of this machine, all at one port: the port, and connections by address."""
    server = _Server(answer, tls)
    first = socket.create_server((hosts[0], 0), backlog=100)
    port = first.getsockname()[1]
    listeners = [first, *(socket.create_server((host, port), backlog=100) for host in hosts[1:])]
    threads = [threading.Thread(target=server.serve, args=(listener,), daemon=True) for listener in listeners]
    for thread in threads:
        thread.start()
    try:
        yield port, server.seen
    finally:
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for thread in threads:
            thread.join(10)


@contextlib.contextmanager
def swallowing(host: str, port: int) -> Iterator[None]:
    """Takes no connection and refuses none at this address: its queue is full, and SYNs are dropped."""
    with contextlib.ExitStack() as held:
        listener = held.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((host, port))
        yield
