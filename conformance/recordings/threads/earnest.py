"""What a recorded request is to the server: a call as clients make it, or something that it may well refuse.

The suite knows why it sends a request; of a recorded one it has to be told from what was asked. A server is judged by
a request only where nothing in that entitles it to another answer. In doubt the doubt is the server's: a row that is
not exercised is better than one that is red without reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from sendpoll.conformance.http.exchange import Failure, Intent, Request
from sendpoll.conformance.recordings.api_calls import ApiCall
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.threads.known_ids import KnownIds
from sendpoll.conformance.recordings.writing.masks import token_of
from sendpoll.conformance.server.inputs.negative_offsets import queries_of_clients
from sendpoll.conformance.server.probing.refusals import BUSY, UNAUTHORIZED
from sendpoll.core.json_text import MISSING, plain_value
from sendpoll.core.validation import checker
from sendpoll.schemas.endpoints import endpoints

_BEARER: Final = re.compile(r"Bearer [\x21-\x7e]+")
_OFFSET: Final = re.compile(r"[0-9]{1,18}")
_OF_CLIENTS: Final = frozenset(parse_qs(one.query, keep_blank_values=True)["from"][0] for one in queries_of_clients(0))
_UNKNOWN: Final = frozenset({400, 404, 410, 422})
"""How servers answer for an id that they do not know."""
_TOO_LARGE: Final = frozenset({413, 414, 431})
_UNREAD: Final = frozenset({400, 411, 413, 415, 422})
"""How servers refuse a body, which may be its own fault where nobody knows what it was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A recorded request as the rules take it."""

    request: Request
    said: Any
    """The document in its body; None where there is none, or none that can be read."""
    offset: int | None = None
    """The offset of a poll, as clients write it; None where it has none such."""
    wrong: str = ""
    """What entitles the server to another answer; empty where nothing does."""
    passed_over: str = ""
    """Why the answer says nothing about the server, whatever it is; empty where it does."""


def asked(recorded: RecordedExchange, call: ApiCall, known: KnownIds) -> Asked:
    """The request of a recorded exchange, before anything of this exchange is known to `known`."""
    said = _document(recorded)
    offset = _offset(call) if call.operation == "pollTask" else None
    kind, wrong = _wrong(recorded, call, known, said, offset)
    task = known.tasks.get(call.ids.get("task_id", ""))
    request = Request(
        method=recorded.method,
        target=call.target,
        headers=recorded.request_headers,
        body=recorded.request_body,
        operation=call.operation,
        intent=Intent.PROBE if wrong or not call.operation else Intent.USE,
        probe=kind,
        again=call.operation == "createWorkspace" and _is_known(recorded, known, said),
        late=bool(task and task.ended_at is not None and recorded.timing.started >= task.ended_at),
    )
    return Asked(request, said, offset, wrong, _passed_over(recorded, call, known, said))


def _wrong(
    recorded: RecordedExchange, call: ApiCall, known: KnownIds, said: Any, offset: int | None
) -> tuple[str, str]:
    """The kind of probe that a request amounts to, and what is wrong with it; twice empty where nothing is."""
    status = recorded.response.status if recorded.response else 0
    if not call.operation:
        return "", f"{recorded.method} is no call of that path"
    if status in _TOO_LARGE:
        return "", "the server finds it too large"
    if (found := _wrong_token(recorded, known, status)) != ("", ""):
        return found
    if call.operation == "pollTask":
        return _wrong_poll(call, known, status, offset)
    return _wrong_post(recorded, call, known, said, status)


def _wrong_token(recorded: RecordedExchange, known: KnownIds, status: int) -> tuple[str, str]:
    credentials = recorded.request_header("authorization")
    if credentials is None:
        told = status in UNAUTHORIZED and Facet.REQUEST_HEADERS not in recorded.lacks
        return ("auth", "it bears no token") if told else ("", "")
    if not _BEARER.fullmatch(credentials):
        return "odd auth", "its Authorization is not Bearer and a token"
    if status in UNAUTHORIZED and token_of(recorded) not in known.tokens:
        return "auth", "its token was taken nowhere in the recording"
    return "", ""


def _wrong_poll(call: ApiCall, known: KnownIds, status: int, offset: int | None) -> tuple[str, str]:
    if offset is None:
        values = _values(call)
        of_clients = len(values) == 1 and (values[0] in _OF_CLIENTS or re.fullmatch(r"[0-9]+\.0", values[0]))
        told = f"from={values[0][:40]}" if values else "no from"
        return "from" if of_clients else "odd from", f"it asks with {told}, which is no offset"
    task = known.tasks.get(call.ids["task_id"])
    if status in _UNKNOWN and (task is None or not task.is_made_here):
        return "", "the recording does not show that the server gave this task's id"
    if 400 <= status <= 499 and offset and (task is None or not task.gave(offset)):
        return "", f"from={offset} was given out nowhere in the recording"
    return "", ""


def _wrong_post(recorded: RecordedExchange, call: ApiCall, known: KnownIds, said: Any, status: int) -> tuple[str, str]:
    if Facet.REQUEST_BODY in recorded.lacks:
        return ("", "its body was not recorded") if status in _UNREAD | _UNKNOWN else ("", "")
    if wrong := _wrong_body(recorded, call, said):
        return "body", wrong
    if status in _UNKNOWN:
        if "workspace_id" in call.ids and call.ids["workspace_id"] not in known.workspaces:
            return "", f"nobody ensured the workspace {call.ids['workspace_id'][:80]!r} in the recording"
        if call.operation == "sendMessage" and _member(said, "conversation_id") not in known.conversations:
            return "", "the recording does not show that the server gave this conversation's id"
    return "", ""


def _wrong_body(recorded: RecordedExchange, call: ApiCall, said: Any) -> str:
    """What is wrong with the body of a POST; empty where the API takes it."""
    endpoint, body = endpoints()[call.operation], recorded.request_body
    if not body:
        return "it has no body" if endpoint.body_required else ""
    media_type = (recorded.request_header("content-type") or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and Facet.REQUEST_HEADERS not in recorded.lacks:
        return f"its body is sent as {media_type or 'no media type'}"
    if said is None:
        return "its body is no JSON text"
    if endpoint.request_schema and not checker(endpoint.request_schema)(said):
        return "its body is not as the API has it"
    return ""


def _is_known(recorded: RecordedExchange, known: KnownIds, said: Any) -> bool:
    """Whether the workspace that is ensured is there already, by what was answered before, or by this very answer."""
    conflicts = recorded.response is not None and recorded.response.status == 409
    return conflicts or _member(said, "workspace_id") in known.workspaces


def _passed_over(recorded: RecordedExchange, call: ApiCall, known: KnownIds, said: Any) -> str:
    status = recorded.response.status if recorded.response else 0
    if recorded.abandoned or (recorded.response is None and recorded.failure in {None, Failure.CONNECT}):
        return "the client left before the answer was whole, or nobody knows why none came"
    if status == 304 and (recorded.request_header("if-none-match") or recorded.request_header("if-modified-since")):
        return "a cache asked, not a client"
    if _is_at_once(recorded, call, known, said):
        return "the workspace was ensured by somebody else at the same moment"
    if call.operation == "sendMessage" and status in BUSY:
        return "a message may be refused while others are worked on"
    owner = _owner(call, known, said) if status in {403, 404} else ""
    return "it belongs to somebody with another token" if owner and owner != token_of(recorded) else ""


def _is_at_once(recorded: RecordedExchange, call: ApiCall, known: KnownIds, said: Any) -> bool:
    """Whether somebody else ensured the same workspace meanwhile, which no published client does that runs alone."""
    name = _member(said, "workspace_id") if call.operation == "createWorkspace" else None
    return bool(name) and recorded.timing.started < known.ensured.get(name or "", 0.0)


def _owner(call: ApiCall, known: KnownIds, said: Any) -> str:
    """The token to which the conversation or the task of a call was given; empty where nobody knows."""
    if call.operation == "sendMessage":
        return known.conversations.get(_member(said, "conversation_id") or "", "")
    task = known.tasks.get(call.ids.get("task_id", ""))
    return task.token if task else ""


def _document(recorded: RecordedExchange) -> Any:
    body = recorded.request_body
    if not body or recorded.method != "POST":
        return None
    value = plain_value(body)
    return None if value is MISSING else value


def _member(said: Any, name: str) -> str | None:
    found = said.get(name) if isinstance(said, dict) else None
    return found if isinstance(found, str) else None


def _values(call: ApiCall) -> list[str]:
    try:
        return parse_qs(call.target.partition("?")[2], keep_blank_values=True, max_num_fields=100).get("from", [])
    except ValueError:
        return []


def _offset(call: ApiCall) -> int | None:
    query = call.target.partition("?")[2]
    plain = re.fullmatch(r"from=([0-9]{1,18})", query)  # what nearly every poll has
    if plain:
        return int(plain[1])
    values = _values(call)
    return int(values[0]) if len(values) == 1 and _OFFSET.fullmatch(values[0]) else None
