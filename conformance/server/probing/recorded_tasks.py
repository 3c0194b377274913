"""The corpus: the few messages that a run sends, read to the end by readers of different habits, all at once.

On a real server every message costs money, so each of these tasks serves many checks.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.predicates import events_of
from sendpoll.conformance.server.inputs.negative_offsets import odd_queries, queries_of_clients
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import PROFILES, ClientProfile
from sendpoll.conformance.server.probing.idling import PAUSES, Idle, idle_between_polls
from sendpoll.conformance.server.probing.recorder import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.revalidation import Revalidation, revalidate
from sendpoll.conformance.server.probing.run_context import RunContext, Walk
from sendpoll.conformance.server.probing.task_readers import (
    EAGER,
    HEAVY_ANSWER,
    LATE,
    OVERLAPPING,
    PUBLISHED,
    RESTARTING,
    Habit,
    RecordedTask,
    read_late,
    read_to_end,
    read_together,
)
from sendpoll.conformance.server.transport.connection import NoConnectionError

_FAR = 1_000_000_000_000
"""So far no task comes while it runs, be its offsets counted in events, bytes or microseconds."""
_CATCHING_UP = 50
"""Polls in which a reader must have caught up with a task."""
_GLANCE = 0.05
"""Seconds after which it is looked again whether a task has begun."""
_ENDING = Habit("at the end", 0.02)


@dataclass(frozen=True, slots=True)
class Behind:
    """What a running task answered to an offset that is far behind its end."""

    exchange: Exchange
    known: int
    """How many events it had a moment later: what comes after those must come from the offset that it gave back."""


@dataclass(slots=True)
class Corpus:
    """What was recorded, and what stood in the way of the rest."""

    walks: dict[str, Walk] = field(default_factory=dict)
    """The walk in the form of each client, by its name."""
    forgotten: Exchange | None = None
    """What was answered, if no task, to a message of a conversation older than the last ensuring of its workspace."""
    first: RecordedTask | None = None
    second: RecordedTask | None = None
    """The two messages of one conversation, the second sent while the first ran."""
    second_refusal: Exchange | None = None
    long: RecordedTask | None = None
    behind: Behind | None = None
    """Asked of the long task."""
    early: Exchange | None = None
    """Its log, read while it grew."""
    revalidation: Revalidation | None = None
    """What was said to the validators of that when it had grown, and still ran."""
    late: RecordedTask | None = None
    idle: list[Idle] = field(default_factory=list)
    """Connections that idled between two polls."""


@dataclass(frozen=True, slots=True)
class Job:
    """One part of the corpus."""

    sentence: str
    messages: int
    run: Callable[[RunContext, Corpus], None]


def jobs() -> tuple[Job, ...]:
    """The parts of the corpus, all of which run at once; what a run sends is told from this table too."""
    others = (shape for shape in PROFILES[1:])
    return (
        Job("go on with the first walk at the published pace", 0, _read_first_walk),
        *(
            Job(f"do as {shape.name} does, byte for byte", 1, functools.partial(_walk_as, shape=shape))
            for shape in others
        ),
        Job("read one task with an eager, an overlapping and a restarting reader", 1, _overlap),
        Job("ask for an answer of more than 100 events, with odd offsets in between", 1, _long),
        Job("send two messages of one conversation at once, and a third when they are answered", 3, _queue),
        Job("leave a task alone until it is over, then read it", 1, _late),
        *(Job("read a task with four readers at the moment it ends", 1, _crowd) for _ in range(2)),
        *(
            Job(f"let a connection idle for {pause:g} s between two polls", 0, functools.partial(_idle, pause=pause))
            for pause in PAUSES
        ),
    )


def record(context: RunContext) -> Corpus:
    """Send the messages and read their tasks to the end, or as far as the run's deadline lets."""
    corpus = Corpus(walks=dict(context.walks))
    planned = jobs()
    with concurrent.futures.ThreadPoolExecutor(len(planned), thread_name_prefix="corpus") as pool:
        for running in [pool.submit(_bounded, context, corpus, job) for job in planned]:
            running.result()
    return corpus


def _bounded(context: RunContext, corpus: Corpus, job: Job) -> None:
    """Run one job; what ends it early is known elsewhere: the recorder knows the time, the money and the target."""
    with contextlib.suppress(BudgetSpentError, RunOverError, TargetLostError, NoConnectionError):
        job.run(context, corpus)


def is_heavy(context: RunContext) -> bool:
    """Whether the tasks of this server are so large that a few must do."""
    return any(task.largest > 4 * HEAVY_ANSWER for task in context.tasks)


def _start(context: RunContext, kind: str, conversation: str | None = None) -> RecordedTask | None:
    if is_heavy(context):
        return None
    if conversation is None:
        _, conversation = context.open_conversation(context.api)
    if conversation is None:
        return None
    return context.send(context.api, conversation, kind)[1]


def _read_with(context: RunContext, task: RecordedTask | None, *habits: Habit) -> None:
    if task is not None:
        read_together(context.api, task, *habits)


def _read_first_walk(context: RunContext, _: Corpus) -> None:
    task = context.walks[context.api.shape.name].task
    if task is not None:
        _read_with(context, task, PUBLISHED)


