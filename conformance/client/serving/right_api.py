"""A small send-and-poll API that is right, whatever its one task is like. No sockets: `server.py` has those.

It is a reading of the contract of its own, apart from the reference server and from the suite, kept just large enough
for clients to run against. A task advances by being polled rather than by the clock: each poll shows the next stage of
its script, so that a run is the same on every machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, answer, error

RUNNING = "running"


def chunk(text: object) -> dict[str, Any]:
    """The event that clients print."""
    return {"type": "text_chunk", "data": {"content": text}}


@dataclass(frozen=True, slots=True)
class Script:
    """What a server's tasks are like."""

    events: Callable[[str], list[Any]]
    """The whole log of the task that answers a message."""
    stages: tuple[tuple[int, str], ...] = ((0, RUNNING), (3, RUNNING), (99, "completed"))
    """Per poll: how many events are there, and the status. The last stage stays. The second poll asks from 0 again."""
    conversation_id: Any = "conv-1"
    task_id: Any = "task-1"
    offsets: tuple[int, ...] = ()
    """The offset behind 0, 1, 2 ... events; their number where it is empty."""
    first_offset: int = 0
    """What is added to each of them."""
    holds: tuple[int, float] | None = None
    """A stage, and seconds through which the task stays in it."""
    known_workspace: bool = False
    """Whether every workspace exists already."""


@dataclass(slots=True)
class _Task:
    """One task: its log, and how far it came."""

    log: list[Any]
    polls: int = 0
    held_since: float | None = None


class RightApi:
    """One server's state: its conversations, its tasks, and what was asked of it."""

    def __init__(self, script: Script, token: str) -> None:
        self._script = script
        self._token = token
        self._workspaces: set[str] = set()
        self._tasks: dict[str, _Task] = {}
        self._conversations: list[Any] = []
        self._given: list[tuple[Any, str]] = []
        self.messages: list[str] = []
        """Each message that was accepted: a client sends one."""

    def answer(self, request: ReceivedRequest) -> Answer:
        """The right answer."""
        if request.call == "preflight":
            allowed = (
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Allow-Headers", "authorization, content-type"),
            )
            return Answer(204, allowed)
        scheme, _, token = (request.header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or token.strip() != self._token:
            return error(401, "no valid token")
        handlers: dict[str, Callable[[ReceivedRequest], Answer]] = {
            "createWorkspace": self._create_workspace,
            "createConversation": self._create_conversation,
            "sendMessage": self._send_message,
            "pollTask": self._poll_task,
        }
        handler = handlers.get(request.call)
        return handler(request) if handler else error(404, "no such path")

    def renewed(self) -> RightApi:
        """Another of the same, in which nothing happened yet but what was there before any client asked."""
        other = RightApi(self._script, self._token)
        for conversation_id, workspace in self._given:
            other.open_conversation(conversation_id, workspace)
        return other

    def open_conversation(self, conversation_id: Any, workspace: str) -> None:
        """Make one that exists before any client asks."""
        self._given.append((conversation_id, workspace))
        self._workspaces.add(workspace)
        self._conversations.append(conversation_id)

    def _create_workspace(self, request: ReceivedRequest) -> Answer:
        said = request.said
        if not isinstance(said, dict) or not isinstance(said.get("workspace_id"), str):
            return error(400, "the body is no JSON object with a workspace_id")
        known = self._script.known_workspace or said["workspace_id"] in self._workspaces
        self._workspaces.add(said["workspace_id"])
        return answer(200 if known else 201, {"workspace_id": said["workspace_id"]})

    def _create_conversation(self, request: ReceivedRequest) -> Answer:
        if not self._is_known(request):
            return error(404, "no such workspace")
        made = self._numbered(self._script.conversation_id, len(self._conversations))
        self._conversations.append(made)
        return answer(201, {"conversation_id": made})

    def _send_message(self, request: ReceivedRequest) -> Answer:
        if not self._is_known(request):
            return error(404, "no such workspace")
        said = request.said
        if not isinstance(said, dict) or not isinstance(said.get("message"), str):
            return error(400, "the body is no JSON object with a message")
        sent = said.get("conversation_id")
        if not any((type(sent), sent) == (type(known), known) for known in self._conversations):
            return error(404, "no such conversation")
        task_id = self._numbered(self._script.task_id, len(self._tasks))
        self._tasks[str(task_id)] = _Task(self._script.events(said["message"]))
        self.messages.append(said["message"])
        return answer(202, {"task_id": task_id})

    def _is_known(self, request: ReceivedRequest) -> bool:
        return self._script.known_workspace or unquote(request.path.split("/")[4]) in self._workspaces

    @staticmethod
    def _numbered(first: Any, before: int) -> Any:
        """The script's id for the first of its kind, and others for those that follow."""
        return f"{first}-{before + 1}" if before else first

    def _poll_task(self, request: ReceivedRequest) -> Answer:
        task = self._tasks.get(unquote(request.path.split("/")[4]))
        if task is None:
            return error(404, "no such task")
        script = self._script
        at = min(task.polls, len(script.stages) - 1)
        visible, status = script.stages[at]
        log = task.log[:visible]
        asked = request.query.get("from", ["0"])[0]
        seen = 0 if asked == "0" else self._events_before(asked, len(log))
        if seen is None:
            return error(400, "from is no offset that was given out")
        task.polls += 0 if self._is_held(task, at) else 1
        next_offset = self._offset(len(log)) if log or script.offsets else 0
        return answer(200, {"data": {"status": status, "next_offset": next_offset, "events": log[seen:]}})

    def _offset(self, events: int) -> int:
        offsets = self._script.offsets
        return self._script.first_offset + (offsets[events] if offsets else events)

    def _events_before(self, asked: str, known: int) -> int | None:
        """How many events stand before an offset; None for one that was not given out."""
        if not re.fullmatch("[0-9]{1,19}", asked):
            return None
        return next((events for events in range(known + 1) if self._offset(events) == int(asked)), None)

    def _is_held(self, task: _Task, stage: int) -> bool:
        if self._script.holds is None or self._script.holds[0] != stage:
            return False
        if task.held_since is None:
            task.held_since = time.monotonic()
        return time.monotonic() - task.held_since < self._script.holds[1]
