"""Observations as a right client makes them, for the judges to be tried on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.running.program import End, Ran
from sendpoll.conformance.client.serving.messages import ReceivedRequest, answer, error
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.client.situations.situation import Situation, parse_situation

TOKEN = "t0ken-of-the-tests"
HEADERS = (("Host", "127.0.0.1:1"), ("Authorization", f"Bearer {TOKEN}"), ("Content-Type", "application/json"))
PLAIN = "title: nothing happens\njudges: [C-1]\nexpect: answer\ntask: {events: ['alpha,', 'beta.']}\n"


def situation(text: str = PLAIN, name: str = "plain") -> Situation:
    return parse_situation(text, name)


def ran(shown: str = "alpha,beta.\n", words: str = "", code: int | None = 0, end: End = End.ITSELF) -> Ran:
    return Ran(shown, words, code, end, 1.0)


def served(method: str, path: str, document: Any = None, at: float = 0.0, **changes: Any) -> Served:
    """A request and its answer, which is the JSON `document` or, for a number, a refusal with that status."""
    given = error(document, "no") if isinstance(document, int) else answer(200, document)
    made = Served(ReceivedRequest(method, path, HEADERS, changes.pop("body", b"")), at, given, "", at)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def message(text: str = "Which words come next?", document: Any = None, at: float = 0.0, **changes: Any) -> Served:
    body = b'{"conversation_id": "conv-1", "message": "%b"}' % text.encode()
    told = {"task_id": "task-1"} if document is None else document
    return served("POST", "/api/v1/workspaces/judged/messages", told, at, body=body, **changes)


def poll(asked: object, next_offset: int, events: int = 1, at: float = 0.0, **changes: Any) -> Served:
    data = {"status": "running", "next_offset": next_offset, "events": [{"type": "text_chunk"}] * events}
    return served("GET", f"/api/v1/tasks/task-1?from={asked}", {"data": data}, at, **changes)


def observed(
    *requests: Served, told: Situation | None = None, runs: tuple[Ran, ...] = (), **changes: Any
) -> Observation:
    """One situation, in which these requests were served."""
    seen = Observation(told or situation(), runs or (ran(),), requests, 0.0, TOKEN, 5.0)
    return replace(seen, **changes)
