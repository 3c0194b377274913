"""Requests that must be accepted: the forms in which the published clients write them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.rules.echo import Echo, cut_character, find_repeated, garbled_echo
from sendpoll.conformance.rules.polled_task import text_of
from sendpoll.conformance.rules.predicates import garbled
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.checks.probes import refused_for_now, send_if_affordable
from sendpoll.conformance.server.probing.client_profiles import PROFILES
from sendpoll.conformance.server.probing.client_survey import Survey, Surveyor
from sendpoll.conformance.server.probing.cookie_session import walk_in_session
from sendpoll.conformance.server.probing.created_resources import identifier
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import RecordedTask, read_rest, undisturbed
from sendpoll.conformance.server.transport.connection import NoConnectionError

STAGE = 1
_UNAUTHORIZED = frozenset({401, 403})
_OTHER_SPELLINGS = ("bearer ", "BEARER ", "Token ", "")


@pytest.fixture(scope="session", name="survey")
def _survey(context: RunContext, corpus: Corpus) -> Survey:
    """Every call in the form of every client; empty where no form gets through."""
    return Survey() if context.trouble or context.stopped else Surveyor(context, corpus).run()


@pytest.mark.parametrize(
    "identifier",
    [
        pytest.param(row, marks=pytest.mark.requirement(row))
        for row in ("REQ-1", "REQ-2", "REQ-3", "REQ-4", "REQ-6", "REQ-7")
    ],
)
def test_forms_of_all_clients(identifier: str, bench: RunContext, survey: Survey, case: CheckResult) -> None:
    """Every call is taken in every client's form; where one is not, the trait that it is refused for is found."""
    for finding in survey.findings:
        if finding.requirement == identifier:
            case.violate(finding.sentence, *finding.exchanges)
    _judge_bodies(identifier, bench, case)
    forms = survey.forms(identifier)
    if not all(forms.values()):
        case.not_exercised("some forms were never sent or never taken; allow more messages with --max-messages")
    case.exercise(sum(forms.values()))


def _judge_bodies(identifier: str, context: RunContext, case: CheckResult) -> None:
    """Conversations that are opened with a body alone: refused is each form of none."""
    twin = context.opened_with_body
    for walk in context.refused_without_body if twin is not None else ():
        if twin is not None and identifier == ("REQ-2" if walk.shape.tells_empty_body else "REQ-1"):
            sentence = f"without a body, as {walk.shape.name} writes it, {walk.last.behaviour}; with {{}} it does not"
            case.violate(sentence, walk.last, twin)


@pytest.mark.parametrize(
    "identifier",
    [pytest.param(row, marks=pytest.mark.requirement(row)) for row in ("CONV-1", "MSG-1", "MSG-2")],
)
def test_the_same_request_has_one_answer(
    identifier: str, context: RunContext, survey: Survey, case: CheckResult
) -> None:
    """A request that was refused is refused each time that it is sent, or the server is unsteady."""
    wavering = context.wavering
    if wavering is not None and wavering.requirement == identifier:
        case.violate(wavering.sentence, wavering.refused, wavering.taken)


