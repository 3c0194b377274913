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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules.predicates import events_of
from sendpoll.conformance.server.inputs.negative_offsets import odd_queries, queries_of_clients
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import CURL, PROFILES, ClientProfile
from sendpoll.conformance.server.probing.endings import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.idling import PAUSES, Idle, idle_between_polls
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


Work = Callable[[RunContext, Corpus, int], None]
"""One part of the corpus; the number is its place among those that wait for their turn."""


def record(context: RunContext) -> Corpus:
    """Send the messages and read their tasks to the end, or as far as the run's deadline lets."""
    plan = context.plan
    corpus = Corpus(walks=dict(context.walks))
    planned = [(place, part) for place, part in enumerate(plan.parts) if part.name != "third"]
    with concurrent.futures.ThreadPoolExecutor(len(planned) + len(PAUSES), thread_name_prefix="corpus") as pool:
        running = [pool.submit(_bounded, context, corpus, _WORK[part.name], place) for place, part in planned]
        if plan.has("idle"):
            idles = (functools.partial(_idle, pause=pause) for pause in PAUSES)
            running += [pool.submit(_bounded, context, corpus, idle, 0) for idle in idles]
        for one in running:
            one.result()
    context.recorder.kept_for_probes = 0.0
    return corpus


def _bounded(context: RunContext, corpus: Corpus, work: Work, place: int = 0) -> None:
    """Do one part; what ends it early is known elsewhere: the recorder knows the time, the money and the target."""
    with contextlib.suppress(BudgetSpentError, RunOverError, TargetLostError, NoConnectionError):
        work(context, corpus, place)


def is_heavy(context: RunContext) -> bool:
    """Whether the tasks of this server are so large that a few must do."""
    return any(task.largest > 4 * HEAVY_ANSWER for task in context.tasks)


def _start(context: RunContext, kind: str, place: int, *, intent: Intent = Intent.USE) -> RecordedTask | None:
    return None if is_heavy(context) else context.start(context.api, kind, place, intent=intent)[1]


def _read_with(context: RunContext, task: RecordedTask | None, *habits: Habit) -> None:
    if task is not None:
        read_together(context.api, task, *habits)


def _read_first_walk(context: RunContext, corpus: Corpus, _: int) -> None:
    """Read the first task, in more ways where the messages for others are not there."""
    task = context.walks[context.api.shape.name].task
    if task is None:
        return
    habits = [PUBLISHED] if context.plan.has("overlap") else [PUBLISHED, EAGER, OVERLAPPING, RESTARTING]
    if context.plan.has("long"):
        _read_with(context, task, *habits)
    else:
        corpus.long = task
        _read_disturbed(context, corpus, task, *habits)


def _walk_as(context: RunContext, corpus: Corpus, place: int, shape: ClientProfile) -> None:
    """Do as one client does, from the first call to the last poll, on connections as it keeps them."""
    if shape.name in context.walks or is_heavy(context):
        return
    api = Api(context.recorder, shape)
    walk = context.walk(api, Intent.SHAPE, priority=place)
    corpus.walks[shape.name] = walk
    if walk.task is None:
        return
    if shape.keeps_alive:
        _read_kept_alive(api, walk.task)
    else:
        read_to_end(api, walk.task, PUBLISHED)


def _read_kept_alive(api: Api, task: RecordedTask) -> None:
    """Poll as Node and browsers do, on one connection as long as the server keeps it."""
    offset, at_once = 0, False
    while not api.recorder.is_stuck(task.task_id):
        with api.recorder.connect() as connection:
            while connection.may_be_used_again():
                poll = task.poll(api, offset, "kept alive", connection)
                if poll is None or poll.status != "running" or api.recorder.is_stuck(task.task_id):
                    return
                offset = offset if poll.next_offset is None else poll.next_offset
                at_once = bool(poll.events) and not at_once  # to meet a running task that has nothing new
                if not at_once:
                    pause = api.recorder.tempo.pause(PUBLISHED.pause, task.task_id)
                    api.recorder.pause_before_poll(task.task_id, pause)


