"""One server's part of a connection: a request in, the pieces of its answer out, and all of it kept."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sendpoll.conformance.client.serving.behaviour import Behaviour, Pieces, answered, sent
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest
from sendpoll.conformance.client.serving.right_api import RightApi

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: what is not sent yet is thrown away, and the other side is told by a reset."""


@dataclass(slots=True)
class Served:
    """One request, and what came of it."""

    request: ReceivedRequest
    at: float
    """When it had come whole, on the monotonic clock; so are all moments here."""
    given: Answer | None = None
    """The answer that was meant for it, before it was framed; None where none was made."""
    ended: str = "pending"
    """How the answer was broken off, such as `reset`, or `left` by the client; empty where all of it was sent."""
    done_at: float = 0.0

    @property
    def lost(self) -> bool:
        """Whether the client cannot have a whole answer."""
        return bool(self.ended) or self.given is None


def nothing(*_: object) -> None:
    """For a hook that nobody needs."""


@dataclass(slots=True)
class Hooks:
    """Whom a responder tells of what happens."""

    on_request: Callable[[Served], None] = nothing
    """Called, one at a time, with each request when its answer is known and not sent yet."""
    on_hang: Callable[[], None] = nothing
    """Called when an answer will never come."""
    on_outage: Callable[[float], None] = nothing
    """Called with the seconds for which the server has to be away."""


class Responder:
    """Answers as its behaviour has it. Its methods may be called from any thread."""

    def __init__(self, behaviour: Behaviour, token: str, hooks: Hooks, *, renews: bool = False) -> None:
        """`renews` is whether everything begins anew with the first step of another run."""
        self.behaviour = behaviour
        self.api = RightApi(behaviour.script, token)
        self._token = token
        self._hooks = hooks
        self._renews = renews
        self._lock = threading.Lock()
        self._served: list[Served] = []
        self._memory: dict[str, Any] = {}
        self._connections = 0

    @property
    def served(self) -> list[Served]:
        """Everything that was asked so far, in order."""
        with self._lock:
            return list(self._served)

    @property
    def memory(self) -> Mapping[str, Any]:
        """What the behaviour noted."""
        return self._memory

    def new_connection(self) -> int:
        """Its number, from 1."""
        with self._lock:
            self._connections += 1
            return self._connections

    def reply(self, connection: socket.socket, request: ReceivedRequest, over: threading.Event) -> bool:
        """Answer, and say whether the connection lives on; `over` ends every pause."""
        with self._lock:
            if self._renews and request.call == "createWorkspace" and self.api.messages:
                self.api = self.api.renewed()
                self._served, self._memory = [], {}
            request = replace(request, memory=self._memory)
            if self.behaviour.drops(request):
                return False
            served = Served(request, time.monotonic())
            self._served.append(served)
            served.given = answered(self.api, self.behaviour, request)
            self._hooks.on_request(served)
        try:
            ended = self._send(connection, sent(self.behaviour, request, served.given), over)
        except OSError:
            ended = "left"
        served.done_at = time.monotonic()
        served.ended = "" if ended == "end" else ended
        return not ended

    def _send(self, connection: socket.socket, pieces: Pieces, over: threading.Event) -> str:
        """Send the pieces; how the connection was ended, empty where it was not."""
        for piece in pieces:
            if isinstance(piece, bytes):
                connection.sendall(piece)
            elif isinstance(piece, float):
                over.wait(piece)
            elif piece == "hang":
                self._hooks.on_hang()
                connection.recv(1)
                return piece
            else:
                if piece in {"reset", "outage"}:
                    reset(connection)
                if piece == "outage":
                    self._hooks.on_outage(self.behaviour.outage)
                return piece
        return ""


def reset(connection: socket.socket) -> None:
    """End a connection by a reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()
