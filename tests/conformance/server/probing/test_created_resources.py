"""Whatever a run made on the server is listed, be it made by a check, a probe or a walk."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.server.probing.created_resources import CreatedResources, identifier
from tests.conformance.exchanges import said, told


def ensured(sent: bytes, answer: Any, *, status: int = 200) -> Exchange:
    """A workspace that was asked for with a body."""
    exchange = told("createWorkspace", answer, status=status)
    return dataclasses.replace(exchange, request=dataclasses.replace(exchange.request, body=sent))


def left(*exchanges: Exchange) -> CreatedResources:
    behind = CreatedResources()
    for exchange in exchanges:
        behind.note(exchange)
    return behind


def test_each_call_leaves_what_it_made_once() -> None:
    calls = [ensured(said({"workspace_id": "mine"}), {}), told("createConversation"), told("sendMessage")]
    behind = left(*calls, *calls, told("pollTask"))
    assert (list(behind.workspaces), list(behind.conversations), list(behind.tasks)) == (
        ["mine"],
        ["conv_1"],
        ["task_1"],
    )
    assert not behind.is_cut


def test_a_probe_that_was_taken_leaves_its_task_too() -> None:
    assert list(left(told("sendMessage", intent=Intent.PROBE, probe="body")).tasks) == ["task_1"]


@pytest.mark.parametrize(
    "exchange",
    [
        told("sendMessage", status=422),
        told("sendMessage", method="PUT"),
        told("sendMessage", {"task_id": None}),
        told("sendMessage", []),
        ensured(b"{", {}),
        ensured(b"[" * 100_000, {}),
    ],
)
def test_what_made_nothing_leaves_nothing(exchange: Exchange) -> None:
    assert left(exchange) == CreatedResources()


def test_a_workspace_is_named_as_it_was_asked_for_or_else_as_it_was_answered() -> None:
    behind = left(
        ensured(said({"workspace_id": "asked"}), {"workspace_id": "told"}), ensured(b"{", {"workspace_id": 7})
    )
    assert list(behind.workspaces) == ["asked", "7"]


def test_a_list_that_is_too_long_says_so() -> None:
    behind = left(*(told("sendMessage", {"task_id": f"{number}"}) for number in range(1001)))
    assert (len(behind.tasks), behind.is_cut) == (1000, True)
    assert len(next(iter(left(told("sendMessage", {"task_id": "t" * 8000})).tasks))) == 200


def test_an_id_that_no_request_line_can_hold_is_none() -> None:
    exchange = told("sendMessage", {"task_id": "t" * 10_000})
    assert identifier(exchange, "task_id") is None
    assert identifier(told("sendMessage"), "task_id") == "task_1"
