"""Mutants after mistakes in servers that others wrote: each works for whoever tries it by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.mutants.byte_front import ByteFault, Call
from tests.mutants.concurrency import runs
from tests.mutants.cors import not_for_files
from tests.mutants.exchange import Answer, Asked, Forward, refusal
from tests.mutants.faults import ALL_CALLS, answers, refuses, requests
from tests.mutants.model import Mutant
from tests.mutants.polls import Event, View, chunk, content, is_chunk, logs


async def _first_packet_alone(call: Call) -> None:
    """What stands behind the head in the packet that the head came in is taken for the body."""
    await call.reply(refusal(400, "empty_body") if call.body_came_apart else await call.forward())


async def _made_anew(asked: Asked, forward: Forward) -> Answer:
    """A workspace that is ensured again is a new one: its conversations are gone."""
    if asked.operation == "createWorkspace":
        given = await forward(asked)
        if given.status == 200:
            asked.desk.notes["gone"] = set(asked.desk.notes.get("open", ()))
        return given
    if asked.operation == "sendMessage" and str(asked.member("conversation_id")) in asked.desk.notes.get("gone", ()):
        return refusal(404, "conversation_not_found")
    given = await forward(asked)
    if asked.operation == "createConversation" and given.status == 201:
        asked.desk.notes.setdefault("open", set()).add(given.json()["conversation_id"])
    return given


async def _locked_while_running(asked: Asked, forward: Forward) -> Answer:
    """A workspace in which the latest task still runs is locked."""
    last = next(reversed(asked.desk.tasks.values()), None)
    if asked.operation == "createWorkspace" and last is not None and await runs(asked, forward, last.id):
        return refusal(409, "workspace_busy")
    return await forward(asked)


def _as_latin_1(asked: Asked) -> Asked:
    return asked.with_body(asked.body.decode("latin-1").encode())


def _without_charset(asked: Asked) -> bool:
    return b"charset" not in (asked.header(b"content-type") or b"") and not asked.body.isascii()


async def _tag_of_the_task(asked: Asked, forward: Forward) -> Answer:
    """The validator says which task it is, and not how far it has come."""
    given = await forward(asked)
    if asked.task is None or given.status != 200:
        return given
    tag = f'"{asked.task.id}-{asked.offset_text}"'.encode()
    if asked.header(b"if-none-match") == tag:
        return Answer(304, ((b"etag", tag),), b"")
    return given.adding(b"etag", tag).with_header(b"cache-control", b"no-cache")


def _digits_to_some(asked: Asked) -> bool:
    text = asked.offset_text
    return asked.task is not None and text is not None and text.isdigit() and not text.isdecimal()


def _cut_in_bytes(view: View, log: list[Event]) -> list[Event]:
    """The agent's text comes in pieces of some bytes, and each piece is made a text by itself."""
    del view
    said: list[Event] = []
    for event in log:
        raw = content(event).encode() if is_chunk(event) else b""
        if len(raw) > len(content(event)):
            half = len(raw) // 2 + (1 if raw[len(raw) // 2] & 0xC0 != 0x80 else 0)
            said += [chunk(raw[:half].decode("utf-8", "replace")), chunk(raw[half:].decode("utf-8", "replace"))]
        else:
            said.append(event)
    return said


def _beyond_ascii(asked: Asked) -> bool:
    return not asked.owner.isascii()


def _basic_that_is_none(asked: Asked) -> bool:
    scheme, _, value = asked.owner.partition(b" ")
    return scheme.lower() == b"basic" and (len(value) % 4 != 0 or b"%" in value)


def _said_to_be_latin_1(_: Asked, given: Answer) -> Answer:
    """The charset is guessed from the text, and an é is taken for a sign of Latin-1."""
    guessed = b"application/json; charset=iso-8859-1"
    return given.with_header(b"content-type", guessed) if "é".encode() in given.body else given


_PIECE = 11
"""Bytes."""


