"""The ASGI wrapper that stands before the reference server and lets one fault at its requests and answers."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.mutants.exchange import Answer, Asked, Desk, Handler, located

_PATIENCE = 60.0
"""Seconds after which a call that waits for its client to go away ends all the same."""


class Front:
    """One faulty server: whole requests in, whole answers out, the fault in between."""

    def __init__(self, app: ASGIApp, handler: Handler, desk: Desk | None = None) -> None:
        self._app = app
        self._handler = handler
        self._desk = desk or Desk()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = located(await self._asked(scope, receive))
        self._desk.in_flight[asked.operation] += 1
        try:
            given = await self._handler(asked, lambda again: self._forward(scope, again))
        finally:
            self._desk.in_flight[asked.operation] -= 1
        await send({"type": "http.response.start", "status": given.status, "headers": list(given.headers)})
        await send({"type": "http.response.body", "body": given.body})

    async def _asked(self, scope: Scope, receive: Receive) -> Asked:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message["type"] == "http.request" and message.get("more_body", False)

        async def gone() -> None:
            async with asyncio.timeout(_PATIENCE):
                while (await receive())["type"] != "http.disconnect":
                    pass

        return Asked(
            method=scope["method"],
            path=scope["raw_path"].split(b"?")[0],
            query=scope["query_string"],
            headers=tuple(scope["headers"]),
            body=bytes(body),
            desk=self._desk,
            gone=gone,
        )

    async def _forward(self, scope: Scope, asked: Asked) -> Answer:
        inner: dict[str, Any] = {
            **scope,
            "method": asked.method,
            "path": unquote(asked.path.decode("latin-1")),
            "raw_path": asked.path,
            "query_string": asked.query,
            "headers": list(asked.headers),
        }
        head: Message = {}
        body = bytearray()
        fed = False

        async def receive() -> Message:
            nonlocal fed
            if fed:
                return {"type": "http.disconnect"}
            fed = True
            return {"type": "http.request", "body": asked.body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            body.extend(message.get("body", b""))

        await self._app(inner, receive, send)
        given = Answer(head["status"], tuple(head["headers"]), bytes(body))
        if asked.operation == "sendMessage":
            self._desk.take(asked, given)
        return given
