"""What a browser asks before it lets a page of another origin call the API, and what it hides from the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent
from sendpoll.conformance.rules import headers
from sendpoll.conformance.rules.predicates import says_too_fast
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.checks.probes import send_if_affordable
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import CHROMIUM, preflight
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.schemas.endpoints import endpoints

STAGE = 3
ORIGINS = ("http://127.0.0.1:46015", "null")
"""A page of another origin, and a page from a file: a server that is told of none in particular allows both."""


@pytest.fixture(scope="session", name="answers")
def _answers(context: RunContext, corpus: Corpus) -> list[tuple[Exchange, str]]:
    """The preflight of every call, once an origin."""
    if context.trouble or context.stopped:
        return []
    task = context.tasks[0].task_id
    values = {"workspace_id": context.workspace, "task_id": task}
    return [
        (
            context.recorder.send(
                preflight(context.target, operation, endpoint.target(values, _query(operation)), origin)
            ),
            origin,
        )
        for operation, endpoint in endpoints().items()
        for origin in ((context.target.origin,) if context.target.origin else ORIGINS)
    ]


def _query(operation: str) -> str:
    return "from=0" if operation == "pollTask" else ""


@pytest.mark.requirement("CORS-1")
def test_preflight_is_answered(answers: list[tuple[Exchange, str]], case: CheckResult) -> None:
    """OPTIONS without credentials is answered with 2xx on every path."""
    for exchange, _ in answers:
        case.judge(None if exchange.ok else f"OPTIONS {exchange.request.target}: {exchange.outcome}", exchange)


@pytest.mark.requirement("CORS-2")
def test_preflight_allows_the_origin(answers: list[tuple[Exchange, str]], case: CheckResult) -> None:
    """The page's origin is allowed, the origin of a file too."""
    for exchange, origin in answers:
        case.judge(headers.origin_fault(exchange.response, origin), exchange)


@pytest.mark.requirement("CORS-3")
def test_preflight_allows_the_headers(answers: list[tuple[Exchange, str]], case: CheckResult) -> None:
    """The headers that the call will carry are allowed, each by its name or all by an asterisk."""
    for exchange, _ in answers:
        case.judge(headers.missing_header(exchange.request, exchange.response, asterisk=True), exchange)


@pytest.mark.requirement("CORS-4")
def test_preflight_names_authorization(answers: list[tuple[Exchange, str]], case: CheckResult) -> None:
    """The asterisk does not stand for Authorization."""
    for exchange, _ in answers:
        case.judge(headers.unnamed_authorization(exchange.response), exchange)


@pytest.mark.requirement("CORS-5")
def test_answers_to_a_page_from_a_file(bench: RunContext, case: CheckResult) -> None:
    """The calls that cost nothing, as a page from a file makes them; the answers are judged with all traffic."""
    api = Api(bench.recorder, replace(CHROMIUM, origin="null"))
    answered = (
        bench.ensure_workspace(api, Intent.SHAPE),
        bench.open_conversation(api, Intent.SHAPE)[0],
        api.poll(bench.tasks[0].task_id, 0, intent=Intent.SHAPE),
    )
    case.exercise(sum(exchange.ok for exchange in answered))


@pytest.mark.requirement("CORS-6")
def test_errors_across_origins(bench: RunContext, case: CheckResult) -> None:
    """Errors of every call, as a page of another origin meets them; the answers are judged with all traffic."""
    for exchange in _failing_calls(bench):
        if exchange.status >= 400 and not says_too_fast(exchange):
            case.exercise()


def _failing_calls(context: RunContext) -> Iterator[Exchange]:
    api = Api(context.recorder, CHROMIUM)
    unknown = f"{context.workspace}-missing"
    for operation in endpoints():
        values = {"workspace_id": context.workspace, "task_id": context.tasks[0].task_id}
        body = b"{" if endpoints()[operation].body_required else None
        refused = api.request(operation, values, query=_query(operation), body=body, token="wrong", intent=Intent.PROBE)
        asked = [refused]
        if body is not None:
            malformed = api.request(operation, values, body=body, intent=Intent.PROBE)
            asked.append(replace(malformed, probe="body"))
        yield from (exchange for one in asked if (exchange := send_if_affordable(context, one)) is not None)
    yield context.recorder.send(api.request("createConversation", {"workspace_id": unknown}, intent=Intent.PROBE))
    yield api.poll("task-that-is-not-there", 0, intent=Intent.PROBE)
