"""The stream of a chat completion: server-sent events with JSON, from a server that may send anything.

https://platform.openai.com/docs/api-reference/chat-streaming; what holds one piece together is bounded here, the whole
by who reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any, NoReturn

from sendpoll.reference_server.agents.base import AgentError
from sendpoll.reference_server.agents.redaction import Redactor, redacted
from sendpoll.reference_server.events import Event, text_chunk

_LINE_BYTES = 1024 * 1024
_CHUNK = 16 * 1024
"""Characters of one text chunk; longer pieces become several."""
_SHOWN = 500
"""Characters of an upstream's own words that are passed on."""
_NAME = re.compile(r"[a-z_]{1,40}")
"""Of a figure of the usage."""


def broke(what: str) -> AgentError:
    """The upstream does not keep to the protocol."""
    return AgentError("upstream_broke", f"The upstream {what}.")


def shown(text: str, key: str) -> str:
    """An upstream's words in one line that is safe to show: without the key, without control codes, and short."""
    safe = redacted(text, key)[:_SHOWN]
    return "".join(one if one.isprintable() else " " for one in safe)


async def events_of(pieces: AsyncIterator[bytes], key: str) -> AsyncIterator[Event]:
    """A text chunk for every piece of content, without the key, then the usage if the upstream tells it.

    Raises AgentError when the stream is not of a completion, tells of an error, or ends too early.
    """
    finished = False
    held = ""
    usage: Any = None
    redactor = Redactor(key)
    async for payload in _payloads(pieces):
        if problem := payload.get("error"):
            raise AgentError("upstream_failed", f"The upstream failed: {shown(_told(problem), key)}")
        content, ended = _delta(payload)
        finished = finished or ended
        usage = payload.get("usage") or usage
        text, held = _rejoin(held + content)
        for chunk in _chunks(redactor.feed(text)):
            yield chunk
    for chunk in _chunks(redactor.feed(held) + redactor.end()):
        yield chunk
    if not finished:
        raise broke("ended its stream before the answer was complete")
    if isinstance(usage, dict):
        yield Event("usage", _figures(usage, key))


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    # Split at line feeds only: httpx's own splitter also takes U+2028 and others, which JSON may hold unescaped.
    rest = bytearray()
    async for piece in pieces:
        begin, searched = 0, len(rest)
        rest += piece
        while (end := rest.find(b"\n", searched)) >= 0:
            yield bytes(rest[begin:end])
            begin = searched = end + 1
        del rest[:begin]
        if len(rest) > _LINE_BYTES:
            raise broke("sent a line of more than a megabyte")
    yield bytes(rest)


async def _payloads(pieces: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The JSON of each `data:` line up to `[DONE]`."""
    async for line in _lines(pieces):
        field, _, value = line.strip().partition(b":")
        if field != b"data":
            continue
        if value.strip() == b"[DONE]":
            return
        try:
            payload = json.loads(value, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as problem:
            # Not the parser's own words, which may hold what it read.
            raise broke("sent a stream that is not JSON") from problem
        if not isinstance(payload, dict):
            raise broke("sent a stream that holds something that is not an object")
        yield payload


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _told(problem: Any) -> str:
    if isinstance(problem, dict) and isinstance(problem.get("message"), str):
        problem = problem["message"]
    try:
        return problem if isinstance(problem, str) else json.dumps(problem, ensure_ascii=False)
    except RecursionError:
        return "an error that is nested too deeply to be told"


def _delta(payload: dict[str, Any]) -> tuple[str, bool]:
    """The text of one payload, and whether it says that the answer is complete."""
    try:
        choices = payload.get("choices") or [{}]
        content = (choices[0].get("delta") or {}).get("content") or ""
        ended = choices[0].get("finish_reason") is not None
    except (AttributeError, IndexError, KeyError, TypeError) as problem:
        raise broke("sent a stream that is not of chat completion chunks") from problem
    if not isinstance(content, str):
        raise broke("sent a stream that holds content that is not text")
    return content, ended


def _rejoin(text: str) -> tuple[str, str]:
    """Split off a high surrogate at the end: some endpoints cut an escaped emoji between two chunks."""
    if text and "\ud800" <= text[-1] <= "\udbff":
        return text[:-1], text[-1]
    return text, ""


def _chunks(text: str) -> list[Event]:
    return [text_chunk(text[start : start + _CHUNK]) for start in range(0, len(text), _CHUNK)]


def _figures(usage: dict[str, Any], key: str) -> dict[str, int]:
    """The usage as far as it is counts under plain names, which is all that it is for."""
    return {
        name: value
        for name, value in usage.items()
        if isinstance(value, int) and _NAME.fullmatch(name) and redacted(name, key) == name
    }
