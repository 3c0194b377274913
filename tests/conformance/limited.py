"""The reference server behind limits as real servers and the proxies before them have: right, but bounded."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.embedded import running_app
from sendpoll.reference_server.settings import Settings
from tests.conformance.reference import OTHER_TOKEN, TOKEN

Headers = tuple[tuple[bytes, bytes], ...]
Guard = Callable[["Asked"], Awaitable["Refusal | None"]]
"""Refuses a request before the API sees it, or lets it through."""

_MESSAGES = re.compile(r"/api/v1/workspaces/([^/]+)/messages")


@dataclass(frozen=True)
class Refusal:
    """What is answered in place of the API."""

    status: int
    headers: Headers = ()
    body: bytes = b'{"error": "not now"}'
    media_type: bytes = b"application/json"


@dataclass
class Asked:
    """A request, and the API behind the guards."""

    app: ASGIApp
    scope: Scope

    @property
    def path(self) -> str:
        path: str = self.scope["path"]
        return path

    @property
    def is_message(self) -> bool:
        return self.scope["method"] == "POST" and bool(_MESSAGES.fullmatch(self.path))

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key.lower() == name), "")

    async def get(self, path: str) -> Any:
        """What the API answers to the same user for another path."""
        sent: list[Message] = []
        scope = {**self.scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"from=0"}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return json.loads(b"".join(message.get("body", b"") for message in sent))


@contextlib.contextmanager
def limited(*guards: Guard, **settings: Any) -> Iterator[str]:
    """Serve the reference server behind guards; yield the base URL."""
    chosen = Settings(**{"tokens": (TOKEN, OTHER_TOKEN), "port": 0, "chunks": 20, "chunk_interval": 0.03, **settings})
    with running_app(_guarded(create_app(chosen), guards), chosen) as url:
        yield url


def _guarded(app: ASGIApp, guards: tuple[Guard, ...]) -> ASGIApp:
    busy = [guard for guard in guards if isinstance(guard, OneAtATime)]

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "OPTIONS":
            await app(scope, receive, send)
            return
        asked = Asked(app, scope)
        for guard in guards:
            refusal = await guard(asked)
            if refusal is not None:
                await _refuse(refusal, receive, send)
                return
        await app(scope, receive, _watched(asked, busy, send))

    return serve


def _watched(asked: Asked, busy: list[OneAtATime], send: Send) -> Send:
    body = bytearray()

    async def watched(message: Message) -> None:
        if asked.is_message and message["type"] == "http.response.body":
            body.extend(message.get("body", b""))
            if not message.get("more_body"):
                for guard in busy:
                    guard.took(asked, bytes(body))
        await send(message)

    return watched


async def _refuse(refusal: Refusal, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    headers = [
        (b"content-type", refusal.media_type),
        (b"content-length", str(len(refusal.body)).encode()),
        (b"access-control-allow-origin", b"*"),
        *refusal.headers,
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": refusal.body})


# ---- limits ----


@dataclass
class OneAtATime:
    """Refuses a message while so many tasks run, of the same workspace or of the same user."""

    most: int = 1
    by_workspace: bool = True
    status: int = 409
    running: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def _key(self, asked: Asked) -> tuple[str, str]:
        match = _MESSAGES.fullmatch(asked.path)
        return asked.header(b"authorization"), match.group(1) if match and self.by_workspace else ""

    async def __call__(self, asked: Asked) -> Refusal | None:
        if not asked.is_message or not asked.header(b"authorization").startswith("Bearer token-of-the-"):
            return None
        tasks = self.running.setdefault(self._key(asked), [])
        for task in list(tasks):
            answer = await asked.get(f"/api/v1/tasks/{task}")
            if answer.get("data", {}).get("status") != "running":
                tasks.remove(task)
        return Refusal(self.status) if len(tasks) >= self.most else None

    def took(self, asked: Asked, body: bytes) -> None:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            self.running.setdefault(self._key(asked), []).append(json.loads(body)["task_id"])


@dataclass
class BusyElsewhere:
    """Refuses messages for some seconds from the first one on: the agent works for somebody else until then."""

    seconds: float
    first: float | None = None

    async def __call__(self, asked: Asked) -> Refusal | None:
        if not asked.is_message:
            return None
        self.first = self.first or time.monotonic()
        return Refusal(409) if time.monotonic() - self.first < self.seconds else None


@dataclass
class LeakyBucket:
    """As nginx has it: so many requests a second and some at once; what is more is refused, bare of any header."""

    per_second: float
    burst: int
    status: int = 503
    level: float = 0.0
    at: float = field(default_factory=time.monotonic)

    async def __call__(self, _: Asked) -> Refusal | None:
        now = time.monotonic()
        self.level, self.at = max(0.0, self.level - (now - self.at) * self.per_second), now
        if self.level > self.burst:
            return Refusal(self.status, body=b"<h1>busy</h1>", media_type=b"text/html")
        self.level += 1
        return None


@dataclass
class Window:
    """So many requests in each window of time; then 429, which says when to come again, in seconds or as a date."""

    most: int
    seconds: float
    as_date: bool = False
    began: float = field(default_factory=time.monotonic)
    count: int = 0

    async def __call__(self, _: Asked) -> Refusal | None:
        now = time.monotonic()
        if now - self.began >= self.seconds:
            self.began, self.count = now, 0
        self.count += 1
        if self.count <= self.most:
            return None
        left = self.began + self.seconds - now
        told = formatdate(time.time() + left + 1, usegmt=True) if self.as_date else str(int(left) + 1)
        return Refusal(429, ((b"retry-after", told.encode()),))


@dataclass
class Firewall:
    """Refuses one User-Agent with a page of its own."""

    word: str

    async def __call__(self, asked: Asked) -> Refusal | None:
        if self.word not in asked.header(b"user-agent"):
            return None
        return Refusal(403, body=b"<h1>Blocked</h1>", media_type=b"text/html")


@dataclass
class ShortToken:
    """Takes a token for some seconds from its first use."""

    good_for: float
    first: float | None = None

    async def __call__(self, asked: Asked) -> Refusal | None:
        if not asked.header(b"authorization"):
            return None
        self.first = self.first or time.monotonic()
        over = time.monotonic() - self.first > self.good_for
        return Refusal(401, ((b"www-authenticate", b'Bearer error="invalid_token"'),)) if over else None


@dataclass
class Forgetful:
    """Knows a task no more some seconds after an answer first said that it is over."""

    keeps: float
    ended: dict[str, float] = field(default_factory=dict)

    async def __call__(self, asked: Asked) -> Refusal | None:
        if not asked.path.startswith("/api/v1/tasks/") or asked.scope["method"] != "GET":
            return None
        if asked.path not in self.ended:
            data = (await asked.get(asked.path)).get("data", {})
            if data.get("status", "running") != "running":
                self.ended[asked.path] = time.monotonic()
        over = time.monotonic() - self.ended.get(asked.path, time.monotonic()) > self.keeps
        return Refusal(404) if over else None
