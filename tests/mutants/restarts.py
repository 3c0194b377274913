"""Mutants that are right until they are restarted: what they lose, rewrite, reset, reuse or leave behind (RESTART)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.model import Mutant
from tests.mutants.polls import Event, View, chunk, content, is_chunk, polls

_BATCH = 5


def restarted(asked: Asked) -> bool:
    """Whether the server was restarted since it started."""
    return asked.desk.restarts > 0


def is_old(asked: Asked) -> bool:
    """Whether the task that is polled was begun before a restart."""
    return asked.task is not None and asked.task.restarts < asked.desk.restarts


def had_ended(asked: Asked) -> bool:
    """Whether it was told to be over before that."""
    return is_old(asked) and asked.task is not None and "ended" in asked.task.notes


def ran(asked: Asked) -> bool:
    """Whether it still ran then."""
    return is_old(asked) and not had_ended(asked)


def noting_ends(handler: Handler) -> Handler:
    """A fault that tells tasks that were over before the restart from those that ran."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await handler(asked, forward)
        task, body = asked.task, given.json()
        is_poll = asked.operation == "pollTask" and task is not None and given.status == 200
        if is_poll and not is_old(asked) and body["data"]["status"] != "running":
            task.notes["ended"] = True  # type: ignore[union-attr] # looked at above
        return given

    return handle


def kept(view: View, less: int = 0) -> list[Event]:
    """What of a log was served before the restart, but for so many events at its end."""
    task = view.task
    if "kept" not in task.notes:
        served = max(task.notes.get("given", {0}), default=0)
        task.notes["kept"] = view.log[: max(0, served - less)]
    return list(task.notes["kept"])


def serve_log(view: View, log: list[Event], status: str) -> None:
    """Answer as if that were the whole log; an offset behind it is answered as if something were to come."""
    view.data.update(status=status, next_offset=max(view.start, len(log)), events=log[view.start :])


def _changed(change: Callable[[View], None], when: Callable[[Asked], bool] = is_old) -> Handler:
    return noting_ends(polls(change, lambda view: when(view.asked)))


def _refused(status: int, when: Callable[[Asked], bool], operation: str = "pollTask") -> Handler:
    async def handle(asked: Asked, forward: Forward) -> Answer:
        return refusal(status) if asked.operation == operation and when(asked) else await forward(asked)

    return noting_ends(handle)


async def _batch_lost(asked: Asked, forward: Forward) -> Answer:
    """What was served last was not on disk yet; an offset behind the rest is refused."""

    def cut(view: View) -> None:
        log = kept(view, _BATCH)
        view.asked.desk.notes["refused"] = view.start > len(log)
        serve_log(view, log, "failed")

    given = await polls(cut, lambda view: ran(view.asked))(asked, forward)
    return refusal(400, "offset_out_of_range") if asked.desk.notes.pop("refused", False) else given


def _doubled(view: View) -> None:
    serve_log(view, [*view.log[:1], *view.log], view.data["status"])


def _compacted(view: View) -> None:
    """Chunks are joined two by two when the log is read from disk."""
    log: list[Event] = []
    for event in view.log:
        if log and is_chunk(event) and is_chunk(log[-1]) and len(content(log[-1])) < 12:
            log[-1] = chunk(content(log[-1]) + content(event))
        else:
            log.append(event)
    serve_log(view, log, view.data["status"])


def _from_the_first(asked: Asked) -> bool:
    return is_old(asked) and asked.offset_text not in {"0", None}


def _frozen(view: View) -> None:
    serve_log(view, kept(view), "running")


def _never_begun(view: View) -> None:
    if view.task.turn > 1:
        serve_log(view, kept(view), "running")


def _begins_again(view: View) -> None:
    """The agent is asked again, and says something else; it is not done when the log is as long as before."""
    began = view.task.notes.setdefault("again", time.monotonic())
    said = [chunk(f"Once more, {word}. ") for word in ("one", "two", "three")]
    log = said[: 1 + int(2 * (time.monotonic() - began))]
    status = "completed" if len(log) == len(said) and view.start <= len(log) else "running"
    serve_log(view, log, status)


def _emptied(view: View) -> None:
    serve_log(view, [], view.data["status"])


def _shifted(view: View) -> None:
    """Events are numbered from the restart on: what was 0 is 5."""
    serve_log(view, view.log[_BATCH:], view.data["status"])


