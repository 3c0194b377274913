"""The three POSTs: workspaces ensured again and at once, conversations that cannot be opened, identifiers."""

from __future__ import annotations

import concurrent.futures
import re

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.rules.predicates import says_too_fast
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext

STAGE = 1
_AT_ONCE = 20
_BURSTS = 4
"""A race between a look-up and an insert is lost in some bursts and won in others."""
_NOT_FOUND = frozenset({404, 410})
"""Only these say that something was forgotten; whatever else a server refuses, it refuses for another reason."""
_QUIET = 2.0
"""Seconds that let a limit of requests per second forget what was before."""
_CALM_POLLS = 12
_ENCODED_BY_SOME = re.compile(r"[|^`<>\x80-\U0010ffff]")


def _refusal(exchange: Exchange) -> str | None:
    return None if exchange.ok else exchange.behaviour


@pytest.mark.requirement("WS-2")
def test_ensure_again(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """The run's workspace is known by now: ensuring it is answered as before."""
    for _ in range(3):
        exchange = bench.ensure_workspace(bench.api)
        case.judge(_refusal(exchange), exchange)


@pytest.mark.requirement("WS-2")
def test_ensure_between_conversation_and_message(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Another client ensures the workspace behind a conversation: it is not made anew, and the message is taken."""
    refusal = corpus.forgotten
    if refusal is None:
        case.exercise(1 if corpus.first else 0)
    elif refusal.status in _NOT_FOUND:
        sentence = f"the workspace was ensured again, and to a message into its conversation {refusal.behaviour}"
        case.violate(sentence, refusal)


@pytest.mark.requirement("WS-4")
def test_ensure_at_once(bench: RunContext, case: CheckResult) -> None:
    """Many clients start at the same moment with the same new workspace, several times.

    Whom a full queue turned away comes again. Where the server makes no further workspace at all there is no race.
    """
    if bench.target.workspace:
        case.not_exercised(
            "the run keeps to the workspace that it was told; leave --workspace out to let it make others"
        )
    alone = f"{bench.workspace}-crowd"
    first = bench.api.ensure_workspace(alone, intent=Intent.PROBE)
    if not first.ok:
        case.not_exercised(f"a second workspace is refused with {first.outcome}; name one that exists with --workspace")
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        for burst in range(_BURSTS):
            name = f"{alone}{burst}"
            for exchange in pool.map(lambda _, name=name: _ensure_in_a_crowd(bench, name), range(_AT_ONCE)):
                if not says_too_fast(exchange):
                    case.judge(_refusal(exchange), exchange)
            bench.created_resources.workspaces[name] = None


def _ensure_in_a_crowd(context: RunContext, name: str) -> Exchange:
    exchange = context.api.ensure_workspace(name, intent=Intent.PROBE)
    turned_away = exchange.failure in {Failure.CLOSED, Failure.CONNECT} and exchange.response is None
    return context.api.ensure_workspace(name, intent=Intent.PROBE) if turned_away else exchange


@pytest.mark.requirement("CONV-2")
def test_conversation_that_cannot_be_opened(bench: RunContext, case: CheckResult) -> None:
    """In an unknown workspace and with a wrong token: an error, or a conversation that is one."""
    missing = f"{bench.workspace}-missing"
    attempts = [
        bench.api.request("createConversation", {"workspace_id": missing}, intent=Intent.PROBE),
        bench.api.request(
            "createConversation",
            {"workspace_id": bench.workspace},
            token="wrong-token",
            intent=Intent.PROBE,
        ),
    ]
    for request in attempts:
        exchange = bench.recorder.send(request)
        value = exchange.content.value
        opened = exchange.ok and isinstance(value, dict) and "conversation_id" in value
        failed = exchange.status >= 400
        case.judge(None if opened or failed else f"{exchange.behaviour} without a conversation_id", exchange)


@pytest.mark.requirement("MSG-2")
def test_pace_of_the_clients(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Where the suite was told that it asks too fast, two polls a second, with nothing beside them, must still do."""
    if not bench.recorder.resending.limited:
        case.exercise()
        return
    bench.recorder.pause(_QUIET)
    request = bench.api.poll_request(bench.tasks[0].task_id, "from=0")
    for _ in range(_CALM_POLLS):
        bench.recorder.pause(0.5)
        exchange = bench.recorder.send_once(request)
        case.judge(f"at two polls a second {exchange.behaviour}" if says_too_fast(exchange) else None, exchange)


@pytest.mark.requirement("ID-7")
def test_encoded_and_raw_task_ids(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Where an id has characters that some clients encode, both forms find the task; most ids have none."""
    for task in bench.tasks:
        raw = task.task_id
        if not _ENCODED_BY_SOME.search(raw):
            case.exercise()
            continue
        encoded = "".join(
            "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
            if _ENCODED_BY_SOME.match(character)
            else character
            for character in raw
        )
        for form in (raw, encoded):
            exchange = bench.api.poll(form, 0, intent=Intent.PROBE)
            case.judge(_refusal(exchange), exchange)


@pytest.mark.requirement("ISO-1")
def test_every_message_has_its_own_task(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """No task id is given to two messages."""
    seen: set[str] = set()
    for task in bench.tasks:
        twice = task.task_id in seen
        sentence = f"the task {task.task_id} was given to two messages"
        case.judge(sentence if twice else None, *([bench.api.poll(task.task_id, 0)] if twice else []))
        seen.add(task.task_id)
