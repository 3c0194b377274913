"""Many clients that poll at once, as the published ones do: what each gets, how long it waits, what the server holds.

Each has a connection of its own, follows one of the running tasks from its start to its end, asks again half a second
after an answer, and must have seen the whole log without a gap. The clients run in this process, so on a small machine
their own pace is part of what is measured; the server's CPU time says what it spent.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.settings import Settings

TOKEN = "pollers"
TASKS = 16
PAUSE = 0.5


@dataclass
class Tally:
    polls: int = 0
    seconds: list[float] = field(default_factory=list)
    """Each from the last byte of a poll to the last byte of its answer."""
    faults: list[str] = field(default_factory=list)
    idle: int = 0
    end: int = 0
    """Bytes of the server's resident set: with all connected, and when all have the whole log."""
    cpu: float = 0.0
    took: float = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pollers", type=int, default=5000)
    parser.add_argument("--task-seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = measure(Path(folder), options.pollers, options.task_seconds)
    cuts = statistics.quantiles(tally.seconds, n=100)
    print(f"{options.pollers} pollers, {tally.polls} polls in {tally.took:.1f} s, {tally.polls / tally.took:.0f}/s")
    print(f"an answer took {cuts[49] * 1e3:.1f} ms (p50), {cuts[94] * 1e3:.1f} ms (p95), {cuts[98] * 1e3:.1f} ms (p99)")
    print(
        f"server: {tally.cpu / tally.polls * 1e6:.0f} us of CPU a poll, {tally.idle / 1e6:.0f} MB with all connected,",
        end="",
    )
    print(f" {tally.end / 1e6:.0f} MB at the end; {len(tally.faults)} faults")
    for fault in tally.faults[:20]:
        print(f"  {fault}")
    return 1 if tally.faults else 0


def measure(folder: Path, pollers: int, task_seconds: float) -> Tally:
    chunks = 100
    settings = Settings(
        tokens=(TOKEN,), port=0, database=str(folder / "a.sqlite3"), slots=TASKS, chunks=chunks,
        chunk_interval=task_seconds / chunks,
    )  # fmt: skip
    child, url = start_child(settings)
    try:
        return asyncio.run(follow_all(url, psutil.Process(child.pid), pollers))
    finally:
        stop_child(child)


async def follow_all(url: str, server: psutil.Process, pollers: int) -> Tally:
    address = urlsplit(url)
    tally = Tally()
    clients = [await Poller.connect(str(address.hostname), address.port or 0) for _ in range(pollers)]
    tasks = [new_task(url) for _ in range(TASKS)]
    tally.idle = server.memory_info().rss
    before, begun = server.cpu_times(), time.monotonic()
    logs = await asyncio.gather(
        *(
            client.follow(tasks[number % TASKS], number / pollers * PAUSE, tally)
            for number, client in enumerate(clients)
        )
    )
    after = server.cpu_times()
    tally.took = time.monotonic() - begun
    tally.cpu = after.user + after.system - before.user - before.system
    tally.end = server.memory_info().rss
    for number, log in enumerate(logs):
        if log != logs[number % TASKS] or not log:
            tally.faults.append(f"poller {number} saw another log: {len(log)} events")
    for client in clients:
        client.close()
    return tally


def new_task(url: str) -> str:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as api:
        api.post("/api/v1/workspaces", json={"workspace_id": "w"}).raise_for_status()
        conversation = api.post("/api/v1/workspaces/w/conversations").raise_for_status().json()["conversation_id"]
        body = {"conversation_id": conversation, "message": "你好"}
        task: str = api.post("/api/v1/workspaces/w/messages", json=body).raise_for_status().json()["task_id"]
        return task


class Poller(asyncio.Protocol):
    """One connection, with as little around it as thousands of them allow."""

    def __init__(self) -> None:
        self._came = bytearray()
        self._size = 0
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, host: str, port: int) -> Poller:
        _, poller = await asyncio.get_running_loop().create_connection(cls, host, port)
        return poller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, end, _ = self._came.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(self._came) >= len(head) + 4 + length and self._answer is not None:
            answer = bytes(self._came)
            self._came.clear()
            self._answer.set_result(answer)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def follow(self, task: str, delay: float, tally: Tally) -> list[Any]:
        """The whole log of a task, polled to its end."""
        log: list[Any] = []
        offset, status = 0, "running"
        await asyncio.sleep(delay)
        while True:
            begun = time.monotonic()
            status_line, _, body = (await self._poll(task, offset)).partition(b"\r\n")
            tally.seconds.append(time.monotonic() - begun)
            tally.polls += 1
            if b" 200 " not in status_line:
                tally.faults.append(f"{status_line!r}")
                return log
            news = json.loads(body.partition(b"\r\n\r\n")[2])["data"]
            offset, status = news["next_offset"], news["status"]
            log += news["events"]
            if status != "running":
                return log
            await asyncio.sleep(PAUSE)

    def _poll(self, task: str, offset: int) -> asyncio.Future[bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        head = f"GET /api/v1/tasks/{task}?from={offset} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        if self._transport is None:
            raise ConnectionError("not connected")
        self._transport.write(head.encode())
        return self._answer


if __name__ == "__main__":
    sys.exit(main())
