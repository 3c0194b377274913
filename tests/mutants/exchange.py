"""A request and an answer as a fault sees them, and what a faulty server remembers between the two."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

Headers = tuple[tuple[bytes, bytes], ...]

_PATHS = {
    "createWorkspace": ("POST", re.compile(r"/api/v1/workspaces")),
    "createConversation": ("POST", re.compile(r"/api/v1/workspaces/[^/]+/conversations")),
    "sendMessage": ("POST", re.compile(r"/api/v1/workspaces/[^/]+/messages")),
    "pollTask": ("GET", re.compile(r"/api/v1/tasks/(?P<task>.*)", re.DOTALL)),
}
_SURROGATE = re.compile("[\ud800-\udfff]")


def json_bytes(value: Any) -> bytes:
    """The value as compact JSON in UTF-8; a surrogate without its partner as an escape, since UTF-8 has none for it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


@dataclass(slots=True)
class Task:
    """What the front knows of a task."""

    id: str
    number: int
    """Its place among all tasks of the server, from 1."""
    turn: int
    """Its place among the messages of its conversation, from 1."""
    message: str
    conversation: str
    restarts: int = 0
    """How often the server had been restarted when it was begun."""
    polls: int = 0
    notes: dict[str, Any] = field(default_factory=dict)
    """For faults that depend on what was answered before."""


@dataclass(slots=True)
class Desk:
    """What one faulty server remembers: how often it was asked what, and every task."""

    counts: Counter[str] = field(default_factory=Counter)
    in_flight: Counter[str] = field(default_factory=Counter)
    tasks: dict[str, Task] = field(default_factory=dict)
    turns: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Any] = field(default_factory=dict)
    restarts: int = 0

    def take(self, sent: Asked, answer: Answer) -> None:
        """Note the task that a message was given."""
        body, request = answer.json(), sent.json()
        if answer.status != 202 or not isinstance(body, dict) or not isinstance(request, dict):
            return
        self.turns[request["conversation_id"]] += 1
        turn = self.turns[request["conversation_id"]]
        task = Task(body["task_id"], len(self.tasks) + 1, turn, request["message"], request["conversation_id"])
        task.restarts = self.restarts
        self.tasks[task.id] = task


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, and its place among the others."""

    method: str
    path: bytes
    """As it was sent, without the query."""
    query: bytes
    headers: Headers
    body: bytes
    desk: Desk
    operation: str = ""
    """The operationId it is a call of; empty for anything else."""
    endpoint: str = ""
    """The operationId whose path it has, whatever its method."""
    nth: int = 0
    """Which call of its operation it is on this server, from 1."""
    together: int = 1
    """How many calls of its operation were under way when it came, itself included."""
    task: Task | None = None
    poll: int = 0
    """Which poll of its task it is, from 1."""
    gone: Callable[[], Awaitable[None]] | None = None
    """Waits until the client has gone away."""

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def json(self) -> Any:
        """The body's value; None where it is no JSON."""
        return _json(self.body)

    def member(self, name: str) -> Any:
        """A member of the body; None where there is no such one, or the body is no JSON object."""
        body = self.json()
        return body.get(name) if isinstance(body, dict) else None

    def with_json(self, value: Any) -> Asked:
        """The same request with another JSON body."""
        return self.with_body(json_bytes(value))

    def with_body(self, body: bytes) -> Asked:
        """The same request with another body, and its length."""
        kept = tuple(pair for pair in self.headers if pair[0].lower() != b"content-length")
        return replace(self, body=body, headers=(*kept, (b"content-length", b"%d" % len(body))))

    def polling(self, offset: object) -> Asked:
        """The same poll with another offset."""
        return replace(self, query=f"from={offset}".encode())

    @property
    def owner(self) -> bytes:
        """Who asks, as far as the header tells."""
        return self.header(b"authorization") or b""

    @property
    def offset_text(self) -> str | None:
        """The value of `from`, the first one, decoded; None without any."""
        for pair in self.query.decode("latin-1").split("&"):
            name, _, value = pair.partition("=")
            if name == "from":
                return unquote(value)
        return None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whole."""

    status: int
    headers: Headers
    body: bytes

    def json(self) -> Any:
        """The body's value; None where it is no JSON."""
        return _json(self.body)

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header, by its lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def with_body(self, body: bytes) -> Answer:
        """The same answer with another body, and its length."""
        kept = self.without(b"content-length").headers
        return replace(self, body=body, headers=(*kept, (b"content-length", b"%d" % len(body))))

    def with_json(self, value: Any) -> Answer:
        """The same answer with another JSON body."""
        return self.with_body(json_bytes(value))

    def with_status(self, status: int) -> Answer:
        """The same answer under another status."""
        return replace(self, status=status)

    def without(self, *names: bytes) -> Answer:
        """The same answer without these headers, by their lower-case names."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0].lower() not in names))

    def with_header(self, name: bytes, value: bytes) -> Answer:
        """The same answer with this header in place of any of its name."""
        return self.without(name).adding(name, value)

    def adding(self, name: bytes, value: bytes) -> Answer:
        """The same answer with one header more."""
        return replace(self, headers=(*self.headers, (name, value)))


Forward = Callable[[Asked], Awaitable[Answer]]
"""The right server."""
Handler = Callable[[Asked, Forward], Awaitable[Answer]]
"""A faulty one around it."""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def located(asked: Asked) -> Asked:
    """The request with its operation, its task and its place among the others filled in, and counted."""
    path = unquote(asked.path.decode("latin-1"))
    for name, (method, pattern) in _PATHS.items():
        match = pattern.fullmatch(path)
        if match:
            operation = name if asked.method == method else ""
            desk = asked.desk
            desk.counts[operation] += 1
            task = desk.tasks.get(match.groupdict().get("task", "")) if operation else None
            if task:
                task.polls += 1
            return replace(
                asked,
                operation=operation,
                endpoint=name,
                nth=desk.counts[operation],
                together=desk.in_flight[operation] + 1,
                task=task,
                poll=task.polls if task else 0,
            )
    return asked


JSON_HEADERS: Headers = (
    (b"content-type", b"application/json; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"access-control-allow-origin", b"*"),
)


def answer(status: int, value: Any) -> Answer:
    """A right answer in its form, with this status and JSON body."""
    return Answer(status, JSON_HEADERS, b"").with_json(value)


def refusal(status: int, code: str = "refused") -> Answer:
    """An error, right in its form."""
    refused = answer(status, {"error": {"code": code, "message": "This server does not take that."}})
    return refused.adding(b"www-authenticate", b"Bearer") if status == 401 else refused