def _overlap(context: RunContext, _: Corpus, place: int) -> None:
    _read_with(context, _start(context, "unicode", place), EAGER, OVERLAPPING, RESTARTING)


def _long(context: RunContext, corpus: Corpus, place: int) -> None:
    """A message that a server may find too long: whether it takes it is no matter of this suite."""
    corpus.long = _start(context, "long", place, intent=Intent.SHAPE)
    if corpus.long is not None:
        _read_disturbed(context, corpus, corpus.long, EAGER, RESTARTING)
        _read_with(context, corpus.long, LATE)


def _read_disturbed(context: RunContext, corpus: Corpus, task: RecordedTask, *habits: Habit) -> None:
    odd = threading.Thread(target=_bounded, args=(context, corpus, _disturb))
    odd.start()
    try:
        _read_with(context, task, *habits)
    finally:
        odd.join()


def _disturb(context: RunContext, corpus: Corpus, _: int) -> None:
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


def _queue(context: RunContext, corpus: Corpus, place: int) -> None:
    """Two messages of one conversation, the second while the first runs; the workspace is ensured in between."""
    if is_heavy(context):
        return
    sent, corpus.first = context.start(
        context.api, "unicode", place, intent=Intent.SHAPE, before_message=context.ensure_home
    )
    if corpus.first is None:
        corpus.forgotten = sent
        return
    first = corpus.first
    context.ensure_home(first.conversation)
    second_api, kind = context.api, "plain"
    if not context.plan.has("curl") and context.api.shape is not CURL:
        second_api, kind = Api(context.recorder, CURL), "unicode"
    exchange, corpus.second = context.send(second_api, first.conversation, kind, intent=Intent.SHAPE, patient=False)
    if second_api is not context.api:
        corpus.walks[CURL.name] = Walk(CURL, (exchange.trimmed(),), first.conversation, corpus.second)
    first.poll(context.api, 0, "first")
    if corpus.second is None:
        corpus.second_refusal = exchange
    second = threading.Thread(target=_bounded, args=(context, corpus, _read_second))
    second.start()
    try:
        _read_with(context, first, OVERLAPPING)
    finally:
        second.join()
    if context.plan.has("third") and first.is_over and corpus.second is not None and corpus.second.is_over:
        _read_with(context, context.send(context.api, first.conversation, "plain")[1], EAGER)


def _read_second(context: RunContext, corpus: Corpus, _: int) -> None:
    _read_with(context, corpus.second, EAGER)


def _late(context: RunContext, corpus: Corpus, place: int) -> None:
    """Nobody reads this task until others that were sent at the same time are over, and a while longer."""
    corpus.late = task = _start(context, "unicode", place)
    if task is None:
        return
    flight = context.in_flight.flights.get(task.task_id)
    if flight is not None:
        flight.left_alone = True

    def ready() -> bool:
        took = context.in_flight.seconds()
        return bool(took) and time.monotonic() - task.sent_at > 1.5 * max(took) + 0.3

    read_late(context.api, task, ready)


def _crowd(context: RunContext, _: Corpus, place: int) -> None:
    """Several readers at the very moment in which a task ends."""
    _read_with(context, _start(context, "unicode", place), _ENDING, EAGER, OVERLAPPING, RESTARTING)


def _idle(context: RunContext, corpus: Corpus, _: int, pause: float) -> None:
    task = context.walks[context.api.shape.name].task
    if task is not None:
        corpus.idle.append(idle_between_polls(context.recorder, context.api, task.task_id, pause))


def _nothing(_: RunContext, __: Corpus, ___: int) -> None:
    """Each pause is a part of its own."""


_WORK: Mapping[str, Work] = MappingProxyType(
    {
        "first": _read_first_walk,
        "idle": _nothing,
        "queue": _queue,
        "long": _long,
        "overlap": _overlap,
        "late": _late,
        "crowd": _crowd,
        "crowd again": _crowd,
        **{shape.name: functools.partial(_walk_as, shape=shape) for shape in PROFILES[1:]},
    }
)
"""Part of a plan to what does it."""
