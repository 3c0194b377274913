"""Mutants that refuse, misread or redirect what the published clients send (REQ rows)."""

from __future__ import annotations

from dataclasses import replace

from tests.mutants.byte_front import ByteFault, Call
from tests.mutants.exchange import JSON_HEADERS, Answer, Asked, Forward, answer, refusal
from tests.mutants.faults import ALL_CALLS, hangs, has, is_ascii, lacks, refuses, replies, requests
from tests.mutants.model import Listening, Mutant


def _no_length(asked: Asked) -> bool:
    return lacks(b"content-length")(asked) and lacks(b"transfer-encoding")(asked)


def _empty(asked: Asked) -> bool:
    return asked.header(b"content-length") == b"0"


def _escapes_stay(asked: Asked) -> Asked:
    return asked.with_body(asked.body.replace(b"\\u", b"\\\\u"))


def _has_escapes(asked: Asked) -> bool:
    return is_ascii(asked.body) and b"\\u" in asked.body


def _emoji_lost(asked: Asked) -> Asked:
    text = asked.body.decode("utf-8", "replace")
    return asked.with_body("".join("?" if ord(character) > 0xFFFF else character for character in text).encode())


def _has_raw_emoji(asked: Asked) -> bool:
    return any(ord(character) > 0xFFFF for character in asked.body.decode("utf-8", "replace"))


def _iterations(asked: Asked) -> object:
    return asked.member("max_iterations")


def _conversation(asked: Asked) -> object:
    body = asked.json()
    return body.get("conversation_id") if isinstance(body, dict) else "no object"


def _question_marks(asked: Asked) -> Asked:
    """The text is read and written again in the charset of the system, which is ASCII."""
    body = asked.json()
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return asked
    return asked.with_json({**body, "message": body["message"].encode("ascii", "replace").decode()})


def _forty_bytes(asked: Asked) -> Asked:
    """A column of forty bytes: what is cut in it is mended with U+FFFD."""
    body = asked.json()
    if not isinstance(body, dict) or not isinstance(body.get("message"), str):
        return asked
    return asked.with_json({**body, "message": body["message"].encode()[:40].decode("utf-8", "replace")})


async def _conversation_of_nobody(asked: Asked, forward: Forward) -> Answer:
    """A message without a conversation goes into a new one."""
    if asked.operation != "sendMessage" or _conversation(asked) not in ("", None):
        return await forward(asked)
    opened = replace(
        asked, path=asked.path.replace(b"/messages", b"/conversations"), operation="createConversation"
    ).with_body(b"")
    created = await forward(opened)
    if created.status != 201:
        return created
    return await forward(asked.with_json({**asked.json(), **created.json()}))


async def _redirect(asked: Asked, forward: Forward, status: int, hit: bool) -> Answer:
    """Send the client to the path with a slash, and serve it there."""
    if asked.path.endswith(b"/"):
        return await forward(replace(asked, path=asked.path.rstrip(b"/")))
    if not hit:
        return await forward(asked)
    query = b"?" + asked.query if asked.query else b""
    return answer(status, {}).adding(b"location", asked.path + b"/" + query)


async def _slash_for_workspaces(asked: Asked, forward: Forward) -> Answer:
    return await _redirect(asked, forward, 307, asked.operation == "createWorkspace")


async def _slash_for_polls(asked: Asked, forward: Forward) -> Answer:
    return await _redirect(asked, forward, 302, asked.task is not None)


async def _see_other_when_known(asked: Asked, forward: Forward) -> Answer:
    given = await forward(asked)
    if asked.operation != "createWorkspace" or given.status != 200:
        return given
    return answer(303, {}).adding(b"location", b"/api/v1/workspaces/known")


async def _lower_case_unread(call: Call) -> None:
    """The token is found under `Authorization` alone."""
    names = [name for name, _ in call.asked.headers]
    if b"authorization" in names:
        await call.reply(refusal(401))
    else:
        await call.reply(await call.forward())


