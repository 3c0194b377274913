"""Who may do what: no token, a wrong one, and somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext

STAGE = 4
_REFUSALS = frozenset({401, 403})
_HIDDEN = frozenset({403, 404})
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
    """Each call once with a token, on things of the run that exist."""
    task = context.tasks[0]
    values = {"workspace_id": context.workspace}
    yield api.request("createWorkspace", body={"workspace_id": context.workspace}, token=token, intent=Intent.PROBE)
    yield api.request("createConversation", values, token=token, intent=Intent.PROBE)
    body = api.message_body(task.conversation, "Who is there?")
    yield api.request("sendMessage", values, body=body, token=token, intent=Intent.PROBE)
    yield api.request("pollTask", {"task_id": task.task_id}, query="from=0", token=token, intent=Intent.PROBE)


def _send_all(context: RunContext, token: str | None, probe: str) -> Iterator[Exchange]:
    for request in _requests(context, context.api, token):
        yield context.recorder.send(replace(request, probe=probe))


@pytest.mark.requirement("AUTH-1")
def test_no_token(bench: RunContext, case: CheckResult) -> None:
    """Each call without Authorization, and with an Authorization that holds no token."""
    for exchange in _send_all(bench, None, "auth"):
        case.judge(None if exchange.status in _REFUSALS else f"it answers {exchange.outcome}", exchange)


def _wrong_tokens(token: str) -> Iterator[str]:
    """Longer, shorter and in other letters; a token of hexadecimal digits is the same in capitals to who decodes it."""
    yield "wrong-token"
    yield f"{token}x"
    if len(token) > 1 and not token.endswith("="):
        yield token[:-1]
    if token.swapcase() != token and not set(token.lower()) <= _HEXADECIMAL:
        yield token.swapcase()


@pytest.mark.requirement("AUTH-2")
def test_wrong_token(bench: RunContext, case: CheckResult) -> None:
    """Each call with a token that nobody has, some of them much like the right one."""
    for token in _wrong_tokens(bench.target.token):
        for exchange in _send_all(bench, token, "auth"):
            case.judge(None if exchange.status in _REFUSALS else f"it answers {exchange.outcome}", exchange)


@pytest.mark.requirement("AUTH-3")
def test_odd_credentials(bench: RunContext, case: CheckResult) -> None:
    """Authorization of other schemes, without a token, or too long; judged with all traffic."""
    task = bench.tasks[0].task_id
    plain = bench.api.poll_request(task, "from=0", intent=Intent.PROBE)
    for value in _ODD_CREDENTIALS:
        bench.recorder.send(replace(plain.with_header("authorization", value), probe="auth"))
        case.exercise()


@pytest.mark.requirement("AUTH-4")
def test_challenge(bench: RunContext, case: CheckResult) -> None:
    """A 401 says which scheme would do."""
    for exchange in _send_all(bench, None, "auth"):
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
            case.judge(None if exchange.status in _HIDDEN else f"it answers {exchange.outcome}", exchange)


@pytest.mark.requirement("OWN-2")
def test_writing_into_somebody_elses_conversation(bench: RunContext, stranger: str, case: CheckResult) -> None:
    """A message, with the second token, into a conversation of the first."""
    body = bench.api.message_body(bench.tasks[0].conversation, "I am somebody else.")
    values = {"workspace_id": bench.workspace}
    exchange = bench.recorder.send(
        bench.api.request("sendMessage", values, body=body, token=stranger, intent=Intent.PROBE)
    )
    case.judge(None if exchange.status in _HIDDEN else f"it answers {exchange.outcome}", exchange)
    if f"{bench.workspace}-other" in bench.created_resources.workspaces:
        other = {"workspace_id": f"{bench.workspace}-other"}
        exchange = bench.recorder.send(
            bench.api.request("sendMessage", other, body=body, token=stranger, intent=Intent.PROBE)
        )
        case.judge(None if exchange.refused else f"from another workspace it answers {exchange.outcome}", exchange)
