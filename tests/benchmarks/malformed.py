"""Send requests that are malformed in every way that a seed comes upon, and see that the server takes none amiss.

Half of them are right requests whose bytes were changed at random; the others are wrong in a way with a name: heads
without end, two Hosts, odd codings, broken chunks and JSON, bodies that stop halfway. A third bring a token. What must
hold: no answer of 5xx, a log of less than a megabyte, memory that does not grow, and afterwards a walk through all four
calls as if nothing had been.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import random
import re
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.settings import Settings

TOKEN = "malformed"
CONNECTIONS = 48
WARM_UP = 0.25
"""The part of the requests after which memory is looked at first."""
MOST_LOG = 1_000_000
MOST_ADDED = 20_000_000
PATIENCE = 0.05
"""Seconds without a byte after which a client hangs up: many of these requests are not whole."""
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_ABORT = struct.pack("ii", 1, 0)


@dataclass
class Tally:
    statuses: collections.Counter[str] = field(default_factory=collections.Counter)
    faults: list[str] = field(default_factory=list)
    log: int = 0
    """Bytes."""
    warm: int = 0
    end: int = 0
    """Bytes of the server's resident set."""

    @property
    def added(self) -> int:
        return self.end - self.warm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = measure(Path(folder), options.requests, options.seed)
    print(f"{options.requests} requests in {time.monotonic() - begun:.0f} s, seed {options.seed}")
    print("answers: " + ", ".join(f"{count} x {status}" for status, count in sorted(tally.statuses.items())))
    print(f"log: {tally.log} bytes (less than {MOST_LOG})")
    print(f"memory: {tally.warm / 1e6:.1f} MB after a quarter, {tally.end / 1e6:.1f} MB at the end", end=" ")
    print(f"(less than {MOST_ADDED / 1e6:.0f} MB more)")
    for fault in tally.faults:
        print(f"  {fault}")
    is_right = not tally.faults and tally.log < MOST_LOG and tally.added < MOST_ADDED
    return 0 if is_right else 1


def measure(folder: Path, requests: int, seed: int) -> Tally:
    """Send that many to a server of its own, and look at what it answers, says and holds."""
    tally = Tally()
    with (folder / "log").open("w+b") as log:
        settings = Settings(tokens=(TOKEN,), port=0, database=str(folder / "a.sqlite3"), agent="echo")
        child, url = start_child(settings, log)
        try:
            process = psutil.Process(child.pid)
            source = Source(random.Random(seed), *walk(url))
            asyncio.run(send_all(url, source, int(requests * WARM_UP), tally))
            tally.warm = process.memory_info().rss
            asyncio.run(send_all(url, source, requests - int(requests * WARM_UP), tally))
            tally.end = process.memory_info().rss
            walk(url)
        except httpx.HTTPError as problem:
            tally.faults.append(f"afterwards: {problem}")
        finally:
            stop_child(child)
        tally.log = log.seek(0, 2)
    return tally


