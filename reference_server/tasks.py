"""Tasks as polls see them: what is durable of each, with the newest events at hand.

The tasks that run are all held; of those that ended, the most recently used. Each holds a bounded tail of its log, so
memory does not grow with the number of tasks nor with their length; the rest is read from the database.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence

from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.states import PUBLIC_STATUS, State, is_final

_RECENT_TASKS = 128
_TAIL_EVENTS = 512
_TAIL_BYTES = 32 * 1024


class TaskView:
    """The durable part of one task. It only ever grows."""

    __slots__ = ("__weakref__", "_bytes", "_start", "_tail", "count", "number", "owner", "status")

    def __init__(self, number: int, owner: bytes, status: str, count: int = 0) -> None:
        self.number = number
        self.owner = owner
        self.status = status
        self.count = count
        self._tail: list[bytes] = []
        self._start = count
        self._bytes = 0

    def extend(self, bodies: Sequence[bytes]) -> None:
        """Take in events that have become durable."""
        self._tail.extend(bodies)
        self.count += len(bodies)
        self._bytes += sum(map(len, bodies))
        # Twice the bound before it is cut to the bound: each event is moved once at most, on average.
        if len(self._tail) > 2 * _TAIL_EVENTS or self._bytes > 2 * _TAIL_BYTES:
            self._trim()

    def since(self, offset: int) -> list[bytes] | None:
        """The events from that offset on, or None if some of them are no longer at hand."""
        if offset < self._start:
            return None
        return self._tail[offset - self._start :]

    def keep(self, offset: int, bodies: list[bytes]) -> None:
        """Have at hand what was just read from the database, from `offset` to the end, for who asks next."""
        self._tail, self._start = bodies, offset
        self._bytes = sum(map(len, bodies))
        self._trim()

    def forget(self, offset: int) -> None:
        """Let go of the events before that offset, which are no longer kept."""
        if offset > self._start:
            gone, self._tail = self._tail[: offset - self._start], self._tail[offset - self._start :]
            self._start = min(offset, self.count)
            self._bytes -= sum(map(len, gone))

    def _trim(self) -> None:
        keep, size = 0, 0
        for body in reversed(self._tail):
            size += len(body)
            if keep == _TAIL_EVENTS or size > _TAIL_BYTES:
                size -= len(body)
                break
            keep += 1
        self._tail = self._tail[len(self._tail) - keep :]
        self._start = self.count - keep
        self._bytes = size


class Tasks:
    """Finds the view of a task by its id."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._live: dict[str, TaskView] = {}
        self._recent: OrderedDict[str, TaskView] = OrderedDict()
        self._ended_events = 0
        self.ended: Counter[str] = Counter({PUBLIC_STATUS[state]: 0 for state in State if is_final(state)})
        """How many have ended here, by their status."""

    @property
    def live(self) -> int:
        """How many have not ended."""
        return len(self._live)

    @property
    def events(self) -> int:
        """How many events have become durable here."""
        return self._ended_events + sum(view.count for view in self._live.values())

    def admit(self, task_id: str, view: TaskView) -> None:
        """Hold a task that runs."""
        self._live[task_id] = view

    def retire(self, task_id: str) -> None:
        """Hold a task no longer than it is asked for: it has ended, and the database has all of it."""
        view = self._live.pop(task_id)
        self.ended[view.status] += 1
        self._ended_events += view.count
        self._remember(task_id, view)

    def find(self, task_id: str) -> TaskView | None:
        """The task of that id, or None."""
        view = self._live.get(task_id)
        if view is not None:
            return view
        view = self._recent.get(task_id)
        if view is not None:
            self._recent.move_to_end(task_id)
            return view
        row = self._reader.finished_task(task_id)
        if row is None:
            return None
        view = TaskView(row.number, row.owner, row.status, row.events)
        self._remember(task_id, view)
        return view

    def forget(self, cuts: Mapping[int, int]) -> None:
        """Let go of the events before these offsets, by the numbers of their tasks, which have ended."""
        for view in self._recent.values():
            view.forget(cuts.get(view.number, 0))

    def _remember(self, task_id: str, view: TaskView) -> None:
        self._recent[task_id] = view
        if len(self._recent) > _RECENT_TASKS:
            self._recent.popitem(last=False)
