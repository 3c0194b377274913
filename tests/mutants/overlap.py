"""Mutants that are right for one user at a time: each errs only while another call, reader or task is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.mutants.exchange import Answer, Asked, Forward, Handler, Task, refusal
from tests.mutants.history import cumulative, last_gone
from tests.mutants.model import Mutant
from tests.mutants.polls import Event, View, chunk, has_news, is_chunk, logs, overlaps, polls

_MEET = 0.03
"""Seconds by which calls are slowed down, so that two of them meet."""
_CROWD = 4
"""More tasks at once than this server was tried with."""


def _with_news(view: View) -> bool:
    return overlaps(view) and has_news(view)


def _last_twice(view: View) -> None:
    view.data["events"] = [*view.data["events"], view.data["events"][-1]]


def _locked(view: View) -> None:
    view.data.update(status="locked", events=[], next_offset=view.start)


def _cut_at_the_end(view: View) -> bool:
    return _with_news(view) and view.final


def _offset_of_the_other(view: View) -> None:
    """The number of events that the other poll brings is added too."""
    view.data["next_offset"] += len(view.data["events"])


def _polled_meanwhile(view: View) -> Task | None:
    """Another task that is being polled at this moment."""
    tasks = view.asked.desk.tasks.values()
    return next((task for task in tasks if task is not view.task and task.notes.get("under_way")), None)


def _with_a_stranger(view: View) -> None:
    other = _polled_meanwhile(view)
    if other is not None:
        view.data["events"] = [chunk(other.message), *view.data["events"][1:]]


def _meets_another(view: View) -> bool:
    return has_news(view) and _polled_meanwhile(view) is not None


def _slowly(operation: str, otherwise: Callable[[Asked, Answer], Answer]) -> Handler:
    """Slow an operation down, and answer it otherwise where another call of it is under way."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        if asked.operation != operation:
            return await forward(asked)
        await asyncio.sleep(_MEET)
        given = await forward(asked)
        return otherwise(asked, given) if asked.together > 1 and given.status < 300 else given

    return handle


def _the_last_task(asked: Asked, given: Answer) -> Answer:
    """The id of the task that was made before this one."""
    tasks = list(asked.desk.tasks)
    return given.with_json({"task_id": tasks[-2]}) if len(tasks) > 1 else given


def _without_id(_: Asked, given: Answer) -> Answer:
    return given.with_json({})


async def _not_found_meanwhile(asked: Asked, forward: Forward) -> Answer:
    """No task is found while one is being made."""
    if asked.operation == "sendMessage":
        await asyncio.sleep(_MEET)
    if asked.task and asked.desk.in_flight["sendMessage"]:
        return refusal(404, "task_not_found")
    return await forward(asked)


def _crowded(view: View) -> bool:
    """Whether many tasks ran when this one was born."""
    tasks = view.asked.desk.tasks.values()
    if "crowded" not in view.task.notes:
        running = sum(1 for task in tasks if not task.notes.get("over"))
        view.task.notes["crowded"] = running > _CROWD
    view.task.notes["over"] = view.final
    return bool(view.task.notes["crowded"])


def _without_content(_: View, log: list[Event]) -> list[Event]:
    broken = {"data": {"content": None}}
    return [event | broken if is_chunk(event) and place % 5 == 4 else event for place, event in enumerate(log)]


async def _without_its_end(asked: Asked, forward: Forward) -> Answer:
    """Three polls at once share a buffer that is long enough for two."""
    if asked.operation == "pollTask":
        await asyncio.sleep(_MEET / 2)
    given = await forward(asked)
    return given.with_body(given.body[:-2]) if asked.task and asked.together > 2 and given.status == 200 else given


def _later(key: str) -> Handler:
    """One member of a poll is read a moment after the others."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        if asked.operation != "pollTask" or given.status != 200:
            return given
        await asyncio.sleep(_BETWEEN)
        after = await forward(asked)
        data = {**given.json()["data"], key: after.json()["data"][key]}
        return given.with_json({"data": data})

    return handle


_BETWEEN = 0.003
"""Seconds between two statements of a poll."""


MUTANTS = (
    Mutant(
        name="overlapping-polls-repeat-an-event",
        requirement="POLL-5",
        fault="returns the last event twice while another poll of the task is under way",
        make=polls(_last_twice, _with_news, slow=_MEET),
        also=frozenset({"POLL-8"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="overlapping-polls-move-the-offset",
        requirement="POLL-5",
        fault="counts the events of another poll into next_offset while that is under way",
        make=polls(_offset_of_the_other, lambda view: _with_news(view) and not view.final, slow=_MEET),
        also=frozenset({"POLL-8"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="overlapping-polls-say-locked",
        requirement="POLL-7",
        fault="says status locked, without events, while another poll of the task is under way",
        make=polls(_locked, lambda view: overlaps(view) and not view.final, slow=_MEET),
        also=frozenset({"POLL-5", "POLL-8"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="overlapping-polls-cut-the-end",
        requirement="POLL-8",
        fault="leaves the last event out of a final answer while another poll of the task is under way",
        make=polls(last_gone, _cut_at_the_end, slow=_MEET),
        also=frozenset({"POLL-5"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="polls-at-once-show-each-other",
        requirement="ISO-1",
        fault="puts the message of another task into a poll while that task is polled",
        make=polls(_with_a_stranger, _meets_another, slow=_MEET),
        also=frozenset({"POLL-5", "POLL-8", "QUEUE-1"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="messages-at-once-share-a-task",
        requirement="ISO-1",
        fault="gives a message the task of another one that is being taken at the same time",
        make=_slowly("sendMessage", _the_last_task),
        also=frozenset({"QUEUE-1"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="conversations-at-once-without-id",
        requirement="CONV-1",
        fault="names no conversation when two are opened at the same time",
        make=_slowly("createConversation", _without_id),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="tasks-not-found-while-one-is-made",
        requirement="MSG-2",
        fault="answers 404 to polls while a message is being taken",
        make=_not_found_meanwhile,
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="crowd-loses-content",
        requirement="EVT-4",
        fault=f"sends every fifth chunk with content null in a task that began when {_CROWD} others ran",
        make=logs(_without_content, _crowded),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="crowd-gets-the-text-so-far",
        requirement="POLL-6",
        fault=f"sends the whole text so far in the chunks of a task that began when {_CROWD} others ran",
        make=logs(cumulative, _crowded),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="three-polls-at-once-cut-a-body",
        requirement="JSON-1",
        fault="leaves the end of the JSON text away for a poll that comes while two others are under way",
        make=_without_its_end,
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="status-read-after-the-events",
        requirement="POLL-8",
        fault="reads the status three milliseconds after the events, so that a poll in between says the end without it",
        make=_later("status"),
        also=frozenset({"POLL-5"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="offset-read-after-the-events",
        requirement="POLL-5",
        fault="counts the events three milliseconds after it has read them, so that those in between are lost",
        make=_later("next_offset"),
        also=frozenset({"POLL-8"}),
        conditional=True,
        concurrent=True,
    ),
)
