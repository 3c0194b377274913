"""Tasks that are read while they run, by readers of different habits, each answer handed to the oracle at once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.rules.polled_task import EVENT_SIZE, PolledTask, read_poll
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.endings import RunOverError, TargetLostError
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.transport.connection import Connection, NoConnectionError
from sendpoll.core.oracle import RUNNING, Poll

_SETTLED = 1.0
"""Seconds for which a status that is not `running` is looked at again before it is taken for final."""
_SUSPICIOUS = 5.0
"""The same for a task that claims to be over and has said nothing."""
HEAVY_ANSWER = 512 * 1024
"""Bytes of an answer from which on nobody asks from 0 again and again."""


@dataclass(slots=True, kw_only=True)
class RecordedTask(PolledTask):
    """A task of this run, and everything that was ever seen of it. Safe for several readers at once."""

    conversation: str
    kind: str
    """Which prompt it answers."""
    marker: str
    """The word in its message that no other message has."""
    message: str
    shape: str
    largest: int = 0
    """Bytes of the largest answer."""
    unusable: Exchange | None = None
    """The last answer that no poll could be made of."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def poll(self, api: Api, offset: int, reader: str, over: Connection | None = None) -> Poll | None:
        """Poll once and hand the answer to the oracle; None where no poll could be made of it."""
        return self.take(api.recorder, api.poll(self.task_id, offset, over=over), offset, reader)

    def take(self, recorder: Recorder, exchange: Exchange, offset: int, reader: str) -> Poll | None:
        """Hand the answer to a poll to the oracle; None where no poll could be made of it. Raises RunOverError."""
        poll = read_poll(exchange, offset, reader)
        size = exchange.response.size if exchange.response else 0
        self.largest = max(self.largest, size)
        with self._lock:
            if recorder.remaining() <= 0:
                raise RunOverError
            if poll is None or recorder.is_full:
                self.unusable = exchange.trimmed()
                return None
            before = len(self.history.log)
            self.observe(poll, exchange.trimmed())
            if self.is_over:
                recorder.ended_tasks.add(self.task_id)
            if grown := len(self.history.log) - before:
                recorder.hold(2 * size + EVENT_SIZE * grown)
        return poll

    def place_late(self) -> None:
        """Judge the late polls that nothing has told the place of, now that the task has been read to its end."""
        with self._lock:
            self.conclude_late()


@dataclass(frozen=True, slots=True)
class Habit:
    """How a reader reads."""

    name: str
    pause: float
    """Seconds between an answer and the next poll."""
    restarts: bool = False
    """Whether it always asks from 0."""
    impatient: bool = False
    """Whether it asks twice where something came, the second time at once: then a running task has nothing new."""


EAGER = Habit("eager", 0.05, impatient=True)
OVERLAPPING = Habit("overlapping", 0.13)
RESTARTING = Habit("restarting", 0.21, restarts=True)
PUBLISHED = Habit("published", 0.5)
LATE = Habit("late", 0.1)


def read_together(api: Api, task: RecordedTask, *habits: Habit) -> None:
    """Read a task with several readers at once. Raises what ended the first of them early, once all are done."""
    errors: list[Exception] = []

    def read(habit: Habit) -> None:
        try:
            read_to_end(api, task, habit)
        except (RunOverError, TargetLostError, NoConnectionError) as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(habit,)) for habit in habits]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if errors:
        raise errors[0]


def read_to_end(api: Api, task: RecordedTask, habit: Habit, over: Connection | None = None) -> bool:
    """Read a task until its status stays other than `running`; whether that came within the task's patience.

    Unlike a client it looks again after the end, since a status that was not final is a fault that only then shows.
    Raises RunOverError and TargetLostError.
    """
    recorder = api.recorder
    offset = 0
    over_since: float | None = None
    at_once = False
    while True:
        restarts = habit.restarts and task.largest < HEAVY_ANSWER
        poll = task.poll(api, 0 if restarts else offset, habit.name, over)
        now = time.monotonic()
        if poll is None:
            return False
        if poll.next_offset is not None:
            offset = poll.next_offset
        is_page = restarts and task.is_over  # a server that pages says `running` on the first page for ever
        if poll.status == RUNNING and not is_page:
            over_since = None
        else:
            over_since = over_since or now
            if now - over_since >= (_SETTLED if task.history.log else _SUSPICIOUS):
                return True
        if recorder.is_stuck(task.task_id):
            return False
        at_once = habit.impatient and bool(poll.events) and not over_since and not at_once
        if over_since:
            recorder.pause(min(habit.pause, 0.25))
        elif not at_once:
            recorder.pause_before_poll(task.task_id, recorder.tempo.pause(habit.pause, task.task_id))


def read_late(api: Api, task: RecordedTask, ready: Callable[[], bool]) -> bool:
    """Leave a task alone until `ready`, then read it from the start: a client that was away."""
    while not ready() and not api.recorder.is_stuck(task.task_id):
        api.recorder.pause(0.05)
    return read_to_end(api, task, LATE)


def read_again(api: Api, task: RecordedTask, offsets: int = 12) -> None:
    """Ask again from offsets that were given out, the first and the last among them, and from 0."""
    known = task.history.offsets
    step = max(1, len(known) // offsets)
    for offset in dict.fromkeys([known[-1], *known[::step], known[-1], 0]):
        if task.poll(api, offset, "again") is None:
            return


def read_rest(api: Api, task: RecordedTask, offset: int) -> list[Any] | None:
    """The events from an offset to the end of a task that is over, as one reader alone is given them.

    Ends where an answer brings nothing, or its offset leads nowhere or back. None where one did not come: what is
    missing then says nothing about the task.
    """
    events: list[Any] = []
    been = {offset}
    while True:
        exchange = api.poll(task.task_id, offset)
        if exchange.failure is not None:
            return None
        poll = read_poll(exchange, offset, "rest")
        events += poll.events if poll else []
        if poll is None or not poll.events or poll.next_offset is None or poll.next_offset in been:
            return events
        been.add(poll.next_offset)
        offset = poll.next_offset


LOSING = frozenset({"POLL-5", "POLL-7", "POLL-8"})
"""Rows of which a broken one leaves a client without events, or with others."""


def undisturbed(tasks: Sequence[RecordedTask]) -> list[RecordedTask]:
    """The tasks whose texts may be held against each other: read to their ends, and no event lost, changed or foreign.

    What others lack is told by the row that says so, and by no row about characters.
    """
    ids = Counter(task.task_id for task in tasks)
    return [
        task
        for task in tasks
        if task.is_over
        and ids[task.task_id] == 1
        and not any(found.violation.requirement in LOSING for found in task.contradictions)
        and not any(other.marker in task.text for other in tasks if other.conversation != task.conversation)
    ]