def _walk_as(context: RunContext, corpus: Corpus, shape: ClientProfile) -> None:
    """Do as one client does, from the first call to the last poll, on connections as it keeps them."""
    if shape.name in context.walks or is_heavy(context):
        return
    api = Api(context.recorder, shape)
    walk = context.walk(api, Intent.SHAPE)
    corpus.walks[shape.name] = walk
    if walk.task is None:
        return
    if shape.keeps_alive:
        _read_kept_alive(api, walk.task)
    else:
        read_to_end(api, walk.task, PUBLISHED)


def _read_kept_alive(api: Api, task: RecordedTask) -> None:
    """Poll as Node and browsers do, on one connection as long as the server keeps it."""
    give_up = time.monotonic() + api.recorder.target.timeouts.task
    offset, at_once = 0, False
    while time.monotonic() < give_up:
        with api.recorder.connect() as connection:
            while connection.may_be_used_again():
                poll = task.poll(api, offset, "kept alive", connection)
                if poll is None or poll.status != "running" or time.monotonic() >= give_up:
                    return
                offset = offset if poll.next_offset is None else poll.next_offset
                at_once = bool(poll.events) and not at_once  # to meet a running task that has nothing new
                if not at_once:
                    api.recorder.pause(PUBLISHED.pause)


def _overlap(context: RunContext, _: Corpus) -> None:
    _read_with(context, _start(context, "unicode"), EAGER, OVERLAPPING, RESTARTING)


def _long(context: RunContext, corpus: Corpus) -> None:
    corpus.long = _start(context, "long")
    if corpus.long is None:
        return
    odd = threading.Thread(target=_bounded, args=(context, corpus, Job("", 0, _disturb)))
    odd.start()
    try:
        _read_with(context, corpus.long, EAGER, RESTARTING)
    finally:
        odd.join()
    _read_with(context, corpus.long, LATE)


def _disturb(context: RunContext, corpus: Corpus) -> None:
    """Poll a running task with offsets that no client sends on purpose; its readers must not notice."""
    task = corpus.long
    if task is None:
        return
    while not task.history.log and not task.is_over:
        context.recorder.pause(_GLANCE)
    corpus.behind = _ask_behind(context, task)
    corpus.early = context.api.poll(task.task_id, 0)
    for odd in (*queries_of_clients(1), *odd_queries(1)):
        if task.is_over:
            return
        request = context.api.poll_request(task.task_id, odd.query, intent=Intent.PROBE)
        context.recorder.send(dataclasses.replace(request, probe=odd.probe))
        if corpus.revalidation is None and len(task.history.log) > len(events_of(corpus.early)):
            corpus.revalidation = revalidate(context.api, task.task_id, corpus.early)


def behind_any_end(context: RunContext) -> int:
    """An offset behind the end of every task, told from the largest one that this server gave: some are times."""
    return max((task.end_offset for task in context.tasks), default=0) + _FAR


def _ask_behind(context: RunContext, task: RecordedTask) -> Behind | None:
    """Ask behind the end, then see how far the task has come; None where it is over or comes too fast to tell."""
    request = context.api.poll_request(task.task_id, f"from={behind_any_end(context)}", intent=Intent.PROBE)
    exchange = context.recorder.send(dataclasses.replace(request, probe="odd from"))
    for _ in range(_CATCHING_UP):
        poll = task.poll(context.api, task.end_offset, "behind")
        if poll is None or task.is_over:
            return None
        if not poll.events:
            return Behind(exchange, len(task.history.log))
    return None


def _queue(context: RunContext, corpus: Corpus) -> None:
    if is_heavy(context):
        return
    _, conversation = context.open_conversation(context.api)
    if conversation is None:
        return
    context.ensure_workspace(context.api)
    sent, corpus.first = context.send(context.api, conversation, "unicode", intent=Intent.SHAPE)
    if corpus.first is None:
        corpus.forgotten = sent
        return
    context.ensure_workspace(context.api)
    exchange, corpus.second = context.send(context.api, corpus.first.conversation, "plain", intent=Intent.SHAPE)
    corpus.first.poll(context.api, 0, "first")
    if corpus.second is None:
        corpus.second_refusal = exchange
    read_second = Job("", 0, lambda context, corpus: _read_with(context, corpus.second, EAGER))
    second = threading.Thread(target=_bounded, args=(context, corpus, read_second))
    second.start()
    try:
        _read_with(context, corpus.first, OVERLAPPING)
    finally:
        second.join()
    if corpus.second is not None and corpus.first.is_over and corpus.second.is_over:
        _read_with(context, _start(context, "plain", corpus.first.conversation), EAGER)


def _late(context: RunContext, corpus: Corpus) -> None:
    """Nobody reads this task until others that were sent at the same time are over, and a while longer."""
    corpus.late = task = _start(context, "unicode")
    if task is None:
        return

    def ready() -> bool:
        took = [other.finished_after for other in context.tasks if other.finished_after is not None]
        return bool(took) and time.monotonic() - task.sent_at > 1.5 * max(took) + 0.3

    read_late(context.api, task, ready)


def _crowd(context: RunContext, _: Corpus) -> None:
    """Several readers at the very moment in which a task ends."""
    _read_with(context, _start(context, "unicode"), _ENDING, EAGER, OVERLAPPING, RESTARTING)


def _idle(context: RunContext, corpus: Corpus, pause: float) -> None:
    task = context.walks[context.api.shape.name].task
    if task is not None:
        corpus.idle.append(idle_between_polls(context.recorder, context.api, task.task_id, pause))