@pytest.mark.requirement("REQ-6")
def test_both_spellings_say_the_same(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """An agent that repeats a message repeats what is beyond ASCII too, whichever way it was spelt."""
    echoes = _echoes(bench, case)
    escapes = {shape.name: shape.escapes for shape in PROFILES}
    both = [found for found in echoes.values() if {escapes[name] for name in found} == {True, False}]
    if not both:
        case.not_exercised("no agent repeated a message in both spellings; --prompt unicode=TEXT may ask for it")
    for found in both:
        understood = frozenset().union(*(echo.kept for _, echo in found.values()))
        for name, (task, echo) in found.items():
            lost = sorted(understood - echo.kept)
            if not lost and len(echo.lost) > len(echo.kept):
                sentence = "the message is repeated, and most of what is beyond ASCII in it is lost in every spelling"
                case.violate(sentence, _shown(bench, task))
            elif lost:
                sentence = f"{' '.join(lost[:8])} as {name} writes it is not repeated, though it is as others write it"
                case.violate(sentence, _shown(bench, task))
            else:
                case.exercise()


def _echoes(context: RunContext, case: CheckResult) -> dict[str, dict[str, tuple[RecordedTask, Echo]]]:
    """Message, without its marker, to the client that spelt it to what the answer has of it."""
    whole: dict[str, dict[str, tuple[RecordedTask, Echo]]] = defaultdict(dict)
    garbled: dict[str, dict[str, tuple[RecordedTask, Echo]]] = defaultdict(dict)
    alike = [task for task in undisturbed(context.finished) if task.kind == "unicode" and task.unusable is None]
    for task in alike:
        if (events := read_rest(context.api, task, 0)) is None:
            continue
        text = text_of(events)
        if (before := cut_character(task.message, text)) is not None:
            case.violate(f"the message is cut in a character: behind {before!r} stands U+FFFD", _shown(context, task))
        same = task.message.replace(task.marker, "")
        if (echo := find_repeated(task.message, text)) is not None:
            whole[same][task.shape] = task, echo
        elif (echo := garbled_echo(task.message, text)) is not None:
            garbled[same][task.shape] = task, echo
    return {same: garbled[same] | found for same, found in whole.items()}


def _shown(context: RunContext, task: RecordedTask) -> Exchange:
    return context.api.poll(task.task_id, 0)


@pytest.mark.requirement("REQ-5")
def test_no_cookies_and_no_shared_connection(context: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Each call on a connection of its own and without cookies; if that fails, a session must fail too."""
    separate = [walk for walk in corpus.walks.values() if not walk.shape.keeps_alive]
    if any(walk.complete for walk in separate):
        case.exercise(sum(len(walk.exchanges) for walk in separate))
        return
    if context.trouble:
        case.not_exercised(context.trouble)
    if context.wavering is not None:
        case.not_exercised(f"{context.wavering.sentence}; {context.wavering.requirement} tells")
    if any(garbled(exchange) for walk in separate for exchange in walk.exchanges):
        case.not_exercised("answers are cut by their framing; HTTP-1 and its neighbours tell")
    alone, together = context.walks[context.api.shape.name], walk_in_session(context)
    if together is not None and together.complete and alone.last.failure is not Failure.TIMEOUT:
        case.violate("the calls succeed only with cookies or on one shared connection", alone.last, together.last)


@pytest.mark.requirement("REQ-8")
def test_bearer_token(context: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """The token is accepted under the scheme Bearer; where it is not, another spelling tells whether that is why."""
    if not (context.trouble or context.stopped):
        case.exercise(len(corpus.walks))
        return
    walked = (exchange for walk in context.walks.values() for exchange in walk.exchanges)
    refused = next((exchange for exchange in walked if exchange.status in _UNAUTHORIZED), None)
    if refused is None:
        case.not_exercised(context.trouble or context.stopped)
    for spelling in _OTHER_SPELLINGS:
        respelt = refused.request.with_header("authorization", f"{spelling}{context.target.token}")
        twin = context.recorder.send(replace(respelt, intent=Intent.PROBE))
        if twin.ok:
            sentence = f"{refused.behaviour} to Bearer, and accepts the same token as {spelling!r}"
            case.violate(sentence, refused, twin)


@pytest.mark.requirement("REQ-12")
def test_no_conversation(bench: RunContext, case: CheckResult) -> None:
    """A message that names no conversation, as clients send it after a failed call; one that is taken shows enough."""
    for conversation in (..., None, ""):
        body = {"conversation_id": conversation, "message": "Is anybody there?", "run_mode": "fast"}
        if conversation is ...:
            del body["conversation_id"]
        request = bench.api.request("sendMessage", {"workspace_id": bench.workspace}, body=body, intent=Intent.PROBE)
        exchange = send_if_affordable(bench, replace(request, probe="body"))
        if exchange is None:
            case.not_exercised("no message was left to try it with; allow more with --max-messages")
        if refused_for_now(exchange):
            continue
        told = exchange.refused or identifier(exchange, "conversation_id") is not None
        case.judge(None if told else f"{exchange.behaviour}, and tells no conversation_id", exchange)
        if exchange.ok:
            return


@pytest.mark.requirement("REQ-10")
@pytest.mark.parametrize("task", ["", "null", "undefined", "None"])
def test_no_task(task: str, bench: RunContext, case: CheckResult) -> None:
    """A poll of no task, as clients send it after a failed call. A redirect counts as what it leads to."""
    exchange = bench.api.poll(task, 0, intent=Intent.PROBE)
    final = exchange
    location = exchange.response.header("location") if exchange.response else None
    if 300 <= exchange.status <= 399 and location and location.startswith("/"):
        request = replace(exchange.request, target=location.removeprefix(bench.target.path_prefix))
        final = bench.recorder.send(request)
    case.judge(None if final.refused else final.behaviour, exchange)


@pytest.mark.requirement("REQ-11")
def test_ipv4_of_localhost(bench: RunContext, case: CheckResult) -> None:
    """A server on localhost is reached over IPv4."""
    if not bench.target.is_local:
        case.not_applicable("the target is not on localhost")
    request = bench.api.request("createWorkspace", body={"workspace_id": bench.workspace}, intent=Intent.PROBE)
    try:
        exchange = bench.recorder.send_once(request, host="127.0.0.1")  # another address is no outage of the target
    except NoConnectionError as error:
        case.inconclusive(str(error))
    case.judge(None if exchange.response else f"at 127.0.0.1 {exchange.behaviour}", exchange)
