"""Mutants that a browser cannot use from a page of another origin (CORS rows)."""

from __future__ import annotations

from tests.mutants.exchange import Answer, Asked, Forward, Handler
from tests.mutants.faults import ALL_CALLS, Rewrite, answers, header
from tests.mutants.model import Mutant

_ORIGIN = b"access-control-allow-origin"
_ALLOWED = b"access-control-allow-headers"


def _preflight(rewrite: Rewrite, *endpoints: str) -> Handler:
    """Rewrite the answers to OPTIONS on these endpoints' paths, or on all."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        hit = asked.method == "OPTIONS" and (not endpoints or asked.endpoint in endpoints)
        return rewrite(asked, given) if hit else given

    return handle


async def _preflight_needs_token(asked: Asked, forward: Forward) -> Answer:
    """All that a preflight answer needs but the status."""
    given = await forward(asked)
    return given.with_status(401) if asked.method == "OPTIONS" and not asked.owner else given


def _not_allowed(asked: Asked, given: Answer) -> Answer:
    return given.with_status(405).with_body(b"{}") if asked.query else given


def _moved(asked: Asked, given: Answer) -> Answer:
    return given.with_status(301).adding(b"location", asked.path + b"/").with_body(b"")


def not_for_files(asked: Asked, given: Answer) -> Answer:
    return given.without(_ORIGIN) if asked.header(b"origin") == b"null" else given


def _another_origin(_: Asked, given: Answer) -> Answer:
    return given.with_header(_ORIGIN, b"http://localhost:3000")


def _doubled(asked: Asked, given: Answer) -> Answer:
    return given.adding(_ORIGIN, asked.header(b"origin") or b"*")


async def _while_running(asked: Asked, forward: Forward) -> Answer:
    """The answer while a task runs comes from another path, which forgets the header."""
    given = await forward(asked)
    return given.without(_ORIGIN) if asked.task and b'"status":"running"' in given.body else given


async def _last_of_all(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    final = asked.task is not None and b'"status":"running"' not in given.body
    return given.without(_ORIGIN) if final and given.status == 200 else given


def _errors_without(_: Asked, given: Answer) -> Answer:
    return given.without(_ORIGIN)


MUTANTS = (
    Mutant(
        name="preflight-needs-token",
        requirement="CORS-1",
        fault="answers 401 to a preflight, which never carries a token",
        make=_preflight_needs_token,
    ),
    Mutant(
        name="preflight-of-polls-refused",
        requirement="CORS-1",
        fault="answers 405 to a preflight with a query",
        make=_preflight(_not_allowed, "pollTask"),
        conditional=True,
    ),
    Mutant(
        name="preflight-of-conversations-redirects",
        requirement="CORS-1",
        fault="redirects the preflight of one endpoint of four",
        make=_preflight(_moved, "createConversation"),
        conditional=True,
    ),
    Mutant(
        name="preflight-without-origin",
        requirement="CORS-2",
        fault="names no allowed origin in preflight answers",
        make=_preflight(lambda _, given: given.without(_ORIGIN)),
    ),
    Mutant(
        name="preflight-refuses-files",
        requirement="CORS-2",
        fault="names no allowed origin in a preflight answer to the origin null",
        make=_preflight(not_for_files),
        conditional=True,
    ),
    Mutant(
        name="preflight-of-messages-for-another-origin",
        requirement="CORS-2",
        fault="allows one fixed origin in the preflight of messages",
        make=_preflight(_another_origin, "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="preflight-without-authorization",
        requirement="CORS-3",
        fault="does not allow the header authorization",
        make=_preflight(lambda _, given: given.with_header(_ALLOWED, b"content-type")),
    ),
    Mutant(
        name="preflight-of-messages-without-content-type",
        requirement="CORS-3",
        fault="does not allow the header content-type on messages",
        make=_preflight(lambda _, given: given.with_header(_ALLOWED, b"authorization"), "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="preflight-allows-asterisk",
        requirement="CORS-4",
        fault="allows * where authorization has to be named",
        make=_preflight(lambda _, given: given.with_header(_ALLOWED, b"*")),
    ),
    Mutant(
        name="posts-without-allowed-origin",
        requirement="CORS-5",
        fault="names no allowed origin in the answers to POSTs",
        make=header(_ORIGIN, None, "createWorkspace", "createConversation", "sendMessage"),
    ),
    Mutant(
        name="allowed-origin-doubled-on-polls",
        requirement="CORS-5",
        fault="sends Access-Control-Allow-Origin twice with polls",
        make=answers(_doubled, "pollTask"),
    ),
    Mutant(
        name="running-poll-without-allowed-origin",
        requirement="CORS-5",
        fault="names no allowed origin while the task runs",
        make=_while_running,
        conditional=True,
    ),
    Mutant(
        name="final-poll-without-allowed-origin",
        requirement="CORS-5",
        fault="names no allowed origin in the final answer",
        make=_last_of_all,
        conditional=True,
    ),
    Mutant(
        name="errors-without-allowed-origin",
        requirement="CORS-6",
        fault="names no allowed origin in errors",
        make=answers(_errors_without, *ALL_CALLS, errors=True),
    ),
    Mutant(
        name="unauthorized-without-allowed-origin",
        requirement="CORS-6",
        fault="names no allowed origin in answers with 401, which come from before the CORS layer",
        make=answers(
            lambda _, given: given.without(_ORIGIN) if given.status == 401 else given, *ALL_CALLS, errors=True
        ),
        conditional=True,
    ),
)