def _pieces(log: list[Event], decode: Callable[[bytes], str]) -> list[Event]:
    """The text of a log in pieces of eleven bytes, each decoded by itself; other events stay where they are."""
    pieces: list[Event] = []
    for event in log:
        raw = content(event).encode("utf-8", "surrogatepass")
        if is_chunk(event) and len(raw) > _PIECE:
            pieces += [chunk(decode(raw[at : at + _PIECE])) for at in range(0, len(raw), _PIECE)]
        else:
            pieces.append(event)
    return pieces


def _ignoring(_: View, log: list[Event]) -> list[Event]:
    return _pieces(log, lambda raw: raw.decode("utf-8", "ignore"))


def _replacing_with_blanks_between(_: View, log: list[Event]) -> list[Event]:
    """Behind each piece comes a chunk that shows nothing, as a heartbeat writes it."""
    blank = chunk("\u200b")
    return [each for event in _pieces(log, lambda raw: raw.decode("utf-8", "replace")) for each in (event, blank)]


async def _tag_of_the_status(asked: Asked, forward: Forward) -> Answer:
    """The ETag changes with the status, and not with the events."""
    given = await forward(asked)
    if asked.operation != "pollTask" or given.status != 200 or asked.task is None:
        return given
    status = str(given.json()["data"]["status"])
    tag = f'"{asked.task.id}-{status}"'.encode()
    told = given.with_header(b"cache-control", b"no-cache").with_header(b"etag", tag)
    if asked.header(b"if-none-match") != tag:
        return told
    return replace(told, status=304, body=b"").without(b"content-length")


def _line_in_the_name(asked: Asked) -> bool:
    name = asked.member("workspace_id")
    return isinstance(name, str) and ("\n" in name or "\r" in name)


async def _located(asked: Asked, forward: Forward) -> Answer:
    """The name stands in Location as it is, so that a line break in it begins another header."""
    given = await forward(asked)
    name = asked.member("workspace_id")
    if asked.operation != "createWorkspace" or not isinstance(name, str):
        return given
    _, found, rest = name.replace("\r", "").partition("\n")
    header, _, value = rest.partition(": ")
    if not (found and value):
        return given
    return given.adding(header.encode("latin-1", "replace"), value.encode("latin-1", "replace"))


async def _in_one_of_three(asked: Asked, forward: Forward) -> Answer:
    """Each worker has the conversations that it has made itself."""
    notes = asked.desk.notes
    turn = notes["turn"] = (notes.get("turn", 0) + 1) % 3
    known: dict[str, int] = notes.setdefault("worker", {})
    if asked.operation == "sendMessage" and known.get(str(asked.member("conversation_id")), turn) != turn:
        return refusal(404, "conversation_not_found")
    given = await forward(asked)
    if asked.operation == "createConversation" and given.status == 201:
        known[given.json()["conversation_id"]] = turn
    return given


def _in_several_lines(asked: Asked) -> bool:
    return "\n" in str(asked.member("message"))


