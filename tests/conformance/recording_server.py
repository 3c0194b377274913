"""A server that gives every request one answer, and keeps the bytes of what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RecordingServer:
    """Takes one connection after another, reads a request from each, and answers it. Use `recording()`."""

    def __init__(self, status: int, body: str) -> None:
        self.requests: list[bytes] = []
        text = body.encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
        self._answer = f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(10)
                self.requests.append(_read_request(connection))
                connection.sendall(self._answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, _ = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    expected = len(head) + 4 + int(lengths[0] if lengths else 0)
    while len(data) < expected:
        data += connection.recv(65536)
    return data


@contextmanager
def recording(status: int = 200, body: str = "ok") -> Iterator[RecordingServer]:
    server = RecordingServer(status, body)
    try:
        yield server
    finally:
        server.close()
