"""A front that can be restarted from outside: it drops all connections, is away for a moment, and counts that.

The server behind it goes on, so that what a restart does to tasks is the fault's own doing and nothing else's.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.mutants.exchange import Desk

_ORDER = b"restart\n"
_AWAY = 0.3
"""Seconds for which nobody listens."""
_HURRY = "import socket; s = socket.create_connection(({host!r}, {port})); s.sendall({order!r}); s.recv(1)"


def restart_command(url: str) -> str:
    """The line for a shell that restarts the front at this URL, and ends once it is back."""
    parts = urlsplit(url)
    program = _HURRY.format(host=parts.hostname, port=parts.port, order=_ORDER)
    return shlex.join([sys.executable, "-S", "-c", program])


class _Gate:
    """Passes bytes between clients and the server behind, until it is told to restart."""

    def __init__(self, upstream: tuple[str, int], port: int, desk: Desk) -> None:
        self._upstream = upstream
        self._port = port
        self._desk = desk
        self._lines: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, reuse_address=True)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.CancelledError):
            first = await reader.read(65536)
            if first == _ORDER:
                await self._restart()
                writer.write(b"!")
                await writer.drain()
            elif first:
                await self._pass(first, reader, writer)
        writer.close()

    async def _pass(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, ahead = await asyncio.open_connection(*self._upstream)
        self._lines |= {writer, ahead}
        ahead.write(first)
        ways = [asyncio.ensure_future(_copy(reader, ahead)), asyncio.ensure_future(_copy(back, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._lines -= {writer, ahead}
            ahead.close()
            for way in ways:
                way.cancel()

    async def _restart(self) -> None:
        if self._server is not None:
            self._server.close()
        for line in list(self._lines):
            line.transport.abort()
        self._desk.restarts += 1
        await asyncio.sleep(_AWAY)
        await self.listen()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@contextlib.contextmanager
def restartable(upstream_url: str, desk: Desk, port: int = 0) -> Iterator[str]:
    """Stand before a server whose front counts its restarts on this desk; yield the base URL."""
    parts = urlsplit(upstream_url)
    loop = asyncio.new_event_loop()
    gate = _Gate((parts.hostname or "127.0.0.1", parts.port or 80), port, desk)
    ready, stop = threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def serve() -> None:
        ports.append(await gate.listen())
        ready.set()
        await stop.wait()
        gate.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="gate", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield f"http://127.0.0.1:{ports[0]}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()
