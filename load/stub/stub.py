"""A server of the API that costs almost nothing: what is measured against it is the generator.

It keeps no task: a task id is the time at which the task began, so a poll is answered from the id and the clock alone.
One process of it answers some 20,000 polls a second. It does what the contract asks and nothing more; the reference
server is the one to develop a client against.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any, cast

from sendpoll.core.interruption import end_with_parent

uvloop: Any
try:
    import uvloop
except ImportError:  # it is not made for Windows
    uvloop = None

_REQUEST = re.compile(
    rb"(GET|POST) [^ ]*?/api/v1/"
    rb"(?:(workspaces)|workspaces/[^/ ]+/(conversations|messages)|tasks/t(\d+)-\d+\?from=(\d+)) "
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LINE_FEEDS = b"\r\n\r\n"


@dataclass(slots=True)
class Script:
    """How every task of the stub goes."""

    chunks: int = 8
    """Events in a task."""
    first: float = 0.25
    """Seconds from the message to the first event."""
    interval: float = 0.25
    """Seconds between events."""
    words: str = "lorem ipsum "
    """Text of an event, behind its number."""
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    def open_task(self) -> str:
        """The id of a task that begins now."""
        return f"t{time.monotonic_ns() // 1000}-{next(self._numbers)}"

    def poll(self, began_us: int, offset: int) -> tuple[int, bytes]:
        """Status code and body of a poll."""
        age = time.monotonic_ns() / 1e9 - began_us / 1e6
        ready = 0 if age < self.first else min(self.chunks, 1 + int((age - self.first) / max(self.interval, 1e-9)))
        if offset > ready:
            return 400, b'{"error":{"code":"offset_out_of_range","message":"There is no such offset yet."}}'
        events = ",".join(
            json.dumps({"type": "text_chunk", "data": {"content": f"{number} {self.words}"}})
            for number in range(offset, ready)
        )
        status = "completed" if ready >= self.chunks else "running"
        return 200, f'{{"data":{{"status":"{status}","next_offset":{ready},"events":[{events}]}}}}'.encode()


class StubProtocol(asyncio.Protocol):
    """One connection. Requests are answered in order, pipelined ones too."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own class is not derived from it

    def data_received(self, data: bytes) -> None:
        """Answer every whole request that has come."""
        buffer = self._buffer + data if self._buffer else data
        while (end := buffer.find(_LINE_FEEDS)) >= 0:
            head_end = end + len(_LINE_FEEDS)
            length = _LENGTH.search(buffer, 0, end)
            body_end = head_end + (int(length.group(1)) if length else 0)
            if len(buffer) < body_end:
                break
            self.answer(buffer[:body_end])
            buffer = buffer[body_end:]
        self._buffer = buffer

    def answer(self, request: bytes) -> None:
        """Answer one request."""
        self.send(*self.reply(request))

    def reply(self, request: bytes) -> tuple[int, bytes]:
        """Status code and body for one request."""
        parsed = _REQUEST.match(request)
        if parsed is None:
            return 404, b'{"error":{"code":"not_found","message":"There is nothing here."}}'
        _, workspaces, inside, began, offset = parsed.groups()
        if began is not None:
            return self._script.poll(int(began), int(offset))
        if workspaces:
            return 200, b'{"workspace_id":"stub"}'
        if inside == b"conversations":
            return 201, b'{"conversation_id":"c1"}'
        return 202, f'{{"task_id":"{self._script.open_task()}"}}'.encode()

    def send(self, status: int, body: bytes) -> None:
        """Write an answer."""
        if self._transport is not None:
            self._transport.write(
                b"HTTP/1.1 %d X\r\ncontent-type: application/json; charset=utf-8\r\ncache-control: no-store\r\n"
                b"content-length: %d\r\n\r\n%b" % (status, len(body), body)
            )


async def serve(script: Script, host: str, port: int, protocol: type[StubProtocol] = StubProtocol) -> None:
    """Serve until cancelled; the first line on stdout is the base URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(script), host, port, backlog=4096)
    bound = server.sockets[0].getsockname()
    sys.stdout.write(f"http://{bound[0]}:{bound[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


def run_stub(
    script: Script, host: str = "127.0.0.1", port: int = 0, protocol: type[StubProtocol] = StubProtocol
) -> None:
    """Serve until Ctrl-C; port 0 is a free one."""
    run = uvloop.run if uvloop else asyncio.run
    with contextlib.suppress(KeyboardInterrupt):
        run(serve(script, host, port, protocol))


def main() -> None:
    """Run a stub from the command line: `python -m sendpoll.load.stub.stub --chunks 8`."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--first", type=float, default=0.25)
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    options = parser.parse_args()
    if options.with_parent:
        end_with_parent(0)
    run_stub(Script(chunks=options.chunks, first=options.first, interval=options.interval), options.host, options.port)


if __name__ == "__main__":
    main()
