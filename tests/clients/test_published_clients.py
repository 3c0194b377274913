"""Each published client, run as its user would, against the reference server."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.embedded import running_app
from sendpoll.reference_server.settings import Settings
from tests.clients.runners import CLIENTS, rendering, run_client

TOKEN = "client-t0ken"
MESSAGE = "介绍一下 e\u0301 и 🙂🏳️‍🌈"
GUARD = 120.0
LIMITS = {"one_task_per": "token", "requests_per_second": 10.0, "keep_events": 1}
"""As narrow as a published client alone does not notice."""


class Watched:
    """The server's application, and the path of the task that was polled last."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.task_path = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/v1/tasks/"):
            self.task_path = scope["path"]
        await self._app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    watched: Watched

    def chunks(self) -> list[str]:
        """The text chunks of the task that was polled last, read over HTTP from its start."""
        request = urllib.request.Request(
            f"{self.url}{self.watched.task_path}?from=0", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            events: list[dict[str, Any]] = json.load(answer)["data"]["events"]
        return [event["data"]["content"] for event in events if event["type"] == "text_chunk"]


@pytest.fixture(scope="module", params=[{}, LIMITS], ids=["unlimited", "limited"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    settings = Settings(tokens=(TOKEN,), host="127.0.0.1", port=0, chunks=12, chunk_interval=0.1, **request.param)
    watched = Watched(create_app(settings))
    with running_app(watched, settings) as url:
        yield Server(url, watched)


@pytest.mark.parametrize("client", CLIENTS)
def test_prints_the_whole_answer_intact(runnable: str, server: Server) -> None:
    """The scripted agent tells the message back, so its emoji and combining characters are in the answer."""
    outcome = run_client(runnable, server.url, TOKEN, MESSAGE, GUARD)
    assert (outcome.exit_code, outcome.timed_out) == (0, False), outcome.stderr
    assert MESSAGE in "".join(server.chunks())
    assert outcome.answer == rendering(runnable, server.chunks())


@pytest.mark.parametrize(("client", "end"), [("curl", "\nstatus=completed\n"), ("python", "\nstatus: completed\n")])
def test_says_how_the_task_ended(runnable: str, end: str, server: Server) -> None:
    assert run_client(runnable, server.url, TOKEN, MESSAGE, GUARD).stdout.endswith(end)


@pytest.mark.parametrize("client", CLIENTS)
def test_shows_no_answer_with_a_wrong_token(runnable: str, server: Server) -> None:
    """Whether and how it says so is the client's habit: bash goes on to the end, the others stop with an error."""
    outcome = run_client(runnable, server.url, "another-t0ken", MESSAGE, GUARD)
    assert not outcome.timed_out
    assert outcome.answer.strip() == "" if runnable != "curl" else outcome.stdout.endswith("\nstatus=\n")
    assert (outcome.exit_code == 0) == (runnable == "curl")
