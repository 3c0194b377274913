"""How long events are kept, where a server does not keep them for ever.

Two things are never forgotten: that a task was, with its status and its count of events, so that offsets stay true; and
an event younger than the published clients need to fetch it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from sendpoll.reference_server.clock import Clock
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.settings import LEAST_KEPT_SECONDS, Settings
from sendpoll.reference_server.tasks import Tasks, TaskView
from sendpoll.reference_server.writer import Writer

_MARKS = 100
"""Moments that are remembered of one task, so an event is kept for at most a hundredth of its time too long."""
_TASKS, _EVENTS = 200, 10_000
"""Tasks that are looked at together, and events of each that are deleted together: no other write has to wait long."""
_RETRY = 1.0
"""Seconds between attempts while the database refuses."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rule:
    """What is forgotten: events of `age` seconds that are not among the newest `events` of their task."""

    age: float
    events: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Rule | None:
        """The rule of a server with these settings, or None if it keeps everything."""
        if settings.keep_events is None and settings.keep_seconds is None:
            return None
        return cls(settings.keep_seconds or LEAST_KEPT_SECONDS, settings.keep_events or 0)

    def cut(self, aged: int, count: int) -> int:
        """The offset before which nothing is kept of a task of `count` events, `aged` of which have reached the age."""
        return max(0, min(aged, count - self.events))


class Trail:
    """When the events of one running task became durable, as exactly as it matters."""

    def __init__(self, rule: Rule, clock: Clock) -> None:
        self._rule = rule
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()
        self._aged = 0

    def cut(self, count: int) -> int:
        """The offset before which events may be forgotten now, when `count` are durable."""
        now = self._clock.now()
        if not self._marks or now - self._marks[-1][0] >= self._rule.age / _MARKS:
            self._marks.append((now, count))
        while self._marks and self._marks[0][0] <= now - self._rule.age:
            self._aged = self._marks.popleft()[1]
        return self._rule.cut(self._aged, count)


class _Ended(NamedTuple):
    number: int
    events: int
    due: float


class Retention:
    """Forgets the events of tasks that have ended, when the last one is of age; after a start all count as new."""

    def __init__(self, rule: Rule, clock: Clock, tasks: Tasks, reader: Reader, writer: Writer) -> None:
        self._rule = rule
        self._clock = clock
        self._tasks = tasks
        self._reader = reader
        self._writer = writer
        self._ended: deque[_Ended] = deque()
        self._has_ended = asyncio.Event()
        self._started = clock.now()
        self._last_earlier = reader.last_task()

    def trail(self) -> Trail:
        """For a task that begins to run."""
        return Trail(self._rule, self._clock)

    def ended(self, view: TaskView) -> None:
        """A task has ended."""
        self._ended.append(_Ended(view.number, view.count, self._clock.now() + self._rule.age))
        self._has_ended.set()

    async def run(self) -> None:
        """Forget until cancelled."""
        await self._clock.sleep_until(self._started + self._rule.age)
        try:
            for page in self._earlier():
                await self._forget(page)
        except StorageError as problem:
            _log.error("%s; what is stored of earlier tasks stays", problem)
        while True:
            await self._has_ended.wait()
            await self._clock.sleep_until(self._ended[0].due)
            await self._forget(list(self._due()))
            if not self._ended:
                self._has_ended.clear()

    def _earlier(self) -> Iterator[list[tuple[int, int]]]:
        number = 0
        while page := self._reader.finished_tasks(number, self._last_earlier, _TASKS):
            yield page
            number = page[-1][0]

    def _due(self) -> Iterator[tuple[int, int]]:
        now = self._clock.now()
        for _ in range(_TASKS):
            if not self._ended or self._ended[0].due > now:
                return
            ended = self._ended.popleft()
            yield ended.number, ended.events

    async def _forget(self, ended: Iterable[tuple[int, int]]) -> None:
        cuts = {number: cut for number, count in ended if (cut := self._rule.cut(count, count))}
        await asyncio.gather(*(self._delete(number, cut) for number, cut in cuts.items()))
        self._tasks.forget(cuts)

    async def _delete(self, number: int, cut: int) -> None:
        def delete(connection: sqlite3.Connection) -> bool:
            (first,) = connection.execute(
                "SELECT coalesce(min(seq), ?) FROM events WHERE task = ?", (cut, number)
            ).fetchone()
            stop = min(cut, first + _EVENTS)
            forget_events(connection, number, stop)
            return bool(stop == cut)

        is_done = False
        while not is_done:
            try:
                is_done = await self._writer.submit(delete)
            except StorageError as problem:
                _log.error("%s; trying again in %g s", problem, _RETRY)
                await asyncio.sleep(_RETRY)


def forget_events(connection: sqlite3.Connection, number: int, stop: int) -> None:
    """Delete the events of a task before that offset."""
    connection.execute("DELETE FROM events WHERE task = ? AND seq < ?", (number, stop))
