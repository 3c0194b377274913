"""Mutants that refuse in a wrong way, or do not refuse (ERR, NF, METHOD and BODY rows)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.mutants.exchange import Answer, Asked, Forward, Handler, answer, refusal
from tests.mutants.faults import ALL_CALLS, answers, errors_become, hangs, refuses
from tests.mutants.model import Mutant

If = Callable[[Asked, Answer], bool]
_POSTS = ("createWorkspace", "createConversation", "sendMessage")
_PAGE = Answer(
    200, ((b"content-type", b"text/html; charset=utf-8"), (b"access-control-allow-origin", b"*")), b""
).with_body(b"<!doctype html><title>Agent</title><p>Welcome.</p>")


def _in_words(_: Asked, given: Answer) -> Answer:
    return given.with_body(b"Something went wrong.").with_header(b"content-type", b"text/plain; charset=utf-8")


def _status(*statuses: int) -> If:
    return lambda _, given: given.status in statuses


def _repaired(repair: Callable[[Asked], Any], operation: str, statuses: tuple[int, ...]) -> Handler:
    """Where the right server refuses a body, ask it again with what this one makes of it."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        if asked.operation != operation or given.status not in statuses:
            return given
        body = repair(asked)
        return given if body is None else await forward(_as_json(asked.with_json(body)))

    return handle


def _as_json(asked: Asked) -> Asked:
    kept = tuple(pair for pair in asked.headers if pair[0].lower() != b"content-type")
    return replace(asked, headers=(*kept, (b"content-type", b"application/json")))


def _guessed(asked: Asked) -> Any:
    """A message of the wrong type becomes text, and a missing one is empty."""
    body = asked.json()
    if not isinstance(body, dict) or not isinstance(body.get("conversation_id"), str):
        return None
    message = body.get("message", "")
    return {
        "conversation_id": body["conversation_id"],
        "message": message if isinstance(message, str) else str(message),
    }


def _any_workspace(asked: Asked) -> Any:
    return {"workspace_id": "default"} if asked.json() is None else None


def _trimmed(asked: Asked) -> Any:
    """The first JSON value counts, and what stands behind it is passed over."""
    try:
        value, _ = json.JSONDecoder().raw_decode(asked.body.decode("utf-8", "replace").strip())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _iterations_ignored(asked: Asked) -> Any:
    body = asked.json()
    if not isinstance(body, dict) or body.get("max_iterations") is None:
        return None
    return {key: value for key, value in body.items() if key != "max_iterations"}


def _same(asked: Asked) -> Any:
    return asked.json()


async def _swallow(asked: Asked, forward: Forward) -> Answer:
    """A body of any size is taken, and kept in part."""
    body = asked.json() if len(asked.body) > 1_000_000 else None
    if not isinstance(body, dict):
        return await forward(asked)
    return await forward(asked.with_json({key: text for key, text in body.items() if len(str(text)) < 1000}))