def _ids_again(operation: str, member: str, word: str) -> Handler:
    """Ids are numbers, and count from 1 again behind a restart."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        names: dict[str, str] = asked.desk.notes.setdefault("names", {})
        if asked.operation == "pollTask" and member == "task_id":
            known = names.get(asked.path.rpartition(b"/")[2].decode("latin-1"))
            return await forward(replace(asked, path=b"/api/v1/tasks/" + known.encode()) if known else asked)
        if asked.operation == "sendMessage" and member == "conversation_id":
            known = names.get(str(asked.member(member)))
            return await forward(asked.with_json({**asked.json(), member: known}) if known else asked)
        given = await forward(asked)
        if asked.operation != operation or given.status >= 300:
            return given
        count = (asked.desk.restarts, operation)
        numbers: dict[tuple[int, str], int] = asked.desk.notes.setdefault("numbers", {})
        numbers[count] = numbers.get(count, 0) + 1
        name = f"{word}-{numbers[count]}"
        names[name] = given.json()[member]
        return given.with_json({**given.json(), member: name})

    return handle


async def _newest_under_old_ids(asked: Asked, forward: Forward) -> Answer:
    """Logs are found by a place in a table that is filled anew."""
    newest = list(asked.desk.tasks.values())[-1] if asked.desk.tasks else None
    if asked.operation == "pollTask" and is_old(asked) and newest is not None and newest.restarts > 0:
        return await forward(replace(asked.polling(0), path=b"/api/v1/tasks/" + newest.id.encode()))
    return await forward(asked)


async def _old_conversations_asleep(asked: Asked, forward: Forward) -> Answer:
    """A message into a conversation from before is taken, and nobody works on it."""
    old: set[str] = asked.desk.notes.setdefault("old", set())
    if asked.operation == "pollTask" and asked.task is not None and asked.task.restarts:
        if asked.task.conversation in old:
            given = await forward(asked.polling(0))
            return given.with_json({"data": {"status": "running", "next_offset": 0, "events": []}})
        return await forward(asked)
    given = await forward(asked)
    if asked.operation == "createConversation" and not restarted(asked) and given.status == 201:
        old.add(given.json()["conversation_id"])
    return given


def in_old_conversation(asked: Asked) -> bool:
    """Whether a message goes into a conversation that had one before a restart."""
    known = {task.conversation for task in asked.desk.tasks.values() if task.restarts < asked.desk.restarts}
    return any(asked.member("conversation_id") == one for one in known)


def _mutant(name: str, row: int, fault: str, make: Handler) -> Mutant:
    return Mutant(name=name, requirement=f"RESTART-{row}", fault=fault, make=make, conditional=True, restarts=True)


MUTANTS = (
    _mutant("restart-forgets-all-tasks", 1, "knows no task from before a restart", _refused(404, is_old)),
    _mutant(
        "restart-forgets-what-was-over",
        1,
        "knows after a restart only the tasks that ran when it came",
        _refused(410, had_ended),
    ),
    _mutant(
        "restart-loses-the-last-batch",
        2,
        "has after a restart not the last five events that it served of a task that ran, which it calls failed",
        noting_ends(_batch_lost),
    ),
    _mutant(
        "restart-doubles-the-first-event",
        2,
        "has the first event of each log twice after a restart, and all others one place later",
        _changed(_doubled),
    ),
    _mutant("restart-compacts-logs", 2, "joins the chunks of each log two by two in a restart", _changed(_compacted)),
    _mutant("restart-shifts-logs", 2, "has lost the first five events of each log after a restart", _changed(_shifted)),
    _mutant(
        "restart-refuses-old-offsets",
        2,
        "refuses after a restart each offset but 0 that it gave out before",
        _refused(400, _from_the_first),
    ),
    _mutant(
        "restart-fails-what-was-completed",
        2,
        "says failed after a restart of tasks that it had said completed of",
        _changed(lambda view: view.data.update(status="failed"), had_ended),
    ),
    _mutant(
        "restart-leaves-tasks-running",
        3,
        "leaves a task that ran when a restart came running for ever, with what was served of it",
        _changed(_frozen, ran),
    ),
    _mutant(
        "restart-loses-its-queue",
        3,
        "leaves a message that waited for another one when a restart came running for ever, without events",
        _changed(_never_begun, ran),
    ),
    _mutant(
        "restart-begins-the-log-again",
        4,
        "asks its agent again for a task that ran when a restart came, under the offsets of the first answer",
        _changed(_begins_again, ran),
    ),
    _mutant(
        "restart-empties-logs",
        4,
        "has the status of every task after a restart and no events, and answers each offset with nothing new",
        _changed(_emptied),
    ),
    _mutant("restart-reuses-task-ids", 5, "counts task ids from 1 again", _ids_again("sendMessage", "task_id", "t")),
    _mutant(
        "restart-reuses-conversation-ids",
        5,
        "counts conversation ids from 1 again",
        _ids_again("createConversation", "conversation_id", "c"),
    ),
    _mutant(
        "restart-mixes-tasks-up",
        5,
        "shows under the ids from before a restart the newest task since",
        _newest_under_old_ids,
    ),
    _mutant("restart-breaks-old-polls", 6, "answers 500 to polls of tasks from before", _refused(500, is_old)),
    _mutant(
        "restart-breaks-old-conversations",
        6,
        "answers 500 to a message into a conversation from before",
        _refused(500, in_old_conversation, "sendMessage"),
    ),
    _mutant(
        "restart-puts-conversations-to-sleep",
        6,
        "takes messages into conversations from before a restart, and never works on them",
        _old_conversations_asleep,
    ),
    _mutant(
        "restart-refuses-its-workspaces",
        6,
        "answers 409 after a restart to who ensures a workspace",
        _refused(409, restarted, "createWorkspace"),
    ),
)
