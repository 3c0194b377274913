"""What a run finds out by a restart: tasks are read, the target is restarted while one runs, and all is read again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.polled_task import read_poll, text_of
from sendpoll.conformance.rules.restarts import LogRead, TaskOverRestart
from sendpoll.conformance.server.probing.created_resources import identifier
from sendpoll.conformance.server.probing.endings import BudgetSpentError, TargetLostError
from sendpoll.conformance.server.probing.going_down import (
    NOT_YET,
    RESTART_MESSAGES,
    Downtime,
    RestartOrder,
    restart_target,
)
from sendpoll.conformance.server.probing.refusals import told_wait
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import (
    PUBLISHED,
    RecordedTask,
    read_to_end,
)
from sendpoll.core.oracle import RUNNING

_LOOKED_AT = 8
"""Tasks that were over before, at most, that are read again behind it."""
_WARMING_UP = 10.0
"""Seconds for which a server that answered once behind its restart may still say that it is on its way."""
_USUAL = 3.0
"""How many times as long as the longest that was seen a task may stand still."""
_GLANCE = 0.05
_READER = "over the restart"


@dataclass(slots=True)
class OverRestart:
    """What was seen before a restart and behind it."""

    downtime: Downtime
    tasks: list[TaskOverRestart] = field(default_factory=list)
    taken: list[tuple[str, Exchange]] = field(default_factory=list)
    """What was asked with an id from before, in words, and the answer."""
    unended: list[Exchange] = field(default_factory=list)
    """The last poll of each new task in an old conversation that did not come to an end."""
    given: dict[str, Exchange] = field(default_factory=dict)
    """Each id that was given behind the restart, and the answer that gave it."""
    before: frozenset[str] = frozenset()
    """Every id that was given before."""


def see_over_restart(context: RunContext, order: RestartOrder) -> OverRestart:
    """Restart the target while a task runs, and see what is left of that and of earlier ones.

    Raises RunOverError and TargetLostError; what a restart shows that was cut short in the middle says nothing.
    """
    context.recorder.held -= RESTART_MESSAGES
    whole = [task for task in _ended(context) if _is_whole(context, task)][:_LOOKED_AT]
    before = frozenset([*context.created_resources.conversations, *context.created_resources.tasks])
    running = list(_begun(context))
    before |= {task.task_id for task in running} | {task.conversation for task in running}
    watched = (running or whole or context.tasks)[0]
    counted = {task.task_id: len(task.contradictions) for task in (*running, *whole)}

    context.downtime = restart_target(context.api, order, watched)
    found = OverRestart(context.downtime, before=before)
    if found.downtime.trouble:
        return found
    found.tasks = [_first_look(context, task) for task in (*running, *whole)]
    _follow(context, list(zip(running, found.tasks, strict=False)))
    _go_on(context, found, [*running, *whole])
    for task, seen in zip((*running, *whole), found.tasks, strict=True):
        seen.final = _log(context, task)
        seen.foreign = _foreign(context, task, seen)
        later = task.contradictions[counted[task.task_id] :]
        seen.contradictions = [(one.violation.sentence, one.exchanges) for one in later]
    return found


# ---- before ----


def _ended(context: RunContext) -> list[RecordedTask]:
    sound = [task for task in context.tasks if task.is_over and task.history.log and task.unusable is None]
    return [task for task in sound if not task.contradictions]


def _is_whole(context: RunContext, task: RecordedTask) -> bool:
    """Whether the server still has all of a task now: what it has let go of before is no matter of a restart."""
    reading = _log(context, task)
    return reading.is_known and len(reading.events) == len(task.history.log) and not task.contradictions


def _begun(context: RunContext) -> Iterator[RecordedTask]:
    """A task that has begun and is not over, and, where the server takes it, one that waits behind it."""
    _, task = context.start(context.api, "long", 0, intent=Intent.SHAPE)
    if task is None:
        _, task = context.start(context.api, "unicode", 0, intent=Intent.SHAPE)
    if task is None:
        return
    while not (task.history.log or task.is_over or context.recorder.is_stuck(task.task_id)):
        if task.poll(context.api, task.end_offset, "before the restart") is None:
            return
        context.recorder.pause(_GLANCE)
    yield task
    with contextlib.suppress(BudgetSpentError):
        _, second = context.send(context.api, task.conversation, "unicode", intent=Intent.SHAPE, patient=False)
        if second is not None:
            second.poll(context.api, 0, "before the restart")
            yield second


# ---- behind it ----


def _ask(context: RunContext, task: RecordedTask, offset: int) -> Exchange:
    """Poll, and poll again while the server says that it is on its way or that it is asked too fast."""
    until = time.monotonic() + _WARMING_UP
    while True:
        exchange = context.recorder.resending.beside(context.api.poll_request(task.task_id, f"from={offset}"))
        if (exchange.failure is None and exchange.status not in NOT_YET) or time.monotonic() >= until:
            return exchange
        context.recorder.pause(told_wait(exchange) or 0.5)


def _log(context: RunContext, task: RecordedTask) -> LogRead:
    """The log from 0 as far as it goes now, each answer handed to the oracle."""
    events: list[object] = []
    exchanges: list[Exchange] = []
    offset, been, status = 0, {0}, RUNNING
    while True:
        exchange = _ask(context, task, offset)
        exchanges.append(exchange.trimmed())
        poll = read_poll(exchange, offset, _READER)
        if poll is None:
            return LogRead(events, status, tuple(exchanges[-2:]))
        task.take(context.recorder, exchange, offset, _READER)
        events += poll.events
        status = poll.status
        if not poll.events or poll.next_offset is None or poll.next_offset in been:
            return LogRead(events, status, tuple(exchanges[-2:]))
        offset = poll.next_offset
        been.add(offset)


def _first_look(context: RunContext, task: RecordedTask) -> TaskOverRestart:
    log, cursor, status, ran = tuple(task.history.log), task.end_offset, task.history.status, not task.is_over
    resumed = _ask(context, task, cursor)
    if resumed.ok:
        task.take(context.recorder, resumed, cursor, _READER)
    return TaskOverRestart(task.task_id, log, cursor, status, ran, resumed, shown=_log(context, task))


def _follow(context: RunContext, pairs: list[tuple[RecordedTask, TaskOverRestart]]) -> None:
    """Read tasks on to their ends, each from the offset that its reader had, all at once: one may wait for another."""
    waiting = [(task, seen) for task, seen in pairs if seen.ran and seen.resumed.ok]
    offsets = {task.task_id: seen.cursor for task, seen in waiting}
    last = time.monotonic()
    moved = {task.task_id: last for task, _ in waiting}
    waiting = [pair for pair in waiting if _moves_on(*pair, seen_in=pair[1].resumed, offsets=offsets)]
    while waiting:
        pauses = [flight.longest_pause for flight in context.in_flight.over()]
        patience = max(context.target.timeouts.task, _USUAL * max(pauses, default=0.0))
        for task, seen in waiting:
            since = max(moved.values()) if not task.history.log else moved[task.task_id]
            if time.monotonic() - since >= patience:
                seen.silent_for = time.monotonic() - since
        waiting = [(task, seen) for task, seen in waiting if seen.silent_for is None]
        context.recorder.pause(PUBLISHED.pause / 2)
        left = []
        for task, seen in waiting:
            known, offset = len(task.history.log), offsets[task.task_id]
            exchange = _ask(context, task, offset)
            task.take(context.recorder, exchange, offset, _READER)
            goes_on = _moves_on(task, seen, seen_in=exchange, offsets=offsets)
            if len(task.history.log) > known or not goes_on:
                moved[task.task_id] = time.monotonic()
            left += [(task, seen)] if goes_on else []
        waiting = left


def _moves_on(task: RecordedTask, seen: TaskOverRestart, *, seen_in: Exchange, offsets: dict[str, int]) -> bool:
    """Whether a task still ran in the answer to its last poll; its reader goes on from the offset in that."""
    poll = read_poll(seen_in, offsets[task.task_id], _READER)
    if poll is None:
        return False
    seen.status = poll.status
    if poll.next_offset is not None:
        offsets[task.task_id] = poll.next_offset
    return poll.status == RUNNING


def _go_on(context: RunContext, found: OverRestart, old: list[RecordedTask]) -> None:
    """Use the API as before: the old workspace, a new conversation, and an old one."""
    api = context.api
    ensured = api.ensure_workspace(context.workspace)
    found.taken.append((f"the workspace {context.workspace}", ensured.trimmed()))
    with contextlib.suppress(BudgetSpentError, TargetLostError):
        opened, conversation = context.open_conversation(api)
        _note_given(found, opened, "conversation_id")
        if conversation is not None:
            sent, task = context.send(api, conversation, "plain")
            _note_given(found, sent, "task_id")
            if task is not None:
                read_to_end(api, task, PUBLISHED)
        if old:
            sent, task = context.send(api, old[-1].conversation, "plain")
            found.taken.append(("a message into a conversation", sent.trimmed()))
            _note_given(found, sent, "task_id")
            if task is not None and not read_to_end(api, task, PUBLISHED):
                found.unended.append(api.poll(task.task_id, task.end_offset).trimmed())
    for seen in found.tasks:
        found.taken.append((f"a poll of task {seen.task_id}", seen.resumed))


def _note_given(found: OverRestart, exchange: Exchange, member: str) -> None:
    name = identifier(exchange, member)
    if name is not None:
        found.given[name] = exchange.trimmed()


def _foreign(context: RunContext, task: RecordedTask, seen: TaskOverRestart) -> str:
    """The word of another message that a task holds now and did not hold before."""
    before, now = text_of(seen.log), "\n".join(text_of(reading.events) for reading in seen.readings)
    others = (other.marker for other in context.tasks if other.conversation != task.conversation)
    return next((marker for marker in others if marker in now and marker not in before), "")
