"""A server that answers with given bytes, for the tests of the HTTP client. One thread, plain sockets."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request is answered with; the parts leave one by one."""

    parts: Sequence[bytes] = (OK,)
    pause: float = 0.0
    """Seconds before each part but the first."""
    close: bool = False
    reset: bool = False


@dataclass(slots=True)
class ScriptedServer:
    """Replies to the requests of each connection in turn; a connection without a script is answered with OK."""

    url: str
    scripts: list[list[Reply]]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def serve(self, connection: socket.socket) -> None:
        """Answer one connection until its script or the client ends."""
        script = self.scripts[self.connections] if self.connections < len(self.scripts) else None
        self.connections += 1
        with contextlib.suppress(OSError), connection:
            for reply in script if script is not None else [Reply()] * 100:
                request = _request(connection)
                if not request:
                    return
                self.requests.append(request)
                for index, part in enumerate(reply.parts):
                    time.sleep(reply.pause if index else 0)
                    connection.sendall(part)
                if reply.reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                if reply.reset or reply.close:
                    return
            connection.recv(1)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    length = re.search(rb"content-length: *(\d+)", data, re.IGNORECASE)
    wanted = data.index(b"\r\n\r\n") + 4 + (int(length.group(1)) if length else 0)
    while len(data) < wanted:
        data += connection.recv(65536)
    return data


@contextlib.contextmanager
def scripted(*scripts: list[Reply], tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    """Serve for the length of a `with` block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if tls else "http"
        server = ScriptedServer(f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", list(scripts))
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            try:
                server.serve(tls.wrap_socket(connection, server_side=True) if tls else connection)
            except OSError:
                connection.close()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connection.settimeout(10)
                    threads.append(threading.Thread(target=serve, args=(connection,)))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            acceptor.join()
            for thread in threads:
                thread.join()