def walk(url: str) -> tuple[str, str]:
    """Through all four calls, as a client; the ids of a conversation and a task."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as api:
        api.post("/api/v1/workspaces", json={"workspace_id": "w"}).raise_for_status()
        conversation: str = api.post("/api/v1/workspaces/w/conversations").raise_for_status().json()["conversation_id"]
        body = {"conversation_id": conversation, "message": "你好"}
        task: str = api.post("/api/v1/workspaces/w/messages", json=body).raise_for_status().json()["task_id"]
        while api.get(f"/api/v1/tasks/{task}").raise_for_status().json()["data"]["status"] == "running":
            time.sleep(0.01)
        return conversation, task


async def send_all(url: str, source: Source, requests: int, tally: Tally) -> None:
    address = urlsplit(url)
    left = iter(range(requests))

    async def work() -> None:
        for _ in left:
            sent = next(source)
            answer = await exchange(str(address.hostname), address.port or 0, sent)
            statuses = [status.decode() for status in _STATUS.findall(answer)] or ["none"]
            tally.statuses.update(statuses)
            if any(status.startswith("5") for status in statuses):
                tally.faults.append(f"{statuses} to {sent[:300]!r}")

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def exchange(host: str, port: int, sent: bytes) -> bytes:
    """Send it on a connection of its own and hang up once nothing more comes; what came."""
    loop = asyncio.get_running_loop()
    came = bytearray()
    with socket.socket() as connection:
        connection.setblocking(False)
        # Hung up without a word: it is harsher, and leaves no port waiting.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        await loop.sock_connect(connection, (host, port))
        with contextlib.suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(1):
                await loop.sock_sendall(connection, sent)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while True:
                async with asyncio.timeout(PATIENCE):
                    piece = await loop.sock_recv(connection, 65536)
                if not piece:
                    break
                came += piece
                if b"\r\nconnection: close" in piece:
                    break
    return bytes(came)


class Source:
    """Malformed requests, the same ones for the same seed."""

    def __init__(self, chance: random.Random, conversation: str, task: str) -> None:
        self._chance = chance
        self._conversation = conversation
        self._task = task
        self._named: list[Callable[[], bytes]] = [
            self._noise, self._odd_target, self._odd_header, self._odd_framing, self._odd_body, self._too_large,
            self._cut_short, self._several,
        ]  # fmt: skip

    def __next__(self) -> bytes:
        return self._changed() if self._chance.random() < 0.5 else self._chance.choice(self._named)()

    def _pick(self, *choices: str) -> str:
        return self._chance.choice(choices)

    def _headers(self) -> str:
        token = self._pick(f"Authorization: Bearer {TOKEN}\r\n", "Authorization: Bearer wrong\r\n", "")
        return f"Host: x\r\n{token}"

    def _post(self, path: str, body: str, more: str = "") -> bytes:
        size = len(body.encode("utf-8", "surrogatepass"))
        head = f"POST {path} HTTP/1.1\r\n{self._headers()}Content-Type: application/json\r\nContent-Length: {size}\r\n"
        return (head + more + "\r\n" + body).encode("utf-8", "surrogatepass")

    def _path(self) -> str:
        return self._pick("/api/v1/workspaces", "/api/v1/workspaces/w/conversations", "/api/v1/workspaces/w/messages")

    def _right(self) -> bytes:
        message = f'{{"conversation_id":"{self._conversation}","message":"hi","run_mode":"fast"}}'
        poll = f"GET /api/v1/tasks/{self._task}?from=0 HTTP/1.1\r\n{self._headers()}\r\n".encode()
        return self._chance.choice(
            [poll, self._post("/api/v1/workspaces", '{"workspace_id":"w"}'),
             self._post("/api/v1/workspaces/w/messages", message)]
        )  # fmt: skip

    def _changed(self) -> bytes:
        data = bytearray(self._right())
        for _ in range(self._chance.choice((1, 1, 2, 5, 20))):
            at = self._chance.randrange(len(data) + 1)
            change = self._chance.randrange(4)
            if change == 0:
                data[at:at] = self._chance.randbytes(self._chance.choice((1, 2, 10)))
            elif change == 1:
                del data[at : at + self._chance.choice((1, 2, 10))]
            elif change == 2:
                data[at:at] = data[self._chance.randrange(len(data) + 1) :][:20]
            elif at < len(data):
                data[at] ^= 1 << self._chance.randrange(8)
        return bytes(data)

    def _noise(self) -> bytes:
        end = self._chance.choice((b"", b"\r\n\r\n"))
        return self._chance.randbytes(self._chance.choice((1, 10, 100, 3000))) + end

    def _odd_target(self) -> bytes:
        target = self._pick(
            "*", "/", "//", "/%", "/%zz", "/../../etc/passwd", "http://[/", "/\xff", "?from=0", "/api/v1/tasks/%00",
            f"/api/v1/tasks/{self._task}?from=-1", f"/api/v1/tasks/{self._task}?from=%ff", "/" + "a" * 70_000,
            f"/api/v1/tasks/{self._task}?from={'9' * 5000}", f"/api/v1/tasks/{self._task}?{'from=0&' * 500}",
            "/api/v1/workspaces/%2e%2e/messages", "/metrics?" + "x" * 3000, "/console.js%00",
        )  # fmt: skip
        method = self._pick("GET", "POST", "PUT", "OPTIONS", "CONNECT", "TRACE", "get", "G\x00T", "PRI", "HEAD")
        version = self._pick("1.1", "1.0", "2.0", "0.9", "9.9", "1.1 ", "")
        return f"{method} {target} HTTP/{version}\r\n{self._headers()}\r\n".encode("latin-1")

    def _odd_header(self) -> bytes:
        header = self._pick(
            "Host: y\r\n", "Host\r\n", ": x\r\n", "X\x00: y\r\n", "X: y\x00\r\n", " folded\r\n", "X : y\r\n",
            "X: \xff\r\n",
            "Authorization: \xff\r\n", "Authorization: Bearer\r\n", f"Authorization: Bearer {TOKEN}\r\n",
            "Origin: \x7f\r\n",
            "Content-Encoding: gzip\r\n", "Expect: 200-ok\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n",
            "Connection: close, keep-alive, \x01\r\n", "A: b\r\n" * 300, "Cookie: " + "a" * 70_000 + "\r\n",
            "Accept: " + "a/b," * 5000 + "\r\n", "Range: bytes=0-0,-1\r\n",
            "Content-Length: 0\r\nContent-Length: 1\r\n",
        )  # fmt: skip
        path = self._pick("/metrics", "/healthz", "/", f"/api/v1/tasks/{self._task}")
        return f"GET {path} HTTP/1.1\r\n{self._headers()}{header}\r\n".encode("latin-1")

    def _odd_framing(self) -> bytes:
        framing = self._pick(
            "Content-Length: -1", "Content-Length: +2", "Content-Length: 2, 2", "Content-Length: 0x2",
            "Content-Length: 99999999999999999999999", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 2", "Transfer-Encoding: identity",
            "Transfer-Encoding: \x0bchunked",
        )  # fmt: skip
        body = self._pick(
            "{}", "2\r\n{}\r\n0\r\n\r\n", "zz\r\n", "-1\r\n", "ffffffffffffffffff\r\n{}", "2\r\n{}x",
            "2;a=b;" + "c" * 9000,
            "0\r\nX: y\r\nHost: z\r\n\r\n", "2\n{}\n0\n\n", "1\r\n{\r\n" * 500,
        )  # fmt: skip
        head = f"POST {self._path()} HTTP/1.1\r\n{self._headers()}Content-Type: application/json\r\n{framing}\r\n\r\n"
        return (head + body).encode("latin-1")

    def _odd_body(self) -> bytes:
        body = self._pick(
            "", "{", "null", "[]", "NaN", '{"workspace_id":NaN}', "\ufeff{}", '{"workspace_id":"\ud83d"}', "9" * 5000,
            '{"workspace_id":"w","workspace_id":7}', "[" * 20_000, '{"a":' * 3000,
            '{"conversation_id":null,"message":1}',
            '{"conversation_id":"x","message":"\\ud83d"}', '{"workspace_id":"../w\\n"}', '"' + "\\u0000" * 2000 + '"',
        )  # fmt: skip
        return self._post(
            self._path(), body, self._pick("", "Content-Type: text/plain\r\n", "Expect: 100-continue\r\n")
        )

    def _too_large(self) -> bytes:
        if self._chance.random() < 0.8:
            return self._odd_body()
        return self._post(self._path(), '{"workspace_id":"' + "x" * 1_100_000 + '"}')

    def _cut_short(self) -> bytes:
        data = self._right()
        return data[: self._chance.randrange(1, len(data))]

    def _several(self) -> bytes:
        return b"".join(self._chance.choice((self._right, self._changed))() for _ in range(self._chance.randint(2, 30)))


if __name__ == "__main__":
    sys.exit(main())
