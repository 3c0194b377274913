"""The listener under all hostile servers, and a minimal right API for those that misbehave only here and there."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

CORS = "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: authorization, content-type\r\n"
JSON = "Content-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"
_STEP = 0.1


@dataclass
class Line:
    """One client's connection, and whether the server still runs."""

    peer: socket.socket
    stopping: threading.Event
    desk: dict[str, Any] = field(default_factory=dict)
    """What the server remembers, shared by all its connections."""
    port: int = 0

    def send(self, data: bytes) -> None:
        """Write all bytes, or give up when the server stops."""
        view = memoryview(data)
        while view and not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                view = view[self.peer.send(view) :]

    def pause(self, seconds: float) -> bool:
        """Wait; false if the server stops meanwhile."""
        return not self.stopping.wait(seconds)

    def hold(self) -> None:
        """Say nothing until the client goes or the server stops."""
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.peer.recv(65536):
                    return

    def request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        """The next request: method, target, headers by lower-case name, body. None when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = self._receive()
            if not part:
                return None
            data += part
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        while len(body) < int(headers.get("content-length", "0")):
            part = self._receive()
            if not part:
                return None
            body += part
        return method, target, headers, body

    def _receive(self) -> bytes:
        while not self.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                return self.peer.recv(65536)
        return b""

    def reply(self, status: int, body: bytes, *more: str, headers: str = JSON) -> None:
        """One whole, right answer."""
        lines = "".join(f"{line}\r\n" for line in more)
        head = f"HTTP/1.1 {status} Said\r\n{headers}{CORS}{lines}Content-Length: {len(body)}\r\n\r\n"
        self.send(head.encode("latin-1") + body)


Attack = Callable[[Line], None]
"""What a hostile server does with a connection; it returns to close it."""


@contextlib.contextmanager
def listening(attack: Attack, host: str = "127.0.0.1") -> Iterator[int]:
    """Serve the attack on a free port, a thread a connection; yield the port."""
    stopping = threading.Event()
    desk: dict[str, Any] = {}
    threads: list[threading.Thread] = []
    with socket.create_server((host, 0), backlog=128) as listener:
        port: int = listener.getsockname()[1]
        listener.settimeout(_STEP)

        def converse(peer: socket.socket) -> None:
            with peer, contextlib.suppress(OSError, ValueError):
                peer.settimeout(_STEP)
                attack(Line(peer, stopping, desk, port))

        def accept() -> None:
            while not stopping.is_set() and not desk.get("dead"):
                with contextlib.suppress(TimeoutError):
                    peer, _ = listener.accept()
                    threads.append(threading.Thread(target=converse, args=(peer,), daemon=True))
                    threads[-1].start()
            listener.close()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield port
        finally:
            stopping.set()
            for thread in (accepting, *threads):
                thread.join(10)


def right_answer(method: str, target: str) -> tuple[int, Any]:
    """What a server of one eternal, finished task answers."""
    path = target.partition("?")[0]
    if method == "OPTIONS":
        return 200, {}
    if path.endswith("/workspaces"):
        return 200, {"workspace_id": "w"}
    if path.endswith("/conversations"):
        return 201, {"conversation_id": "c"}
    if path.endswith("/messages"):
        return 202, {"task_id": "t"}
    offset = target.rpartition("from=")[2]
    events = [{"type": "text_chunk", "data": {"content": "Hello."}}]
    news = events if offset == "0" else []
    return 200, {"data": {"status": "completed", "next_offset": 1, "events": news}}


def serve_right(line: Line, before: Callable[[int], bool] = lambda _: True) -> None:
    """Answer request after request rightly; `before` gets each one's number and may end it all with false."""
    while heard := line.request():
        line.desk["requests"] = line.desk.get("requests", 0) + 1
        if not before(line.desk["requests"]):
            return
        status, value = right_answer(heard[0], heard[1])
        line.reply(status, json.dumps(value).encode())
