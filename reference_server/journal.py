"""The log of one task on its way to the disk.

An event becomes visible to polls only when the commit that holds it has returned, and the final status with or after
the last event, never before: both go through the same writer in order. One write of a task is under way at a time; what
is appended meanwhile goes together into the next.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3

from sendpoll.reference_server.events import Event, encode
from sendpoll.reference_server.retention import Trail, forget_events
from sendpoll.reference_server.states import PUBLIC_STATUS, State, Step, advance, is_final
from sendpoll.reference_server.tasks import TaskView
from sendpoll.reference_server.writer import Writer

_PENDING, _PENDING_BYTES = 1000, 4 * 1024 * 1024
"""Events that may wait for the disk before their agent has to, and their bytes."""
_RETRY = 1.0
"""Seconds between attempts while the database refuses to store."""
_log = logging.getLogger(__name__)


class Journal:
    """Appends events to one task and ends it."""

    def __init__(self, view: TaskView, writer: Writer, trail: Trail | None = None) -> None:
        """`trail` tells which events are forgotten meanwhile, where not all are kept."""
        self.state = State.QUEUED
        self._view = view
        self._writer = writer
        self._trail = trail
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._writing = False
        self._room = asyncio.Event()
        self._room.set()
        self._finished = asyncio.Event()

    def start(self) -> None:
        """The task has got its slot."""
        self.state = advance(self.state, Step.START)

    async def append(self, event: Event) -> None:
        """Add an event; wait only if the disk is far behind."""
        body = encode(event)
        self._pending.append(body)
        self._pending_bytes += len(body)
        if not self._writing:
            self._write()
        if len(self._pending) >= _PENDING or self._pending_bytes >= _PENDING_BYTES:
            self._room.clear()
            await self._room.wait()

    async def finish(self, step: Step, *last: Event) -> None:
        """End the task after these last events; return when that is durable."""
        self.state = advance(self.state, step)
        self._pending.extend(map(encode, last))
        if not self._writing:
            self._write()
        await self._finished.wait()

    def _write(self) -> None:
        bodies, self._pending, self._pending_bytes = self._pending, [], 0
        self._writing = True
        state = self.state
        number, first = self._view.number, self._view.count
        cut = self._trail.cut(first) if self._trail else 0
        self._view.forget(cut)

        def store(connection: sqlite3.Connection) -> None:
            if cut:
                forget_events(connection, number, cut)
            rows = ((number, seq, body) for seq, body in enumerate(bodies, first))
            connection.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
            if is_final(state):
                connection.execute(
                    "UPDATE tasks SET status = ?, events = ? WHERE number = ?",
                    (PUBLIC_STATUS[state], first + len(bodies), number),
                )

        self._writer.submit(store).add_done_callback(lambda done: self._stored(done, bodies, state))

    def _stored(self, done: asyncio.Future[None], bodies: list[bytes], state: State) -> None:
        if done.cancelled():
            return
        if problem := done.exception():
            _log.error("%s; trying again in %g s", problem, _RETRY)
            self._pending[:0] = bodies
            asyncio.get_running_loop().call_later(_RETRY, self._write)
            return
        self._writing = False
        self._view.extend(bodies)
        self._view.status = PUBLIC_STATUS[state]
        self._room.set()
        if is_final(state):
            self._finished.set()
        elif self._pending or is_final(self.state):
            self._write()
