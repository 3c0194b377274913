"""The agent `openai`: relays an OpenAI-compatible endpoint, chunk by chunk as it streams.

Whatever goes wrong upstream becomes an AgentError that says so; the key is never part of what it says, since nothing of
the request is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import httpx

from sendpoll.reference_server.agents.base import AgentError, Prompt
from sendpoll.reference_server.events import Event, text_chunk

_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds; 60 between two pieces of the stream."""
_LINE_LIMIT = 1024 * 1024
_SHOWN = 500
"""Characters of an upstream's error body that are passed on."""


class OpenAIAgent:
    """Streams chat completions."""

    wants_history = True

    def __init__(self, base_url: str, model: str, api_key: str) -> None:
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._key = api_key
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(headers=headers, timeout=_TIMEOUT)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """A text chunk for every piece of content, then the usage if the endpoint tells it."""
        body = {"model": self._model, "messages": _messages(prompt), "stream": True}
        try:
            async with self._client.stream("POST", self._url, json=body) as response:
                if response.status_code != httpx.codes.OK:
                    raise AgentError("upstream_refused", self._blank(await _refusal(response)))
                async for event in _relay(_payloads(response)):
                    yield event
        except httpx.TimeoutException as problem:
            raise AgentError("upstream_timeout", f"{self._url} did not answer in time.") from problem
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise AgentError("upstream_unreachable", f"{self._url}: {self._blank(str(problem))}") from problem

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _blank(self, text: str) -> str:
        """The text without the key: endpoints like to repeat a key that they refuse."""
        return text.replace(self._key, "[key]") if self._key else text


def _messages(prompt: Prompt) -> list[dict[str, str]]:
    turns = [
        message
        for turn in prompt.history
        for message in ({"role": "user", "content": turn.message}, {"role": "assistant", "content": turn.answer})
    ]
    return [*turns, {"role": "user", "content": prompt.message}]


async def _refusal(response: httpx.Response) -> str:
    read = b""
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > _SHOWN * 4:
            break
    text = read.decode("utf-8", "replace")[:_SHOWN]
    return f"The upstream answered {response.status_code}: {text}"


async def _lines(response: httpx.Response) -> AsyncIterator[bytes]:
    # Split at line feeds only: httpx's own splitter also takes U+2028 and others, which JSON may hold unescaped.
    rest = b""
    async for piece in response.aiter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line
        if len(rest) > _LINE_LIMIT:
            raise AgentError("upstream_broke", "The upstream sent a line of more than a megabyte.")
    yield rest


async def _payloads(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON of each `data:` line up to `[DONE]`."""
    async for line in _lines(response):
        field, _, value = line.strip().partition(b":")
        if field != b"data":
            continue
        if value.strip() == b"[DONE]":
            return
        try:
            payload = json.loads(value)
        except ValueError as problem:
            raise AgentError("upstream_broke", f"The upstream's stream is not JSON: {problem}.") from problem
        if not isinstance(payload, dict):
            raise AgentError("upstream_broke", "The upstream's stream holds something that is not an object.")
        yield payload


async def _relay(payloads: AsyncIterator[dict[str, Any]]) -> AsyncIterator[Event]:
    finished = False
    held = ""
    usage: Any = None
    async for payload in payloads:
        if problem := payload.get("error"):
            raise AgentError("upstream_failed", f"The upstream failed: {json.dumps(problem)[:_SHOWN]}")
        content, ended = _delta(payload)
        finished = finished or ended
        usage = payload.get("usage") or usage
        text, held = _rejoin(held + content)
        if text:
            yield text_chunk(text)
    if held:
        yield text_chunk(held)
    if not finished:
        raise AgentError("upstream_broke", "The upstream ended its stream before the answer was complete.")
    if usage is not None:
        yield Event("usage", usage)


def _delta(payload: dict[str, Any]) -> tuple[str, bool]:
    """The text of one payload, and whether it says that the answer is complete."""
    try:
        choices = payload.get("choices") or [{}]
        content = (choices[0].get("delta") or {}).get("content") or ""
        ended = choices[0].get("finish_reason") is not None
    except (AttributeError, IndexError, KeyError, TypeError) as problem:
        raise AgentError("upstream_broke", "The upstream's stream is not of chat completion chunks.") from problem
    if not isinstance(content, str):
        raise AgentError("upstream_broke", "The upstream's stream holds content that is not text.")
    return content, ended


def _rejoin(text: str) -> tuple[str, str]:
    """Split off a high surrogate at the end: some endpoints cut an escaped emoji between two chunks."""
    if text and "\ud800" <= text[-1] <= "\udbff":
        return text[:-1], text[-1]
    return text, ""
