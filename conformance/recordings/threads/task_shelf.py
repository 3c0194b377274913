"""The tasks that are being read, within a bound of memory: who is over, or silent longest, is concluded first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sendpoll.conformance.http.limits import HELD_LIMIT
from sendpoll.conformance.recordings.threads.known_ids import BoundedMap
from sendpoll.conformance.rules.polled_task import EVENT_SIZE, PolledTask

_OVER_FOR = 600.0
"""Seconds without a poll after which a task that is over is let go."""
_MOST_TASKS = 5_000
_EVIDENCE = 8_000
_NOTE = 400
"""Bytes of memory that a poll with news takes as evidence, and one without."""


@dataclass(slots=True)
class ShelvedTask:
    """A task, and how it stands among the others."""

    task: PolledTask
    last_polled: float
    size: int = 0
    """Bytes of memory that its log takes, about."""
    late_polls: int = 0
    """Polls of it that were sent after its end was seen."""
    moved_at: float = 0.0
    """When it last showed anything new."""
    is_disordered: bool = False
    """Whether its polls cannot be put in order, so that nothing more is made of them."""


class TaskShelf:
    """Tasks by id, those that were polled last at the end."""

    def __init__(self, conclude: Callable[[ShelvedTask], None], most_bytes: int = HELD_LIMIT // 2) -> None:
        """`conclude` is called once with each task that is let go."""
        self._conclude = conclude
        self._most = most_bytes
        self._held = 0
        self._open: dict[str, ShelvedTask] = {}
        self._gone: BoundedMap[str, bool] = BoundedMap()

    def get(self, task_id: str, at: float) -> ShelvedTask | None:
        """The task, taken out of the shelf or new; None for one that was let go before."""
        if task_id in self._gone:
            return None
        found = self._open.pop(task_id, None)
        if found is None:
            found = ShelvedTask(PolledTask(task_id=task_id, sent_at=at), at, moved_at=at)
        self._open[task_id] = found
        return found

    def grew(self, shelved: ShelvedTask, events: int, size: int) -> None:
        """Count what a poll added to a task's log."""
        grown = EVENT_SIZE * events + 2 * size + _EVIDENCE if events else _NOTE
        shelved.size += grown
        self._held += grown
        self._make_room(shelved)

    def _make_room(self, but: ShelvedTask) -> None:
        while len(self._open) > 1:
            task_id, oldest = next(iter(self._open.items()))
            is_stale = oldest.task.is_over and but.last_polled - oldest.last_polled > _OVER_FOR
            if oldest is but or not (is_stale or self._held > self._most or len(self._open) > _MOST_TASKS):
                return
            self._let_go(task_id)

    def _let_go(self, task_id: str) -> None:
        shelved = self._open.pop(task_id)
        self._held -= shelved.size
        self._gone[task_id] = True
        self._conclude(shelved)

    def clear(self) -> None:
        """Conclude all that is left."""
        for task_id in list(self._open):
            self._let_go(task_id)
