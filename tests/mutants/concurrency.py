"""Mutants that fail when several act at once: readers of a task, tasks of a server, messages of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.mutants.exchange import Answer, Asked, Forward, Handler, Task, refusal
from tests.mutants.model import Mutant
from tests.mutants.polls import Change, Event, View, chunk, logs, overlaps, polls

_OVERLAP = 0.015
"""Seconds by which polls are slowed down, so that those of two readers meet."""


def _shared_cursor(view: View) -> None:
    """Events are handed out once, to whoever comes first."""
    given = view.task.notes.get("cursor", 0)
    view.data["events"] = view.log[max(given, view.start) :]
    view.task.notes["cursor"] = max(given, len(view.log))


def _neighbour(task: Task, view: View) -> Task | None:
    return next((other for other in view.asked.desk.tasks.values() if other.number == task.number - 1), None)


def _leaking(view: View, log: list[Event]) -> list[Event]:
    """A chunk of the task before stands in this one."""
    other = _neighbour(view.task, view)
    return log if other is None or len(log) < 3 else [*log[:3], chunk(other.message), *log[3:]]


def _nothing(view: View) -> None:
    view.data["events"] = []


def _leaks_when_together(view: View) -> bool:
    """Whether the task before was still being polled when this one was born."""
    if "leaks" not in view.task.notes:
        other = _neighbour(view.task, view)
        view.task.notes["leaks"] = other is not None and not other.notes.get("ended")
    view.task.notes["ended"] = view.final
    return bool(view.task.notes["leaks"])


async def _reuse(asked: Asked, forward: Forward) -> Answer:
    """Every third message is given the task of the one before it."""
    given = await forward(asked)
    if asked.operation != "sendMessage" or given.status != 202:
        return given
    last = asked.desk.notes.get("last")
    asked.desk.notes["last"] = given.json()["task_id"]
    return given.with_json({"task_id": last}) if len(asked.desk.tasks) % 3 == 0 else given


async def runs(asked: Asked, forward: Forward, task: str) -> bool:
    """Whether a task of the client that asks is running."""
    path = b"/api/v1/tasks/" + task.encode()
    polled = await forward(replace(asked, method="GET", path=path, query=b"from=0", operation="pollTask", body=b""))
    return polled.status == 200 and bool(polled.json()["data"]["status"] == "running")


async def _still_running(asked: Asked, forward: Forward) -> str | None:
    """The id of the task that still runs in the conversation of this message."""
    last: str | None = asked.desk.notes.get(f"of {asked.member('conversation_id')}")
    return last if last is not None and await runs(asked, forward, last) else None


def _while_running(take: Callable[[Asked, Task, Task], None]) -> Handler:
    """What happens to two tasks when the second message of a conversation comes while the first runs."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        if asked.operation != "sendMessage":
            return await forward(asked)
        first = await _still_running(asked, forward)
        given = await forward(asked)
        if given.status == 202:
            task = given.json()["task_id"]
            asked.desk.notes[f"of {asked.json()['conversation_id']}"] = task
            if first:
                take(asked, asked.desk.tasks[first], asked.desk.tasks[task])
        return given

    return handle


def _noted(handler: Handler, polling: Handler) -> Handler:
    async def handle(asked: Asked, forward: Forward) -> Answer:
        return await (polling if asked.operation == "pollTask" else handler)(asked, forward)

    return handle


def _lose(_: Asked, _first: Task, second: Task) -> None:
    second.notes["lost"] = True


def _empty_end(view: View) -> None:
    view.data.update(status="completed", events=[], next_offset=0)


def _mix(_: Asked, first: Task, second: Task) -> None:
    first.notes["mixed"] = second.message


def _mixed_in(view: View, log: list[Event]) -> list[Event]:
    """The second message is answered at the end of the first one's task."""
    return [*log[:-1], chunk(view.task.notes["mixed"]), *log[-1:]] if view.final else log


