"""Things that do not exist, and methods that are not the API's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.checks.probes import refused_for_now, send_if_affordable
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.schemas.endpoints import endpoints

STAGE = 5
_UNLIKELY = "00000000"
"""Makes of an id one that does not exist, also where ids are numbers that count up."""


def _missing(exchange: Exchange) -> str | None:
    return None if exchange.status == 404 else exchange.behaviour


@pytest.mark.requirement("NF-1")
def test_unknown_task(bench: RunContext, case: CheckResult) -> None:
    """An id much like those that the server makes; any refusal will do for ids that can be none of its own."""
    exchange = bench.api.poll(f"{bench.tasks[0].task_id}{_UNLIKELY}", 0, intent=Intent.PROBE)
    case.judge(_missing(exchange), exchange)
    for task in ("task-that-is-not-there", "x" * 300):
        exchange = bench.api.poll(task, 0, intent=Intent.PROBE)
        case.judge(None if exchange.refused else exchange.behaviour, exchange)


@pytest.mark.requirement("NF-2")
def test_unknown_workspace_and_conversation(bench: RunContext, case: CheckResult) -> None:
    """A conversation in no workspace, and a message into no workspace, no conversation, and another's conversation."""
    nowhere = f"{bench.workspace}-missing"
    request = bench.api.request("createConversation", {"workspace_id": nowhere}, intent=Intent.PROBE)
    exchange = bench.recorder.send(request)
    case.judge(_missing(exchange), exchange)
    known = bench.tasks[0].conversation
    for workspace, conversation in ((nowhere, known), (bench.workspace, f"{known}{_UNLIKELY}")):
        body = bench.api.message_body(conversation, "Is anybody there?")
        sent = bench.api.request("sendMessage", {"workspace_id": workspace}, body=body, intent=Intent.PROBE)
        answer = send_if_affordable(bench, sent)
        if answer is None:
            return
        if not refused_for_now(answer):
            case.judge(_missing(answer), answer)
        if answer.ok:
            return


@pytest.mark.requirement("NF-3")
def test_unknown_path(bench: RunContext, case: CheckResult) -> None:
    """A path that no API of this kind has."""
    plain = bench.api.poll_request("x", "", intent=Intent.PROBE)
    for path in ("/api/v1/sendpoll-unknown", "/api/v1/tasks/x/sendpoll-unknown"):
        exchange = bench.recorder.send(replace(plain, target=path, operation=""))
        case.judge(_missing(exchange), exchange)


@pytest.mark.requirement("METHOD-1")
def test_other_methods(bench: RunContext, case: CheckResult) -> None:
    """PUT without a body, which does nothing where it exists, on each of the four paths."""
    values = {"workspace_id": bench.workspace, "task_id": bench.tasks[0].task_id}
    for operation, endpoint in endpoints().items():
        like: Request = bench.api.request(operation, values, intent=Intent.PROBE)
        headers = (*(pair for pair in like.headers if pair[0].lower() != "content-length"), ("Content-Length", "0"))
        exchange = bench.recorder.send(replace(like, method="PUT", headers=headers, target=endpoint.target(values)))
        allow = exchange.response.header("allow") if exchange.response else None
        if exchange.status == 405 and not allow:
            case.violate("it answers 405 without Allow", exchange)
        else:
            case.judge(None if exchange.status == 405 else f"to PUT {exchange.behaviour}", exchange)
