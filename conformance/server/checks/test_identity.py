"""Who may do what: no token, a wrong one, and somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.rules.predicates import says_too_fast
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.checks.probes import send_if_affordable
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.core.target.target import PLACEHOLDER

STAGE = 2
"""Before whatever may spend messages: who may see and do what matters most, and costs nothing on a right server."""
_REFUSALS = frozenset({401, 403})
_HIDDEN = frozenset({403, 404})
_HALVED = 7
"""Characters from which on half a token is not all that there may be to compare."""
_HEXADECIMAL = frozenset("0123456789abcdef-")
_ODD_CREDENTIALS = (
    "",
    "Bearer",
    "Bearer ",
    "Bearer  ",
    ":",
    "Bearer a b",
    "Bearer,Bearer x",
    "Token x",
    "Digest username=x",
    "Basic dXNlcjpwYXNz",
    "Basic",
    "Basic ",
    "Basic eA==",
    "Basic %%%",
    "Basic /w==",
    "Bearer e30.e30.e30",
    "Bearer ....",
    "Bearer \xe9",
    "Bearer \xe4\xbb\xa4\xe7\x89\x8c",
    "Bearer %00%ff",
    "Bearer " + "x" * 4000,
)
"""Other schemes, halves and wholes of them, bytes beyond ASCII, and what looks like a signed token and is none."""


def _requests(context: RunContext, api: Api, token: str | None) -> Iterator[Request]:
    """Each call once with a token, on things of the run that exist; the one that may cost a message comes last."""
    task = context.tasks[0]
    values = {"workspace_id": context.workspace}
    yield api.request("createWorkspace", body={"workspace_id": context.workspace}, token=token, intent=Intent.PROBE)
    yield api.request("createConversation", values, token=token, intent=Intent.PROBE)
    yield api.request("pollTask", {"task_id": task.task_id}, query="from=0", token=token, intent=Intent.PROBE)
    body = api.message_body(task.conversation, "Who is there?")
    yield api.request("sendMessage", values, body=body, token=token, intent=Intent.PROBE)


def _send_all(context: RunContext, token: str | None) -> Iterator[Exchange]:
    for request in _requests(context, context.api, token):
        exchange = send_if_affordable(context, replace(request, probe="auth"))
        if exchange is not None:
            yield exchange


def _judge_refusals(case: CheckResult, exchanges: Iterator[Exchange]) -> bool:
    """Judge what must be refused for who asks; whether no message was taken, each of which costs one of the run's."""
    taken = False
    for exchange in exchanges:
        if not says_too_fast(exchange):
            case.judge(None if exchange.status in _REFUSALS else exchange.behaviour, exchange)
        taken = taken or (exchange.ok and exchange.request.operation == "sendMessage")
    return not taken


@pytest.mark.requirement("AUTH-1")
def test_no_token(bench: RunContext, case: CheckResult) -> None:
    """Each call without Authorization."""
    _judge_refusals(case, _send_all(bench, None))


def _wrong_tokens(token: str) -> Iterator[str]:
    """Longer, shorter and in other letters; a token of hexadecimal digits is the same in capitals to who decodes it."""
    yield "wrong-token"
    yield f"{token}x"
    if len(token) > 1 and not token.endswith("="):
        yield token[:-1]
    if len(token) > _HALVED:
        yield f"{token[: len(token) // 2]}{'x' * (len(token) - len(token) // 2)}"
    if token.swapcase() != token and not set(token.lower()) <= _HEXADECIMAL:
        yield token.swapcase()


@pytest.mark.requirement("AUTH-2")
def test_wrong_token(bench: RunContext, case: CheckResult) -> None:
    """Each call with a token that nobody has, some of them much like the right one."""
    for token in _wrong_tokens(bench.target.token):
        if not _judge_refusals(case, _send_all(bench, token)):
            return


@pytest.mark.requirement("AUTH-3")
def test_missing_and_wrong_tokens_are_answered(bench: RunContext, case: CheckResult) -> None:
    """What a reader sends who forgot to replace the placeholder, or mistyped; judged with all traffic."""
    for token in (PLACEHOLDER, "mistyped"):
        for exchange in _send_all(bench, token):
            case.exercise(0 if says_too_fast(exchange) else 1)


@pytest.mark.requirement("AUTH-5")
def test_odd_credentials(bench: RunContext, case: CheckResult) -> None:
    """Authorization of other schemes, without a token, or too long; judged with all traffic."""
    task = bench.tasks[0].task_id
    plain = bench.api.poll_request(task, "from=0", intent=Intent.PROBE)
    for value in _ODD_CREDENTIALS:
        bench.recorder.send(replace(plain.with_header("authorization", value), probe="odd auth"))
        case.exercise()


@pytest.mark.requirement("AUTH-4")
def test_challenge(bench: RunContext, case: CheckResult) -> None:
    """A 401 says which scheme would do."""
    for exchange in _send_all(bench, None):
        if exchange.status == 401 and exchange.response is not None:
            told = exchange.response.header("www-authenticate")
            case.judge(None if told else "it answers 401 without WWW-Authenticate", exchange)
    if not case.exercised:
        case.not_applicable("the target answers no call with 401")


@pytest.fixture(name="stranger")
def _stranger(bench: RunContext, corpus: Corpus, case: CheckResult) -> str:
    """The second token, known to be good."""
    token = bench.target.second_token
    if token is None:
        case.not_applicable("no second token was given; give one with --second-token to check who may see what")
    own = bench.api.request("createWorkspace", body={"workspace_id": f"{bench.workspace}-other"}, token=token)
    exchange = bench.recorder.send(replace(own, intent=Intent.PROBE))
    if not exchange.ok:
        case.inconclusive(f"the second token cannot create a workspace of its own: {exchange.outcome}")
    bench.created_resources.workspaces[f"{bench.workspace}-other"] = None
    return token


@pytest.mark.requirement("OWN-1")
def test_reading_somebody_elses_task(bench: RunContext, stranger: str, case: CheckResult) -> None:
    """Every task of the run, polled with the second token."""
    for task in bench.tasks:
        for offset in (0, task.end_offset):
            values = {"task_id": task.task_id}
            request = bench.api.request("pollTask", values, query=f"from={offset}", token=stranger, intent=Intent.PROBE)
            exchange = bench.recorder.send(request)
            case.judge(None if exchange.status in _HIDDEN else exchange.behaviour, exchange)


@pytest.mark.requirement("OWN-2")
def test_writing_into_somebody_elses_conversation(bench: RunContext, stranger: str, case: CheckResult) -> None:
    """A message, with the second token, into a conversation of the first; from a workspace of its own too."""
    body = bench.api.message_body(bench.tasks[0].conversation, "I am somebody else.")
    for workspace in (bench.workspace, f"{bench.workspace}-other"):
        values = {"workspace_id": workspace}
        request = bench.api.request("sendMessage", values, body=body, token=stranger, intent=Intent.PROBE)
        exchange = send_if_affordable(bench, request)
        if exchange is None:
            case.not_exercised("no message was left to try it with; allow more with --max-messages")
        if says_too_fast(exchange):
            continue
        own = workspace != bench.workspace
        hidden = exchange.refused if own else exchange.status in _HIDDEN
        told = f"from another workspace {exchange.behaviour}" if own else exchange.behaviour
        case.judge(None if hidden else told, exchange)
        if exchange.ok:
            return
