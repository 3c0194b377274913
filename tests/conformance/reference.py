"""The reference server as a target of whole runs, with every message that it took counted at its own door."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.embedded import running_app
from sendpoll.reference_server.settings import Settings

TOKEN, OTHER_TOKEN = "token-of-the-first", "token-of-the-second"


@dataclass
class Reference:
    """A running server."""

    url: str = ""
    requests: int = 0
    messages: int = 0
    """Messages that it answered with success."""


@contextlib.contextmanager
def reference(*, chunk_interval: float = 0.005) -> Iterator[Reference]:
    """Serve in this process, and count."""
    settings = Settings(tokens=(TOKEN, OTHER_TOKEN), port=0, chunks=20, chunk_interval=chunk_interval)
    server = Reference()
    with running_app(_counting(create_app(settings), server), settings) as url:
        server.url = url
        yield server


def _counting(app: ASGIApp, server: Reference) -> ASGIApp:
    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                server.requests += 1
                is_message = scope["path"].endswith("/messages") and scope["method"] == "POST"
                server.messages += is_message and message["status"] < 300
            await send(message)

        await app(scope, receive, watched if scope["type"] == "http" else send)

    return counted
