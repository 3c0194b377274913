"""Mutants whose identifiers do not survive being pasted raw (ID rows)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.model import Mutant


def _task_ids(rename: Callable[[str, int], object], *, raw_only: bool = False, encoded_only: bool = False) -> Handler:
    """Name every task by `rename(id, number)`, and find it by that name again, raw or percent-encoded."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        names: dict[str, str] = asked.desk.notes.setdefault("names", {})
        if asked.operation == "pollTask":
            sent = asked.path.partition(b"/tasks/")[2].decode("latin-1")
            known = names.get(unquote(sent))
            if known and ((raw_only and "%" in sent) or (encoded_only and "%" not in sent)):
                return refusal(404, "task_not_found")
            return await forward(replace(asked, path=b"/api/v1/tasks/" + quote(known).encode()) if known else asked)
        given = await forward(asked)
        if asked.operation == "sendMessage" and given.status == 202:
            right = given.json()["task_id"]
            name = rename(right, len(asked.desk.tasks))
            names[str(name)] = right
            return given.with_json({"task_id": name})
        return given

    return handle


def _conversation_ids(rename: Callable[[str, int], object]) -> Handler:
    """Name every conversation by `rename(id, number)`, and find it by that name again."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        names: dict[str, str] = asked.desk.notes.setdefault("names", {})
        if asked.operation == "sendMessage":
            known = names.get(json.dumps(asked.member("conversation_id")))
            return await forward(asked.with_json({**asked.json(), "conversation_id": known}) if known else asked)
        given = await forward(asked)
        if asked.operation == "createConversation" and given.status == 201:
            right = given.json()["conversation_id"]
            name = rename(right, asked.nth)
            names[json.dumps(name)] = names[json.dumps(str(name))] = right
            return given.with_json({"conversation_id": name})
        return given

    return handle


def _tail(right: str) -> str:
    return right[-8:]


MUTANTS = (
    Mutant(
        name="task-id-empty",
        requirement="ID-1",
        fault="gives the empty string as the task_id of the third task",
        make=_task_ids(lambda right, number: "" if number == 3 else right),
        conditional=True,
    ),
    Mutant(
        name="task-id-dots",
        requirement="ID-1",
        fault='gives ".." as the task_id of the third task',
        make=_task_ids(lambda right, number: ".." if number == 3 else right),
        conditional=True,
    ),
    Mutant(
        name="task-id-quoted",
        requirement="ID-1",
        fault="puts a quote into task_id",
        make=_task_ids(lambda right, _: f'"{_tail(right)}"'),
    ),
    Mutant(
        name="task-id-slash",
        requirement="ID-2",
        fault="puts a slash into task_id",
        make=_task_ids(lambda right, _: f"tasks/{_tail(right)}"),
    ),
    Mutant(
        name="task-id-hash",
        requirement="ID-2",
        fault="puts a hash into the task_id of every third task",
        make=_task_ids(lambda right, number: f"a#{_tail(right)}" if number % 3 == 0 else right),
        also=frozenset({"MSG-2"}),
        conditional=True,
    ),
    Mutant(
        name="task-id-percent",
        requirement="ID-2",
        fault="puts an escape into task_id",
        make=_task_ids(lambda right, _: f"a%41{_tail(right)}"),
        also=frozenset({"MSG-2"}),
    ),
    Mutant(
        name="task-id-space",
        requirement="ID-3",
        fault="puts a space into task_id",
        make=_task_ids(lambda right, _: f"task {_tail(right)}"),
    ),
    Mutant(
        name="task-id-newline",
        requirement="ID-3",
        fault="ends the task_id of every third task with a line feed",
        make=_task_ids(lambda right, number: f"{right}\n" if number % 3 == 0 else right),
        conditional=True,
    ),
    Mutant(
        name="task-id-brackets",
        requirement="ID-4",
        fault="puts square brackets into task_id",
        make=_task_ids(lambda right, _: f"task[{_tail(right)}]"),
    ),
    Mutant(
        name="task-id-braces",
        requirement="ID-4",
        fault="writes every third task_id as a GUID in braces",
        make=_task_ids(lambda right, number: f"{{{_tail(right)}}}" if number % 3 == 0 else right),
        conditional=True,
    ),
    Mutant(
        name="task-id-backslash",
        requirement="ID-5",
        fault="puts a backslash into task_id",
        make=_task_ids(lambda right, _: f"host\\{_tail(right)}"),
    ),
    Mutant(
        name="conversation-id-quote",
        requirement="ID-6",
        fault="puts a quote into conversation_id",
        make=_conversation_ids(lambda right, _: f'conv"{_tail(right)}'),
    ),
    Mutant(
        name="conversation-id-newline",
        requirement="ID-6",
        fault="ends every third conversation_id with a line feed",
        make=_conversation_ids(lambda right, number: f"{right}\n" if number % 3 == 0 else right),
        conditional=True,
    ),
    Mutant(
        name="task-id-bar-raw-alone",
        requirement="ID-7",
        fault="gives a task_id with a vertical bar and does not know it percent-encoded",
        make=_task_ids(lambda right, _: f"a|{_tail(right)}", raw_only=True),
        conditional=True,
    ),
    Mutant(
        name="task-id-bar-encoded-alone",
        requirement="MSG-2",
        fault="gives a task_id with a vertical bar and knows it percent-encoded alone",
        make=_task_ids(lambda right, _: f"a|{_tail(right)}", encoded_only=True),
        conditional=True,
    ),
    Mutant(
        name="task-id-number",
        requirement="ID-8",
        fault="gives task_id as a number",
        make=_task_ids(lambda _, number: 9007199254740992 + number),
    ),
    Mutant(
        name="conversation-id-number",
        requirement="ID-8",
        fault="gives conversation_id as a number",
        make=_conversation_ids(lambda _, number: number),
    ),
    Mutant(
        name="third-conversation-id-number",
        requirement="ID-8",
        fault="gives the third conversation_id, and later ones, as a number",
        make=_conversation_ids(lambda right, number: number if number >= 3 else right),
        conditional=True,
    ),
)
