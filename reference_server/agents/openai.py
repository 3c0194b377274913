"""The agent `openai`: relays an OpenAI-compatible endpoint, chunk by chunk as it streams.

The endpoint is somebody else's: it may answer with anything, for ever, or not at all. What it can cost is bounded in
time and in bytes, whatever goes wrong becomes an AgentError that says so, and the key goes to its URL alone: redirects
are not followed, and nothing that is stored or served holds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

from sendpoll.reference_server.agents.base import AgentError, Prompt
from sendpoll.reference_server.agents.completion import broke, events_of, shown
from sendpoll.reference_server.agents.redaction import KeyFilter
from sendpoll.reference_server.events import Event

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds; 60 between two pieces of the stream."""
_ANSWER_BYTES = 64 * 1024 * 1024
"""Of one stream: an endpoint spends some 250 bytes a token, so a quarter of a million tokens."""
_REFUSAL_BYTES = 8 * 1024
_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
"""Loggers that tell of an exchange, below the level of a warning."""


class OpenAIAgent:
    """Streams chat completions."""

    wants_history = True

    def __init__(self, base_url: str, model: str, api_key: str, seconds: float) -> None:
        """`seconds` is how long an answer may take in all."""
        url = httpx.URL(base_url)
        self._url = url.copy_with(userinfo=b"", path=f"{url.path.rstrip('/')}/chat/completions")
        self._model = model
        self._key = api_key
        self._seconds = seconds
        self._client = httpx.AsyncClient(
            # Not compressed, since a few bytes could then become more than memory holds.
            headers={"Accept-Encoding": "identity", **({"Authorization": f"Bearer {api_key}"} if api_key else {})},
            timeout=_TIMEOUT,
            auth=(url.username, url.password) if url.userinfo else None,
            follow_redirects=False,
            # No cookies: they would tie the tasks of different people together.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )
        self._filter = KeyFilter(api_key)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(self._filter)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """A text chunk for every piece of content, then the usage if the endpoint tells it."""
        deadline = asyncio.get_running_loop().time() + self._seconds
        body = {"model": self._model, "messages": _messages(prompt), "stream": True}
        try:
            async with asyncio.timeout_at(deadline):
                request = self._client.build_request("POST", self._url, json=body)
                response = await self._client.send(request, stream=True)
            try:
                pieces = _pieces(response, deadline)
                if response.status_code != httpx.codes.OK:
                    raise AgentError("upstream_refused", await self._refusal(response, pieces))
                if response.headers.get("content-encoding", "identity") != "identity":
                    raise broke("sent its answer in a coding that was not asked for")
                async for event in events_of(pieces, self._key):
                    yield event
            finally:
                await response.aclose()
        except (httpx.TimeoutException, TimeoutError) as problem:
            raise AgentError("upstream_timeout", f"{self._place} did not answer in time.") from problem
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            told = shown(f"{self._place}: {problem}", self._key)
            raise AgentError("upstream_unreachable", told) from problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        for name in _TALKATIVE:
            logging.getLogger(name).removeFilter(self._filter)

    @property
    def _place(self) -> str:
        """The URL without the query that it may have."""
        return str(self._url.copy_with(query=None))

    async def _refusal(self, response: httpx.Response, pieces: AsyncIterator[bytes]) -> str:
        read = b""
        # Who refuses may hang up at once, and the status is told already.
        with contextlib.suppress(httpx.NetworkError, httpx.RemoteProtocolError):
            async for piece in pieces:
                read += piece
                if len(read) >= _REFUSAL_BYTES:
                    break
        text = shown(read[:_REFUSAL_BYTES].decode("utf-8", "replace"), self._key)
        redirect = ", a redirect, which is not followed" if response.is_redirect else ""
        return f"The upstream answered {response.status_code}{redirect}: {text}"


async def _pieces(response: httpx.Response, deadline: float) -> AsyncIterator[bytes]:
    """What the endpoint sends, as it comes. Raises TimeoutError at the deadline, AgentError where it is too much."""
    size = 0
    source = response.aiter_raw()
    while True:
        # Each wait by itself, since what is between two yields may be interrupted and nothing else.
        async with asyncio.timeout_at(deadline):
            piece = await anext(source, None)
        if piece is None:
            return
        size += len(piece)
        if size > _ANSWER_BYTES:
            raise broke(f"sent more than {_ANSWER_BYTES} bytes")
        yield piece


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    turns = [
        message
        for turn in prompt.history
        for message in ({"role": "user", "content": turn.message}, {"role": "assistant", "content": turn.answer})
    ]
    return [*turns, {"role": "user", "content": prompt.message}]
