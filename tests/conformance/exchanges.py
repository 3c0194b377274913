"""Exchanges made by hand: a right one of each call, and changes to it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sendpoll.conformance.http.exchange import Exchange, Failure, Request, Response, Timing
from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.schemas.endpoints import endpoints

RIGHT: dict[str, Any] = {
    "createWorkspace": {"workspace_id": "ws1"},
    "createConversation": {"conversation_id": "conv_1"},
    "sendMessage": {"task_id": "task_1"},
    "pollTask": {
        "data": {
            "status": "running",
            "next_offset": 2,
            "events": [{"type": "thinking"}, {"type": "text_chunk", "data": {"content": "你好 🎉"}}],
        }
    },
}
"""What a right server answers to each call."""

HEADERS = (("Content-Type", "application/json; charset=utf-8"), ("Cache-Control", "no-store"))


def asked(operation: str, **changes: Any) -> Request:
    """A request of a call; of `operation` empty, one of another path."""
    method, target = ("GET", "/elsewhere")
    if operation:
        endpoint = endpoints()[operation]
        method, target = endpoint.method, endpoint.target({"workspace_id": "ws1", "task_id": "task_1"})
    described: dict[str, Any] = {"method": method, "target": target, "headers": (), "operation": operation}
    return Request(**{**described, **changes})


def said(value: Any) -> bytes:
    """A body: bytes as they are, anything else as JSON."""
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def told(
    operation: str,
    body: Any = ...,
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = HEADERS,
    sent: tuple[tuple[str, str], ...] = (),
    **request: Any,
) -> Exchange:
    """A request with the headers `sent` and its whole answer, by default the right one."""
    answer = Response(
        status=status,
        reason="",
        version="1.1",
        headers=headers,
        body=said(RIGHT[operation] if body is ... else body),
        complete=True,
    )
    return Exchange(1, asked(operation, headers=sent, **request), answer, timing())


def polled(body: Any = ..., **changes: Any) -> Exchange:
    """A poll whose `data` has these members changed; one that is ... is left out."""
    if changes:
        data = {**RIGHT["pollTask"]["data"], **changes}
        body = {"data": {key: value for key, value in data.items() if value is not ...}}
    return told("pollTask", body)


def with_event(event: Any) -> Exchange:
    """A poll that brings one event."""
    return polled(events=[event])


def read(pieces: Iterable[bytes], *, closes: bool = True, head_only: bool = False) -> ResponseReader:
    """What becomes of an answer that comes in these pieces, behind which the server closes or goes silent."""
    reader = ResponseReader(head_only=head_only)
    for piece in pieces:
        if not reader.done:
            reader.feed(piece)
    if closes:
        reader.end()
    else:
        reader.time_out()
    return reader


def received(*pieces: bytes, operation: str = "pollTask", closes: bool = True, **request: Any) -> Exchange:
    """A request and what the reader makes of these bytes, as a connection gives them to it."""
    reader = read(pieces, closes=closes)
    asked_for, answer = asked(operation, **request), reader.response()
    return Exchange(1, asked_for, answer, timing(), reader.failure, reader.detail, stray=reader.stray)


def unanswered(failure: Failure, operation: str = "pollTask", *, pause: float = 0.0, **request: Any) -> Exchange:
    """A request without an answer."""
    return Exchange(1, asked(operation, **request), None, timing(pause), failure)


def timing(pause: float = 0.0) -> Timing:
    """Times of an exchange with so long a silence in it."""
    return Timing(0.0, 0.0, 0.0, pause, pause)
