"""Mutants that serve whom they should refuse (AUTH and OWN rows)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.faults import ALL_CALLS, errors_become, hangs, header, refuses
from tests.mutants.model import Mutant


def _as(owner: Callable[[Asked], bytes | None], *operations: str) -> Handler:
    """Where the right server refuses who asks, ask it again as somebody else."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        given = await forward(asked)
        _note(asked, given)
        other = owner(asked) if asked.operation in operations and given.status in (401, 404) else None
        if other is None or other == asked.owner:
            return given
        kept = tuple(pair for pair in asked.headers if pair[0].lower() != b"authorization")
        return await forward(replace(asked, headers=(*kept, (b"authorization", other))))

    return handle


def _note(asked: Asked, given: Answer) -> None:
    """Who owns what, and who was the last to be served."""
    if given.status >= 300 or not asked.operation:
        return
    asked.desk.notes["last"] = asked.owner
    body = given.json()
    for key in ("task_id", "conversation_id"):
        if isinstance(body, dict) and key in body:
            asked.desk.notes[body[key]] = asked.owner


def _whoever_owns_the_task(asked: Asked) -> bytes | None:
    task = asked.path.rpartition(b"/")[2].decode("latin-1")
    owner: bytes | None = asked.desk.notes.get(task) if _known(asked) else None
    return owner


def _whoever_owns_the_conversation(asked: Asked) -> bytes | None:
    body = asked.json()
    if not isinstance(body, dict) or not _known(asked):
        return None
    owner: bytes | None = asked.desk.notes.get(str(body.get("conversation_id")))
    return owner


def _known(asked: Asked) -> bool:
    """Whether the token is one of the server's; only then is it a matter of ownership."""
    return asked.owner in {value for value in asked.desk.notes.values() if isinstance(value, bytes)}


def _last_if_missing(asked: Asked) -> bytes | None:
    last: bytes | None = asked.desk.notes.get("last")
    return last if asked.header(b"authorization") is None else None


def _last_if_wrong(asked: Asked) -> bytes | None:
    last: bytes | None = asked.desk.notes.get("last")
    return last if asked.owner.lower().startswith(b"bearer ") and not _known(asked) else None


def _prefix(asked: Asked) -> bytes | None:
    """A token is known by its first ten characters."""
    known = {value for value in asked.desk.notes.values() if isinstance(value, bytes)}
    return next((owner for owner in known if owner[:17] == asked.owner[:17]), None)


def _any_case(asked: Asked) -> bytes | None:
    """A token is looked up in a column that does not tell capitals from small letters."""
    known = {value for value in asked.desk.notes.values() if isinstance(value, bytes)}
    return next((owner for owner in known if owner.lower() == asked.owner.lower()), None)


def _half(asked: Asked) -> bytes | None:
    """A token is known by the half of it that stands first."""
    known = {value for value in asked.desk.notes.values() if isinstance(value, bytes)}
    return next((owner for owner in known if owner[: len(owner) // 2] == asked.owner[: len(owner) // 2]), None)


def _malformed(asked: Asked) -> bool:
    return asked.operation != "" and len(asked.owner.split(b" ")) != 2 and asked.header(b"authorization") is not None


def _bare(asked: Asked) -> bool:
    return asked.header(b"authorization") is None


MUTANTS = (
    Mutant(
        name="workspaces-without-token",
        requirement="AUTH-1",
        fault="makes workspaces for who sends no token",
        make=_as(_last_if_missing, "createWorkspace"),
        conditional=True,
    ),
    Mutant(
        name="polls-without-token",
        requirement="AUTH-1",
        fault="shows a task to who sends no token",
        make=_as(_last_if_missing, "pollTask"),
        conditional=True,
    ),
    Mutant(
        name="any-token-will-do",
        requirement="AUTH-2",
        fault="takes any token",
        make=_as(_last_if_wrong, *ALL_CALLS),
    ),
    Mutant(
        name="messages-with-any-token",
        requirement="AUTH-2",
        fault="takes messages with any token",
        make=_as(_last_if_wrong, "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="token-known-by-its-beginning",
        requirement="AUTH-2",
        fault="compares only the first ten characters of a token",
        make=_as(_prefix, *ALL_CALLS),
        conditional=True,
    ),
    Mutant(
        name="token-in-any-case",
        requirement="AUTH-2",
        fault="compares tokens without regard to capitals",
        make=_as(_any_case, *ALL_CALLS),
        conditional=True,
    ),
    Mutant(
        name="messages-by-half-a-token",
        requirement="AUTH-2",
        fault="compares the first half of the token of who sends a message",
        make=_as(_half, "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="wrong-token-breaks",
        requirement="AUTH-3",
        fault="answers 500 to a poll with a token that nobody has",
        make=errors_become(
            refusal(500), "pollTask", when=lambda asked, given: given.status == 401 and not _bare(asked)
        ),
        conditional=True,
    ),
    Mutant(
        name="missing-token-breaks",
        requirement="AUTH-3",
        fault="answers 500 to POST conversations without a token",
        make=refuses(500, "createConversation", when=_bare),
        conditional=True,
    ),
    Mutant(
        name="malformed-authorization-breaks",
        requirement="AUTH-5",
        fault="answers 500 to an Authorization that is not two words",
        make=refuses(500, *ALL_CALLS, when=_malformed),
        conditional=True,
    ),
    Mutant(
        name="missing-token-met-with-silence",
        requirement="AUTH-3",
        fault="never answers a poll without a token",
        make=hangs("pollTask", when=_bare),
        also=frozenset({"HTTP-9"}),
        conditional=True,
    ),
    Mutant(
        name="unauthorized-without-challenge",
        requirement="AUTH-4",
        fault="sends 401 without WWW-Authenticate",
        make=header(b"www-authenticate", None, *ALL_CALLS, errors=True),
    ),
    Mutant(
        name="unauthorized-polls-without-challenge",
        requirement="AUTH-4",
        fault="sends 401 without WWW-Authenticate to polls",
        make=header(b"www-authenticate", None, "pollTask", errors=True),
        conditional=True,
    ),
    Mutant(
        name="tasks-of-others-shown",
        requirement="OWN-1",
        fault="shows a task to everybody who has a token",
        make=_as(_whoever_owns_the_task, "pollTask"),
        conditional=True,
    ),
    Mutant(
        name="conversations-of-others-open",
        requirement="OWN-2",
        fault="takes a message into somebody else's conversation",
        make=_as(_whoever_owns_the_conversation, "sendMessage"),
        conditional=True,
    ),
)
