"""The corpus: the few messages that a run sends, read to the end by readers of different habits, all at once.

On a real server every message costs money, so each of these tasks serves many checks.
"""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sendpoll.conformance.api import Api
from sendpoll.conformance.connection import NoConnectionError
from sendpoll.conformance.exchange import Exchange, Intent
from sendpoll.conformance.idling import PAUSES, Idle, idle_between_polls
from sendpoll.conformance.lab import Lab, Walk
from sendpoll.conformance.recorder import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.shapes import SHAPES
from sendpoll.conformance.tasks import (
    EAGER,
    LATE,
    OVERLAPPING,
    PUBLISHED,
    RESTARTING,
    Habit,
    RecordedTask,
    read_late,
    read_to_end,
)

_ENDING = Habit("at the end", 0.02)


@dataclass(slots=True)
class Corpus:
    """What was recorded, and what stood in the way of the rest."""

    walks: dict[str, Walk] = field(default_factory=dict)
    """The walk in the form of each client, by its name."""
    first: RecordedTask | None = None
    second: RecordedTask | None = None
    """The two messages of one conversation, the second sent while the first ran."""
    second_refusal: Exchange | None = None
    queued: bool = False
    """Whether the first of the two still ran when the second was taken."""
    long: RecordedTask | None = None
    late: RecordedTask | None = None
    missing: list[str] = field(default_factory=list)
    """Kinds of tasks that the budget of messages did not allow."""
    idle: list[Idle] = field(default_factory=list)
    """Connections that idled between two polls."""


def record(lab: Lab) -> Corpus:
    """Send the messages and read their tasks to the end, or as far as the run's deadline lets."""
    corpus = Corpus(walks=dict(lab.walks))
    jobs: list[Callable[[], None]] = [lambda: _read_walk(lab, lab.walks[lab.api.shape.name])]
    jobs += [
        lambda shape=shape: _walk_as(lab, corpus, Api(lab.recorder, shape))  # type: ignore[misc] # binds the loop's value
        for shape in SHAPES
        if shape.name not in lab.walks
    ]
    jobs += [lambda: _overlap(lab), lambda: _long(lab, corpus), lambda: _queue(lab, corpus), lambda: _late(lab, corpus)]
    jobs += [lambda: _crowd(lab), lambda: _crowd(lab)]
    jobs += [lambda pause=pause: _idle(lab, corpus, pause) for pause in PAUSES]  # type: ignore[misc] # the same
    with concurrent.futures.ThreadPoolExecutor(len(jobs), thread_name_prefix="corpus") as pool:
        running = [pool.submit(_bounded, corpus, job) for job in jobs]
        for job in running:
            job.result()
    return corpus


def _bounded(corpus: Corpus, job: Callable[[], None]) -> None:
    """Run one job; what ends it early is known elsewhere: the recorder knows the time, the money and the target."""
    try:
        job()
    except BudgetSpentError:
        corpus.missing.append(getattr(job, "__name__", "task"))
    except (RunOverError, TargetLostError, NoConnectionError):
        return


def _start(lab: Lab, kind: str, conversation: str | None = None) -> RecordedTask | None:
    if conversation is None:
        _, conversation = lab.open_conversation(lab.api)
    if conversation is None:
        return None
    return lab.send(lab.api, conversation, kind)[1]


def _read_with(lab: Lab, task: RecordedTask | None, *habits: Habit) -> None:
    """Read a task with several readers at once."""
    if task is None:
        return
    errors: list[Exception] = []

    def read(habit: Habit) -> None:
        try:
            read_to_end(lab.api, task, habit)
        except (RunOverError, TargetLostError, NoConnectionError) as error:
            errors.append(error)

    readers = [threading.Thread(target=read, args=(habit,)) for habit in habits]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    if errors:
        raise errors[0]


def _read_walk(lab: Lab, walk: Walk) -> None:
    if walk.task is not None:
        _read_with(lab, walk.task, PUBLISHED)


def _walk_as(lab: Lab, corpus: Corpus, api: Api) -> None:
    """Do as one client does, from the first call to the last poll, on connections as it keeps them."""
    walk = lab.walk(api, Intent.SHAPE)
    corpus.walks[api.shape.name] = walk
    if walk.task is None:
        return
    if not api.shape.keeps_alive:
        read_to_end(api, walk.task, PUBLISHED)
        return
    _read_kept_alive(api, walk.task)


def _read_kept_alive(api: Api, task: RecordedTask) -> None:
    """Poll as Node and browsers do, on one connection as long as the server keeps it."""
    give_up = time.monotonic() + api.recorder.target.timeouts.task
    offset = 0
    while time.monotonic() < give_up:
        with api.recorder.connect() as connection:
            while not connection.closed_by_server(within=0.0):
                poll = task.poll(api, offset, "kept alive", connection)
                if poll is None or poll.status != "running":
                    return
                offset = offset if poll.next_offset is None else poll.next_offset
                api.recorder.pause(PUBLISHED.pause)


def _overlap(lab: Lab) -> None:
    _read_with(lab, _start(lab, "unicode"), EAGER, OVERLAPPING, RESTARTING)


def _long(lab: Lab, corpus: Corpus) -> None:
    corpus.long = _start(lab, "long")
    _read_with(lab, corpus.long, EAGER, RESTARTING)
    _read_with(lab, corpus.long, LATE)


def _queue(lab: Lab, corpus: Corpus) -> None:
    corpus.first = _start(lab, "unicode")
    if corpus.first is None:
        return
    exchange, corpus.second = lab.send(lab.api, corpus.first.conversation, "plain")
    after = corpus.first.poll(lab.api, 0, "first")
    corpus.queued = after is not None and after.status == "running"
    if corpus.second is None:
        corpus.second_refusal = exchange
    second = threading.Thread(target=_bounded, args=(corpus, lambda: _read_with(lab, corpus.second, EAGER)))
    second.start()
    try:
        _read_with(lab, corpus.first, OVERLAPPING)
    finally:
        second.join()


def _late(lab: Lab, corpus: Corpus) -> None:
    """Nobody reads this task until others that were sent at the same time are over, and a while longer."""
    corpus.late = task = _start(lab, "unicode")
    if task is None:
        return

    def ready() -> bool:
        took = [other.finished_after for other in lab.tasks if other.finished_after is not None]
        return bool(took) and time.monotonic() - task.sent_at > 1.5 * max(took) + 0.3

    read_late(lab.api, task, ready)


def _crowd(lab: Lab) -> None:
    """Several readers at the very moment in which a task ends."""
    _read_with(lab, _start(lab, "unicode"), _ENDING, EAGER, OVERLAPPING, RESTARTING)


def _idle(lab: Lab, corpus: Corpus, pause: float) -> None:
    task = lab.walks[lab.api.shape.name].task
    if task is not None:
        corpus.idle.append(idle_between_polls(lab.recorder, lab.api, task.task_id, pause))