async def _put_nothing(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    known = asked.endpoint and not asked.operation and given.status == 405
    return answer(200, {}) if known and asked.method == "PUT" and asked.endpoint == "pollTask" else given


async def _unknown_path(asked: Asked, forward: Forward, given: Answer) -> Answer:
    right = await forward(asked)
    return given if not asked.endpoint and right.status == 404 else right


async def _start_page(asked: Asked, forward: Forward) -> Answer:
    return await _unknown_path(asked, forward, _PAGE)


async def _bad_path(asked: Asked, forward: Forward) -> Answer:
    return await _unknown_path(asked, forward, refusal(400, "bad_path"))


async def _method_as_404(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    return refusal(404, "not_found") if given.status == 405 else given


async def _no_allow(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    return given.without(b"allow") if given.status == 405 else given


def _breaks_on(hit: Callable[[Asked], bool], *operations: str) -> Handler:
    return refuses(500, *operations, when=hit)


def _no_object(asked: Asked) -> bool:
    return isinstance(asked.json(), list)


def _deep(asked: Asked) -> bool:
    return asked.body.count(b"[") > 500 or asked.body.count(b"{") > 500


def _bad_utf8(asked: Asked) -> bool:
    try:
        asked.body.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def _cut_short(asked: Asked) -> bool:
    return asked.body != b"" and asked.json() is None


def _null_message(asked: Asked) -> bool:
    body = asked.json()
    return isinstance(body, dict) and "message" in body and not isinstance(body["message"], str)


MUTANTS = (
    Mutant(
        name="errors-in-words",
        requirement="ERR-1",
        fault="sends errors as plain text",
        make=answers(_in_words, *ALL_CALLS, errors=True),
    ),
    Mutant(
        name="unauthorized-without-body",
        requirement="ERR-1",
        fault="sends 401 without a body",
        make=answers(lambda _, given: given.with_body(b"") if given.status == 401 else given, *ALL_CALLS, errors=True),
        conditional=True,
    ),
    Mutant(
        name="unknown-task-error-a-string",
        requirement="ERR-1",
        fault="sends the error of an unknown task as a JSON string",
        make=answers(lambda _, given: given.with_json("no such task"), "pollTask", errors=True),
        conditional=True,
    ),
    Mutant(
        name="unknown-task-is-a-bad-request",
        requirement="NF-1",
        fault="answers 400 for a task that does not exist",
        make=errors_become(refusal(400, "task_unknown"), "pollTask", when=_status(404)),
    ),
    Mutant(
        name="unknown-workspace-is-a-bad-request",
        requirement="NF-2",
        fault="answers 400 for a workspace that does not exist",
        make=errors_become(refusal(400, "workspace_unknown"), "createConversation", when=_status(404)),
    ),
    Mutant(
        name="unknown-conversation-is-invalid",
        requirement="NF-2",
        fault="answers 422 for a conversation that does not exist",
        make=errors_become(refusal(422, "conversation_unknown"), "sendMessage", when=_status(404)),
        conditional=True,
    ),
    Mutant(
        name="start-page-everywhere",
        requirement="NF-3",
        fault="answers 200 with its start page at a path that it does not have",
        make=_start_page,
    ),
    Mutant(
        name="unknown-path-is-a-bad-request",
        requirement="NF-3",
        fault="answers 400 at a path that it does not have",
        make=_bad_path,
    ),
    Mutant(
        name="method-without-allow",
        requirement="METHOD-1",
        fault="sends 405 without Allow",
        make=_no_allow,
    ),
    Mutant(
        name="method-not-found",
        requirement="METHOD-1",
        fault="answers 404 to a method that the path does not take",
        make=_method_as_404,
    ),
    Mutant(
        name="put-of-a-task-does-nothing-gladly",
        requirement="METHOD-1",
        fault="answers 200 to PUT of a task",
        make=_put_nothing,
        conditional=True,
    ),
    Mutant(
        name="unreadable-workspace-is-the-default",
        requirement="BODY-1",
        fault="makes the workspace default of a body that is no JSON",
        make=_repaired(_any_workspace, "createWorkspace", (400,)),
        conditional=True,
    ),
    Mutant(
        name="second-json-text-passed-over",
        requirement="BODY-1",
        fault="reads the first JSON text of a message's body and passes over the rest",
        make=_repaired(_trimmed, "sendMessage", (400,)),
        conditional=True,
    ),
    Mutant(
        name="message-guessed",
        requirement="BODY-2",
        fault="makes text of a message that is none, and an empty one where it is missing",
        make=_repaired(_guessed, "sendMessage", (422,)),
        conditional=True,
    ),
    Mutant(
        name="bad-max-iterations-passed-over",
        requirement="BODY-2",
        fault="passes over a max_iterations that is no positive integer",
        make=_repaired(_iterations_ignored, "sendMessage", (422,)),
        conditional=True,
    ),
    Mutant(
        name="bodies-of-any-size",
        requirement="BODY-3",
        fault="takes bodies of any size",
        make=_swallow,
        conditional=True,
    ),
    Mutant(
        name="any-media-type",
        requirement="BODY-4",
        fault="takes JSON under any media type",
        make=_repaired(_same, "sendMessage", (415,)),
        conditional=True,
    ),
    Mutant(
        name="workspaces-of-any-media-type",
        requirement="BODY-4",
        fault="takes JSON under any media type for workspaces",
        make=_repaired(_same, "createWorkspace", (415,)),
        conditional=True,
    ),
    Mutant(
        name="list-for-a-body-breaks",
        requirement="BODY-5",
        fault="answers 500 to a body that is a JSON list",
        make=_breaks_on(_no_object, *_POSTS),
        conditional=True,
    ),
    Mutant(
        name="deep-body-breaks",
        requirement="BODY-5",
        fault="answers 500 to a deeply nested body",
        make=_breaks_on(_deep, *_POSTS),
        conditional=True,
    ),
    Mutant(
        name="bad-utf8-breaks",
        requirement="BODY-5",
        fault="answers 500 to a body that is not UTF-8",
        make=_breaks_on(_bad_utf8, *_POSTS),
        conditional=True,
    ),
    Mutant(
        name="half-a-body-hangs",
        requirement="BODY-5",
        fault="never answers a message whose body is no JSON",
        make=hangs("sendMessage", when=_cut_short),
        also=frozenset({"HTTP-9"}),
        conditional=True,
    ),
    Mutant(
        name="message-of-another-type-breaks",
        requirement="BODY-5",
        fault="answers 500 to a message that is no string",
        make=_breaks_on(_null_message, "sendMessage"),
        conditional=True,
    ),
)
