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

from sendpoll.conformance.api import Api
from sendpoll.conformance.connection import NoConnectionError
from sendpoll.conformance.exchange import Exchange, Intent
from sendpoll.conformance.idling import PAUSES, Idle, idle_between_polls
from sendpoll.conformance.lab import Lab, Walk
from sendpoll.conformance.offsets import odd_queries
from sendpoll.conformance.recorder import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.shapes import SHAPES, Shape
from sendpoll.conformance.tasks import (
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

BEHIND_ANY_END = 1_000_000_000_000
"""No offset of a task that runs, be it counted in events, bytes or microseconds of its life."""
_CATCHING_UP = 50
"""Polls in which a reader must have caught up with a task."""
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
    late: RecordedTask | None = None
    idle: list[Idle] = field(default_factory=list)
    """Connections that idled between two polls."""


@dataclass(frozen=True, slots=True)
class Job:
    """One part of the corpus."""

    sentence: str
    messages: int
    run: Callable[[Lab, Corpus], None]


def jobs() -> tuple[Job, ...]:
    """The parts of the corpus, all of which run at once; what a run sends is told from this table too."""
    others = (shape for shape in SHAPES[1:])
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


def record(lab: Lab) -> Corpus:
    """Send the messages and read their tasks to the end, or as far as the run's deadline lets."""
    corpus = Corpus(walks=dict(lab.walks))
    planned = jobs()
    with concurrent.futures.ThreadPoolExecutor(len(planned), thread_name_prefix="corpus") as pool:
        for running in [pool.submit(_bounded, lab, corpus, job) for job in planned]:
            running.result()
    return corpus


def _bounded(lab: Lab, corpus: Corpus, job: Job) -> None:
    """Run one job; what ends it early is known elsewhere: the recorder knows the time, the money and the target."""
    with contextlib.suppress(BudgetSpentError, RunOverError, TargetLostError, NoConnectionError):
        job.run(lab, corpus)


def is_heavy(lab: Lab) -> bool:
    """Whether the tasks of this server are so large that a few must do."""
    return any(task.largest > 4 * HEAVY_ANSWER for task in lab.tasks)


def _start(lab: Lab, kind: str, conversation: str | None = None) -> RecordedTask | None:
    if is_heavy(lab):
        return None
    if conversation is None:
        _, conversation = lab.open_conversation(lab.api)
    if conversation is None:
        return None
    return lab.send(lab.api, conversation, kind)[1]


def _read_with(lab: Lab, task: RecordedTask | None, *habits: Habit) -> None:
    if task is not None:
        read_together(lab.api, task, *habits)


def _read_first_walk(lab: Lab, _: Corpus) -> None:
    task = lab.walks[lab.api.shape.name].task
    if task is not None:
        _read_with(lab, task, PUBLISHED)


def _walk_as(lab: Lab, corpus: Corpus, shape: Shape) -> None:
    """Do as one client does, from the first call to the last poll, on connections as it keeps them."""
    if shape.name in lab.walks or is_heavy(lab):
        return
    api = Api(lab.recorder, shape)
    walk = lab.walk(api, Intent.SHAPE)
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


def _overlap(lab: Lab, _: Corpus) -> None:
    _read_with(lab, _start(lab, "unicode"), EAGER, OVERLAPPING, RESTARTING)


def _long(lab: Lab, corpus: Corpus) -> None:
    corpus.long = _start(lab, "long")
    if corpus.long is None:
        return
    odd = threading.Thread(target=_bounded, args=(lab, corpus, Job("", 0, _disturb)))
    odd.start()
    try:
        _read_with(lab, corpus.long, EAGER, RESTARTING)
    finally:
        odd.join()
    _read_with(lab, corpus.long, LATE)


def _disturb(lab: Lab, corpus: Corpus) -> None:
    """Poll a running task with offsets that no client sends; its readers must not notice."""
    if corpus.long is not None:
        corpus.behind = _ask_behind(lab, corpus.long)
        corpus.early = lab.api.poll(corpus.long.task_id, 0)
    for odd in odd_queries(1):
        if corpus.long is None or corpus.long.is_over:
            return
        request = lab.api.poll_request(corpus.long.task_id, odd.query, intent=Intent.PROBE)
        lab.recorder.send(dataclasses.replace(request, probe="from"))


def _ask_behind(lab: Lab, task: RecordedTask) -> Behind | None:
    """Ask behind the end, then see how far the task has come; None where it is over or comes too fast to tell."""
    request = lab.api.poll_request(task.task_id, f"from={BEHIND_ANY_END}", intent=Intent.PROBE)
    exchange = lab.recorder.send(dataclasses.replace(request, probe="from"))
    for _ in range(_CATCHING_UP):
        poll = task.poll(lab.api, task.end_offset, "behind")
        if poll is None or task.is_over:
            return None
        if not poll.events:
            return Behind(exchange, len(task.history.log))
    return None


def _queue(lab: Lab, corpus: Corpus) -> None:
    if is_heavy(lab):
        return
    _, conversation = lab.open_conversation(lab.api)
    if conversation is None:
        return
    lab.ensure_workspace(lab.api)
    sent, corpus.first = lab.send(lab.api, conversation, "unicode", intent=Intent.SHAPE)
    if corpus.first is None:
        corpus.forgotten = sent
        return
    lab.ensure_workspace(lab.api)
    exchange, corpus.second = lab.send(lab.api, corpus.first.conversation, "plain", intent=Intent.SHAPE)
    corpus.first.poll(lab.api, 0, "first")
    if corpus.second is None:
        corpus.second_refusal = exchange
    read_second = Job("", 0, lambda lab, corpus: _read_with(lab, corpus.second, EAGER))
    second = threading.Thread(target=_bounded, args=(lab, corpus, read_second))
    second.start()
    try:
        _read_with(lab, corpus.first, OVERLAPPING)
    finally:
        second.join()
    if corpus.second is not None and corpus.first.is_over and corpus.second.is_over:
        _read_with(lab, _start(lab, "plain", corpus.first.conversation), EAGER)


def _late(lab: Lab, corpus: Corpus) -> None:
    """Nobody reads this task until others that were sent at the same time are over, and a while longer."""
    corpus.late = task = _start(lab, "unicode")
    if task is None:
        return

    def ready() -> bool:
        took = [other.finished_after for other in lab.tasks if other.finished_after is not None]
        return bool(took) and time.monotonic() - task.sent_at > 1.5 * max(took) + 0.3

    read_late(lab.api, task, ready)


def _crowd(lab: Lab, _: Corpus) -> None:
    """Several readers at the very moment in which a task ends."""
    _read_with(lab, _start(lab, "unicode"), _ENDING, EAGER, OVERLAPPING, RESTARTING)


def _idle(lab: Lab, corpus: Corpus, pause: float) -> None:
    task = lab.walks[lab.api.shape.name].task
    if task is not None:
        corpus.idle.append(idle_between_polls(lab.recorder, lab.api, task.task_id, pause))
