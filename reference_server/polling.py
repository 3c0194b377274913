"""GET /api/v1/tasks/{task_id}, the call that makes up nearly all traffic.

It is a plain ASGI application: events are stored as the bytes in which they are served, so an answer is put together
without parsing or writing any JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from sendpoll.reference_server.auth import Tokens
from sendpoll.reference_server.database import Database
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.responses import JSON_HEADERS, MalformedError
from sendpoll.reference_server.service import PAGE, News, Service

_HEADERS = [(name.encode(), value.encode()) for name, value in JSON_HEADERS.items()]
_END = b"]}}"
# 2^53-1 has 16 digits; what is longer is no offset that was given out.
_OFFSET = re.compile(r"[0-9]{1,16}", re.ASCII)


class PollEndpoint:
    """Answers polls."""

    def __init__(self, tokens: Tokens, service: Service, database: Database) -> None:
        self._tokens = tokens
        self._service = service
        self._database = database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Serve one poll."""
        owner = self._tokens.owner(scope["headers"])
        offset = parse_offset(scope["query_string"])
        news = self._service.poll(owner, scope["path_params"]["task_id"], offset)
        if news.bodies is not None:
            body = b"".join((_start(news), b",".join(news.bodies), _END))
            await _send_head(send, len(body))
            await send({"type": "http.response.body", "body": body})
            return
        # Length first, then page by page: the log may be longer than what memory should hold.
        start = _start(news)
        size = await asyncio.to_thread(self._size, news)
        await _send_head(send, len(start) + size + len(_END))
        await send({"type": "http.response.body", "body": start, "more_body": True})
        async with contextlib.aclosing(self._pages(news)) as pages:
            async for page in pages:
                await send({"type": "http.response.body", "body": page, "more_body": True})
        await send({"type": "http.response.body", "body": _END})

    def _size(self, news: News) -> int:
        with contextlib.closing(Reader(self._database)) as reader:
            commas = news.next_offset - news.start - 1
            return reader.size(news.number, news.start, news.next_offset) + commas

    async def _pages(self, news: News) -> AsyncGenerator[bytes, None]:
        reader = Reader(self._database)
        with contextlib.closing(reader):
            for first in range(news.start, news.next_offset, PAGE):
                stop = min(first + PAGE, news.next_offset)
                bodies = await asyncio.to_thread(reader.bodies, news.number, first, stop)
                yield (b"," if first > news.start else b"") + b",".join(bodies)


def parse_offset(query: bytes) -> int:
    """The value of `from` in a query string, 0 if it has none. Raises MalformedError.

    Only ASCII digits will do: other spellings of a number are read differently by different programs.
    """
    if query[:5] == b"from=" and query[5:].isdigit() and len(query) <= 20:
        return int(query[5:])
    if not query:
        return 0
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as problem:
        raise MalformedError("malformed_query", "The query string is not percent-encoded UTF-8.") from problem
    given = [value for name, value in pairs if name == "from"]
    if not given:
        return 0
    if len(given) > 1:
        raise MalformedError("repeated_offset", "from is given more than once.")
    if not _OFFSET.fullmatch(given[0]):
        raise MalformedError("malformed_offset", "from must be the next_offset of the last poll: digits only.")
    return int(given[0])


def _start(news: News) -> bytes:
    return b'{"data":{"status":"%b","next_offset":%d,"events":[' % (news.status.encode(), news.next_offset)


async def _send_head(send: Send, length: int) -> None:
    headers = [*_HEADERS, (b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
