"""Requests that must be accepted: the forms in which the published clients write them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.conformance.api import Api
from sendpoll.conformance.case import Case
from sendpoll.conformance.connection import NoConnectionError
from sendpoll.conformance.corpus import Corpus
from sendpoll.conformance.exchange import Exchange, Failure, Intent
from sendpoll.conformance.lab import Lab
from sendpoll.conformance.session import walk_in_session
from sendpoll.conformance.shapes import CURL, REQUESTS, SHAPES
from sendpoll.conformance.variants import forms, try_posts

STAGE = 1
_SAMPLES = ("介绍明日方舟", "🎉")
"""Stand in the unicode prompt; an agent that echoes shows whether they arrived."""


def _refusal(exchange: Exchange) -> str | None:
    return None if exchange.ok else f"it answers {exchange.outcome}"


@pytest.mark.requirement("REQ-1")
def test_no_body_and_no_length(bench: Lab, case: Case) -> None:
    """POST conversations with the bytes of curl, on a connection that stays open."""
    exchange, _ = bench.open_conversation(Api(bench.recorder, CURL), Intent.SHAPE)
    case.judge(_refusal(exchange), exchange)


@pytest.mark.requirement("REQ-2")
def test_empty_body(bench: Lab, case: Case) -> None:
    """POST conversations with Content-Length 0 and no Content-Type."""
    exchange, _ = bench.open_conversation(Api(bench.recorder, REQUESTS), Intent.SHAPE)
    case.judge(_refusal(exchange), exchange)


@pytest.mark.parametrize(
    "identifier",
    [pytest.param(row, marks=pytest.mark.requirement(row)) for row in ("REQ-3", "REQ-4", "REQ-6", "REQ-7")],
)
def test_forms_of_all_clients(identifier: str, bench: Lab, corpus: Corpus, case: Case) -> None:
    """Every client's walk got through; where one did not, single changes to one that did tell what was refused."""
    if len(corpus.walks) == len(SHAPES) and all(walk.complete for walk in corpus.walks.values()):
        case.able(sum(len(walk.exchanges) for walk in corpus.walks.values()))
        return
    refused = {shape.name: shape for shape in SHAPES if not (walk := corpus.walks.get(shape.name)) or not walk.complete}
    for shape in forms(identifier, bench.api.shape, refused):
        for exchange in try_posts(bench, shape):
            case.judge(_refusal(exchange), exchange)


@pytest.mark.requirement("REQ-6")
def test_both_spellings_say_the_same(bench: Lab, corpus: Corpus, case: Case) -> None:
    """An agent that repeats a message repeats it whether it came in UTF-8 or in escapes."""
    escaping = {shape.name: shape.escapes for shape in SHAPES}
    sound = [task for task in bench.finished if task.kind == "unicode" and not task.contradictions]
    for sample in _SAMPLES:
        asked = [task for task in sound if sample in task.message]
        echoed = {
            escaped: [sample in task.text for task in asked if escaping[task.shape] is escaped]
            for escaped in (True, False)
        }
        if not (echoed[True] and echoed[False]):
            case.not_exercised("no message was answered in both spellings; allow more with --max-messages")
        for spelling, escaped in (("\\uXXXX escapes", True), ("UTF-8", False)):
            lost = any(echoed[not escaped]) and not any(echoed[escaped])
            sentence = f"{sample} in {spelling} is not repeated, though it is in the other spelling"
            task_id = next(task.task_id for task in asked if escaping[task.shape] is escaped)
            case.judge(sentence if lost else None, *([bench.api.poll(task_id, 0)] if lost else []))


@pytest.mark.requirement("REQ-5")
def test_no_cookies_and_no_shared_connection(lab: Lab, corpus: Corpus, case: Case) -> None:
    """Each call on a connection of its own and without cookies; if that fails, a session must fail too."""
    separate = [walk for walk in corpus.walks.values() if not walk.shape.keeps_alive]
    if any(walk.complete for walk in separate):
        case.able(sum(len(walk.exchanges) for walk in separate))
        return
    if lab.trouble:
        case.not_exercised(lab.trouble)
    alone, together = lab.walks[lab.api.shape.name], walk_in_session(lab)
    if together is not None and together.complete and alone.last.failure is not Failure.TIMEOUT:
        case.broken("the calls succeed only with cookies or on one shared connection", alone.last, together.last)


@pytest.mark.requirement("REQ-8")
def test_bearer_token(lab: Lab, corpus: Corpus, case: Case) -> None:
    """The token is accepted under the scheme Bearer; where it is not, another spelling tells whether that is why."""
    if not (lab.trouble or lab.stopped):
        case.able(len(corpus.walks))
        return
    last = next(iter(lab.walks.values())).last if lab.walks else None
    if last is None or last.status not in {401, 403}:
        case.not_exercised(lab.trouble or lab.stopped)
    headers = tuple(
        (name, f"bearer {lab.target.token}" if name.lower() == "authorization" else value)
        for name, value in last.request.headers
    )
    twin = lab.recorder.send(replace(last.request, headers=headers, intent=Intent.PROBE))
    if twin.ok:
        case.broken(f"it answers {last.outcome} to Bearer, and accepts the same token under bearer", last, twin)


@pytest.mark.requirement("REQ-10")
@pytest.mark.parametrize("conversation", ["", None, "None", ...], ids=["empty", "null", "None", "absent"])
def test_no_conversation(conversation: object, bench: Lab, case: Case) -> None:
    """A message that names no conversation, as clients send it after a failed call."""
    body = {"conversation_id": conversation, "message": "Is anybody there?", "run_mode": "fast"}
    if conversation is ...:
        del body["conversation_id"]
    request = bench.api.request("sendMessage", {"workspace_id": bench.workspace}, body=body, intent=Intent.PROBE)
    exchange = bench.recorder.send(replace(request, probe="body"))
    case.judge(None if exchange.refused else f"it answers {exchange.outcome}", exchange)


@pytest.mark.requirement("REQ-10")
@pytest.mark.parametrize("task", ["", "null", "undefined", "None"])
def test_no_task(task: str, bench: Lab, case: Case) -> None:
    """A poll of no task, as clients send it after a failed call. A redirect counts as what it leads to."""
    exchange = bench.api.poll(task, 0, intent=Intent.PROBE)
    final = exchange
    location = exchange.response.header("location") if exchange.response else None
    if 300 <= exchange.status <= 399 and location and location.startswith("/"):
        request = replace(exchange.request, target=location.removeprefix(bench.target.path_prefix))
        final = bench.recorder.send(request)
    case.judge(None if final.refused else f"it answers {final.outcome}", exchange)


@pytest.mark.requirement("REQ-11")
def test_ipv4_of_localhost(bench: Lab, case: Case) -> None:
    """A server on localhost is reached over IPv4."""
    if not bench.target.is_local:
        case.not_applicable("the target is not on localhost")
    request = bench.api.request("createWorkspace", body={"workspace_id": bench.workspace}, intent=Intent.PROBE)
    try:
        exchange = bench.recorder.send(request, host="127.0.0.1")
    except NoConnectionError as error:
        case.inconclusive(str(error))
    case.judge(None if exchange.response else f"at 127.0.0.1 there is {exchange.outcome}", exchange)
