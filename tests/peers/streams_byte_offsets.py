"""asyncio streams and HTTP by hand: offsets are bytes of a log file, bodies are chunked and cut inside characters."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

TOKENS = sys.argv[2:]
MOST = 1_048_576
REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


class Heard(NamedTuple):
    method: str
    path: str
    query: str
    fields: dict[str, str]
    body: bytes


class Said(NamedTuple):
    status: int
    value: Any
    more: tuple[str, ...] = ()


def no(status: int, why: str, *more: str) -> Said:
    return Said(status, {"ok": False, "why": why}, more)


class Books:
    """A folder with one file a task: a JSON event a line, and the status in the file's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owners: dict[str, str] = {}
        self.ended: set[str] = set()
        self.rooms: set[tuple[str, str]] = set()
        self.talks: dict[str, tuple[str, str]] = {}
        self.turns: dict[str, asyncio.Lock] = {}
        self.running: set[asyncio.Task[None]] = set()

    def start(self, owner: str, talk: str, message: str) -> str:
        name = f"{len(self.owners):06d}-{os.urandom(4).hex()}"
        self.owners[name] = owner
        (self.folder / name).touch()
        job = asyncio.get_running_loop().create_task(self.write(name, self.turns[talk], message))
        self.running.add(job)
        job.add_done_callback(self.running.discard)
        return name

    async def write(self, name: str, turn: asyncio.Lock, message: str) -> None:
        async with turn:
            with (self.folder / name).open("ab", buffering=0) as file:
                step = max(1, len(message) // 40)
                for part in ("→ ", *(message[at : at + step] for at in range(0, len(message), step)), " ←"):
                    await asyncio.sleep(0.015)
                    event = {"type": "text_chunk", "data": {"content": part}}
                    file.write(json.dumps(event, ensure_ascii=False).encode() + b"\n")
            self.ended.add(name)

    def read(self, name: str, offset: int) -> tuple[list[Any], int] | None:
        data = (self.folder / name).read_bytes()
        if offset > len(data) or (offset and data[offset - 1 : offset] != b"\n"):
            return None
        return [json.loads(line) for line in data[offset:].splitlines()], len(data)


async def hear(reader: asyncio.StreamReader) -> Heard | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    path, _, query = target.partition("?")
    body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Heard(method, unquote(path), query, fields, body)


def say(said: Said, *, last: bool, head_only: bool) -> bytes:
    body = json.dumps(said.value, ensure_ascii=False, separators=(", ", ": ")).encode()
    lines = [
        f"HTTP/1.1 {said.status} {REASONS.get(said.status, '')}",
        "CONTENT-TYPE: application/json;charset=utf-8",
        "CACHE-CONTROL: no-cache, no-store, must-revalidate",
        "ACCESS-CONTROL-ALLOW-ORIGIN: *",
        "ACCESS-CONTROL-ALLOW-HEADERS: AUTHORIZATION, CONTENT-TYPE",
        "TRANSFER-ENCODING: chunked",
        f"CONNECTION: {'close' if last else 'keep-alive'}",
        *said.more,
    ]
    sizes = [1, 2, 3, 5, 7, 11]
    chunks: list[bytes] = []
    at = 0
    while at < len(body) and not head_only:
        part = body[at : at + sizes[len(chunks) % len(sizes)]]
        chunks.append(b"%X;n=%d\r\n%b\r\n" % (len(part), len(chunks), part))
        at += len(part)
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if head_only else b"".join(chunks) + b"0\r\n\r\n")


def body_of(heard: Heard) -> dict[str, Any] | Said:
    if not re.match(r"application/json\s*(;|$)", heard.fields.get("content-type", ""), re.IGNORECASE):
        return no(415, "only JSON")
    try:
        value = json.loads(heard.body.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return no(400, "no JSON")
    return value if isinstance(value, dict) else no(422, "no object")


def act(books: Books, heard: Heard) -> Said:
    known: dict[str, tuple[str, Callable[..., Said]]] = {
        r"/api/v1/workspaces": ("POST", workspace),
        r"/api/v1/workspaces/([^/]+)/conversations": ("POST", conversation),
        r"/api/v1/workspaces/([^/]+)/messages": ("POST", message),
        r"/api/v1/tasks/([^/]+)": ("GET", poll),
    }
    for pattern, (method, call) in known.items():
        match = re.fullmatch(pattern, heard.path)
        if match is None:
            continue
        if heard.method == "OPTIONS":
            return Said(200, {"ok": True})
        if heard.method != method:
            return no(405, "another method", f"ALLOW: {method}, OPTIONS")
        scheme, _, token = heard.fields.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or token not in TOKENS:
            return no(401, "no such token", "WWW-AUTHENTICATE: Bearer")
        return call(books, token, heard, *match.groups())
    return no(404, "no such path")


def workspace(books: Books, owner: str, heard: Heard) -> Said:
    body = body_of(heard)
    if isinstance(body, Said):
        return body
    name = body.get("workspace_id")
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", name):
        return no(422, "no name")
    books.rooms.add((owner, name))
    return Said(200, [])


def conversation(books: Books, owner: str, heard: Heard, room: str) -> Said:
    if heard.body and isinstance(body := body_of(heard), Said):
        return body
    if (owner, room) not in books.rooms:
        return no(404, "no such workspace")
    name = f"@{len(books.talks)}"
    books.talks[name] = (owner, room)
    books.turns[name] = asyncio.Lock()
    return Said(201, {"conversation_id": name})


def message(books: Books, owner: str, heard: Heard, room: str) -> Said:
    body = body_of(heard)
    if isinstance(body, Said):
        return body
    text, talk, most, mode = (body.get(key) for key in ("message", "conversation_id", "max_iterations", "run_mode"))
    numeric = isinstance(most, int | float) and not isinstance(most, bool) and most >= 1 and most == int(most)
    if not isinstance(text, str) or not isinstance(talk, str) or not talk:
        return no(422, "no message")
    if ("max_iterations" in body and not numeric) or ("run_mode" in body and not isinstance(mode, str)):
        return no(422, "no such run")
    if books.talks.get(talk) != (owner, room):
        return no(404, "no such conversation")
    return Said(201, {"task_id": books.start(owner, talk, text)})


def poll(books: Books, owner: str, heard: Heard, name: str) -> Said:
    if books.owners.get(name) != owner:
        return no(404, "no such task")
    given = [value for key, value in parse_qsl(heard.query, keep_blank_values=True) if key == "from"] or ["0"]
    if len(given) > 1 or not re.fullmatch(r"[0-9]{1,12}", given[0], re.ASCII):
        return no(400, "no offset")
    ended = name in books.ended
    news = books.read(name, int(given[0]))
    if news is None:
        return no(400, "no place in this log")
    return Said(200, {"data": {"next_offset": news[1], "status": "closed" if ended else "running", "events": news[0]}})


async def serve(books: Books, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
        while heard := await hear(reader):
            last = "close" in heard.fields.get("connection", "").lower()
            said = no(413, "too much") if len(heard.body) > MOST else act(books, heard)
            writer.write(say(said, last=last, head_only=heard.method == "HEAD"))
            await writer.drain()
            if last:
                break
    writer.close()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        books = Books(Path(folder))
        server = await asyncio.start_server(lambda *both: serve(books, *both), "127.0.0.1", int(sys.argv[1]))
        print("ready", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
