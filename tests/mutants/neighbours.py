"""Right servers that stand next to a fault: each does what is like one of the mutants' faults, and breaks no client."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.mutants.byte_front import ByteFault, Call
from tests.mutants.concurrency import runs
from tests.mutants.exchange import Answer, Asked, Forward, Handler, refusal
from tests.mutants.faults import answers, both, has, refuses, requests
from tests.mutants.model import Mutant
from tests.mutants.polls import Event, View, chunk, logs, offsets, polls
from tests.mutants.restarts import in_old_conversation, is_old, kept, noting_ends, ran, serve_log

_EPOCH = 1_767_225_600_000
_STEP = 37
_MODULUS = (1 << 48) - 59
_FACTOR = 25_214_903_917
_FIRST = 1000
_OPEN = 14
_LONG = 600
_SERVED = 7
_WARM = 1.5


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A right server, and the SHOULD rows that it truly lacks."""

    name: str
    beside: str
    """The row that a coarser check would fail it for."""
    difference: str
    """What it does that is like a fault."""
    make: Handler | ByteFault
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Row to the reason why it does not pass."""
    restarts: bool = False
    """Whether it is looked at over a restart."""

    @property
    def served(self) -> Mutant:
        """The same as the mutants' server takes it."""
        return Mutant(name=self.name, requirement=self.beside, fault="none", make=self.make, restarts=self.restarts)


def _of_time(offset: int) -> int | None:
    """Whatever lies before the first event stands for the beginning."""
    position, rest = divmod(offset - _EPOCH, _STEP)
    return 0 if 0 <= offset <= _EPOCH else None if rest or offset < 0 else position


def _scrambled(position: int) -> int:
    return position * _FACTOR % _MODULUS


def _unscrambled(cursor: int) -> int | None:
    position = cursor * pow(_FACTOR, -1, _MODULUS) % _MODULUS
    return position if position < 1 << 32 else None


def _from_a_thousand(offset: int) -> int | None:
    return 0 if offset == 0 else offset - _FIRST if offset >= _FIRST else None


async def _conversation_made_and_told(asked: Asked, forward: Forward) -> Answer:
    body = asked.json()
    if asked.operation != "sendMessage" or not isinstance(body, dict) or body.get("conversation_id") not in ("", None):
        return await forward(asked)
    path = asked.path.replace(b"/messages", b"/conversations")
    made = await forward(replace(asked, path=path, operation="createConversation").with_body(b""))
    if made.status != 201:
        return made
    given = await forward(asked.with_json({**body, **made.json()}))
    return given.with_json({**given.json(), **made.json()}) if given.status == 202 else given


def _one_at_a_time(status: int) -> Handler:
    """Another message of a conversation is refused while the one before it is answered."""

    async def handle(asked: Asked, forward: Forward) -> Answer:
        key = f"of {asked.member('conversation_id')}"
        last = asked.desk.notes.get(key)
        if asked.operation != "sendMessage":
            return await forward(asked)
        if last is not None and await runs(asked, forward, last):
            return refusal(status, "busy")
        given = await forward(asked)
        if given.status == 202:
            asked.desk.notes[key] = given.json()["task_id"]
        return given

    return handle


async def _so_many_conversations(asked: Asked, forward: Forward) -> Answer:
    opened = asked.desk.notes.get("opened", 0)
    if asked.operation == "createConversation" and opened >= _OPEN:
        return refusal(409, "too_many_open")
    given = await forward(asked)
    if asked.operation == "createConversation" and given.status == 201:
        asked.desk.notes["opened"] = opened + 1
    return given


def _is_long(asked: Asked) -> bool:
    return len(str(asked.member("message") or "")) > _LONG


async def _validated(asked: Asked, forward: Forward) -> Answer:
    """A validator of the whole answer, and 304 to who has just that."""
    given = await forward(asked)
    if asked.operation != "pollTask" or given.status != 200:
        return given
    tag = f'"{hash(given.body):x}"'.encode()
    told = given.with_header(b"cache-control", b"no-cache").with_header(b"etag", tag)
    if asked.header(b"if-none-match") != tag:
        return told
    return replace(told, status=304, body=b"").without(b"content-length")


def _quoting_a_broken_file(_: View, log: list[Event]) -> list[Event]:
    """The agent shows what it has read, and that was no text."""
    return (
        [*log[:2], chunk("The file begins with PNG\ufffd"), chunk("\r\n and goes on."), *log[2:]]
        if len(log) > 2
        else log
    )


def _page_of_an_error(_: Asked, given: Answer) -> Answer:
    page = given.with_body(b"<html><title>414 URI Too Long</title></html>")
    return page.with_status(414).with_header(b"content-type", b"text/html")


