"""A server, and the pieces under it, for the tests of the reference server."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sendpoll.reference_server.embedded import running
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.settings import Settings

TOKEN, OTHER_TOKEN = "token-one", "token-two"


POSTS = ["/api/v1/workspaces", "/api/v1/workspaces/ws1/conversations", "/api/v1/workspaces/ws1/messages"]


def refusal(answer: httpx.Response) -> str:
    """The code of an error answer, whose form is checked on the way."""
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"
    error: dict[str, str] = answer.json()["error"]
    assert error["message"]
    return error["code"]


@dataclass(frozen=True)
class Api:
    """A client of a running server, with the walk through the four calls."""

    url: str
    client: httpx.Client

    def conversation(self, workspace: str = "ws1") -> str:
        self.client.post("/api/v1/workspaces", json={"workspace_id": workspace}).raise_for_status()
        answer = self.client.post(f"/api/v1/workspaces/{workspace}/conversations").raise_for_status()
        conversation: str = answer.json()["conversation_id"]
        return conversation

    def send(self, conversation: str, message: str = "你好", **more: object) -> str:
        body = {"conversation_id": conversation, "message": message, **more}
        task: str = self.client.post("/api/v1/workspaces/ws1/messages", json=body).raise_for_status().json()["task_id"]
        return task

    def poll(self, task: str, offset: int = 0) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/tasks/{task}", params={"from": offset})
        news: dict[str, Any] = answer.raise_for_status().json()["data"]
        return news

    def wait(self, task: str) -> dict[str, Any]:
        """The whole task, once it has ended."""
        for _ in range(3000):
            news = self.poll(task)
            if news["status"] != "running":
                return news
            time.sleep(0.01)
        raise AssertionError(f"{task} does not end")

    def finished(self, message: str = "你好", **more: object) -> dict[str, Any]:
        return self.wait(self.send(self.conversation(), message, **more))


def bodies(reader: Reader, number: int, count: int) -> list[bytes]:
    """The first `count` events of a task, as they are stored."""
    return reader.events(number, 0, count, most=1_000_000).bodies


class ManualClock:
    """A clock whose hands a test sets. Who sleeps by it sets them too, or waits for the test to, as the test says."""

    def __init__(self, *, waits: bool = False) -> None:
        self.time = 100.0
        self._waits = waits
        self._moved = asyncio.Event()

    def now(self) -> float:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += seconds
        self._moved.set()

    async def sleep_until(self, moment: float) -> None:
        while self._waits and self.time < moment:
            self._moved.clear()
            await self._moved.wait()
        self.time = max(self.time, moment)


def text(news: dict[str, Any]) -> str:
    return "".join(event["data"]["content"] for event in news["events"] if event["type"] == "text_chunk")


ApiMaker = Callable[..., Api]


@contextlib.contextmanager
def serving(**settings: Any) -> Iterator[Api]:
    """A server with these settings, at its quickest and with two tokens where they do not say otherwise."""
    values = {"tokens": (TOKEN, OTHER_TOKEN), "port": 0, "chunk_interval": 0.0, **settings}
    with running(Settings(**values)) as url, client_of(url) as client:
        yield Api(url, client)


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)


@pytest.fixture(name="make_api")
def _make_api() -> Iterator[ApiMaker]:
    """Start a server with these settings, and hand out its client."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serving(**settings))


@pytest.fixture(name="api", scope="module")
def _api() -> Iterator[Api]:
    """One quick server in memory for all tests of a module that do not mind each other."""
    with serving() as api:
        yield api
