"""Bodies that must be refused, each with a twin that differs in one thing and is accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.checks.probes import refused_for_now, send_if_affordable
from sendpoll.conformance.server.inputs.fuzzing import explore
from sendpoll.conformance.server.inputs.negative_bodies import (
    INJECTED,
    ODD_NAMES,
    malformed_texts,
    negatives,
    not_utf8,
    rewritten,
)
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.schemas.endpoints import endpoints

STAGE = 5
_LARGE = 4 * 1024 * 1024
_NAMES_NONE = frozenset({"required", "type (null)", "minLength"})
"""Of a conversation_id: such a message names none, for which one may be made; REQ-12 judges it."""
_ENOUGH_HANGS = 3
"""Unanswered bodies of one call after which no further ones are tried: each costs seconds."""


def _valid_bodies(context: RunContext) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The calls that have a body, each with one that was accepted in the walk through them."""
    yield "createWorkspace", {"workspace_id": context.workspace}
    yield "sendMessage", context.api.message_body(context.tasks[0].conversation, "Is this refused?")


def _post(context: RunContext, operation: str, body: bytes | Mapping[str, Any], probe: str = "body") -> Exchange | None:
    """Send a body; None where it is a message and no further one may be sent."""
    request = context.api.request(operation, {"workspace_id": context.workspace}, body=body, intent=Intent.PROBE)
    return send_if_affordable(context, replace(request, probe=probe))


def _require_twin(context: RunContext, case: CheckResult) -> None:
    twin = context.api.ensure_workspace(context.workspace, intent=Intent.PROBE)
    if not twin.ok:
        case.inconclusive(f"the control twin, a body that is right, is refused too: {twin.outcome}")


def _judge(case: CheckResult, exchange: Exchange | None, what: str) -> bool:
    """Judge what must be refused; whether more of its kind may be tried.

    A message that was taken costs one of the run's, and shows enough. A refusal for now says nothing of the body.
    """
    if exchange is None:
        return False
    if not refused_for_now(exchange):
        case.judge(None if exchange.refused else f"to {what} {exchange.behaviour}", exchange)
    return not (exchange.ok and exchange.request.operation == "sendMessage")


@pytest.mark.requirement("BODY-1")
def test_no_json(bench: RunContext, case: CheckResult) -> None:
    """Bodies that are no JSON text."""
    _require_twin(bench, case)
    for operation, valid in _valid_bodies(bench):
        hung = 0
        for malformed in malformed_texts(valid):
            exchange = _post(bench, operation, malformed.body)
            hung += exchange is not None and exchange.failure is Failure.TIMEOUT
            if not _judge(case, exchange, malformed.what) or hung >= _ENOUGH_HANGS:
                break


@pytest.mark.requirement("BODY-2")
def test_one_constraint_broken(bench: RunContext, case: CheckResult) -> None:
    """Bodies that break exactly one constraint of their schema."""
    _require_twin(bench, case)
    for operation, valid in _valid_bodies(bench):
        schema = endpoints()[operation].request_schema
        more = True
        for negative in negatives(schema, valid) if schema else ():
            if negative.pointer == "/conversation_id" and negative.constraint in _NAMES_NONE:
                continue
            what = f"a body that breaks {negative.constraint} at {negative.pointer or '/'}"

            def check(body: Any, operation: str = operation, what: str = what) -> None:
                nonlocal more
                if more:
                    more = _judge(case, _post(bench, operation, bench.api.shape.body(body)), what)

            explore(negative.values, check, examples=max(1, bench.examples // 100), run_seed=bench.seed)


@pytest.mark.requirement("BODY-5")
def test_odd_names_are_survived(bench: RunContext, case: CheckResult) -> None:
    """Workspaces named by strings of any kind, and bytes that are no UTF-8; the answers are judged with all traffic."""
    for name in ODD_NAMES:
        request = bench.api.request("createWorkspace", body={"workspace_id": name}, intent=Intent.PROBE)
        exchange = bench.recorder.send(replace(request, probe="body"))
        injected = exchange.response is not None and exchange.response.header(INJECTED) is not None
        sentence = "a line break in workspace_id ends a line of the answer's head, and what follows it is a header"
        case.judge(sentence if injected else None, exchange)
    _post(bench, "createWorkspace", not_utf8({"workspace_id": bench.workspace}))


@pytest.mark.requirement("BODY-2")
def test_other_spellings_of_a_valid_body(bench: RunContext, case: CheckResult) -> None:
    """The twin of the above: what is right stays right in another order, with other white space and escapes."""

    def check(text: bytes) -> None:
        exchange = _post(bench, "createWorkspace", text)
        if exchange is not None and not refused_for_now(exchange):
            case.judge(None if exchange.ok else f"to the same JSON text spelt otherwise {exchange.behaviour}", exchange)

    explore(
        rewritten({"workspace_id": bench.workspace}), check, examples=max(3, bench.examples // 20), run_seed=bench.seed
    )


@pytest.mark.requirement("BODY-3")
def test_large_body(bench: RunContext, case: CheckResult) -> None:
    """A body of 4 MiB; hanging up on it is a refusal too."""
    _require_twin(bench, case)
    body = {"workspace_id": bench.workspace, "padding": "x" * _LARGE}
    exchange = _post(bench, "createWorkspace", body, probe="")
    if exchange is not None and exchange.response is None:
        case.exercise()
    else:
        _judge(case, exchange, "a body of 4 MiB")


@pytest.mark.requirement("BODY-4")
def test_other_media_types(bench: RunContext, case: CheckResult) -> None:
    """The twin's body, announced as something else."""
    _require_twin(bench, case)
    for operation, valid in _valid_bodies(bench):
        for media in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
            like = bench.api.request(operation, {"workspace_id": bench.workspace}, body=valid, intent=Intent.PROBE)
            sent = send_if_affordable(bench, replace(like.with_header("content-type", media), probe="body"))
            if not _judge(case, sent, f"{operation} as {media}"):
                break
