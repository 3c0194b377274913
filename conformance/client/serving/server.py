"""A raw-socket server on loopback that behaves as it is told, and keeps what was asked of it and what it answered."""

from __future__ import annotations

import contextlib
import itertools
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sendpoll.conformance.client.serving.api import Api
from sendpoll.conformance.client.serving.behaviour import Behaviour, Pieces, answered, sent
from sendpoll.conformance.client.serving.messages import Answer, Request
from sendpoll.conformance.client.serving.request_reader import RequestReader, UnreadableError

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what is not sent yet is thrown away, and the other side is told by a reset."""


@dataclass(slots=True)
class Served:
    """One request, and what came of it."""

    request: Request
    at: float
    """When it had come whole, on the monotonic clock; so are all moments here."""
    given: Answer | None = None
    """The answer that was meant for it, before it was framed; None where none was made."""
    ended: str = ""
    """How the answer was broken off, such as `reset`, or `left` by the client; empty where all of it was sent."""
    done_at: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether the client cannot have a whole answer."""
        return bool(self.ended) or self.given is None


@dataclass(slots=True)
class _Kept:
    """What is shared between the connections, under the server's lock."""

    served: list[Served] = field(default_factory=list)
    connections: set[socket.socket] = field(default_factory=set)
    threads: list[threading.Thread] = field(default_factory=list)
    memory: dict[str, object] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    started: int = 0


class ScriptedServer:
    """Serves one behaviour until `close()`. A thread a connection, since a run has few."""

    def __init__(self, behaviour: Behaviour, token: str) -> None:
        self._behaviour = behaviour
        self.api = Api(behaviour.script, token)
        self._kept = _Kept()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._listener = _listener(behaviour.host, 0)
        self.port: int = self._listener.getsockname()[1]
        host = f"[{behaviour.host}]" if ":" in behaviour.host else behaviour.host
        self.url = f"http://{host}:{self.port}"
        self._listener.listen(128)
        self._start(self._accept)

    @property
    def served(self) -> list[Served]:
        """Everything that was asked so far, in order."""
        with self._lock:
            return list(self._kept.served)

    @property
    def memory(self) -> Mapping[str, object]:
        """What the behaviour noted."""
        return self._kept.memory

    @property
    def unreadable(self) -> list[str]:
        """In what that was no HTTP which clients sent."""
        with self._lock:
            return list(self._kept.unreadable)

    @property
    def requests(self) -> list[Request]:
        """The same without what came of it."""
        return [one.request for one in self.served]

    def close(self) -> None:
        """End every connection and the listener; nothing of the server runs on."""
        self._closed.set()
        self._end_listener(self._listener)
        self._end_connections()
        with self._lock:
            threads = list(self._kept.threads)
        for thread in threads:
            thread.join()

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def on_request(self, served: Served) -> None:
        """Called, under the lock, with each request before it is answered; for whoever watches a run."""

    def on_hang(self) -> None:
        """Called when an answer will never come."""

    # ---- listening ----

    def _start(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
        with self._lock:
            self._kept.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        while not self._closed.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed, or away for a while
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._kept.connections.add(connection)
            if self._closed.is_set():
                _reset(connection)
                return
            self._start(self._serve, connection)

    def _go_away(self, seconds: float) -> None:
        """Refuse connections for a while: the port stays ours, but nobody listens on it."""
        away = self._listener
        self._end_listener(away)
        self._end_connections()
        self._listener = _listener(self._behaviour.host, self.port)
        self._closed.wait(seconds)
        if not self._closed.is_set():
            self._listener.listen(128)
            self._start(self._accept)

    @staticmethod
    def _end_listener(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    def _end_connections(self) -> None:
        with self._lock:
            for connection in self._kept.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    # ---- one connection ----

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                self._serve_requests(connection)
            except UnreadableError as problem:
                with self._lock:
                    self._kept.unreadable.append(str(problem))
        with self._lock:
            self._kept.connections.discard(connection)

    def _serve_requests(self, connection: socket.socket) -> None:
        reader, number = RequestReader(connection), 0
        for nth in itertools.count(1):
            request = reader.read()
            if request is None:
                return
            number = number or self._numbered()
            request = replace(request, connection=number, nth=nth, memory=self._kept.memory)
            if self._behaviour.drops(request) or not self._reply(connection, request):
                return
            if not request.keeps_alive:
                return

    def _numbered(self) -> int:
        with self._lock:
            self._kept.started += 1
            return self._kept.started

    def _reply(self, connection: socket.socket, request: Request) -> bool:
        """Answer, and say whether the connection lives on."""
        with self._lock:
            served = Served(request, time.monotonic())
            self._kept.served.append(served)
            served.given = answered(self.api, self._behaviour, request)
            self.on_request(served)
        try:
            served.ended = self._send(connection, sent(self._behaviour, request, served.given))
        except OSError:
            served.ended = "left"
        served.done_at = time.monotonic()
        if served.ended == "end":
            served.ended = ""
            return False
        return not served.ended

    def _send(self, connection: socket.socket, pieces: Pieces) -> str:
        """Send the pieces; how the connection was ended, empty where it was not."""
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif isinstance(piece, float):
                self._closed.wait(piece)
            elif piece == "hang":
                self.on_hang()
                connection.recv(1)
                return piece
            else:
                if piece in {"reset", "outage"}:
                    _reset(connection)
                if piece == "outage":
                    self._start(self._go_away, self._behaviour.outage)
                return piece
        return ""


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


_ports: set[int] = set()


def _listener(host: str, port: int) -> socket.socket:
    """A bound socket, at a port that no server of this process had if none is asked for: a browser remembers by it."""
    while True:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        found: int = listener.getsockname()[1]
        if port or found not in _ports:
            _ports.add(found)
            return listener
        listener.close()

