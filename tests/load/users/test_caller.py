"""What one call comes to: an answer, a failure, a refusal for the moment, a broken requirement."""

from __future__ import annotations

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sendpoll.core.target.target import Target
from sendpoll.load.engine import Workload
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.load.users.caller import (
    CONVERSATION,
    FOLLOW_UP,
    MESSAGE,
    MESSAGE_AFTER_LEAVING,
    POLL,
    WORKSPACE,
    Call,
    Caller,
    CallFailed,
)
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.validation import Breach
from tests.load.scripted_server import Reply, ScriptedServer, scripted

GET = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.contextmanager
def served(
    *replies: Reply, user: int = 1, target: Any = None, **scenario: Any
) -> Iterator[tuple[Caller, ScriptedServer]]:
    """The caller of a user, and the server that answers it so."""
    with scripted(list(replies)) as server:
        aim = Target(base_url=server.url, **(target or {}))
        generator = Generator(Workload(aim, replace(load_scenario("smoke"), **scenario)), "run")
        caller = Caller(generator, user, lambda *_: None)
        try:
            yield caller, server
        finally:
            caller.close()
            generator.stop()


def answer(status: str, *headers: str, body: bytes = b"{}") -> Reply:
    lines = "".join(f"{line}\r\n" for line in headers)
    return Reply((f"HTTP/1.1 {status}\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body,))


@pytest.mark.parametrize(
    ("call", "status", "requirement"),
    [
        (WORKSPACE, "302 Found", "REQ-9"),
        (POLL, "307 Temporary Redirect", "REQ-9"),
        (WORKSPACE, "409 Conflict", "WS-2"),
        (WORKSPACE, "404 Not Found", "WS-3"),
        (CONVERSATION, "404 Not Found", "CONV-1"),
        (MESSAGE, "422 Unprocessable", "MSG-1"),
        (POLL, "410 Gone", "MSG-2"),
        (MESSAGE_AFTER_LEAVING, "404 Not Found", None),
        (FOLLOW_UP, "400 Bad", None),
        (MESSAGE, "401 Unauthorized", None),
        (POLL, "403 Forbidden", None),
        (MESSAGE, "500 Broken", None),
        (MESSAGE, "402 Payment Required", "MSG-1"),
        (MESSAGE, "507 Full", None),
    ],
)
def test_a_status_breaks_the_requirement_that_it_does_and_fails(
    call: Call, status: str, requirement: str | None
) -> None:
    broken: list[Breach] = []
    with served(answer(status, "Location: /y")) as (caller, _), pytest.raises(CallFailed) as raised:
        caller.call(call, GET, broken)
    assert [name for name, _ in broken] == ([requirement] if requirement else [])
    assert (raised.value.status, raised.value.refusal) == (int(status[:3]), None)
    assert caller.refusals == 0


@pytest.mark.parametrize(
    ("call", "status", "reason"),
    [
        (MESSAGE, "429 Slow", "too many requests"),
        (POLL, "429 Slow", "too many requests"),
        (WORKSPACE, "503 Away", "overloaded or away"),
        (MESSAGE, "409 Busy", "busy"),
        (MESSAGE, "423 Locked", "locked"),
        (FOLLOW_UP, "425 Early", "too early"),
        (CONVERSATION, "409 Busy", "busy"),
    ],
)
def test_a_refusal_for_the_moment_breaks_nothing_and_is_no_error(call: Call, status: str, reason: str) -> None:
    broken: list[Breach] = []
    with served(answer(status, "Retry-After: 7")) as (caller, _), pytest.raises(CallFailed) as raised:
        caller.ask(call, GET, broken, time.perf_counter() + 60)
    assert broken == []
    assert raised.value.refusal is not None
    assert (raised.value.refusal.status, raised.value.refusal.retry_after_s) == (int(status[:3]), 7.0)
    assert (caller.refusals, caller.refused_with) == (1, int(status[:3]))
    metrics = caller._generator.metrics
    metrics.tick(1, 1)
    assert metrics.refusals == {f"{call.kind}: {status[:3]} ({reason})": 1}
    assert metrics.errors == {}


@pytest.mark.parametrize("header", ["Retry-After: 0", "Retry-After: Sunday, 06-Nov-94 08:49:37 GMT", "X-None: 1"])
def test_who_waits_comes_again_when_the_server_asked_it_to(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setattr("sendpoll.load.users.caller._PAUSES_S", (0.01,))
    replies = answer("429 Slow", header), answer("503 Away", header), Reply()
    with served(*replies, on_refusal="wait") as (caller, server):
        got = caller.ask(POLL, GET, [], time.perf_counter() + 60)
    assert (got.status, caller.refusals, caller.refused_with) == (200, 2, 503)
    assert len(server.requests) == 3


def test_a_wait_lasts_as_long_as_the_server_says() -> None:
    date, later = "Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:49:38 GMT"
    with served(answer("429 Slow", date, later), Reply(), on_refusal="wait") as (caller, _):
        began = time.perf_counter()
        caller.ask(POLL, GET, [], began + 60)
    assert time.perf_counter() - began >= 1.0


def test_nobody_waits_beyond_the_deadline_of_the_task() -> None:
    refuses = served(answer("429 Slow", "Retry-After: 3600"), on_refusal="wait")
    with refuses as (caller, server), pytest.raises(CallFailed):
        caller.ask(POLL, GET, [], time.perf_counter() + 60)
    assert len(server.requests) == 1


def test_who_waits_does_not_wait_for_what_is_no_refusal() -> None:
    refuses = served(answer("500 Broken", "Retry-After: 0"), on_refusal="wait")
    with refuses as (caller, server), pytest.raises(CallFailed):
        caller.ask(POLL, GET, [], time.perf_counter() + 60)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("of_scenario", "of_target", "workspaces"),
    [
        ("user", None, ["sendpoll-run-1", "sendpoll-run-2"]),
        ("run", None, ["sendpoll-run", "sendpoll-run"]),
        ("shop", None, ["shop", "shop"]),
        ("user", "given", ["given", "given"]),
    ],
)
def test_a_user_works_in_the_workspace_that_it_is_to(
    of_scenario: str, of_target: str | None, workspaces: list[str]
) -> None:
    found = []
    for user in (1, 2):
        with served(user=user, target={"workspace": of_target}, workspace=of_scenario) as (caller, _):
            found.append(caller.workspace)
    assert found == workspaces


def test_users_take_turns_with_the_tokens_of_a_pool() -> None:
    pool = {"token": "one", "tokens": ("one", "two")}
    sent = []
    for user in (1, 2, 3):
        with served(Reply(), user=user, target=pool) as (caller, server):
            caller.call(WORKSPACE, caller.request_builder.ensure_workspace(caller.workspace), [])
            sent.append(server.requests[0].partition(b"Bearer ")[2].partition(b"\r\n")[0])
    assert sent == [b"two", b"one", b"two"]


# ---- a token that is over ----


def bearer(server: ScriptedServer) -> list[str]:
    """The token of each request that came."""
    found = (re.search(rb"\r\nAuthorization: Bearer (.*)\r\n", request) for request in server.requests)
    return [match.group(1).decode() if match else "" for match in found]


_PRINT_NEXT = """
import pathlib, sys
count = pathlib.Path(sys.argv[1])
run = len(count.read_text()) if count.exists() else 0
count.write_text("x" * (run + 1))
print(sys.argv[2 + run])
"""


def renewing(count: Path, first: str, *others: str) -> dict[str, Any]:
    """A target with a token, and a command that prints the others in turn, and counts in a file how often it ran."""
    return {"token": first, "token_command": (sys.executable, "-c", _PRINT_NEXT, str(count), *others)}


def test_a_call_that_is_refused_since_its_token_is_over_is_made_again_under_another(tmp_path: Path) -> None:
    replies = Reply(), answer("401 Unauthorized"), Reply(), Reply()
    with served(*replies, target=renewing(tmp_path / "count", "old", "new")) as (caller, server):
        polls = caller.request_builder.poll("t1")
        for _ in range(3):
            assert caller.call(POLL, polls.at(0), []).status == 200
        assert bearer(server) == ["old", "old", "new", "new"]
        assert caller._generator.redactor.text("it says new") == "it says [token]"
        metrics = caller._generator.metrics
        metrics.tick(1, 1)
        assert (metrics.errors, caller.request_builder.token) == ({}, "new")


def test_users_of_one_token_have_it_renewed_once(tmp_path: Path) -> None:
    target = renewing(tmp_path / "count", "old", "new", "never")
    with served(answer("401 Unauthorized"), Reply(), target=target) as (caller, _):
        other = Caller(caller._generator, 2, lambda *_: None)
        caller.call(POLL, caller.request_builder.poll("t1").at(0), [])
        assert other._renews_token()
        other.close()
        assert {caller.request_builder.token, other.request_builder.token} == {"new"}
        assert (tmp_path / "count").read_text() == "x"


def test_where_no_other_token_can_be_had_the_failure_says_why() -> None:
    with served(answer("401 Unauthorized")) as (caller, _), pytest.raises(CallFailed, match="no token_command"):
        caller.call(POLL, caller.request_builder.poll("t1").at(0), [])


@pytest.mark.parametrize("status", ["502 Gone", "503 Away", "504 Late"])
def test_users_who_wait_for_it_poll_again_in_an_outage(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    monkeypatch.setattr("sendpoll.load.users.caller._BRIDGE_S", 0.01)
    with served(answer(status), answer(status), Reply(), on_outage="wait") as (caller, server):
        got = caller.ask(POLL, GET, [], time.perf_counter() + 60)
    assert (got.status, caller.outages, len(server.requests)) == (200, 2, 3)


def test_a_message_that_may_have_been_taken_is_not_sent_again_in_an_outage() -> None:
    with served(answer("502 Gone"), on_outage="wait") as (caller, server), pytest.raises(CallFailed):
        caller.ask(MESSAGE, GET, [], time.perf_counter() + 60)
    assert len(server.requests) == 1


def test_a_task_that_was_forgotten_in_an_outage_is_lost_and_breaks_nothing() -> None:
    broken: list[Breach] = []
    with served(answer("404 Not Found"), on_outage="wait") as (caller, _), pytest.raises(CallFailed):
        caller.ask(POLL, GET, broken, time.perf_counter() + 60)
    assert broken == []
