"""GET /api/v1/tasks/{task_id}, the call that makes up nearly all traffic.

It is a plain ASGI application: events are stored as the bytes in which they are served, so an answer is put together
without parsing or writing any JSON.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from sendpoll.reference_server.auth import Tokens
from sendpoll.reference_server.database import Database
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.histogram import Histogram
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.responses import JSON_HEADERS, MalformedError
from sendpoll.reference_server.service import News, Service

_HEADERS = [(name.encode(), value.encode()) for name, value in JSON_HEADERS.items()]
_END = b"]}}"
# 2^53-1 has 16 digits; what is longer is no offset that was given out.
_OFFSET = re.compile(r"[0-9]{1,16}", re.ASCII)
_PAGE_BYTES = 256 * 1024
_log = logging.getLogger(__name__)


class PollEndpoint:
    """Answers polls."""

    def __init__(self, tokens: Tokens, service: Service, database: Database) -> None:
        self._tokens = tokens
        self._service = service
        self._database = database
        self.times = Histogram()
        """How long polls took that were answered with news."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Serve one poll."""
        begun = time.perf_counter()
        owner = self._tokens.owner(scope["headers"])
        offset = parse_offset(scope["query_string"])
        news = self._service.poll(owner, scope["path_params"]["task_id"], offset)
        if news.bodies is not None:
            body = b"".join((_start(news), b",".join(news.bodies), _END))
            await _send_head(send, len(body))
            await send({"type": "http.response.body", "body": body})
        else:
            with contextlib.closing(Reader(self._database)) as reader:
                reader.freeze()
                await _send_pages(send, news, reader)
        self.times.observe(time.perf_counter() - begun)


async def _send_pages(send: Send, news: News, reader: Reader) -> None:
    # Length first, then page by page: the log may be longer than what memory should hold.
    kept = await asyncio.to_thread(reader.kept, news.number, news.asked, news.next_offset)
    news = news._replace(start=kept.first)
    start, commas = _start(news), max(0, news.next_offset - news.start - 1)
    await _send_head(send, len(start) + kept.size + commas + len(_END))
    await send({"type": "http.response.body", "body": start, "more_body": True})
    try:
        async with contextlib.aclosing(_pages(news, reader)) as pages:
            async for page in pages:
                await send({"type": "http.response.body", "body": page, "more_body": True})
    except StorageError as problem:
        # Too late for another status: the answer is cut, which its length shows.
        _log.error("%s", problem)
        return
    await send({"type": "http.response.body", "body": _END})


async def _pages(news: News, reader: Reader) -> AsyncGenerator[bytes, None]:
    at = news.start
    while at < news.next_offset:
        page = await asyncio.to_thread(reader.events, news.number, at, news.next_offset, _PAGE_BYTES)
        if page.first != at:
            raise StorageError("events were forgotten while they were sent")
        yield (b"," if at > news.start else b"") + b",".join(page.bodies)
        at += len(page.bodies)


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
    forgotten = b'"first_offset":%d,' % news.start if news.start > news.asked else b""
    return b'{"data":{"status":"%b","next_offset":%d,%b"events":[' % (
        news.status.encode(),
        news.next_offset,
        forgotten,
    )


async def _send_head(send: Send, length: int) -> None:
    headers = [*_HEADERS, (b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
