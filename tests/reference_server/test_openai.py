"""The agent `openai` against a small upstream of our own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sendpoll.reference_server.embedded import running_app
from sendpoll.reference_server.settings import Settings
from tests.reference_server.conftest import Api, ApiMaker, text

KEY = "upstream-key"


@dataclass
class Upstream:
    """Answers with the pieces that the test laid out, and remembers what it was asked."""

    url: str = ""
    pieces: list[bytes] = field(default_factory=list)
    status: int = 200
    asked: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    async def complete(self, request: Request) -> Response:
        self.asked.append((dict(request.headers), await request.json()))

        async def stream() -> AsyncIterator[bytes]:
            for piece in self.pieces:
                yield piece

        return StreamingResponse(stream(), self.status, media_type="text/event-stream")


def delta(content: str | None, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    return b"data: " + json.dumps({"choices": [choice]}, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


@pytest.fixture(name="upstream")
def _upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    app = Starlette(routes=[Route("/v1/chat/completions", upstream.complete, methods=["POST"])])
    with running_app(app, Settings(tokens=("unused",), port=0)) as url:
        upstream.url = f"{url}/v1"
        yield upstream


@pytest.fixture(name="relay")
def _relay(upstream: Upstream, make_api: ApiMaker) -> Api:
    return make_api(agent="openai", openai_base_url=upstream.url, openai_model="m1", openai_api_key=KEY)


def failure(news: dict[str, Any]) -> tuple[str, str]:
    assert news["status"] == "failed"
    error = news["events"][-1]
    assert error["type"] == "error"
    return error["data"]["code"], error["data"]["message"]


def test_pieces_become_chunks_and_usage_an_event_that_clients_skip(upstream: Upstream, relay: Api) -> None:
    usage = {"total_tokens": 7}
    upstream.pieces = [
        b": keep-alive\n\n",
        delta(None),
        delta("你好"),
        delta(" \u2028\u0085👋"),
        delta("", "stop"),
        b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n",
        DONE,
    ]
    news = relay.finished("hi")
    assert news["status"] == "completed"
    assert [event["data"] for event in news["events"]] == [{"content": "你好"}, {"content": " \u2028\u0085👋"}, usage]


def test_pieces_may_be_cut_anywhere(upstream: Upstream, relay: Api) -> None:
    whole = delta("你好👋") + delta("!", "stop") + DONE
    upstream.pieces = [bytes([byte]) for byte in whole]
    assert text(relay.finished()) == "你好👋!"


def test_a_surrogate_pair_cut_between_two_chunks_is_joined(upstream: Upstream, relay: Api) -> None:
    halves = [b'data: {"choices":[{"delta":{"content":"%b"},"finish_reason":null}]}\n\n' % half
              for half in (b"a\\ud83d", b"\\udc4bb")]  # fmt: skip
    upstream.pieces = [*halves, delta("", "stop"), DONE]
    assert text(relay.finished()) == "a👋b"


def test_the_upstream_gets_key_model_and_conversation(upstream: Upstream, relay: Api) -> None:
    upstream.pieces = [delta("answer", "stop"), DONE]
    conversation = relay.conversation()
    for message in ("one", "two"):
        relay.wait(relay.send(conversation, message))
    headers, body = upstream.asked[-1]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "m1",
        "stream": True,
        "messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "answer"},
            {"role": "user", "content": "two"},
        ],
    }


def test_a_refusal_is_told_without_the_key(upstream: Upstream, relay: Api) -> None:
    upstream.status, upstream.pieces = 401, [f'{{"error":"key {KEY} is not valid"}}'.encode()]
    code, message = failure(relay.finished())
    assert code == "upstream_refused"
    assert "401" in message
    assert "is not valid" in message
    assert KEY not in message


@pytest.mark.parametrize(
    ("pieces", "code", "words"),
    [
        ([delta("half")], "upstream_broke", "before the answer was complete"),
        ([], "upstream_broke", "before the answer was complete"),
        ([delta("half"), b'data: {"error": {"message": "overloaded"}}\n\n'], "upstream_failed", "overloaded"),
        ([b"data: nonsense\n\n"], "upstream_broke", "not JSON"),
        ([b"data: [1]\n\n"], "upstream_broke", "not an object"),
        ([b'data: {"choices": [7]}\n\n'], "upstream_broke", "not of chat completion chunks"),
        ([b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'], "upstream_broke", "not text"),
        ([b"x" * 1_100_000], "upstream_broke", "more than a megabyte"),
    ],
)
def test_a_broken_stream_ends_the_task_as_failed(
    upstream: Upstream, relay: Api, pieces: list[bytes], code: str, words: str
) -> None:
    upstream.pieces = pieces
    told, message = failure(relay.finished())
    assert told == code
    assert words in message


def test_what_came_before_the_fault_is_kept(upstream: Upstream, relay: Api) -> None:
    upstream.pieces = [delta("half")]
    assert text(relay.finished()) == "half"


def test_an_upstream_that_is_not_there_is_told(make_api: ApiMaker) -> None:
    api = make_api(agent="openai", openai_base_url="http://127.0.0.1:9/v1", openai_model="m1")
    code, message = failure(api.finished())
    assert code == "upstream_unreachable"
    assert "http://127.0.0.1:9/v1/chat/completions" in message
