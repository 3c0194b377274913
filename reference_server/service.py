"""The use cases: what a client may ask for, whoever carries the question.

Nothing is answered before it is durable: not a workspace, not an id, not an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from sendpoll.reference_server.agents import make_agent
from sendpoll.reference_server.clock import Clock
from sendpoll.reference_server.database import Database, open_database
from sendpoll.reference_server.errors import NotFoundError, OffsetError
from sendpoll.reference_server.lanes import Lanes
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.retention import Retention, Rule
from sendpoll.reference_server.runner import Job, Runner
from sendpoll.reference_server.settings import Settings
from sendpoll.reference_server.states import RUNNING
from sendpoll.reference_server.tasks import Tasks, TaskView
from sendpoll.reference_server.writer import Writer

_AT_ONCE, _BYTES_AT_ONCE = 2000, 1024 * 1024
"""Events, and their bytes, that are read from the database at once. More are read page by page, by who sends them."""
_MOST_ITERATIONS = 2**31


class News(NamedTuple):
    """What is new of a task."""

    status: str
    number: int
    asked: int
    start: int
    """The offset of the first event that is kept: behind `asked` if what stood there was forgotten."""
    next_offset: int
    bodies: list[bytes] | None
    """The encoded events from `start` to before `next_offset`; None, and `start` not yet known, if they are too many to
    hold at once."""


class Load(NamedTuple):
    """How much there is to do, and what was done since the start."""

    slots: int
    running: int
    waiting: int
    finished: Counter[str]
    """Tasks, by their status."""
    events: int
    writes_waiting: int
    database_bytes: int


def new_id(kind: str) -> str:
    """An id that nobody guesses, of characters that no client escapes."""
    return f"{kind}_{secrets.token_hex(12)}"


class Service:
    """The API's four calls for an owner who has been authenticated."""

    def __init__(self, reader: Reader, writer: Writer, tasks: Tasks, runner: Runner, lanes: Lanes) -> None:
        self._reader = reader
        self._writer = writer
        self._tasks = tasks
        self._runner = runner
        self._lanes = lanes
        self.commits = writer.commits

    async def ensure_workspace(self, owner: bytes, workspace: str) -> bool:
        """Have a workspace of that name; say whether it is new."""

        def insert(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute("INSERT OR IGNORE INTO workspaces VALUES (?, ?)", (owner, workspace))
            return cursor.rowcount == 1

        return await self._writer.submit(insert)

    async def open_conversation(self, owner: bytes, workspace: str) -> str:
        """Open a conversation and return its id. Raises NotFoundError."""
        self._require_workspace(owner, workspace)
        conversation = new_id("conv")

        def insert(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO conversations VALUES (?, ?, ?)", (conversation, owner, workspace))

        await self._writer.submit(insert)
        return conversation

    async def send_message(self, owner: bytes, workspace: str, request: dict[str, Any]) -> str:
        """Give a valid request to a new task and return its id. Raises NotFoundError, BusyError."""
        conversation: str = request["conversation_id"]
        self._require_workspace(owner, workspace)
        if not self._reader.has_conversation(owner, workspace, conversation):
            raise NotFoundError("conversation_not_found", "There is no such conversation in this workspace.")
        task_id = new_id("task")
        stored = json.dumps(_prompt_of(request))

        def insert(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "INSERT INTO tasks (id, owner, conversation, request) VALUES (?, ?, ?, ?)",
                (task_id, owner, conversation, stored),
            )
            return int(cursor.lastrowid or 0)

        view = TaskView(0, owner, RUNNING)
        lane = self._lanes.take(owner, workspace, conversation, view)
        try:
            view.number = await self._writer.submit(insert)
        except BaseException:
            self._lanes.leave(lane)
            raise
        self._runner.enqueue(Job(task_id, lane, view))
        return task_id

    def poll(self, owner: bytes, task_id: str, offset: int) -> News:
        """What a task has from that offset on. Raises NotFoundError, OffsetError, StorageError."""
        view = self._tasks.find(task_id)
        if view is None or view.owner != owner:
            raise NotFoundError("task_not_found", "There is no such task.")
        count = view.count
        if offset > count:
            raise OffsetError("offset_out_of_range", f"This task has {count} events so far; from lies past them.")
        start, bodies = offset, view.since(offset)
        if bodies is None and count - offset <= _AT_ONCE:
            stretch = self._reader.events(view.number, offset, count, _BYTES_AT_ONCE)
            if stretch.is_whole:
                start, bodies = stretch.first, stretch.bodies
                view.keep(start, bodies)
        return News(view.status, view.number, offset, start, count, bodies)

    def load(self) -> Load:
        """How things stand. Raises StorageError."""
        return Load(
            slots=self._runner.slots,
            running=self._runner.running,
            waiting=self._tasks.live - self._runner.running,
            finished=self._tasks.ended,
            events=self._tasks.events,
            writes_waiting=self._writer.waiting,
            database_bytes=self._reader.size(),
        )

    def _require_workspace(self, owner: bytes, workspace: str) -> None:
        if not self._reader.has_workspace(owner, workspace):
            raise NotFoundError("workspace_not_found", "There is no such workspace; create it first.")


def _prompt_of(request: dict[str, Any]) -> dict[str, Any]:
    limit = request.get("max_iterations")
    return {
        "message": request["message"],
        "run_mode": request.get("run_mode"),
        "max_iterations": None if limit is None else int(min(limit, _MOST_ITERATIONS)),
    }


@contextlib.asynccontextmanager
async def running_service(settings: Settings, clock: Clock) -> AsyncIterator[tuple[Service, Database]]:
    """A service with all that is under it, from the database up; at the end every unfinished task is ended as failed.

    Raises StorageError if the database cannot be opened.
    """
    with open_database(settings.database) as database, contextlib.closing(Reader(database)) as reader:
        writer = Writer(database)
        agent = make_agent(settings, clock)
        tasks = Tasks(reader)
        rule = Rule.of(settings)
        retention = Retention(rule, clock, tasks, reader, writer) if rule else None
        runner = Runner(agent, tasks, reader, writer, settings.slots, retention)
        forgetting = asyncio.create_task(retention.run()) if retention else None
        try:
            yield Service(reader, writer, tasks, runner, Lanes(settings)), database
        finally:
            if forgetting is not None:
                forgetting.cancel()
            await runner.stop()
            await agent.close()
            await writer.close()