def _conversation_so_far(view: View, log: list[Event]) -> list[Event]:
    """The log of a conversation in place of a task's: the answer to an earlier message stands before this one's."""
    notes = view.task.notes
    if "before" not in notes:
        others = [task for task in view.asked.desk.tasks.values() if task.conversation == view.task.conversation]
        ended = [task.notes["ended with"] for task in others if "ended with" in task.notes and task is not view.task]
        notes["before"] = ended[-1] if ended else []
    if view.final:
        notes["ended with"] = log
    return [*notes["before"], *log]


async def _refused_while_running(asked: Asked, forward: Forward) -> Answer:
    if asked.operation == "sendMessage" and await _still_running(asked, forward):
        return refusal(500, "busy")
    given = await forward(asked)
    if asked.operation == "sendMessage" and given.status == 202:
        asked.desk.notes[f"of {asked.json()['conversation_id']}"] = given.json()["task_id"]
    return given


def _cancel(_: Asked, first: Task, second: Task) -> None:
    del second
    first.notes["cancelled"] = True


def _end_here(status: str) -> Change:
    def change(view: View) -> None:
        end = view.task.notes.setdefault("end", max(1, len(view.log)))
        events = view.log[view.start : end]
        view.data.update(status=status, events=events, next_offset=max(view.start, end))

    return change


def _is_cancelled(view: View) -> bool:
    return bool(view.task.notes.get("cancelled"))


MUTANTS = (
    Mutant(
        name="readers-share-a-cursor",
        requirement="POLL-5",
        fault="hands every event out once, to whoever polls first",
        make=polls(_shared_cursor),
        also=frozenset({"POLL-8"}),
        conditional=True,
    ),
    Mutant(
        name="overlapping-polls-lose-events",
        requirement="POLL-5",
        fault="answers a poll without its events while another poll of the task is under way",
        make=polls(_nothing, overlaps, slow=_OVERLAP),
        also=frozenset({"POLL-8"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="task-shows-its-neighbour",
        requirement="ISO-1",
        fault="puts the message of the task before into every task",
        make=logs(_leaking),
    ),
    Mutant(
        name="tasks-at-once-leak",
        requirement="ISO-1",
        fault="puts the message of the task before into a task if both run at once",
        make=logs(_leaking, _leaks_when_together),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="task-id-reused",
        requirement="ISO-1",
        fault="gives every third message the task of the one before it",
        make=_reuse,
        also=frozenset({"QUEUE-1"}),
        conditional=True,
    ),
    Mutant(
        name="answers-of-a-conversation-pile-up",
        requirement="ISO-1",
        fault="begins a task with the answer to an earlier message of its conversation that is over",
        make=logs(_conversation_so_far),
        conditional=True,
    ),
    Mutant(
        name="second-message-lost",
        requirement="QUEUE-1",
        fault="ends the task of a message at once, without events, if another runs in its conversation",
        make=_noted(_while_running(_lose), polls(_empty_end, lambda view: bool(view.task.notes.get("lost")))),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="second-message-mixed-in",
        requirement="QUEUE-1",
        fault="answers a message in the task that runs in its conversation too",
        make=_noted(_while_running(_mix), logs(_mixed_in, lambda view: "mixed" in view.task.notes)),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="first-task-cancelled",
        requirement="QUEUE-1",
        fault="cancels the task that runs in a conversation when another message comes",
        make=_noted(_while_running(_cancel), polls(_end_here("cancelled"), _is_cancelled)),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="first-task-cut-in-silence",
        requirement="QUEUE-1",
        fault="ends the task that runs in a conversation as completed when another message comes",
        make=_noted(_while_running(_cancel), polls(_end_here("completed"), _is_cancelled)),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="second-message-breaks",
        requirement="QUEUE-2",
        fault="answers 500 to a message while another runs in its conversation",
        make=_refused_while_running,
        conditional=True,
        concurrent=True,
    ),
)