MUTANTS = (
    Mutant(
        name="body-in-the-first-packet-alone",
        requirement="REQ-4",
        fault="takes for the body only what came in one packet with the head",
        make=ByteFault(_first_packet_alone),
        also=frozenset({"CONV-1"}),
        conditional=True,
    ),
    Mutant(
        name="text-without-charset-is-latin-1",
        requirement="REQ-6",
        fault="reads a message in raw UTF-8 as Latin-1 where Content-Type names no charset",
        make=requests(_as_latin_1, "sendMessage", when=_without_charset),
        conditional=True,
    ),
    Mutant(
        name="ensured-workspace-is-made-anew",
        requirement="WS-2",
        fault="forgets the conversations of a workspace that is ensured again",
        make=_made_anew,
        also=frozenset({"MSG-1"}),
        conditional=True,
    ),
    Mutant(
        name="workspace-locked-while-a-task-runs",
        requirement="WS-2",
        fault="answers 409 for a workspace in which a task runs",
        make=_locked_while_running,
        conditional=True,
    ),
    Mutant(
        name="message-of-several-lines-refused",
        requirement="MSG-1",
        fault="answers 400 to a message with a line feed in it",
        make=refuses(400, "sendMessage", when=_in_several_lines),
        conditional=True,
    ),
    Mutant(
        name="validator-of-the-task-alone",
        requirement="POLL-11",
        fault="sends no-cache and an ETag that stays the same while events come, and 304 to who asks with it",
        make=_tag_of_the_task,
        conditional=True,
    ),
    Mutant(
        name="characters-cut-into-replacements",
        requirement="ENC-1",
        fault="cuts text into chunks by bytes, and makes U+FFFD of both halves of a character",
        make=logs(_cut_in_bytes),
        conditional=True,
    ),
    Mutant(
        name="charset-guessed-from-the-text",
        requirement="ENC-3",
        fault="names the charset iso-8859-1 for a text with an é in it",
        make=answers(_said_to_be_latin_1, *ALL_CALLS),
        conditional=True,
    ),
    Mutant(
        name="answers-not-for-files",
        requirement="CORS-5",
        fault="allows a page from a file to ask, and not to read the answer",
        make=answers(not_for_files, *ALL_CALLS),
        conditional=True,
    ),
    Mutant(
        name="digit-that-is-no-number-breaks",
        requirement="FROM-6",
        fault="answers 500 to a from of characters that are digits and make no number, such as a superscript two",
        make=refuses(500, "pollTask", when=_digits_to_some),
        conditional=True,
    ),
    Mutant(
        name="credentials-beyond-ascii-break",
        requirement="AUTH-5",
        fault="answers 500 to an Authorization that is not ASCII",
        make=refuses(500, *ALL_CALLS, when=_beyond_ascii),
        conditional=True,
    ),
    Mutant(
        name="basic-that-does-not-decode-breaks",
        requirement="AUTH-5",
        fault="answers 500 to an Authorization of scheme Basic that is no base64",
        make=refuses(500, *ALL_CALLS, when=_basic_that_is_none),
        conditional=True,
    ),
    Mutant(
        name="characters-on-a-cut-vanish",
        requirement="ENC-1",
        fault="cuts text into pieces of eleven bytes, and leaves out what of a piece is no whole character",
        make=logs(_ignoring),
        conditional=True,
    ),
    Mutant(
        name="halves-with-a-blank-between",
        requirement="ENC-1",
        fault="makes U+FFFD of both halves of a character that is cut, with a chunk that shows nothing between them",
        make=logs(_replacing_with_blanks_between),
        conditional=True,
    ),
    Mutant(
        name="validator-of-the-status-alone",
        requirement="POLL-11",
        fault="sends no-cache and an ETag of the task and its status, and 304 to who asks with it",
        make=_tag_of_the_status,
        conditional=True,
    ),
    Mutant(
        name="line-break-in-a-name-breaks",
        requirement="BODY-5",
        fault="answers 500 to a workspace_id with a line break in it",
        make=refuses(500, "createWorkspace", when=_line_in_the_name),
        conditional=True,
    ),
    Mutant(
        name="line-break-in-a-name-makes-a-header",
        requirement="BODY-5",
        fault="puts workspace_id into a header as it is",
        make=_located,
        conditional=True,
    ),
    Mutant(
        name="workers-share-no-state",
        requirement="MSG-1",
        fault="knows a conversation in one of three workers alone, to which requests come by turns",
        make=_in_one_of_three,
        conditional=True,
    ),
    Mutant(
        name="conversation-wants-an-object",
        requirement="REQ-2",
        fault="answers 400 to POST conversations unless its body is a JSON object",
        make=refuses(400, "createConversation", when=lambda asked: not isinstance(asked.json(), dict)),
        also=frozenset({"REQ-1"}),
    ),
)