def _flushed(_: Asked, given: Answer) -> Answer:
    """Sends what is there before the rest, and an empty member behind it, of which nobody misses anything."""
    packer, half = zlib.compressobj(wbits=31), len(given.body) // 2
    body = packer.compress(given.body[:half]) + packer.flush(zlib.Z_SYNC_FLUSH)
    body += packer.compress(given.body[half:]) + packer.flush() + gzip.compress(b"")
    return given.with_body(body).adding(b"content-encoding", b"gzip")


async def _closes_behind_the_seventh(call: Call) -> None:
    await call.reply(await call.forward())
    if call.nth >= _SERVED:
        call.close()


def _long_path(asked: Asked) -> bool:
    return len(asked.path) > 250


async def _as_it_is(asked: Asked, forward: Forward) -> Answer:
    return await forward(asked)


def _failed_where_it_was(view: View) -> None:
    told = {"type": "error", "data": {"message": "the server was restarted"}}
    serve_log(view, [*kept(view), told], "failed")


async def _on_its_way(asked: Asked, forward: Forward) -> Answer:
    if asked.desk.restarts:
        since = asked.desk.notes.setdefault("back", time.monotonic())
        if time.monotonic() - since < _WARM:
            return refusal(503, "starting").adding(b"retry-after", b"1")
    return await forward(asked)


NEIGHBOURS = (
    Neighbour(
        "offsets-in-epoch-milliseconds",
        "FROM-4",
        "offsets are times, and one of a moment ago lies not behind the end",
        offsets(lambda position: _EPOCH + _STEP * position, _of_time),
    ),
    Neighbour(
        "cursors-that-go-up-and-down", "POLL-5", "offsets are scrambled positions", offsets(_scrambled, _unscrambled)
    ),
    Neighbour(
        "logs-that-begin-at-a-thousand",
        "POLL-12",
        "the offset of a log's beginning is 1000",
        offsets(lambda position: position + _FIRST, _from_a_thousand),
    ),
    Neighbour(
        "conversation-made-and-told",
        "REQ-12",
        "opens a conversation for a message that names none, and tells it",
        _conversation_made_and_told,
    ),
    Neighbour(
        "second-message-refused-409", "QUEUE-1", "refuses a second message for now with 409", _one_at_a_time(409)
    ),
    Neighbour(
        "second-message-refused-429", "QUEUE-1", "refuses a second message for now with 429", _one_at_a_time(429)
    ),
    Neighbour(
        "second-message-refused-503", "QUEUE-1", "refuses a second message for now with 503", _one_at_a_time(503)
    ),
    Neighbour("so-many-conversations", "CONV-1", "opens fourteen conversations and no more", _so_many_conversations),
    Neighbour(
        "long-messages-refused", "MSG-1", "takes messages of 600 characters", refuses(422, "sendMessage", when=_is_long)
    ),
    Neighbour("validator-of-the-answer", "POLL-11", "answers 304 to who has the very answer", _validated),
    Neighbour(
        "agent-shows-replacements",
        "ENC-1",
        "a chunk of the agent's own ends with U+FFFD, and the next begins with none",
        logs(_quoting_a_broken_file),
    ),
    Neighbour(
        "gzip-flushed",
        "ENC-8",
        "flushes a gzip member in the middle of each body, where gzip was offered",
        answers(_flushed, "pollTask", when=has(b"accept-encoding", b"gzip")),
    ),
    Neighbour(
        "page-for-long-paths",
        "NF-1",
        "answers 414 and a page to a path of 250 bytes",
        answers(_page_of_an_error, "pollTask", when=_long_path, errors=True),
    ),
    Neighbour(
        "closes-behind-the-seventh",
        "HTTP-7",
        "closes a connection at once behind its seventh answer, and does not say so",
        ByteFault(_closes_behind_the_seventh),
    ),
    Neighbour(
        "null-for-what-is-left-out",
        "BODY-2",
        "takes null for a member that may be left out",
        requests(
            lambda asked: asked.with_json({key: value for key, value in asked.json().items() if value is not None}),
            "sendMessage",
            when=lambda asked: isinstance(asked.json(), dict) and None in asked.json().values(),
        ),
        {"REQ-12": "null for a conversation is left out too, and refused"},
    ),
    Neighbour(
        "goes-on-over-a-restart", "RESTART-3", "lets agents run on while it restarts itself", _as_it_is, restarts=True
    ),
    Neighbour(
        "tasks-in-memory-alone",
        "RESTART-6",
        "answers 404 after a restart to every id from before",
        both(refuses(404, "pollTask", when=is_old), refuses(404, "sendMessage", when=in_old_conversation)),
        {"RESTART-1": "it knows no task from before"},
        restarts=True,
    ),
    Neighbour(
        "fails-what-ran",
        "RESTART-2",
        "ends a task that ran when a restart came as failed, with an event that says so",
        noting_ends(polls(_failed_where_it_was, lambda view: ran(view.asked))),
        restarts=True,
    ),
    Neighbour(
        "slow-to-come-back",
        "RESTART-6",
        "answers 503 for a second and a half after a restart",
        _on_its_way,
        restarts=True,
    ),
)
