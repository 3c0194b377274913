"""What a restart must not change: pure rules over what a task showed before it and what it shows after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.core.oracle import same_event

GONE = frozenset({404, 410})
"""How a server says that there is no such thing, or no longer."""
RestartFinding = tuple[str | None, tuple[Exchange, ...]]
"""How a requirement is broken, or None where it could have been and is not; and what shows it."""


@dataclass(frozen=True, slots=True)
class LogRead:
    """The log of a task as it is at one time, read from 0 as far as it goes."""

    events: Sequence[Any]
    status: str
    exchanges: tuple[Exchange, ...]
    """The polls that it took; the last one brought nothing, or the final status, or was refused."""

    @property
    def is_known(self) -> bool:
        """Whether the server answered as it does for a task that is there."""
        return self.exchanges[-1].ok


@dataclass(slots=True)
class TaskOverRestart:
    """One task, before and after."""

    task_id: str
    log: tuple[Any, ...]
    """What had been served of it before."""
    cursor: int
    """The offset behind that."""
    status: str
    """The status that it had."""
    ran: bool
    """Whether it ran when the server went down."""
    resumed: Exchange
    """The first poll after the restart, from the cursor."""
    shown: LogRead
    """Its log from 0, right behind that."""
    final: LogRead | None = None
    """Its log from 0 when all was over."""
    silent_for: float | None = None
    """Seconds for which it has told nothing, where it was given up while it still ran."""
    foreign: str = ""
    """The word of another message that its log holds now."""
    contradictions: list[tuple[str, tuple[Exchange, ...]]] = field(default_factory=list)
    """What the oracle found since the restart, but for what the rules here say themselves."""

    @property
    def readings(self) -> list[LogRead]:
        """The log as it was read after the restart, each time that the task was known."""
        return [one for one in (self.shown, self.final) if one is not None and one.is_known]

    @property
    def is_forgotten(self) -> bool:
        """Whether the server says that there is no such task."""
        return self.resumed.status in GONE


def known(task: TaskOverRestart) -> Iterator[RestartFinding]:
    """RESTART-1."""
    served = f"task {task.task_id} had {_events(len(task.log))} before the restart"
    told = f"{served}, and is answered {task.resumed.outcome} after it" if task.is_forgotten else None
    yield told, (task.resumed,)


def same(task: TaskOverRestart) -> Iterator[RestartFinding]:
    """RESTART-2."""
    if task.is_forgotten or not task.log:
        return
    if 400 <= task.resumed.status <= 499:
        yield (
            f"from={task.cursor}, which it gave out before the restart, is {task.resumed.outcome} after it",
            (task.resumed,),
        )
    for reading in task.readings:
        broken = _denied(task, reading)
        if broken is not None:
            yield broken, reading.exchanges[-2:]
            return
    yield from task.contradictions
    if not task.contradictions and task.readings:
        yield None, (task.resumed,)


def _denied(task: TaskOverRestart, reading: LogRead) -> str | None:
    """Which of the events that were served a log lacks, or has otherwise; None where it has them all."""
    for index, (served, now) in enumerate(zip(task.log, reading.events, strict=False)):
        if not same_event(served, now):
            return f"event {index} of task {task.task_id} is another one after the restart than it was before"
    if len(reading.events) < len(task.log):
        left = len(reading.events)
        return (
            f"of {_events(len(task.log))} that were served of task {task.task_id}, {left} are there after the restart"
        )
    return None


def ended(task: TaskOverRestart) -> Iterator[RestartFinding]:
    """RESTART-3."""
    if not task.ran:
        return
    if task.silent_for is None:
        yield None, (task.resumed,)
        return
    told = (
        f"task {task.task_id} ran when the server was restarted, and is left {task.status}: it has told nothing for "
        f"{task.silent_for:.0f} s (--task-timeout)"
    )
    yield told, (task.final or task.shown).exchanges[-1:]


def not_begun_again(task: TaskOverRestart) -> Iterator[RestartFinding]:
    """RESTART-4.

    A log that was made again, event for event, has lost nobody anything in the end.
    """
    if not task.log or not task.resumed.ok:
        return
    short = len(task.shown.events) < len(task.log) and task.shown.is_known
    made_again = task.final is not None and task.final.is_known and _denied(task, task.final) is None
    told = (
        f"from={task.cursor} is answered 200 after the restart, as if there were a log to wait behind, and the log of "
        f"task {task.task_id} has {_events(len(task.shown.events))} of {len(task.log)}"
    )
    broken = short and not made_again
    yield (told if broken else None), (task.resumed, *(task.shown.exchanges[-1:] if broken else ()))


def not_anothers(task: TaskOverRestart) -> Iterator[RestartFinding]:
    """RESTART-5, of a task from before."""
    last = (task.final or task.shown).exchanges[-1:]
    told = f"task {task.task_id} holds {task.foreign} after the restart, the word of another message"
    yield (told if task.foreign else None), last


def taken_or_gone(exchange: Exchange, what: str) -> str | None:
    """RESTART-6, of a call with an id from before: how it is broken; None where it is kept."""
    fine = exchange.ok or exchange.status in GONE
    return None if fine else f"{what} from before the restart is answered {exchange.outcome} after it"


def _events(count: int) -> str:
    return "one event" if count == 1 else f"{count} events"
