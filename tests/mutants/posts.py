"""Mutants in the answers to the three POSTs (WS, CONV and MSG rows)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.mutants.exchange import Answer, Asked, Forward, Handler, answer, refusal
from tests.mutants.faults import answers, bodies, errors_become, every, raw_bodies
from tests.mutants.model import Mutant

_SHORT_RACE = 0.002
"""Seconds between a look-up and an insert."""
_RACE = 0.05
"""Seconds that creating a workspace takes, so that several at once meet."""


def _known(rewrite: Callable[[Answer], Answer]) -> Handler:
    """Rewrite the answer for a workspace that exists."""

    def known(_: Asked, given: Answer) -> Answer:
        return rewrite(given) if given.status == 200 else given

    return answers(known, "createWorkspace")


async def _conflict_when_together(asked: Asked, forward: Forward) -> Answer:
    if asked.operation != "createWorkspace":
        return await forward(asked)
    await asyncio.sleep(_RACE)
    return refusal(409, "locked") if asked.together > 1 else await forward(asked)


async def _looked_up_and_put_in(asked: Asked, forward: Forward) -> Answer:
    """A look-up, then an insert that fails for who lost the race in between, which is short."""
    name = str(asked.member("workspace_id"))
    names: set[str] = asked.desk.notes.setdefault("names", set())
    if asked.operation != "createWorkspace" or name in names:
        return await forward(asked)
    await asyncio.sleep(_SHORT_RACE)
    if name in names:
        return refusal(500, "unique_constraint")
    names.add(name)
    return await forward(asked)


async def _third_refused(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    if asked.operation != "createWorkspace" or given.status >= 300:
        return given
    key = str(asked.json())
    asked.desk.turns[key] += 1
    return refusal(409, "exists") if asked.desk.turns[key] >= 3 else given


def _second_of_conversation(change: Callable[[Any], Any]) -> Handler:
    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        task = (
            asked.desk.tasks.get((given.json() or {}).get("task_id", "")) if asked.operation == "sendMessage" else None
        )
        return given.with_json(change(given.json())) if task and task.turn >= 2 else given

    return handle


async def _late_task(asked: Asked, forward: Forward) -> Answer:
    """The task is found only 150 ms behind the answer that named it."""
    if asked.task:
        born = asked.desk.notes[asked.task.id]
        if time.monotonic() - born < 0.15:
            return refusal(404, "task_not_found")
    given = await forward(asked)
    if asked.operation == "sendMessage" and given.status == 202:
        asked.desk.notes[given.json()["task_id"]] = time.monotonic()
    return given


async def _throttled(asked: Asked, forward: Forward) -> Answer:
    """A poll at the pace of the clients is one too many; the suite's own faster ones are let through."""
    if asked.task is None:
        return await forward(asked)
    now = time.monotonic()
    since = now - asked.task.notes.get("last", 0.0)
    asked.task.notes["last"] = now
    if 0.35 < since < 0.8:
        return refusal(429, "too_many_polls").adding(b"retry-after", b"1")
    return await forward(asked)


_TAKEN = answer(200, {"error": {"code": "refused", "message": "There is no such workspace."}})

MUTANTS = (
    Mutant(
        name="workspace-without-body",
        requirement="WS-1",
        fault="answers POST workspaces with an empty body",
        make=raw_bodies(lambda _: b"", "createWorkspace"),
    ),
    Mutant(
        name="workspace-no-content",
        requirement="WS-1",
        fault="answers POST workspaces with 204",
        make=answers(
            lambda _, given: Answer(204, given.without(b"content-length", b"content-type").headers, b""),
            "createWorkspace",
        ),
    ),
    Mutant(
        name="known-workspace-without-body",
        requirement="WS-1",
        fault="answers POST workspaces with an empty body if the workspace exists",
        make=_known(lambda given: given.with_body(b"")),
        conditional=True,
    ),
    Mutant(
        name="known-workspace-conflicts",
        requirement="WS-2",
        fault="answers 409 for a workspace that exists",
        make=_known(lambda _: refusal(409, "exists")),
        conditional=True,
    ),
    Mutant(
        name="workspace-conflicts-when-asked-together",
        requirement="WS-4",
        fault="answers 409 when a workspace is asked for while another is being made",
        make=_conflict_when_together,
        also=frozenset({"WS-2"}),
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="workspace-looked-up-and-put-in",
        requirement="WS-4",
        fault="looks for a workspace, then makes it, and answers 500 to who lost the race in between",
        make=_looked_up_and_put_in,
        conditional=True,
        concurrent=True,
    ),
    Mutant(
        name="workspace-third-ensure-refused",
        requirement="WS-2",
        fault="answers 409 when a workspace is asked for a third time",
        make=_third_refused,
        conditional=True,
    ),
    Mutant(
        name="workspace-multiple-choices",
        requirement="WS-3",
        fault="answers POST workspaces with 300",
        make=answers(lambda _, given: given.with_status(300), "createWorkspace"),
        also=frozenset({"WS-2"}),
    ),
    Mutant(
        name="workspace-not-modified",
        requirement="WS-2",
        fault="answers 304 for a workspace that exists",
        make=_known(lambda given: Answer(304, given.without(b"content-length").headers, b"")),
        conditional=True,
    ),
    Mutant(
        name="conversation-id-nested",
        requirement="CONV-1",
        fault="puts conversation_id under data",
        make=bodies(lambda body: {"data": body}, "createConversation"),
    ),
    Mutant(
        name="conversation-id-renamed",
        requirement="CONV-1",
        fault="calls conversation_id id",
        make=bodies(lambda body: {"id": body["conversation_id"]}, "createConversation"),
    ),
    Mutant(
        name="third-conversation-nested",
        requirement="CONV-1",
        fault="puts conversation_id under data from the third conversation on",
        make=bodies(lambda body: {"data": body}, "createConversation", when=lambda asked: asked.nth >= 3),
        conditional=True,
    ),
    Mutant(
        name="conversation-error-under-200",
        requirement="CONV-2",
        fault="answers 200 with an error inside for a conversation in an unknown workspace",
        make=errors_become(_TAKEN, "createConversation", when=lambda _, given: given.status == 404),
        also=frozenset({"CONV-1"}),
        conditional=True,
    ),
    Mutant(
        name="task-id-nested",
        requirement="MSG-1",
        fault="puts task_id under data",
        make=bodies(lambda body: {"data": body}, "sendMessage"),
    ),
    Mutant(
        name="task-id-renamed",
        requirement="MSG-1",
        fault="calls task_id taskId",
        make=bodies(lambda body: {"taskId": body["task_id"]}, "sendMessage"),
    ),
    Mutant(
        name="second-message-without-task",
        requirement="MSG-1",
        fault="names no task for the second message of a conversation",
        make=_second_of_conversation(lambda _: {"queued": True}),
        also=frozenset({"QUEUE-1"}),
        conditional=True,
    ),
    Mutant(
        name="task-not-there-yet",
        requirement="MSG-2",
        fault="answers 404 to polls within 150 ms of the message",
        make=_late_task,
        conditional=True,
    ),
    Mutant(
        name="polls-throttled",
        requirement="MSG-2",
        fault="answers 429 to a poll that comes half a second behind another",
        make=_throttled,
        conditional=True,
    ),
    Mutant(
        name="sixth-poll-unavailable",
        requirement="MSG-2",
        fault="answers 503 to every sixth poll of a task",
        make=every(6, refusal(503, "busy")),
        conditional=True,
    ),
)
