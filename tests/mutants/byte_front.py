"""A TCP front that hands requests on to the right server and writes the answers as the fault wants its bytes."""

from __future__ import annotations

import asyncio
import contextlib
import http
import itertools
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from tests.mutants.exchange import Answer, Asked, Desk, Headers, located

_HEAD_LIMIT = 1024 * 1024
_PATIENCE = 60.0
"""Seconds that a connection may idle, and that a silent fault keeps silent."""


class Call:
    """One request on a connection, and the ways to answer it."""

    def __init__(self, asked: Asked, raw: bytes, nth: int, line: _Line) -> None:
        self.asked = asked
        self.raw = raw
        self.nth = nth
        """Which request on its connection it is, from 1."""
        self.first_operation = line.first_operation
        """What the first request on this connection called."""
        self.connection = line.number
        self.body_came_apart = line.body_came_apart
        """Whether the body was not there yet when the head was."""
        self.closed = False
        self._line = line

    async def forward(self) -> Answer:
        """What the right server answers."""
        return await self._line.forward(self.asked, self.raw)

    async def send(self, data: bytes) -> None:
        """Write bytes to the client."""
        with contextlib.suppress(ConnectionError):
            self._line.writer.write(data)
            await self._line.writer.drain()

    async def reply(self, answer: Answer) -> None:
        """Answer rightly; close if the client or the answer says so."""
        await self.send(render(answer, head_only=self.asked.method == "HEAD"))
        said = (self.asked.header(b"connection") or b"") + (answer.header(b"connection") or b"")
        if b"close" in said.lower():
            self.close()

    def close(self) -> None:
        """Close the connection behind what was sent."""
        self.closed = True

    def reset(self) -> None:
        """Close the connection with RST."""
        held = self._line.writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._line.writer.transport.abort()
        self.closed = True

    async def silence(self, seconds: float = _PATIENCE) -> None:
        """Say nothing for that long, or until the client has gone."""
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(seconds):
                while await self._line.reader.read(65536):
                    pass


@dataclass(frozen=True, slots=True)
class ByteFault:
    """A fault in bytes or connections."""

    serve: Callable[[Call], Awaitable[None]]
    idle: float = _PATIENCE
    """Seconds after which an idle connection is closed."""


def render(
    answer: Answer,
    *,
    head_only: bool = False,
    version: bytes = b"HTTP/1.1",
    eol: bytes = b"\r\n",
    body: bytes | None = None,
) -> bytes:
    """An answer's bytes; `body` replaces the body without touching its headers."""
    reason = http.HTTPStatus(answer.status).phrase.encode()
    lines = [b"%b %d %b" % (version, answer.status, reason), *(name + b": " + value for name, value in answer.headers)]
    content = answer.body if body is None else body
    return eol.join([*lines, b"", b""]) + (b"" if head_only else content)


class _Line:
    """One client's connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upstream: tuple[str, int], number: int
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number
        self.first_operation = ""
        self.body_came_apart = False
        self._upstream = upstream

    async def request(self) -> tuple[bytes, bytes] | None:
        """The next request's head and body, as they came; None at the end of the connection."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            fields = _fields(head)
            if (fields.get(b"expect") or b"").lower() == b"100-continue":
                self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
                return head, await self._chunked()
            length = int(fields.get(b"content-length", b"0"))
            buffered: bytearray = self.reader._buffer  # type: ignore[attr-defined] # no public way
            self.body_came_apart = length > len(buffered)
            return head, await self.reader.readexactly(length)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            return None

    async def _chunked(self) -> bytes:
        raw = b""
        while True:
            size = await self.reader.readuntil(b"\r\n")
            raw += size
            length = int(size.split(b";")[0], 16)
            raw += await self.reader.readexactly(length + 2)
            if length == 0:
                return raw

    async def forward(self, asked: Asked, raw: bytes) -> Answer:
        """Ask the right server over a connection of its own."""
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(raw)
            given = await _whole_answer(reader, asked)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        if asked.operation == "sendMessage":
            asked.desk.take(asked, given)
        return given


def _fields(head: bytes) -> dict[bytes, bytes]:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _headers(head: bytes) -> Headers:
    pairs = (line.partition(b":") for line in head.split(b"\r\n")[1:] if line)
    return tuple((name, value.strip()) for name, _, value in pairs)


async def _whole_answer(reader: asyncio.StreamReader, asked: Asked) -> Answer:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
    parser.send(h11.Request(method=asked.method, target=b"/", headers=[(b"host", b"upstream")]))
    parser.send(h11.EndOfMessage())
    status, headers, body = 0, Headers(), bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            parser.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status, headers = event.status_code, tuple(event.headers)
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, headers, bytes(body))


class WireServer:
    """The front's listener."""

    def __init__(self, fault: ByteFault, upstream_url: str) -> None:
        parts = urlsplit(upstream_url)
        self._fault = fault
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._desk = Desk()
        self._numbers = itertools.count(1)

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        line = _Line(reader, writer, self._upstream, next(self._numbers))
        # Cancelled only when the server stops; asyncio's streams log a connection that ends so as an error.
        with contextlib.suppress(ConnectionError, TimeoutError, asyncio.CancelledError):
            await self._requests(line)
        writer.close()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()

    async def _requests(self, line: _Line) -> None:
        for nth in itertools.count(1):
            async with asyncio.timeout(self._fault.idle if nth > 1 else _PATIENCE):
                came = await line.request()
            if came is None:
                return
            head, body = came
            method, target, _ = head.split(b"\r\n")[0].split(b" ", 2)
            path, _, query = target.partition(b"?")
            asked = located(
                Asked(
                    method=method.decode("latin-1"),
                    path=path,
                    query=query,
                    headers=_headers(head),
                    body=body,
                    desk=self._desk,
                )
            )
            if nth == 1:
                line.first_operation = asked.operation
            call = Call(asked, head + body, nth, line)
            await self._fault.serve(call)
            if call.closed:
                return


@contextlib.contextmanager
def running_byte_front(fault: ByteFault, upstream_url: str, port: int = 0) -> Iterator[str]:
    """Serve the fault before the right server at that URL; yield the base URL."""
    front = WireServer(fault, upstream_url)
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    addresses: list[int] = []
    stop = asyncio.Event()

    async def serve() -> None:
        server = await asyncio.start_server(front.connection, "127.0.0.1", port, limit=_HEAD_LIMIT)
        addresses.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="byte-front", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{addresses[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
