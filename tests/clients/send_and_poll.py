"""A small send-and-poll API that is right by default and can be given one fault. No sockets: `faulty.py` has those.

It is a third reading of the contract, apart from the reference server and from the suite, kept just large enough for
the clients to run against. A task advances by being polled rather than by the clock: each poll shows the next stage
of its script, so that a run is the same on every machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

TOKEN = "t0ken"
MESSAGE = "你好，世界 🙂"

Call = Literal["createWorkspace", "createConversation", "sendMessage", "pollTask", "preflight", ""]
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    connection: int = 1
    """Connections are counted from 1 in the order of their first byte."""
    nth: int = 1
    """The how manieth request on its connection this is."""
    idle: float = 0.0
    """Seconds that its connection had been silent."""
    memory: dict[str, Any] = field(default_factory=dict)
    """A fault's notes, kept as long as the server runs."""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> Mapping[str, list[str]]:
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def call(self) -> Call:
        """The operation that is meant; empty if the API has none such."""
        if self.method == "OPTIONS":
            return "preflight"
        return next((call for call, method, path in _ROUTES if method == self.method and path.fullmatch(self.path)), "")

    @property
    def said(self) -> Any:
        """The body's document; None if there is none."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except ValueError:
            return None


_ROUTES: tuple[tuple[Call, str, re.Pattern[str]], ...] = (
    ("createWorkspace", "POST", re.compile("/api/v1/workspaces")),
    ("createConversation", "POST", re.compile("/api/v1/workspaces/[^/]+/conversations")),
    ("sendMessage", "POST", re.compile("/api/v1/workspaces/[^/]+/messages")),
    ("pollTask", "GET", re.compile("/api/v1/tasks/[^/]+")),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before it is put on the wire."""

    status: int
    headers: Headers
    body: bytes = b""

    def with_body(self, body: bytes) -> Answer:
        return replace(self, body=body)

    def with_header(self, name: str, value: str | None) -> Answer:
        """The same with that header set, or without it."""
        rest = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=rest if value is None else (*rest, (name, value)))


def answer(status: int, document: object) -> Answer:
    """A JSON answer with the headers that every right answer has."""
    return Answer(
        status,
        (
            ("Content-Type", "application/json; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Access-Control-Allow-Origin", "*"),
        ),
        encoded(document),
    )


def encoded(document: object) -> bytes:
    """JSON text in raw UTF-8, or in escapes where a lone surrogate leaves no other way."""
    try:
        return json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(document).encode("ascii")


def error(status: int, sentence: str) -> Answer:
    """The API's error."""
    return answer(status, {"error": {"code": "refused", "message": sentence}})


def chunk(text: object) -> dict[str, Any]:
    """The event that clients print."""
    return {"type": "text_chunk", "data": {"content": text}}


def events(message: str) -> list[Any]:
    """A task's whole log: text that echoes the message, between events that a client must skip."""
    return [
        {"type": "task_started", "data": None},
        chunk("你好，"),
        {"type": "tool_call", "data": {"name": "search"}},
        chunk(message),
        chunk("e\u0301 🙂\n"),
        {"type": "usage", "data": {"tokens": 3}},
        chunk("终"),
    ]


@dataclass(frozen=True, slots=True)
class Script:
    """What a server's one task is like."""

    stages: tuple[tuple[int, str], ...] = ((0, "running"), (3, "running"), (99, "completed"))
    """Per poll: how many events are there, and the status. The last stage stays. The second poll asks from 0 again."""
    events: Callable[[str], list[Any]] = events
    conversation_id: Any = "conv-1"
    task_id: Any = "task-1"
    first_offset: int = 0
    """What an offset begins at; every event adds one."""


