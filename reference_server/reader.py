"""What is read from the database. Every look-up is by key, so it takes microseconds and may run on the event loop."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from sendpoll.reference_server.database import Database
from sendpoll.reference_server.errors import StorageError


class TaskRow(NamedTuple):
    """A task that has ended, as stored."""

    number: int
    owner: bytes
    status: str
    events: int


class Stretch(NamedTuple):
    """Consecutive events of a task."""

    first: int
    """The `seq` of the first of them: later than asked for where earlier ones were forgotten."""
    bodies: list[bytes]
    is_whole: bool
    """Whether it goes to where it was asked to; else as far as it may be long."""


class Kept(NamedTuple):
    """How much of a stretch of events is kept."""

    first: int
    size: int
    """The bytes of all events from `first` on together."""


class Reader:
    """A connection that only reads. It belongs to one thread at a time. All of it raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with _failing():
            self._connection = database.connect()

    def apart(self) -> Reader:
        """Another one, for another thread."""
        return Reader(self._database)

    def freeze(self) -> None:
        """See the database as it is at the next look-up until closed, whatever is deleted. In memory it is not held."""
        with _failing():
            self._connection.execute("BEGIN")

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def has_workspace(self, owner: bytes, workspace: str) -> bool:
        """Whether the owner has that workspace."""
        return self._row("SELECT 1 FROM workspaces WHERE owner = ? AND id = ?", owner, workspace) is not None

    def has_conversation(self, owner: bytes, workspace: str, conversation: str) -> bool:
        """Whether the owner has that conversation in that workspace."""
        query = "SELECT 1 FROM conversations WHERE id = ? AND owner = ? AND workspace = ?"
        return self._row(query, conversation, owner, workspace) is not None

    def finished_task(self, task_id: str) -> TaskRow | None:
        """The task of that id if it has ended. Those that run are held in memory."""
        row = self._row("SELECT number, owner, status, events FROM tasks WHERE id = ? AND events IS NOT NULL", task_id)
        return TaskRow(*row) if row else None

    def request(self, number: int) -> str:
        """What the task was asked, as it was stored."""
        row = self._row("SELECT request FROM tasks WHERE number = ?", number)
        if row is None:
            raise _damaged(number)
        text: str = row[0]
        return text

    def events(self, number: int, start: int, stop: int, most: int) -> Stretch:
        """The encoded events `start` to before `stop` of a task; where they are over `most` bytes fewer, but one."""
        bodies: list[bytes] = []
        first, size = stop, 0
        with _failing():
            rows = self._connection.execute(
                "SELECT seq, body FROM events WHERE task = ? AND seq >= ? AND seq < ? ORDER BY seq",
                (number, start, stop),
            )
            with contextlib.closing(rows):
                for seq, body in rows:
                    if size + len(body) > most and bodies:
                        return Stretch(first, bodies, is_whole=False)
                    if not bodies:
                        first = seq
                    elif seq != first + len(bodies):
                        raise _damaged(number)
                    bodies.append(body)
                    size += len(body)
        if first + len(bodies) != stop:
            raise _damaged(number)
        return Stretch(first, bodies, is_whole=True)

    def kept(self, number: int, start: int, stop: int) -> Kept:
        """How much there is of the events `start` to before `stop`."""
        query = (
            "SELECT coalesce(min(seq), ?), count(*), coalesce(sum(length(body)), 0) FROM events"
            " WHERE task = ? AND seq >= ? AND seq < ?"
        )
        first, count, size = self._row(query, stop, number, start, stop) or (stop, 0, 0)
        if first + count != stop:
            raise _damaged(number)
        return Kept(first, size)

    def earlier(self, number: int, limit: int) -> list[tuple[int, str, int]]:
        """Number, request and count of events of the last completed tasks before this one in its conversation."""
        with _failing():
            return self._connection.execute(
                "SELECT number, request, events FROM tasks WHERE conversation ="
                " (SELECT conversation FROM tasks WHERE number = ?)"
                " AND number < ? AND status = 'completed' ORDER BY number DESC LIMIT ?",
                (number, number, limit),
            ).fetchall()

    def last_task(self) -> int:
        """The number of the newest task, 0 if there is none."""
        row = self._row("SELECT coalesce(max(number), 0) FROM tasks")
        return int(row[0]) if row else 0

    def finished_tasks(self, after: int, last: int, limit: int) -> list[tuple[int, int]]:
        """Number and count of events of the first tasks that have ended behind `after`, up to `last`."""
        with _failing():
            return self._connection.execute(
                "SELECT number, events FROM tasks WHERE number > ? AND number <= ? AND events IS NOT NULL"
                " ORDER BY number LIMIT ?",
                (after, last, limit),
            ).fetchall()

    def size(self) -> int:
        """The bytes of the whole database."""
        (pages,), (each,) = self._row("PRAGMA page_count") or (0,), self._row("PRAGMA page_size") or (0,)
        return int(pages) * int(each)

    def _row(self, query: str, *parameters: str | bytes | int) -> tuple[Any, ...] | None:
        with _failing():
            row: tuple[Any, ...] | None = self._connection.execute(query, parameters).fetchone()
        return row


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        raise StorageError(f"the database cannot be read: {problem}") from problem


def _damaged(number: int) -> StorageError:
    return StorageError(f"the database is damaged: parts of task {number} are missing")
