"""A raw-socket server on loopback: connections, a thread each, and whoever answers on them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from sendpoll.conformance.client.serving.behaviour import Behaviour
from sendpoll.conformance.client.serving.messages import ReceivedRequest
from sendpoll.conformance.client.serving.request_reader import RequestReader, UnreadableError
from sendpoll.conformance.client.serving.responder import Hooks, Responder, Served, reset
from sendpoll.conformance.client.serving.right_api import RightApi

Reply = Callable[[socket.socket, ReceivedRequest], bool]
"""Answers a request on its connection, and says whether the connection lives on."""


class Connections:
    """A listener and what it accepted, until `close()`. A thread a connection, since a run has few."""

    def __init__(self, host: str, reply: Reply, unreadable: Callable[[str], None]) -> None:
        """`unreadable` is told of what is no request of HTTP/1."""
        self._host = host
        self._reply = reply
        self._unreadable = unreadable
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.over = threading.Event()
        """Set when all of it ends."""
        self._listener = _bound(host, 0)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._listen()

    def close(self) -> None:
        """End every connection and the listener; nothing runs on."""
        self.over.set()
        _shut(self._listener)
        self._listener.close()
        self.end_all()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def go_away(self, seconds: float) -> None:
        """Refuse connections for a while: the port stays ours, but nobody listens on it."""
        self._start(self._away, seconds)

    def end_all(self) -> None:
        """End every open connection."""
        with self._lock:
            for connection in self._open:
                _shut(connection)

    def _away(self, seconds: float) -> None:
        _shut(self._listener)
        self._listener.close()
        self.end_all()
        self._listener = _bound(self._host, self.port)
        self.over.wait(seconds)
        if self.over.is_set():
            self._listener.close()
        else:
            self._listen()

    def _listen(self) -> None:
        self._listener.listen(128)
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        listener = self._listener
        while not self.over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed, or away for a while
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            if self.over.is_set():
                reset(connection)
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            try:
                self._requests(connection)
            except UnreadableError as problem:
                self._unreadable(str(problem))
        with self._lock:
            self._open.discard(connection)

    def _requests(self, connection: socket.socket) -> None:
        reader = RequestReader(connection)
        for nth in itertools.count(1):
            request = reader.read()
            if request is None or not self._reply(connection, replace(request, nth=nth)) or not request.keeps_alive:
                return


class ScriptedServer:
    """Serves one behaviour until `close()`."""

    def __init__(self, behaviour: Behaviour, token: str, hooks: Hooks | None = None, *, renews: bool = False) -> None:
        hooks = hooks or Hooks()
        self.unreadable: list[str] = []
        """In what that was no HTTP which clients sent."""
        self._numbers: dict[socket.socket, int] = {}
        self._responder = Responder(behaviour, token, replace(hooks, on_outage=self._go_away), renews=renews)
        self._connections = Connections(behaviour.host, self._reply, self.unreadable.append)
        self.url = self._connections.url
        self.port = self._connections.port

    @property
    def api(self) -> RightApi:
        """The state of what is served."""
        return self._responder.api

    @property
    def served(self) -> list[Served]:
        """Everything that was asked so far, in order."""
        return self._responder.served

    @property
    def memory(self) -> dict[str, object]:
        """What the behaviour noted."""
        return dict(self._responder.memory)

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Everything that was asked, without what came of it."""
        return [one.request for one in self.served]

    def close(self) -> None:
        """End every connection and the listener; nothing of the server runs on."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _go_away(self, seconds: float) -> None:
        self._connections.go_away(seconds)

    def _reply(self, connection: socket.socket, request: ReceivedRequest) -> bool:
        if request.nth == 1:
            self._numbers[connection] = self._responder.new_connection()
        return self._responder.reply(
            connection, replace(request, connection=self._numbers[connection]), self._connections.over
        )


_ports: set[int] = set()


def _bound(host: str, port: int) -> socket.socket:
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


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
