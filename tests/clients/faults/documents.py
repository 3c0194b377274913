"""Faults in the bodies of the three POSTs and in identifiers: WS, CONV, MSG, ID."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sendpoll.conformance.client.serving.behaviour import Edit, Reshape
from sendpoll.conformance.client.serving.messages import Answer, Call, ReceivedRequest, error
from tests.clients.fault import Fault, scripted

BODILESS = (("Cache-Control", "no-store"), ("Access-Control-Allow-Origin", "*"))


def of(call: Call, change: Callable[[Any], Any]) -> Edit:
    """That change of that call's document."""
    return lambda request, document: change(document) if request.call == call else document


def answers(call: Call, given: Answer) -> Reshape:
    """That answer to that call, though the server has carried it out."""
    return lambda request, right: given if request.call == call else right


def text(status: int, media_type: str, body: str) -> Answer:
    return error(status, "").with_header("Content-Type", media_type).with_body(body.encode())


def _first_polls_refused(status: int, which: int) -> Callable[[ReceivedRequest], Answer | None]:
    """Only the poll with that number is refused, as by a task that is not there yet or by a limit on the rate."""

    def refuse(request: ReceivedRequest) -> Answer | None:
        if request.call != "pollTask":
            return None
        request.memory["polls"] = request.memory.get("polls", 0) + 1
        return error(status, "not now") if request.memory["polls"] == which else None

    return refuse


def _polls_with(mark: str) -> Callable[[ReceivedRequest], Answer | None]:
    def refuse(request: ReceivedRequest) -> Answer | None:
        return error(404, "no such task") if request.call == "pollTask" and mark in request.path else None

    return refuse


_WORKSPACES = (
    Fault("WS-1", "no_content", "PNB", reshape=answers("createWorkspace", Answer(204, BODILESS))),
    Fault("WS-1", "empty_body", "PNB", reshape=answers("createWorkspace", text(200, "application/json", ""))),
    Fault("WS-1", "plain_text", "PNB", reshape=answers("createWorkspace", text(200, "text/plain", "created"))),
    Fault("WS-1", "html", "PNB", reshape=answers("createWorkspace", text(200, "text/html", "<p>created</p>"))),
    Fault("WS-2", "conflict_when_it_exists", "PNB", reshape=answers("createWorkspace", error(409, "it exists"))),
    Fault("WS-3", "not_modified", "PNB", reshape=answers("createWorkspace", Answer(304, BODILESS))),
    Fault("WS-3", "error_though_done", "PNB", reshape=answers("createWorkspace", error(500, "done all the same"))),
)

_CONVERSATIONS = (
    Fault("CONV-1", "nested", "CPNBD", edit=of("createConversation", lambda right: {"data": right})),
    Fault("CONV-1", "renamed", "CPNBD", edit=of("createConversation", lambda right: {"id": right["conversation_id"]})),
    Fault("CONV-1", "in_an_array", "CPNBD", edit=of("createConversation", lambda right: [right])),
    Fault(
        "CONV-2",
        "error_in_a_success",
        "CPNBD",
        edit=of("createConversation", lambda _: {"error": {"code": "busy", "message": "try later"}}),
    ),
    Fault(
        "CONV-2", "text_in_a_success", "CPNBD", reshape=answers("createConversation", text(200, "text/plain", "busy"))
    ),
)

_MESSAGES = (
    Fault("MSG-1", "nested", "CPNBD", edit=of("sendMessage", lambda right: {"data": right})),
    Fault("MSG-1", "renamed", "CPNBD", edit=of("sendMessage", lambda right: {"id": right["task_id"]})),
    Fault("MSG-1", "no_content", "CPNBD", reshape=answers("sendMessage", Answer(204, BODILESS))),
    Fault("MSG-2", "task_not_there_yet", "CPNBD", refuse=_first_polls_refused(404, 1)),
    Fault("MSG-2", "second_poll_too_early", "CPNBD", refuse=_first_polls_refused(429, 2)),
    Fault("MSG-2", "third_poll_unavailable", "CPNBD", refuse=_first_polls_refused(503, 3)),
)


def _task(requirement: str, name: str, task_id: Any, breaks: str) -> Fault:
    return Fault(requirement, name, breaks, script=scripted(task_id=task_id))


def _conversation(requirement: str, name: str, conversation_id: Any, breaks: str) -> Fault:
    return Fault(requirement, name, breaks, script=scripted(conversation_id=conversation_id))


_IDENTIFIERS = (
    _task("ID-1", "empty", "", "CPNBD"),
    _task("ID-1", "dot", ".", "CPNB"),
    _task("ID-1", "two_dots", "..", "CPNBD"),
    _task("ID-2", "slash", "a/b", "CPNBD"),
    _task("ID-2", "question_mark", "a?b", "CPNBD"),
    _task("ID-2", "hash", "a#b", "CPNBD"),
    _task("ID-2", "percent", "a%41b", "CPNBD"),
    _task("ID-3", "space", "a b", "C"),
    _task("ID-3", "tab", "a\tb", "CNB"),
    _task("ID-3", "newline_at_the_end", "a\n", "CNB"),
    _task("ID-4", "range", "a[1-3]", "C"),
    _task("ID-4", "list", "a{x,y}", "C"),
    _task("ID-5", "backslash", "a\\b", "NBD"),
    _conversation("ID-6", "quote", 'a"b', "C"),
    _conversation("ID-6", "backslash", "a\\b", "C"),
    _conversation("ID-6", "newline_at_the_end", "a\n", "C"),
    Fault("ID-7", "only_raw", "PBD", script=scripted(task_id="a|b"), refuse=_polls_with("%7C")),
    Fault("ID-7", "only_encoded", "CN", script=scripted(task_id="a|b"), refuse=_polls_with("|")),
    _conversation("ID-8", "small_number", 7, "C"),
    _conversation("ID-8", "number_beyond_2_53", 2**53 + 1, "CNB"),
    _conversation("ID-8", "number_beyond_2_63", 123456789012345678901234567890, "CNBD"),
    _task("ID-8", "task_number_beyond_2_53", 2**53 + 1, "NB"),
)

FAULTS = (*_WORKSPACES, *_CONVERSATIONS, *_MESSAGES, *_IDENTIFIERS)
