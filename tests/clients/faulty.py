"""`serving(fault)`: a raw-socket server on loopback that is right but for one fault, and knows what was asked of it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

from tests.clients.send_and_poll import Api, Fault, Request, respond

POLL_LIMIT = 15
"""Polls of one task, where a right client needs three: proof that the client never ends."""


class FaultyServer:
    """Serves one fault until `close()`. A thread a connection, since a run has few."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self.api = Api(fault.script)
        self.endless = threading.Event()
        """Set when a client is seen never to end: it polls on and on, or waits for what will never come."""
        self.requests: list[Request] = []
        """Everything that was asked, in order."""
        self._lock = threading.Lock()
        self._memory: dict[str, object] = {}
        self._connections: list[socket.socket] = []
        self._polls = 0
        self._started = 0
        self._listener = _listener(fault.host)
        name = "localhost" if ":" in fault.host else fault.host
        self.url = f"http://{name}:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections.append(connection)
                self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            for request in self._requests(connection):
                if self._fault.drops(request) or not self._reply(connection, request):
                    return

    def _requests(self, connection: socket.socket) -> Iterator[Request]:
        """Every request on a connection. A rude client merely ends it."""
        buffer, number = b"", 0
        for nth in range(1, 10_000):
            silent_since, idle = time.monotonic(), 0.0
            while b"\r\n\r\n" not in buffer:
                if not (received := connection.recv(65536)):
                    return
                if not buffer:
                    idle = time.monotonic() - silent_since
                buffer += received
            if nth == 1:
                with self._lock:
                    self._started += 1
                    number = self._started
            head, _, buffer = buffer.partition(b"\r\n\r\n")
            method, target, headers = _parsed(head)
            length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
            while len(buffer) < length:
                if not (received := connection.recv(65536)):
                    return
                buffer += received
            body, buffer = buffer[:length], buffer[length:]
            yield Request(method, target, headers, body, number, nth, idle, self._memory)

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        """Answer, and say whether the connection lives on."""
        with self._lock:
            self.requests.append(request)
            pieces = respond(self.api, self._fault, request)
            self._polls += request.call == "pollTask"
            if self._polls > POLL_LIMIT:
                self.endless.set()
        for piece in pieces:
            if piece == "close":
                return False
            if piece == "hang":
                self.endless.set()
                connection.recv(1)
                return False
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif isinstance(piece, float):
                time.sleep(piece)
        return True


_ports: set[int] = set()


def _listener(host: str) -> socket.socket:
    """A listener at a port that no server of this process had: a browser remembers answers by it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        listener = socket.create_server((host, 0), family=family)
        port = listener.getsockname()[1]
        if port not in _ports:
            _ports.add(port)
            return listener
        listener.close()


@contextlib.contextmanager
def serving(fault: Fault) -> Iterator[FaultyServer]:
    """A server with that fault, for as long as the context lasts."""
    server = FaultyServer(fault)
    try:
        yield server
    finally:
        server.close()


def _parsed(head: bytes) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return method, target, tuple((name, value.strip()) for name, _, value in pairs)
