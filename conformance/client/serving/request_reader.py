"""Requests from a socket: what a client of HTTP/1 sends, framed by length or in chunks (RFC 9112 section 6)."""

from __future__ import annotations

import socket
import time

from sendpoll.conformance.client.serving.messages import ReceivedRequest
from sendpoll.core.target.headers import Headers

_MOST_BYTES = 16 * 1024 * 1024
"""A message that a person wrote is shorter."""
_PIECE = 65536
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class UnreadableError(ValueError):
    """What came is no request of HTTP/1; the message says in what."""


class RequestReader:
    """Reads the requests of one connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def read(self) -> ReceivedRequest | None:
        """The next request; None where the client ended the connection in place of one. Raises UnreadableError."""
        silent_since, idle = time.monotonic(), 0.0
        while b"\r\n\r\n" not in self._buffer:
            first = not self._buffer
            if not self._receive():
                return None
            if first:
                idle = time.monotonic() - silent_since
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        method, target, version, headers = _parsed(head)
        request = ReceivedRequest(method, target, headers, version=version, idle=idle)
        if "100-continue" in (request.header("Expect") or "").lower():
            self._connection.sendall(_CONTINUE)
        body = self._body(request)
        return None if body is None else ReceivedRequest(method, target, headers, body, version, idle=idle)

    def _receive(self) -> bool:
        if len(self._buffer) > _MOST_BYTES:
            raise UnreadableError(f"more than {_MOST_BYTES} bytes in one request")
        received = self._connection.recv(_PIECE)
        self._buffer += received
        return bool(received)

    def _body(self, request: ReceivedRequest) -> bytes | None:
        if (request.header("Transfer-Encoding") or "").lower().endswith("chunked"):
            return self._chunks()
        written = request.header("Content-Length") or "0"
        if not (written.isascii() and written.isdigit()):
            raise UnreadableError(f"Content-Length is {written!r}")
        return self._exactly(int(written))

    def _exactly(self, length: int) -> bytes | None:
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _line(self) -> bytes | None:
        while b"\r\n" not in self._buffer:
            if not self._receive():
                return None
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _chunks(self) -> bytes | None:
        body = b""
        while (line := self._line()) is not None:
            size = _size(line)
            if size == 0:
                while trailer := self._line():
                    del trailer
                return body
            piece = self._exactly(size + 2)
            if piece is None:
                return None
            body += piece[:-2]
        return None


def _size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError as error:
        raise UnreadableError(f"a chunk's size is {line[:20]!r}") from error


def _parsed(head: bytes) -> tuple[str, str, str, Headers]:
    first, *lines = head.lstrip(b"\r\n").decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/"):
        raise UnreadableError(f"the request line is {first[:80]!r}")
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name, value.strip()) for name, _, value in pairs)
    return parts[0], parts[1], parts[2].removeprefix("HTTP/"), headers