class Api:
    """One server's state: its conversation, its task, and what was asked of it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._workspaces: set[str] = set()
        self.messages: list[str] = []
        """Each message that was accepted: a client sends one."""
        self.polls = 0

    def answer(self, request: Request) -> Answer:
        """The right answer."""
        if request.call == "preflight":
            allowed = (
                ("Access-Control-Allow-Origin", "*"),
                ("Access-Control-Allow-Headers", "authorization, content-type"),
            )
            return Answer(204, allowed)
        if request.header("Authorization") != f"Bearer {TOKEN}":
            return error(401, "no valid token")
        handlers: dict[str, Callable[[Request], Answer]] = {
            "createWorkspace": self._create_workspace,
            "createConversation": self._create_conversation,
            "sendMessage": self._send_message,
            "pollTask": self._poll_task,
        }
        handler = handlers.get(request.call)
        return handler(request) if handler else error(404, "no such path")

    def _create_workspace(self, request: Request) -> Answer:
        said = request.said
        if not isinstance(said, dict) or not isinstance(said.get("workspace_id"), str):
            return error(400, "the body is no JSON object with a workspace_id")
        self._workspaces.add(said["workspace_id"])
        return answer(200, {"workspace_id": said["workspace_id"]})

    def _create_conversation(self, request: Request) -> Answer:
        if request.path.split("/")[4] not in self._workspaces:
            return error(404, "no such workspace")
        return answer(201, {"conversation_id": self._script.conversation_id})

    def _send_message(self, request: Request) -> Answer:
        said = request.said
        if not isinstance(said, dict) or not isinstance(said.get("message"), str):
            return error(400, "the body is no JSON object with a message")
        sent = said.get("conversation_id")
        if (type(sent), sent) != (type(self._script.conversation_id), self._script.conversation_id):
            return error(404, "no such conversation")
        self.messages.append(said["message"])
        return answer(202, {"task_id": self._script.task_id})

    def _poll_task(self, request: Request) -> Answer:
        if not self.messages or unquote(request.path.split("/")[4]) != str(self._script.task_id):
            return error(404, "no such task")
        asked = request.query.get("from", ["0"])[0]
        visible, status = self._script.stages[min(self.polls, len(self._script.stages) - 1)]
        log = self._script.events(self.messages[0])[:visible]
        seen = int(asked) - self._script.first_offset if re.fullmatch("[0-9]{1,19}", asked) else -1
        if asked == "0":
            seen = 0
        if not 0 <= seen <= len(log):
            return error(400, "from is no offset that was given out")
        self.polls += 1
        next_offset = self._script.first_offset + len(log) if log else 0
        return answer(200, {"data": {"status": status, "next_offset": next_offset, "events": log[seen:]}})


# What a fault may do on the way, in this order. Each is the identity unless the fault says otherwise.
Refuse = Callable[[Request], "Answer | None"]
Rewrite = Callable[[Request], Request]
Edit = Callable[[Request, Any], Any]
Reshape = Callable[[Request, Answer], Answer]
Pieces = Iterable["bytes | float | Literal['hang', 'close']"]
Wire = Callable[[Request, bytes], Pieces]


def whole(request: Request, response: bytes) -> Pieces:
    """The response as it is."""
    del request
    yield response


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of being wrong, or of being unusual where nothing forbids it."""

    requirement: str
    name: str
    breaks: str
    """The letters of the clients that break, as seen."""
    script: Script = Script()
    refuse: Refuse = lambda _: None
    """An answer in place of the right one."""
    rewrite: Rewrite = lambda request: request
    """How the request is misunderstood."""
    edit: Edit = lambda _, document: document
    """What becomes of a success's JSON document."""
    reshape: Reshape = lambda _, right: right
    """What becomes of the answer's status, headers and body."""
    drops: Callable[[Request], bool] = lambda _: False
    """Whether the connection is closed in place of reading the request any further."""
    wire: Wire = whole
    """What is sent: bytes, pauses in seconds, "close" to end the connection, "hang" to send nothing ever after."""
    clients: tuple[str, ...] = ("curl", "python", "node", "browser", "dart")
    error_shown: str = ""
    """Where no answer can be had: what the client must say on standard error instead."""
    client_timeout: str = "30"
    """Seconds of silence that the Python client bears: 30 as published, less where the matrix would wait for them."""
    host: str = "127.0.0.1"
    """Where the server listens. Clients are told that address, or localhost where it is another one."""


def respond(api: Api, fault: Fault, request: Request) -> Pieces:
    """Everything that is sent for one request."""
    given = fault.refuse(request) or api.answer(fault.rewrite(request))
    if given.body and 200 <= given.status < 300:
        given = replace(given, body=encoded(fault.edit(request, json.loads(given.body))))
    return fault.wire(request, on_the_wire(fault.reshape(request, given)))


def on_the_wire(given: Answer) -> bytes:
    """The answer's bytes, framed by Content-Length unless its headers frame it or its status forbids one."""
    headers = list(given.headers)
    framed = any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers)
    if not framed and given.status not in {204, 304}:
        headers.append(("Content-Length", str(len(given.body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {given.status} Told\r\n{head}\r\n".encode("latin-1") + given.body