async def _host_first(call: Call) -> None:
    names = [name.lower() for name, _ in call.asked.headers]
    late = call.asked.operation == "createConversation" and names and names[0] != b"host"
    await call.reply(refusal(400) if late else await call.forward())


async def _one_connection(call: Call) -> None:
    """A message is taken only on a connection that has made its workspace or conversation."""
    stranger = call.asked.operation == "sendMessage" and call.nth == 1
    await call.reply(refusal(403) if stranger else await call.forward())


async def _cookie(asked: Asked, forward: Forward) -> Answer:
    """Messages are taken only with the cookie that the conversation was given."""
    if asked.operation == "sendMessage" and lacks(b"cookie", b"session=")(asked):
        return refusal(403)
    given = await forward(asked)
    return given.adding(b"set-cookie", b"session=1; Path=/") if asked.operation == "createConversation" else given


_GHOST = Answer(200, JSON_HEADERS, b"").with_json({"data": {"status": "completed", "next_offset": 0, "events": []}})


MUTANTS = (
    Mutant(
        name="conversation-needs-length",
        requirement="REQ-1",
        fault="answers 411 to POST conversations without Content-Length",
        make=refuses(411, "createConversation", when=_no_length),
    ),
    Mutant(
        name="conversation-waits-for-a-body",
        requirement="REQ-1",
        fault="waits for a body when POST conversations says no length",
        make=hangs("createConversation", when=_no_length),
        also=frozenset({"HTTP-9"}),
    ),
    Mutant(
        name="empty-conversation-is-bad-json",
        requirement="REQ-2",
        fault="answers 400 to POST conversations with Content-Length 0, for an empty text is no JSON",
        make=refuses(400, "createConversation", when=_empty),
    ),
    Mutant(
        name="empty-conversation-refused-without-accept",
        requirement="REQ-4",
        fault="answers 415 to an explicitly empty POST conversations that names neither media type nor Accept",
        make=refuses(415, "createConversation", when=lambda asked: _empty(asked) and lacks(b"accept")(asked)),
        conditional=True,
    ),
    Mutant(
        name="charset-refused",
        requirement="REQ-3",
        fault="compares the request's Content-Type with application/json as a whole text",
        make=refuses(415, *ALL_CALLS, when=has(b"content-type", b"charset")),
        conditional=True,
    ),
    Mutant(
        name="charset-required-on-messages",
        requirement="REQ-3",
        fault="answers 415 to messages whose Content-Type names no charset",
        make=refuses(415, "sendMessage", when=lacks(b"content-type", b"charset")),
        conditional=True,
    ),
    Mutant(
        name="accept-required",
        requirement="REQ-4",
        fault="answers 406 to a poll without Accept",
        make=refuses(406, "pollTask", when=lacks(b"accept")),
        also=frozenset({"POLL-1"}),
        conditional=True,
    ),
    Mutant(
        name="curl-kept-out",
        requirement="REQ-4",
        fault="answers 403 to the User-Agent of curl",
        make=refuses(403, *ALL_CALLS, when=has(b"user-agent", b"curl/")),
        also=frozenset({"REQ-1"}),
        conditional=True,
    ),
    Mutant(
        name="lower-case-authorization-unread",
        requirement="REQ-4",
        fault="does not find the token under a header name in lower case",
        make=ByteFault(_lower_case_unread),
        conditional=True,
    ),
    Mutant(
        name="host-must-come-first",
        requirement="REQ-4",
        fault="answers 400 to POST conversations whose first header is not Host",
        make=ByteFault(_host_first),
        conditional=True,
    ),
    Mutant(
        name="connection-affinity",
        requirement="REQ-5",
        fault="takes no message as the first request of a connection",
        make=ByteFault(_one_connection),
        also=frozenset({"MSG-1"}),
        conditional=True,
    ),
    Mutant(
        name="cookie-needed",
        requirement="REQ-5",
        fault="takes messages only with the cookie that came with the conversation",
        make=_cookie,
        also=frozenset({"MSG-1"}),
        conditional=True,
    ),
    Mutant(
        name="escapes-kept-as-text",
        requirement="REQ-6",
        fault="takes the \\uXXXX of a message for six characters of text",
        make=requests(_escapes_stay, "sendMessage", when=_has_escapes),
        conditional=True,
    ),
    Mutant(
        name="raw-utf8-refused",
        requirement="REQ-6",
        fault="answers 400 to a message in raw UTF-8",
        make=refuses(400, "sendMessage", when=lambda asked: not is_ascii(asked.body)),
        conditional=True,
    ),
    Mutant(
        name="raw-emoji-garbled",
        requirement="REQ-6",
        fault="reads raw characters of four bytes as question marks",
        make=requests(_emoji_lost, "sendMessage", when=_has_raw_emoji),
        conditional=True,
    ),
    Mutant(
        name="max-iterations-refused",
        requirement="REQ-7",
        fault="answers 422 to a message with max_iterations",
        make=refuses(422, "sendMessage", when=lambda asked: _iterations(asked) is not None),
        conditional=True,
    ),
    Mutant(
        name="max-iterations-required",
        requirement="REQ-7",
        fault="answers 422 to a message without max_iterations",
        make=refuses(422, "sendMessage", when=lambda asked: _iterations(asked) is None),
        conditional=True,
    ),
    Mutant(
        name="bearer-capital-refused-on-polls",
        requirement="REQ-8",
        fault="answers 401 to polls whose scheme is written Bearer, not bearer",
        make=refuses(401, "pollTask", when=lambda asked: asked.task is not None and asked.owner.startswith(b"Bearer ")),
        also=frozenset({"POLL-1"}),
        conditional=True,
    ),
    Mutant(
        name="bearer-in-small-letters-alone",
        requirement="REQ-8",
        fault="knows the scheme only when it is written bearer",
        make=refuses(401, *ALL_CALLS, when=lambda asked: asked.owner.startswith(b"Bearer ")),
    ),
    Mutant(
        name="workspaces-redirect-to-slash",
        requirement="REQ-9",
        fault="redirects POST workspaces to the path with a slash",
        make=_slash_for_workspaces,
    ),
    Mutant(
        name="polls-redirect-to-slash",
        requirement="REQ-9",
        fault="redirects polls to the path with a slash",
        make=_slash_for_polls,
    ),
    Mutant(
        name="known-workspace-redirects",
        requirement="REQ-9",
        fault="answers 303 to POST workspaces for a workspace that exists",
        make=_see_other_when_known,
        also=frozenset({"WS-2"}),
        conditional=True,
    ),
    Mutant(
        name="message-without-conversation-taken",
        requirement="REQ-12",
        fault="opens a conversation for a message that names none, and does not tell which",
        make=_conversation_of_nobody,
        conditional=True,
    ),
    Mutant(
        name="task-undefined-found",
        requirement="REQ-10",
        fault="answers a poll of /tasks/undefined as if it were a task that has ended",
        make=replies(_GHOST, "pollTask", when=lambda asked: asked.path.endswith(b"/tasks/undefined")),
        conditional=True,
    ),
    Mutant(
        name="task-list-at-empty-id",
        requirement="REQ-10",
        fault="answers a poll of /tasks/ with a list",
        make=replies(answer(200, []), "pollTask", when=lambda asked: asked.path.endswith(b"/tasks/")),
        conditional=True,
    ),
    Mutant(
        name="ipv6-alone",
        requirement="REQ-11",
        fault="listens on ::1 and not on 127.0.0.1",
        make=Listening("::1", "[::1]"),
    ),
    Mutant(
        name="beyond-ascii-to-question-marks",
        requirement="REQ-6",
        fault="makes question marks of everything in a message that is beyond ASCII, however it was spelt",
        make=requests(_question_marks, "sendMessage"),
        conditional=True,
    ),
    Mutant(
        name="message-cut-at-forty-bytes",
        requirement="REQ-6",
        fault="keeps the first forty bytes of a message, and U+FFFD for half a character at the end",
        make=requests(_forty_bytes, "sendMessage"),
        conditional=True,
    ),
)
