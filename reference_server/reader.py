"""What is read from the database. Every look-up is by key, so it takes microseconds and may run on the event loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sendpoll.reference_server.database import Database


class TaskRow(NamedTuple):
    """A task that has ended, as stored."""

    number: int
    owner: bytes
    status: str
    events: int


class Reader:
    """A connection that only reads. It belongs to one thread at a time."""

    def __init__(self, database: Database) -> None:
        self._connection = database.connect()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def has_workspace(self, owner: bytes, workspace: str) -> bool:
        """Whether the owner has that workspace."""
        return self._exists("SELECT 1 FROM workspaces WHERE owner = ? AND id = ?", owner, workspace)

    def has_conversation(self, owner: bytes, workspace: str, conversation: str) -> bool:
        """Whether the owner has that conversation in that workspace."""
        return self._exists(
            "SELECT 1 FROM conversations WHERE id = ? AND owner = ? AND workspace = ?", conversation, owner, workspace
        )

    def finished_task(self, task_id: str) -> TaskRow | None:
        """The task of that id if it has ended. Those that run are held in memory."""
        row = self._connection.execute(
            "SELECT number, owner, status, events FROM tasks WHERE id = ? AND events IS NOT NULL", (task_id,)
        ).fetchone()
        return row and TaskRow(*row)

    def request(self, number: int) -> str:
        """What the task was asked, as it was stored."""
        text: str = self._connection.execute("SELECT request FROM tasks WHERE number = ?", (number,)).fetchone()[0]
        return text

    def bodies(self, number: int, start: int, stop: int) -> list[bytes]:
        """The encoded events `start` to before `stop` of a task."""
        rows = self._connection.execute(
            "SELECT body FROM events WHERE task = ? AND seq >= ? AND seq < ? ORDER BY seq", (number, start, stop)
        )
        return [body for (body,) in rows]

    def size(self, number: int, start: int, stop: int) -> int:
        """The bytes of those events together."""
        total: int = self._connection.execute(
            "SELECT coalesce(sum(length(body)), 0) FROM events WHERE task = ? AND seq >= ? AND seq < ?",
            (number, start, stop),
        ).fetchone()[0]
        return total

    def turns(self, number: int, limit: int) -> Iterator[tuple[str, list[bytes]]]:
        """Request and events of the completed tasks before this one in its conversation, oldest first."""
        rows = self._connection.execute(
            "SELECT number, request, events FROM tasks WHERE conversation ="
            " (SELECT conversation FROM tasks WHERE number = ?)"
            " AND number < ? AND status = 'completed' ORDER BY number DESC LIMIT ?",
            (number, number, limit),
        ).fetchall()
        for earlier, request, events in reversed(rows):
            yield request, self.bodies(earlier, 0, events)

    def _exists(self, query: str, *parameters: str | bytes) -> bool:
        return self._connection.execute(query, parameters).fetchone() is not None
